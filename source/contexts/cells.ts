import {Conflict, InvalidInput, NotFound, NothingToAssign, toColoniesError, type ColoniesError, Unavailable} from '../core/errors.ts';
import {suggestion} from '../core/nearest.ts';
import {quoted} from '../core/text.ts';
import type {Id, Topic} from '../core/types.ts';
import {
	cells, colonies, type Database, type Event, findEngine,
} from '../database/index.ts';
import {
	type Across, type AnyOperation, type Caller, type CellHead, type CellState, type Committed, type Context, type Heads, type HostedContext, keptRequest, livesThere, type Moved, type OperationName, operationNamed, type Page, parseInput, type RunOptions, type Served,
} from '../operations/index.ts';
import type {BrokerContext} from './local.ts';
import {mergePages} from './merging.ts';
import {mergeStatistics} from './statistics.ts';

/** A cell that is open in this process. */
type Open = cells.Cell & {database: Database; context: BrokerContext};

type Options = {
	first: {database: Database; context: BrokerContext};
	/** Opens a cell that lies in another schema or database; it may be away. @throws ColoniesError */
	open: (cell: cells.Cell) => Promise<{database: Database; context: BrokerContext}>;
	/** Whether deadlines are seen to in all cells, for as long as it is open. */
	attended: boolean;
};

/** Colonies whose cell is remembered. */
const mostKnown = 10_000;
/** Milliseconds that one call of a move goes on for, before it says how far it is. */
const moveMs = 10_000;
/** Times that a call follows a colony that moves. */
const mostMoves = 3;

type Input = Record<string, unknown>;

/** The colony that a call is about, also where something is wrong with the call. */
function colonyOf(operation: AnyOperation, input: unknown): Id | undefined {
	try {
		const id: unknown = (operation.colony ?? operation.about)?.(input as any);
		return typeof id === 'string' ? id.toLowerCase() : undefined;
	} catch {
		return undefined;
	}
}

const withoutCell = (input: unknown): Input => {
	const {cell: _, ...rest} = (typeof input === 'object' && input !== null ? input : {}) as Input;
	return rest;
};

/** What a cell answered, or why it did not. */
type Told<Result> = {cell: Open; result: Result} | {cell: Open; problem: ColoniesError};

const isTold = <Result>(told: Told<Result>): told is Told<Result> & {result: Result} => 'result' in told;

/**
The operations on an installation of several cells, as one context. A call goes to the cell where its colony lives, and that is decided here alone.
While there is one cell, every call goes to it as it is; that there are more now is found out when a colony is not there, or root asks for all.
Where a colony lives is kept by the first cell; a colony that is moving is found by what it left behind, and a move that was cut off after its commit is finished by the first call that meets it.
*/
class Cells {
	readonly #first: Open;
	readonly #open: Options['open'];
	readonly #attended: boolean;
	#cells: cells.Cell[] = [];
	readonly #opened = new Map<number, Promise<Open>>();
	readonly #known = new Map<Id, number>();
	readonly #hearers = new Set<(committed: Committed) => void>();
	readonly #watchers = new Set<(cell: Open) => void>();
	readonly #follows = new Set<{colony: Id; again: (cell: Open) => void}>();
	#closed = false;

	constructor({first, open, attended}: Options) {
		this.#first = {cell: cells.firstCell, name: first.database.schema, schema: first.database.schema, place: null, ...first};
		this.#opened.set(cells.firstCell, Promise.resolve(this.#first));
		this.#open = open;
		this.#attended = attended;
	}

	/** Learns which cells there are. @throws ColoniesError where the first one does not answer, or is no first one */
	learn({cells: all}: cells.Membership): void {
		this.#cells = all.length > 1 ? all : [];
		if (this.#attended) {
			for (const {cell} of this.#cells) {
				void this.#cell(cell).catch(() => undefined);
			}
		}
	}

