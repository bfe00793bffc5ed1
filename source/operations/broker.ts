import {setTimeout as pause} from 'node:timers/promises';
import {ColoniesError, toColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import type {Id, ProcessState} from '../core/types.ts';
import {
	cells, type Change, ClaimCursors, clearNonces, type Client, closedDrops, continueNumbers, type Database, demandsOf, type Event, expire, forgetOldPulse, idempotency, installation, isRetryable, type Load, makePieces, NumbersBehind, record, removeUnusedDemands, processRetention, retention, rollPulse, seals, statistics, vacuumLive,
} from '../database/index.ts';
import type {Caller} from './authorise.ts';
import {
	type Answer, carryOut, Held, type Job, type Outcome, Overtaken, type RunOptions, type Tools,
} from './carry-out.ts';
import {Follower} from './follower.ts';
import {Groups} from './groups.ts';
import {MetricsTokens} from './metrics-tokens.ts';
import {type Commit, type Committed, movesOf} from './moves.ts';
import {News} from './news.ts';
import {parseAll, parseList} from './parse.ts';
import {
	type AnyOperation, type InputOf, type OperationName, type ResultOf, operationNamed,
} from './registry.ts';
import {keptNotice, RootPasswords} from './root-password.ts';
import {Sightings} from './sightings.ts';
import {type Turn, Waiting} from './waiting.ts';

export type {Caller} from './authorise.ts';
export type {Notice, RunOptions} from './carry-out.ts';

type BrokerOptions = {
	/** Whether callers are on this machine: only they may set the first root password. */
	local: boolean;
	/** Whether calls that arrive together share a statement, which they do unless told otherwise. One by one they have the same answers. */
	groups?: boolean;
	/** The broker of the first cell, which keeps the root password; left out where this is the first, or the only one. */
	first?: Broker;
};

/** How it stands with a broker and its database, for whoever watches over them. */
export type Statistics = {
	states: Array<{colony: Id; state: ProcessState; count: number}>;
	/** Seconds that a process at the front of each colony's queue has waited for longest; 0 where none waits. */
	oldest: Array<{colony: Id; seconds: number}>;
	/** The connections to the database now. */
	pool: Load;
	/** Computers that wait for work here, and watchers of events. */
	waiting: number;
	watching: number;
	/** Seconds: of the deadline that is longest overdue, and since the history was read to its end. */
	lag: {deadlines: number; events: number};
	/** Rows of the history that no seal covers, counted up to 10,000, and seconds since the oldest of them. */
	unsealed: {rows: number; seconds: number};
	/** Seconds by which the oldest closed process and the oldest row of the history exceed their retention; 0 where it is off. */
	overdue: {processes: number; history: number};
	/** Which cells answered, where there are several. */
	cells?: Array<{cell: string; answers: boolean}>;
};

const tries = 5;

/** The operations on one database. `run` and `runMany` are the only way in. */
export class Broker {
	readonly news: News;
	readonly events: Follower;
	readonly waiting: Waiting;
	readonly #database: Database;
	readonly #local: boolean;
	readonly #first: Broker | undefined;
	readonly #rootPasswords = new RootPasswords();
	readonly #sightings: Sightings;
	readonly #tools: Tools;
	readonly #groups: Groups | undefined;
	readonly #metricsTokens: MetricsTokens;
	readonly #hearers = new Set<(committed: Committed) => void>();
	/** Where removing closed processes has come to. */
	readonly #dropped: closedDrops.Passed = new Map();
	/** Whether this turn of it has found no more pieces to drop. */
	#dropsRows = false;

	constructor(database: Database, {local, groups = true, first}: BrokerOptions) {
		this.#database = database;
		this.#local = local;
		this.#first = first;
		this.news = new News(database);
		this.events = new Follower(database, this.news);
		this.waiting = new Waiting(database, this.news);
		this.#metricsTokens = new MetricsTokens(database);
		this.#sightings = new Sightings(database);
		this.#tools = {
			verifyRoot: async (client, password, {mayBeFirst}) => this.#verify(client, password, mayBeFirst && this.#local),
			sawComputer: (colony, computer) => {
				this.#sightings.note(colony, computer);
			},
			load: () => this.#database.load(),
			cursors: new ClaimCursors(),
		};
		this.#groups = groups
			? new Groups({
				database,
				cursors: this.#tools.cursors,
				sawComputer: this.#tools.sawComputer,
				committed: commit => {
					this.#committed(commit);
				},
			})
			: undefined;
	}

	/**
	Carries out an operation: parse → begin → authorise, handle, record → commit → tell the watchers. All of it or nothing.
	@throws ColoniesError
	*/
	async run<Name extends OperationName>(caller: Caller, name: Name, input: InputOf<Name>, options: RunOptions = {}): Promise<ResultOf<Name>> {
		const operation = operationNamed(name);
		const [answer] = await this.#answer(caller, operation, parseAll(operation, [input]), options);
		if (answer instanceof ColoniesError) {
			throw answer;
		}

		return answer!.result as ResultOf<Name>;
	}

	/**
	Carries out many calls of one operation in one transaction, all about one colony. Each has an answer of its own, the result or why it was refused; where the operation is atomic, one refusal refuses all.
	@throws ColoniesError when all were refused: nothing was changed
	*/
	async runMany<Name extends OperationName>(caller: Caller, name: Name, inputs: ReadonlyArray<InputOf<Name>>, options: RunOptions = {}): Promise<Array<{result: ResultOf<Name>} | ColoniesError>> {
		const operation = operationNamed(name);
		const answers = await this.#answer(caller, operation, parseList(operation, inputs), options);
		return answers as Array<{result: ResultOf<Name>} | ColoniesError>;
	}

	/** Ends attempts whose deadline has passed, in all colonies, a bounded number at once. @returns how many */
	async endExpired(): Promise<number> {
		const {changes} = await this.#retrying(async () => this.#bySystem(async client => ({changes: await expire(client, {limit: limits.expired})})));
		if (changes.length > 0) {
			this.#committed({topics: ['processes', 'attributes'], work: demandsOf(changes), moves: movesOf(changes, {actor: 'system'})});
		}

		return changes.filter(({noun}) => noun === 'process').length;
	}

	/** Clears away what nothing points to any more, and what is too old to matter. */
	async tidy(): Promise<void> {
		await this.#retrying(async () => this.#database.transaction(async client => removeUnusedDemands(client)));
		await idempotency.forgetOld(this.#database);
		await forgetOldPulse(this.#database);
		await cells.clearLeft(this.#database);
	}

	/** Brings what Pulse reads up to the history, a bounded part of it at once; one server at a time does. @returns whether there is more */
	async rollPulse(): Promise<boolean> {
		return this.#retrying(async () => rollPulse(this.#database));
	}

	/** Clears away the nonces of requests that are not good any more; once a minute. */
	async clearNonces(): Promise<void> {
		await this.#database.transaction(async client => clearNonces(client));
	}

	/** Makes place for the processes that are closed this month and in the next. */
	async makePieces(): Promise<void> {
		await this.#database.transaction(async client => makePieces(client));
	}

	/** Removes closed processes that are not to be kept any longer, a whole piece of them or a portion, each in a transaction of its own. @returns whether there may be more */
	async dropClosed(): Promise<boolean> {
		const pieceChanges = this.#dropsRows ? undefined : await this.#dropPiece();
		this.#dropsRows = pieceChanges === undefined;
		const {changes, more} = pieceChanges ? {changes: pieceChanges, more: true} : await this.#bySystem(async client => closedDrops.dropPortion(client, this.#dropped));
		if (!more) {
			this.#dropped.clear();
			this.#dropsRows = false;
		}

		if (changes.length > 0) {
			this.#committed({topics: ['processes', 'attributes'], work: [], moves: []});
		}

		return more;
	}

	/** Keeps the tables that processes go through free of what is dead. */
	async vacuum(): Promise<void> {
		await vacuumLive(this.#database);
	}

	/** Seals what is to be sealed of the history, a bounded number of rows. @returns whether there is more */
	async seal(): Promise<boolean> {
		const {more} = await this.#database.transaction(async client => seals.seal(client));
		return more;
	}

	/** Drops and compresses what is due of the history, a portion of it. @returns whether there may be more */
	async keepHistory(): Promise<boolean> {
		const {more} = await this.#bySystem(async client => retention.apply(client));
		return await this.#database.transaction(async client => retention.compress(client)) || more;
	}

	/** Checks a root password. `mayBeFirst`: keeps it where none is set yet and callers are on this machine. @throws Unauthenticated */
	async verifyRoot(password: string, {mayBeFirst = false}: {mayBeFirst?: boolean} = {}): Promise<{kept: boolean}> {
		return this.#database.transaction(async client => this.#verify(client, password, mayBeFirst && this.#local));
	}

	/** The same for whoever sets up a store or starts a server on it, wherever its callers are. @throws Unauthenticated */
	async keepRoot(password: string): Promise<{kept: boolean}> {
		return this.#database.transaction(async client => this.#verify(client, password, true));
	}

	/** Forgets the root password, for whoever has the database itself. @returns whether there was one */
	async resetRoot(): Promise<boolean> {
		return this.#database.transaction(async client => {
			const isDone = await installation.forgetRootPassword(client);
			await record(client, {actor: 'root'}, isDone ? [{kind: 'noted', noun: 'installation', subject: 'root', what: 'database.resetroot'}] : []);
			return isDone;
		});
	}

	/** Whether a root password is the one that was right before, which costs no scrypt. */
	async isRootRemembered(password: string): Promise<boolean> {
		return this.#database.transaction(async client => this.#rootPasswords.isRemembered(client, password));
	}

	/** The name of a token that may read the metrics; undefined where it is none. @throws Unavailable */
	async nameOfMetricsToken(token: string): Promise<string | undefined> {
		return this.#metricsTokens.nameOf(token);
	}

	/** Hears what this broker commits, each step once, until the returned function is called. Refused calls and repetitions of an idempotency key are not in it. */
	hearCommitted(hear: (committed: Committed) => void): () => void {
		this.#hearers.add(hear);
		return () => {
			this.#hearers.delete(hear);
		};
	}

	/** Hears what happens in a colony; see Follower. @throws ColoniesError */
	async follow(colony: Id, hear: (events: readonly Event[]) => void | Promise<void>, after?: string): Promise<{from: string; stop: () => void}> {
		return this.events.follow(colony, hear, after);
	}

	/** @throws ColoniesError when the database does not answer */
	async statistics(): Promise<Statistics> {
		const colonies = await statistics.firstColonies(this.#database, limits.measured);
		return {
			states: await statistics.statesByColony(this.#database, colonies, colonies.length > limits.measured / 10 ? limits.counted / 10 : limits.counted),
			oldest: await statistics.oldestWaiting(this.#database, colonies),
			unsealed: await seals.backlog(this.#database, limits.counted),
			overdue: {processes: await processRetention.overdue(this.#database, colonies), history: await retention.overdue(this.#database)},
			pool: this.#database.load(),
			waiting: this.waiting.size,
			watching: this.events.size,
			lag: {deadlines: await statistics.deadlineLag(this.#database), events: this.events.lag},
		};
	}

	/** Lets nobody wait any longer, and tells what is still to be told. */
	async close(): Promise<void> {
		await this.waiting.close();
		this.events.close();
		await this.#sightings.flush();
		await this.news.close();
	}

	async #answer(caller: Caller, operation: AnyOperation, inputs: Array<Record<string, any>>, options: RunOptions): Promise<Answer[]> {
		const job: Job = {operation, caller, inputs, options, isSpent: false, looks: 0};
		const [{wait = 0, ...first}] = job.inputs as [Record<string, any>];
		if (operation.waits !== true || wait <= 0) {
			const {answers} = await this.#carryOut(job);
			return answers;
		}

		const until = performance.now() + (Number(wait) * 1000);
		const turn = await this.waiting.enter(operation.colony!(first));
		try {
			return await this.#carryOutWaiting(job, turn, until);
		} finally {
			turn.leave();
		}
	}

	/** Tries again whenever there may be something, until the time is over. */
	async #carryOutWaiting(job: Job, turn: Turn, until: number): Promise<Answer[]> {
		for (;;) {
			const {answers, computer} = await this.#carryOut(job); // eslint-disable-line no-await-in-loop
			const isServed = answers.some(answer => !(answer instanceof ColoniesError));
			if (isServed || computer === undefined) {
				return answers;
			}

			// eslint-disable-next-line no-await-in-loop
			if (!await turn.next({...computer, computerid: computer.computer_id, computertype: computer.computer_type}, until, job.options.signal)) {
				return answers;
			}

			job.isSpent = true;
		}
	}

	/** Drops a piece of what is closed; undefined where there is none to drop, or somebody reads the table for long: then what is due goes by portions, which wait for nobody. */
	async #dropPiece(): Promise<Change[] | undefined> {
		try {
			const {changes, isDropped} = await this.#bySystem(async client => {
				const changes = await closedDrops.dropPiece(client);
				return {changes: changes ?? [], isDropped: changes !== undefined};
			});
			return isDropped ? changes : undefined;
		} catch (error) {
			if (toColoniesError(error).code === 'unavailable') {
				return undefined;
			}

			throw error;
		}
	}

	/** Does what nobody has asked for, and records it, in a transaction of its own. */
	async #bySystem<Result extends {changes: Change[]}>(work: (client: Client) => Promise<Result>): Promise<Result> {
		return this.#database.transaction(async client => {
			const result = await work(client);
			await record(client, {actor: 'system'}, result.changes);
			return result;
		});
	}

	/** One try, with others like it or in a transaction of its own. @throws ColoniesError when all calls were refused */
	async #carryOut(job: Job): Promise<Outcome> {
		return await this.#groups?.carryOut(job) ?? this.#carryOutAlone(job);
	}

	/** A transaction, and what is told after it. */
	async #carryOutAlone(job: Job): Promise<Outcome> {
		let began = 0;
		const outcome = await this.#lookingAgain(job, async () => this.#retrying(async () => this.#database.transaction(async client => {
			began = performance.now();
			return carryOut(client, job, this.#tools);
		})));
		const {refusal, kept, topics, work, moves, computer} = outcome;
		if (computer) {
			this.#groups?.computers.note(computer);
		}

		this.#committed({topics, work, moves, took: performance.now() - began});
		if (kept) {
			job.options.notice?.(keptNotice('root' in job.caller ? job.caller.root : ''));
		}

		if (refusal) {
			throw refusal;
		}

		return outcome;
	}

	/** Every commit of this broker comes here once, and nothing else does: who waits for news of it, and who counts. */
	#committed({topics, work, took, ...committed}: Commit): void {
		if (took !== undefined) {
			this.#tools.cursors.committed(work, took);
		}

		this.news.announce(topics, work);
		if (committed.moves.length > 0 || committed.group !== undefined) {
			for (const hear of this.#hearers) {
				hear(committed);
			}
		}
	}

	/** Looks again in a moment, a bounded number of times, where there was nothing but what others held: what they do with it tells whether there is something. */
	async #lookingAgain(job: Job, work: () => Promise<Outcome>): Promise<Outcome> {
		job.looks = 0;
		for (;;) {
			try {
				return await work(); // eslint-disable-line no-await-in-loop
			} catch (error) {
				if (!(error instanceof Held)) {
					throw error;
				}

				job.looks++;
				await pause(2 ** job.looks); // eslint-disable-line no-await-in-loop
			}
		}
	}

	/** The first password is an event of the installation's history; the password itself never is. */
	async #verify(client: Client, password: string, mayKeep: boolean): Promise<{kept: boolean}> {
		if (this.#first !== undefined) {
			return this.#first.verifyRoot(password);
		}

		const {kept} = await this.#rootPasswords.verify(client, password, {mayKeep});
		if (kept) {
			await record(client, {actor: 'root'}, [{kind: 'noted', noun: 'installation', subject: 'root', what: 'database.firstrootpassword'}]);
		}

		return {kept};
	}

	/** Does it again when another transaction was in the way; a bounded number of times. */
	async #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await work(); // eslint-disable-line no-await-in-loop
			} catch (error) {
				const isBehind = error instanceof NumbersBehind;
				if (error instanceof Held) {
					throw error;
				}

				if (attempt === tries || !(isBehind || error instanceof Overtaken || isRetryable(error))) {
					throw toColoniesError(error);
				}

				if (isBehind) {
					await continueNumbers(this.#database); // eslint-disable-line no-await-in-loop
				}
			}
		}
	}
}
