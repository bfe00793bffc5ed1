import {ColoniesError, Conflict, InvalidInput, toColoniesError, Unauthenticated} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {plural, quoted} from '../core/text.ts';
import {type Id, type ProcessState, type Topic} from '../core/types.ts';
import {
	type Author, type Change, clearNonces, type Client, type ComputerRow, type Database, type Done, expire, idempotency, isRetryable, processes, record, removeUnusedDemands, spendNonce, statistics,
} from '../database/index.ts';
import {attributeId, sha3} from '../identity/index.ts';
import {authorise, type Caller, keptRequest} from './authorise.ts';
import type {Call} from './define.ts';
import {Follower} from './follower.ts';
import {News} from './news.ts';
import {parseInput} from './parse.ts';
import {
	type AnyOperation, type InputOf, type OperationName, type ResultOf, operations,
} from './registry.ts';
import {RootPasswords} from './root-password.ts';
import {Sightings} from './sightings.ts';
import {type Turn, Waiting} from './waiting.ts';

export type {Caller} from './authorise.ts';

/** Hears one sentence that is not an error. */
export type Notice = (sentence: string) => void;

/** What goes along with a call. */
export type RunOptions = {
	/** Hears warnings, one sentence each. */
	notice?: Notice;
	/** Ends the waiting of a call that waits. */
	signal?: AbortSignal;
	/** Of a submission or an assignment that may come twice: the same signer and key get the same processes again. */
	idempotencyKey?: string;
};

type BrokerOptions = {
	/** Whether callers are on this machine: only they may set the first root password. */
	local: boolean;
};

/** How it stands with a broker and its database, for whoever watches over them. */
export type Statistics = {
	states: Array<{colony: Id; state: ProcessState; count: number}>;
	/** Connections to the database; `waiting`: calls that wait for one. */
	pool: {connections: number; idle: number; waiting: number};
	/** Computers that wait for work here, and watchers of events. */
	waiting: number;
	watching: number;
	/** Seconds: of the deadline that is longest overdue, and since the history was read to its end. */
	lag: {deadlines: number; events: number};
};

type Job = {operation: AnyOperation; caller: Caller; inputs: Array<Record<string, any>>; options: RunOptions; /** Whether the nonce of the request was spent by an earlier try. */ isSpent: boolean};
type Answer = {result: unknown} | ColoniesError;
/** What came of one try: an answer for each call, or why all were refused; and what is told after the commit. */
type Outcome = {answers: Answer[]; computer: ComputerRow | undefined; refusal?: ColoniesError; kept: boolean; topics: Set<Topic>; work: number[]};

const tries = 5;

/** Another request with the same idempotency key was quicker: what it did is the answer. */
class Overtaken extends Error {}

/** The operations on one database. `run` and `runMany` are the only way in. */
export class Broker {
	readonly news: News;
	readonly events: Follower;
	readonly waiting: Waiting;
	readonly #database: Database;
	readonly #local: boolean;
	readonly #rootPasswords = new RootPasswords();
	readonly #sightings: Sightings;

	constructor(database: Database, {local}: BrokerOptions) {
		this.#database = database;
		this.#local = local;
		this.news = new News(database);
		this.events = new Follower(database, this.news);
		this.waiting = new Waiting(database, this.news);
		this.#sightings = new Sightings(database);
	}

	/**
	Carries out an operation: parse → begin → authorise, handle, record → commit → tell the watchers. All of it or nothing.
	@throws ColoniesError
	*/
	async run<Name extends OperationName>(caller: Caller, name: Name, input: InputOf<Name>, options: RunOptions = {}): Promise<ResultOf<Name>> {
		const [answer] = await this.#answer(caller, operations[name], [input], options);
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
		const operation: AnyOperation = operations[name];
		if (operation.many === undefined || inputs.length === 0 || inputs.length > limits.batch) {
			throw new InvalidInput(operation.many ? `A list of 1 to ${limits.batch} is taken, not of ${inputs.length}.` : `${name} takes no list.`);
		}

		const answers = await this.#answer(caller, operation, inputs, options);
		return answers as Array<{result: ResultOf<Name>} | ColoniesError>;
	}