	get #isOne(): boolean {
		return this.#cells.length < 2;
	}

	async run(caller: Caller, name: OperationName, input: unknown, options?: RunOptions): Promise<any> {
		const operation = operationNamed(name);
		const colony = colonyOf(operation, input);
		const cell = (input as Input | undefined)?.cell;
		if (colony !== undefined && operation.across === undefined && (this.#isOne || cell === undefined)) {
			return this.#atColony(operation, colony, async ({context}) => context.run(caller, name, input as never, options));
		}

		if (colony === undefined) {
			await this.#learnAgain();
		}

		return this.#isOne ? this.#first.context.run(caller, name, input as never, options) : this.#across({operation, caller, input: withoutCell(input), cell, colony}, options);
	}

	async runMany(caller: Caller, name: OperationName, inputs: readonly unknown[], options?: RunOptions): Promise<any> {
		const operation = operationNamed(name);
		const colony = colonyOf(operation, inputs[0]);
		const act = async ({context}: Open) => context.runMany(caller, name, inputs as never, options);
		return colony === undefined ? act(this.#first) : this.#atColony(operation, colony, act);
	}

	/** Hears the news of all cells that are open, and of those that are opened later. */
	watch(hear: (topics: ReadonlySet<Topic>) => void): () => void {
		const stops = new Map<number, () => void>();
		const begin = ({cell, context}: Open) => {
			if (!stops.has(cell)) {
				stops.set(cell, context.watch(hear));
			}
		};

		this.#watchers.add(begin);
		for (const opening of this.#opened.values()) {
			void watchWhenOpen(opening, cell => {
				if (this.#watchers.has(begin)) {
					begin(cell);
				}
			});
		}

		return () => {
			this.#watchers.delete(begin);
			for (const stop of stops.values()) {
				stop();
			}
		};
	}

	async close(): Promise<void> {
		this.#closed = true;
		const some = await Promise.allSettled(this.#opened.values());
		await Promise.all(some.map(async each => each.status === 'fulfilled' ? each.value.context.close() : undefined));
	}

	/** How many cells there are. */
	get size(): number {
		return Math.max(1, this.#cells.length);
	}

	/** What a server asks besides operations. Root's password and the tokens are the first one's. */
	get served(): Served {
		const {broker} = this.#first.context;
		return {
			verifyRoot: async (password, options) => broker.verifyRoot(password, options),
			isRootRemembered: async password => broker.isRootRemembered(password),
			nameOfMetricsToken: async token => broker.nameOfMetricsToken(token),
			hearCommitted: hear => this.#hearCommitted(hear),
			statistics: async () => this.#isOne ? broker.statistics() : mergeStatistics(await this.#ask(async ({context}) => context.broker.statistics())),
			follow: async (colony, hear, after) => this.#follow(colony, hear, after),
		};
	}

	#hearCommitted(hear: (committed: Committed) => void): () => void {
		this.#hearers.add(hear);
		const stop = this.#first.context.broker.hearCommitted(committed => {
			if (this.#hearers.has(hear)) {
				hear(committed);
			}
		});
		return () => {
			stop();
			this.#hearers.delete(hear);
		};
	}

	/** Follows a colony, also to another cell. The ids of its events go on growing there. */
	async #follow(colony: Id, hear: (events: readonly Event[]) => void | Promise<void>, after?: string): Promise<{from: string; stop: () => void}> {
		let last = after;
		let isStopped = false;
		const begin = async ({context}: Open) => context.broker.follow(colony, async events => {
			last = events.at(-1)?.id ?? last;
			return hear(events);
		}, last);
		let current = await begin(await this.#cellOf(colony));
		last ??= current.from;
		const goOn = async (cell: Open) => {
			try {
				current = await begin(cell);
			} catch {
				// It does not answer; those who follow ask again whether they may, and open it anew.
			}

			if (isStopped) {
				current.stop();
			}
		};

		const follow = {
			colony,
			again(cell: Open) {
				current.stop();
				void goOn(cell);
			},
		};
		this.#follows.add(follow);
		return {
			from: current.from,
			stop: () => {
				isStopped = true;
				this.#follows.delete(follow);
				current.stop();
			},
		};
	}

	/** Does something in the cell where a colony lives, and follows it where it has gone. */
	async #atColony<Result>(operation: AnyOperation, colony: Id, act: (cell: Open) => Promise<Result>): Promise<Result> {
		let cell = this.#isOne ? this.#first : await this.#cellOf(colony);
		for (let moves = 0; ; moves++) {
			try {
				return await act(cell); // eslint-disable-line no-await-in-loop
			} catch (error) {
				const failure = toColoniesError(error);
				if (moves > 0 && failure.code === 'unauthenticated') {
					// Its nonce was spent where it came first.
					throw movedMeanwhile(operation);
				}

				const next = moves < mostMoves && failure.isAbsence ? await this.#soughtAgain(colony, cell) : undefined; // eslint-disable-line no-await-in-loop
				if (next === undefined) {
					throw error;
				}

				cell = next;
			}
		}
	}

	/** Where a colony is that was not found: in another cell, or in the same one, where it has just arrived; undefined where nothing else is known. @throws ColoniesError */
	async #soughtAgain(colony: Id, from: Open): Promise<Open | undefined> {
		await this.#learnAgain();
		this.#known.delete(colony);
		if (this.#isOne) {
			return undefined;
		}

		const {isHere, isNew, to} = await cells.presence(from.database, colony);
		if (isHere) {
			return isNew ? from : undefined;
		}

		const cell = to === undefined ? await this.#cellOf(colony) : await this.#arrived(colony, from, to);
		if (cell === from) {
			return undefined;
		}

		this.#goTo(colony, cell);
		return cell;
	}

	/** Finishes a move whose commit has come, and says where the colony lives now. */
	async #arrived(colony: Id, from: Open, to: string): Promise<Open> {
		const target = await this.#named(to);
		await cells.arrive({colony, source: endOf(from), target: endOf(target)});
		const {isHere} = await cells.presence(target.database, colony);
		if (isHere) {
			await cells.setCellOf(this.#first.database, colony, target.cell);
			remember(this.#known, colony, target.cell);
		}

		return target;
	}

	/** Those who follow the colony follow it there. */
	#goTo(colony: Id, cell: Open): void {
		for (const follow of this.#follows) {
			if (follow.colony === colony) {
				follow.again(cell);
			}
		}
	}

	/** Whether cells were added since. A store that is away, or not brought up to date, says so when the call itself is carried out. */
	async #learnAgain(): Promise<void> {
		const membership = await cells.membership(this.#first.database).catch((): cells.Membership => ({cells: [], of: undefined}));
		if (membership.cells.length > this.#cells.length && membership.cells.length > 1) {
			this.learn(membership);
		}
	}

	async #cellOf(colony: Id): Promise<Open> {
		const known = this.#known.get(colony);
		if (known !== undefined) {
			return this.#cell(known);
		}

		const cell = this.#isOne ? cells.firstCell : await cells.cellOf(this.#first.database, colony) ?? cells.firstCell;
		remember(this.#known, colony, cell);
		return this.#cell(cell);
	}

	/** A cell by its number, opened when it is first asked for. @throws Unavailable */
	async #cell(number: number): Promise<Open> {
		const known = this.#opened.get(number);
		if (known !== undefined) {
			return known;
		}

		const cell = this.#cells.find(({cell}) => cell === number);
		if (cell === undefined) {
			throw new Unavailable(`The cell with the number ${number} is not known yet.`, {hint: 'Try it again in a moment.'});
		}

		const opening = this.#openCell(cell);
		this.#opened.set(number, opening);
		opening.catch(() => {
			this.#opened.delete(number);
		});
		return opening;
	}

	async #openCell(cell: cells.Cell): Promise<Open> {
		if (this.#closed) {
			throw new Unavailable('The store is closed.');
		}

		const opened: Open = {...cell, ...await this.#open(cell)};
		opened.context.broker.hearCommitted(committed => {
			for (const hear of this.#hearers) {
				hear(committed);
			}
		});
		for (const begin of this.#watchers) {
			begin(opened);
		}

		return opened;
	}

	/** @throws NotFound */
	async #named(name: unknown): Promise<Open> {
		const cell = this.#cells.find(each => each.name === name);
		if (cell === undefined) {
			throw new NotFound(`There is no cell ${quoted(String(name))}.`, {hint: suggestion(String(name), this.#cells.map(each => each.name))});
		}

		return this.#cell(cell.cell);
	}

	async #all(): Promise<Open[]> {
		const some = await Promise.allSettled(this.#cells.map(async ({cell}) => this.#cell(cell)));
		return some.flatMap(each => each.status === 'fulfilled' ? [each.value] : []);
	}

	/** Asks every cell at once. */
	async #ask<Result>(act: (cell: Open) => Promise<Result>): Promise<Array<Told<Result>>> {
		return Promise.all(this.#cells.map(async (each): Promise<Told<Result>> => {
			try {
				const cell = await this.#cell(each.cell);
				return {cell, result: await act(cell)};
			} catch (error) {
				return {cell: each as Open, problem: toColoniesError(error)};
			}
		}));
	}

	/** A call that names no colony, or is carried out in a way of its own. */
	async #across(call: {operation: AnyOperation; caller: Caller; input: Input; cell: unknown; colony: Id | undefined}, options: RunOptions = {}): Promise<unknown> {
		const {operation, caller, input, cell, colony} = call;
		const name = operation.name as OperationName;
		const act = async ({context}: Open): Promise<any> => context.run(caller, name, input, options);
		const {across} = operation;
		if (across === 'register' || across === 'move') {
			// What is wrong with the call is told before anything is done.
			parseInput(operation.input, {...input, ...(cell === undefined ? {} : {cell})});
			return across === 'register' ? this.#register(call, act) : this.#move(call);
		}

		if (cell !== undefined) {
			return act(await this.#named(cell));
		}

		if (colony !== undefined) {
			return this.#atColony(operation, colony, act);
		}

		switch (across) {
			case undefined: {
				return act(this.#first);
			}

			case 'every': {
				return this.#every(act);
			}

			case 'found': {
				return this.#found(act);
			}

			case 'heads': {
				return this.#heads(act, options);
			}

			case 'cells': {
				return this.#list(act);
			}

			default: {
				return this.#merged(act, {across, input}, options);
			}
		}
	}

	/** All or, where one is away, none of what can be told beforehand; each is asked again where somebody repeats it. */
	async #every(act: (cell: Open) => Promise<unknown>): Promise<unknown> {
		const told = await this.#ask(act);
		refuseMissing(told, 'The others did it; run it again when it answers.');
		return told.find(each => isTold(each))!.result;
	}

	async #found(act: (cell: Open) => Promise<unknown>): Promise<unknown> {
		const told = await this.#ask(act);
		const found = told.find(each => isTold(each));
		if (found) {
			return found.result;
		}

		const problems = problemsOf(told);
		throw problems.find(({code}) => code !== 'not-found') ?? problems[0]!;
	}

	async #heads(act: (cell: Open) => Promise<any>, {notice}: RunOptions): Promise<unknown> {
		const told = await this.#ask(act);
		sayMissing(told, notice);
		const [first] = told;
		if (!isTold(first!)) {
			throw first!.problem;
		}

		const heads = told.map((each): CellHead => ({cell: each.cell.name, ...(isTold(each) ? each.result as Heads : {problem: each.problem.message})}));
		return {...first.result as Heads, cells: heads};
	}

	async #list(act: (cell: Open) => Promise<any>): Promise<CellState[]> {
		const told = await this.#ask(act);
		refuseRefused(told);
		return told.map(each => {
			const {name, schema, place} = each.cell;
			const about = {cell: name, schema, place: place && `${place.database} on ${place.host}:${place.port}`};
			return isTold(each) ? {...(each.result as CellState[])[0]!, ...about} : {...about, answers: false, colonies: null, bytes: null, problem: each.problem.message};
		});
	}

	async #merged(act: (cell: Open) => Promise<any>, {across, input}: {across: Exclude<Across, string>; input: Input}, {notice}: RunOptions): Promise<unknown> {
		if (input.all === true && input.subject === undefined) {
			throw new InvalidInput('Everything that the history tells is in the order of one cell.', {hint: 'Give --cell or --colonyid with --all; colonies cell ls lists the cells.'});
		}

		const told = await this.#ask(act);
		refuseRefused(told);
		sayMissing(told, notice);
		const answered = told.filter(each => isTold(each)) as Array<{cell: Open; result: Page<object>}>;
		if (answered.length === 0) {
			throw problemsOf(told)[0]!;
		}

		const missing = told.filter(each => !isTold(each)).map(({cell}) => cell.name);
		const pages = answered.map(({cell, result}) => ({...result, rows: result.rows.map(row => ({...row, cell: cell.name}))}));
		return {...mergePages(pages, {...input, isDescending: across.merged === 'descending'}), ...(missing.length > 0 && {unanswered: missing})};
	}

	/** Registers a colony where it is to live: where its id has been, in the cell that is given, or in the emptiest. */
	async #register({caller, input, cell}: {caller: Caller; input: Input; cell: unknown}, act: (cell: Open) => Promise<unknown>): Promise<unknown> {
		if (!('root' in caller)) {
			return act(this.#first);
		}

		await this.#first.context.broker.verifyRoot(caller.root, {mayBeFirst: caller.mustBeKept !== true});
		const colony = String(input.colonyid).toLowerCase();
		const chosen = cell === undefined ? await this.#emptiest() : await this.#named(cell);
		const number = await this.#first.database.transaction(async client => cells.reserve(client, colony, chosen.cell));
		const reserved = await this.#cell(number);
		if (cell !== undefined && reserved !== chosen) {
			throw new Conflict(`The colony ${quoted(colony)} has been in the cell ${quoted(reserved.name)}.`, {hint: `Register it there, and move it then: colonies colony move --cell ${chosen.name}.`});
		}

		const result = await act(reserved);
		remember(this.#known, colony, number);
		return {...result as object, cell: reserved.name};
	}

	/** The cell that holds least, and of those alike the one with fewest colonies. Sizes within 64 MiB are alike. @throws ColoniesError where none answers */
	async #emptiest(): Promise<Open> {
		const told = await this.#ask(async ({database}) => cells.sizeOf(database));
		const counts = await cells.coloniesByCell(this.#first.database);
		const answered = told.filter(each => isTold(each)) as Array<{cell: Open; result: {bytes: number}}>;
		const rank = ({cell, result}: (typeof answered)[number]): number[] => [Math.floor(result.bytes / 67_108_864), counts.get(cell.cell) ?? 0, cell.cell];
		answered.sort((one, other) => {
			const [ours, theirs] = [rank(one), rank(other)];
			const place = ours.findIndex((value, index) => value !== theirs[index]);
			return place === -1 ? 0 : ours[place]! - theirs[place]!;
		});
		if (answered.length === 0) {
			throw problemsOf(told)[0]!;
		}

		return answered[0]!.cell;
	}

	/** Moves a colony to another cell, as far as it gets in some seconds. The next call goes on, and where a move was cut off it is finished. */
	async #move({operation, caller, input, cell}: {operation: AnyOperation; caller: Caller; input: Input; cell: unknown}): Promise<Moved> {
		if (!('root' in caller)) {
			// It is refused as anybody's is.
			return this.#first.context.run(caller, 'colony.move', {...input, cell});
		}

		await this.#first.context.broker.verifyRoot(caller.root);
		const colony = String(input.colonyid).toLowerCase();
		const target = await this.#named(cell);
		const source = await this.#livesIn(colony);
		const moved = (from: Open, rows: number): Moved => ({colonyid: colony, from: from.name, to: target.name, state: 'moved', rows, of: rows});
		if (source === target) {
			const others = (await this.#all()).filter(each => each !== target);
			let cleared: Open | undefined;
			for (const other of others) {
				/* eslint-disable no-await-in-loop */
				await cells.forgetArrival(endOf(other), colony);
				const {to} = await cells.presence(other.database, colony);
				if (to === target.name) {
					cleared = await this.#clear(other, colony) ? other : cleared;
				}
				/* eslint-enable no-await-in-loop */
			}

			if (cleared) {
				return moved(cleared, 0);
			}

			throw livesThere(colony, target.name);
		}

		for (const {name, database} of [source, target]) {
			if (await findEngine(database) === 'citus') { // eslint-disable-line no-await-in-loop
				throw new InvalidInput(`The cell ${quoted(name)} is one that Citus places, and colonies are not moved from or to it.`, {hint: 'Citus moves the whole cell: select citus_schema_move(\'SCHEMA\', \'HOST\', PORT).'});
			}
		}

		const move = {colony, source: endOf(source), target: endOf(target), author: {actor: 'root' as const, ...keptRequest(caller, operation, [{...input, cell}])}};
		const until = performance.now() + moveMs;
		let copying = {done: 0, total: 0};
		for await (copying of cells.copyColony(move)) {
			if (performance.now() > until) {
				return {colonyid: colony, from: source.name, to: target.name, state: 'copying', rows: copying.done, of: copying.total};
			}
		}

		await cells.switchColony(move);
		await this.#arrived(colony, source, target.name);
		this.#goTo(colony, target);
		for (const {context} of [source, target]) {
			context.broker.news.announce(['colonies', 'computers', 'processes', 'attributes'], []);
		}

		await this.#clear(source, colony);
		return moved(source, copying.done);
	}

	async #clear(cell: Open, colony: Id): Promise<boolean> {
		let some = false;
		while (await cells.clearDeparted(endOf(cell), colony)) { // eslint-disable-line no-await-in-loop
			some = true;
		}

		return some;
	}

	/** The cell where a colony lives, by what the cells themselves say. @throws NotFound */
	async #livesIn(colony: Id): Promise<Open> {
		this.#known.delete(colony);
		const said = await this.#cellOf(colony);
		const {isHere, to} = await cells.presence(said.database, colony);
		if (isHere) {
			return said;
		}

		if (to !== undefined) {
			const there = await this.#arrived(colony, said, to);
			return (await cells.presence(there.database, colony)).isHere ? there : nowhere(colony);
		}

		return nowhere(colony);
	}
}

/** @throws NotFound */
function nowhere(colony: Id): never {
	throw colonies.unknownColony(colony);
}

/** Said to a call that met a colony on its way, and cannot be made again as it is: its caller asks again. */
const movedMeanwhile = ({waits}: AnyOperation): ColoniesError => waits === true
	? new NothingToAssign('No process was assigned: the colony moved to another cell.', {hint: 'Ask again.'})
	: new Unavailable('The colony moved to another cell meanwhile.', {hint: 'Try it again in a moment.'});

/** What cannot be opened is not watched. */
async function watchWhenOpen(opening: Promise<Open>, begin: (cell: Open) => void): Promise<void> {
	try {
		begin(await opening);
	} catch {}
}

const endOf = ({name, database}: Open): cells.End => ({name, database});

function remember<Value>(map: Map<Id, Value>, colony: Id, value: Value): void {
	if (map.size >= mostKnown) {
		map.clear();
	}

	map.set(colony, value);
}

const problemsOf = (told: ReadonlyArray<Told<unknown>>): ColoniesError[] => told.flatMap(each => isTold(each) ? [] : [each.problem]);

/** @throws ColoniesError where a cell did not do it, though it answers */
function refuseRefused(told: ReadonlyArray<Told<unknown>>): void {
	const refusal = problemsOf(told).find(({code}) => code !== 'unavailable');
	if (refusal) {
		throw refusal;
	}
}