	/** Ends attempts whose deadline has passed, in all colonies, a bounded number at once. @returns how many */
	async endExpired(): Promise<number> {
		const changes = await this.#retrying(async () => this.#database.transaction(async client => {
			const changes = await expire(client, {limit: limits.expired, idOf: attributeId});
			await record(client, {actor: 'system'}, changes);
			return changes;
		}));
		if (changes.length > 0) {
			this.news.announce(['processes', 'attributes'], demandsOf(changes));
		}

		return changes.filter(({noun}) => noun === 'process').length;
	}

	/** Clears away what nothing points to any more, and what is too old to matter. */
	async tidy(): Promise<void> {
		await this.#retrying(async () => removeUnusedDemands(this.#database));
		await idempotency.forgetOld(this.#database);
	}

	/** Clears away the nonces of requests that are not good any more; once a minute. */
	async clearNonces(): Promise<void> {
		await this.#database.transaction(async client => clearNonces(client));
	}

	/** Keeps a root password when it is the first, and checks it otherwise. @throws Unauthenticated */
	async verifyRoot(password: string): Promise<{kept: boolean}> {
		return this.#database.transaction(async client => this.#verify(client, password));
	}

	/** @throws ColoniesError when the database does not answer */
	async statistics(): Promise<Statistics> {
		return {
			states: await statistics.statesByColony(this.#database, limits.counted),
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

	async #answer(caller: Caller, operation: AnyOperation, inputs: ReadonlyArray<Record<string, unknown>>, options: RunOptions): Promise<Answer[]> {
		const job: Job = {operation, caller, inputs: parseAll(operation, inputs, options.notice), options, isSpent: false};
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

	/** One try: a transaction, and what is told after it. @throws ColoniesError when all calls were refused */
	async #carryOut(job: Job): Promise<Outcome> {
		const outcome = await this.#retrying(async () => this.#database.transaction(async client => this.#guarded(client, job)));
		const {refusal, kept, topics, work} = outcome;
		if (kept) {
			job.options.notice?.('This root password is the first given to this database, and was kept: from now on it is the one.');
		}

		this.news.announce(topics, work);
		if (refusal) {
			throw refusal;
		}

		return outcome;
	}

	/**
	A request that was signed for the wire is good once: its nonce is spent with the change, or with the refusal, so that a captured one is never carried out later.
	*/
	async #guarded(client: Client, job: Job): Promise<Outcome> {
		const {caller, operation, isSpent} = job;
		const spends = 'signer' in caller && !isSpent && !operation.route.startsWith('GET ');
		if (!spends) {
			return this.#handle(client, job);
		}

		const {id, nonce, created} = caller.signer;
		if (!await spendNonce(client, {signer: id, nonce, created})) {
			throw new Unauthenticated('This request was carried out or refused before, or its time is over.', {hint: 'Sign each request anew, with a nonce of its own.'});
		}

		await client.query('savepoint before_the_call');
		try {
			return await this.#handle(client, job);
		} catch (error) {
			const refusal = toColoniesError(error);
			if (error instanceof Overtaken || isRetryable(error) || refusal.code === 'unavailable' || refusal.code === 'internal') {
				throw error;
			}

			await client.query('rollback to savepoint before_the_call');
			return {answers: [], computer: undefined, refusal, kept: false, topics: new Set(), work: []};
		}
	}

	async #handle(client: Client, {operation, caller, inputs, options}: Job): Promise<Outcome> {
		const [topics, work] = [new Set<Topic>(), [] as number[]];
		const also = async (author: Author, changes: readonly Change[]): Promise<void> => {
			await record(client, author, changes);
			work.push(...demandsOf(changes));
			for (const {noun} of changes) {
				topics.add(topicOf[noun]);
			}
		};

		const {who, kept} = await authorise(client, {operation, caller, inputs, verifyRoot: async password => this.#verify(client, password)});
		if (who.computer) {
			this.#sightings.note(who.computer.colony_id, who.computer.computer_id);
		}

		const keyed = operation.keyed && options.idempotencyKey !== undefined
			? {signer: who.actor, key: options.idempotencyKey, fingerprint: fingerprintOf(operation, inputs)}
			: undefined;
		const earlier = keyed && await idempotency.findKept(client, keyed);
		if (earlier) {
			return {answers: await again(client, operation.colony!(inputs[0]!), earlier, keyed), computer: who.computer, kept, topics, work};
		}

		const author: Author = {actor: who.actor, ...(operation.operator ? keptRequest(caller, operation, inputs[0]!) : {})};
		const calls = inputs.map((input): Call<any> => ({who, input, author}));
		const answers = await operation.answer({client, calls, also});
		const done = answers.filter((answer): answer is Done<unknown> => !(answer instanceof ColoniesError));
		if (done.length > 0) {
			await also(author, done.flatMap(({changes}) => changes));
			for (const topic of operation.changes) {
				topics.add(topic);
			}

			if (keyed && !await idempotency.keep(client, keyed, done.map(({result}) => (result as {processid: Id}).processid))) {
				throw new Overtaken();
			}
		}

		return {answers: answers.map(answer => answer instanceof ColoniesError ? answer : {result: answer.result}), computer: who.computer, kept, topics, work};
	}

	/** The first password is an event of the installation's history; the password itself never is. */
	async #verify(client: Client, password: string): Promise<{kept: boolean}> {
		const {kept} = await this.#rootPasswords.verify(client, password, {local: this.#local});
		if (kept) {
			await record(client, {actor: 'root'}, [{noun: 'installation', subject: 'root', what: 'database.firstrootpassword'}]);
		}

		return {kept};
	}

	/** Does it again when another transaction was in the way; a bounded number of times. */
	async #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await work(); // eslint-disable-line no-await-in-loop
			} catch (error) {
				if (attempt === tries || !(error instanceof Overtaken || isRetryable(error))) {
					throw toColoniesError(error);
				}
			}
		}
	}
}