const nameMissing = (told: ReadonlyArray<Told<unknown>>): string => told.filter(each => !isTold(each)).map(({cell}) => quoted(cell.name)).join(', ');

/** @throws Unavailable where a cell did not answer */
function refuseMissing(told: ReadonlyArray<Told<unknown>>, hint: string): void {
	const missing = told.find(each => !isTold(each)) as {cell: Open; problem: ColoniesError} | undefined;
	if (missing) {
		throw missing.problem.code === 'unavailable' ? new Unavailable(`The cell ${nameMissing(told)} does not answer: ${missing.problem.message}`, {hint, cause: missing.problem}) : missing.problem;
	}
}

function sayMissing(told: ReadonlyArray<Told<unknown>>, notice: RunOptions['notice']): void {
	const away = told.filter(each => !isTold(each) && each.problem.code === 'unavailable');
	if (away.length > 0) {
		notice?.(`Without ${nameMissing(away)}: ${away.length === 1 ? 'it does' : 'they do'} not answer.`);
	}
}

/** An installation as a context. */
export function cellsContext(options: Options, membership: cells.Membership): HostedContext {
	const {context, database} = options.first;
	const all = new Cells(options);
	all.learn(membership);
	const as: Pick<Context, 'run' | 'runMany'> = {
		run: async (caller, name, input, options) => all.run(caller, name, input, options), // eslint-disable-line @typescript-eslint/no-unsafe-return -- what an operation gives is known by its name
		runMany: async (caller, name, inputs, options) => all.runMany(caller, name, inputs, options), // eslint-disable-line @typescript-eslint/no-unsafe-return -- the same
	};
	return {
		kind: context.kind,
		name: context.name,
		isLocal: context.isLocal,
		broker: all.served,
		...as,
		watch: hear => all.watch(hear),
		watchReachability: tell => database.watchReachability(tell),
		async where() {
			const where = await context.where();
			return {...where, ...(all.size > 1 && {cells: all.size})};
		},
		close: async () => all.close(),
	};
}