const topicOf = {colony: 'colonies', computer: 'computers', process: 'processes', attribute: 'attributes', installation: 'colonies'} as const satisfies Record<Change['noun'], Topic>;

/** Kinds of work of which processes wait now, one for each process. */
const demandsOf = (changes: readonly Change[]): number[] => changes.flatMap(({demand}) => demand ?? []);

/** The same for requests that ask the same; how long one waits makes no difference. */
const fingerprintOf = ({name}: AnyOperation, inputs: ReadonlyArray<Record<string, unknown>>): string => sha3(JSON.stringify([name, inputs.map(input => ({...input, wait: undefined}))]));

/** Checks every input. @throws InvalidInput or TooLarge, which names the item where there are many */
function parseAll(operation: AnyOperation, inputs: ReadonlyArray<Record<string, unknown>>, notice: Notice = () => undefined): Array<Record<string, any>> {
	const unknown = new Set<string>();
	const values = inputs.map((input, index) => {
		try {
			const parsed = parseInput(operation.input, input);
			for (const field of parsed.unknown) {
				unknown.add(field);
			}

			return parsed.value as Record<string, any>;
		} catch (error) {
			const {code, message, hint} = toColoniesError(error);
			throw inputs.length === 1 ? error : new ColoniesError(code, `Of the ${inputs.length}, number ${index + 1}: ${message}`, {hint});
		}
	});
	if (unknown.size > 0) {
		notice(`Unknown ${unknown.size === 1 ? 'field' : 'fields'} left out: ${[...unknown].map(field => quoted(field)).join(', ')}.`);
	}

	const colonies = new Set(values.map(value => operation.colony?.(value as never)));
	if (colonies.size > 1) {
		throw new InvalidInput(`A list is for one colony; this one is for ${plural(colonies.size, 'colony')}.`, {hint: 'Send a list to each.'});
	}

	return values;
}

/** The processes that an earlier request with the same key made or took, as they are now. */
async function again(client: Client, colony: Id, {fingerprint, subjects}: {fingerprint: string; subjects: readonly Id[]}, keyed: {key: string; fingerprint: string}): Promise<Answer[]> {
	if (fingerprint !== keyed.fingerprint) {
		throw new Conflict(`The idempotency key ${quoted(keyed.key)} was used for another request.`, {hint: 'Use a key once, and again only to repeat the very same request.'});
	}

	const answers: Answer[] = [];
	for (const subject of subjects) {
		answers.push({result: await processes.get(client, colony, subject)}); // eslint-disable-line no-await-in-loop
	}

	return answers;
}
