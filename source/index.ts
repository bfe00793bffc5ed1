import {randomUUID} from 'node:crypto';
import process from 'node:process';
import {createContexts} from './contexts/index.ts';
import {ColoniesError, InvalidInput, NotAllowed} from './core/errors.ts';
import {checkIdempotencyKey} from './core/idempotency-key.ts';
import {limits} from './core/limits.ts';
import {namesOf, refuseUnknownOptions} from './core/options.ts';
import {quoted} from './core/text.ts';
import type {
	Attribute, Id, Process, Topic,
} from './core/types.ts';
import {version} from './door/version.ts';
import {
	folders, openKeychain, openSettings, passphraseFrom, prove, type Folders,
} from './keychain/index.ts';
import type {
	Caller, Context, OperationTypes as Operations,
} from './operations/index.ts';
import {
	type Handler, openTracing, type Signal, type Tracer, type Tracing, type Worker, type WorkOptions, machineClock, persist, work as startWork,
} from './work/index.ts';

export {ColoniesError, type ErrorCode} from './core/errors.ts';
export type {
	Attribute, AttributeType, Colony, Computer, ComputerStatus, Id, Process, ProcessState, ProcessStatus, Time, Topic,
} from './core/types.ts';
export type {
	Event, OperationTypes as Operations, Page,
} from './operations/index.ts';
export type {
	Handler, Job, Outputs, Progress, Signal, Span, Tracer, Worker, WorkOptions,
} from './work/index.ts';

/** The name of an operation, as it stands in `docs/commands.md` and in the history. */
export type OperationName = keyof Operations;

/** Where to connect to and who calls. Without a place it is the one that the commands use: of the environment, else of the current context, else the embedded database. */
export type ConnectOptions = {
	/** Host of a Colonies server. */
	host?: string;
	/** Its port, 8080 unless given. */
	port?: number;
	/** SHA-256 of the server's certificate, 64 hex digits with or without colons: that one is trusted and no other. */
	fingerprint?: string;
	/** File with the certificate (PEM) of the authority that the server's is checked against, in place of the system's. */
	tlsca?: string;
	/** Trusts whatever answers. */
	insecure?: boolean;
	/** Host of a PostgreSQL or TimescaleDB to work on directly; several with commas between them, as `db1,db2:5433`. */
	dbhost?: string;
	dbport?: number;
	dbuser?: string;
	dbpassword?: string;
	dbname?: string;
	/** Schema of that database; `colonies` unless given. */
	dbschema?: string;
	dbssl?: boolean;
	/** Connections to the database at most, besides one that listens; 8 unless given. */
	dbpool?: number;
	/** Which of several hosts: `read-write` (unless given) finds the primary and follows a failover. */
	dbtarget?: 'read-write' | 'prefer-standby' | 'any';
	/** `HOST[:PORT]` on which notifications are heard, past a transaction pooler that drops them. */
	dblisten?: string;
	/** Prepared statements for hot operations; on unless given. The first failure behind a pooler that does not support them turns them off. */
	dbprepare?: 'on' | 'off';
	/** Private key of the caller, 64 hex digits. */
	privateKey?: string;
	/** Id of the computer that calls, where it is not the one that `privateKey` proves: its owner has given it another key. It is found out where it is left out. */
	computerid?: Id;
	/** Id of the caller, whose key is in the keychain; of a computer with another key in `colonyid`, that one signs. */
	id?: Id;
	/** The root password, for what root does. */
	rootpassword?: string;
	/** The colony that is meant where none is given. */
	colonyid?: Id;
	/** A tracer of OpenTelemetry (`@opentelemetry/api` must be installed): each submission and each attempt of `work` gets a span, and processes carry the trace along. */
	tracer?: Tracer;
};

/** What goes along with a call. */
export type CallOptions = {
	/** Hears warnings, one sentence each. */
	notice?: (sentence: string) => void;
	/** Ends the waiting of a call that waits. */
	signal?: Signal;
	/** Of a submission or an assignment that may come twice: the same key gets the same processes again. */
	idempotencyKey?: string;
};

/** What is submitted. The colony may be left out where `connect` was given one. */
export type Submission = Omit<Operations['process.submit']['input']['spec'], 'targetcolonyid'> & {targetcolonyid?: Id};

/** What is asked for: up to `count` processes, waiting up to `wait` seconds for the first. */
export type AssignRequest = {wait?: number; count?: number};

/** An attribute to add; an out attribute unless told otherwise. */
export type NewAttribute = {key: string; value: string; type?: 'out' | 'err'};

/** A process, or its id. */
export type ProcessLike = Id | {readonly processid: Id};

/** A colony other than that of `connect`. */
export type InColony = {colonyid?: Id};

/** The operations on a store, wherever it is, in the name of one caller. What fails rejects with a ColoniesError. */
export type Client = {
	/** The caller: an id, or `root`. */
	readonly id: Id;
	/** Carries out any operation. */
	run<Name extends OperationName>(name: Name, input: Operations[Name]['input'], options?: CallOptions): Promise<Operations[Name]['result']>;
	/** Carries out many calls of one operation about one colony: submit, assign or close, up to 1000. Each has an answer of its own. */
	runMany<Name extends OperationName>(name: Name, inputs: ReadonlyArray<Operations[Name]['input']>, options?: CallOptions): Promise<Array<{result: Operations[Name]['result']} | ColoniesError>>;
	/** Submits a process, or up to 1000 of one colony, all or none. A lost answer is asked for again; nothing is submitted twice. */
	submit(submission: Submission, options?: CallOptions): Promise<Process>;
	submit(submissions: readonly Submission[], options?: CallOptions): Promise<Process[]>;
	/** Takes up to `count` processes that this computer may run, and waits up to `wait` seconds for the first; none when there is none. */
	assign(request?: AssignRequest & InColony, options?: CallOptions): Promise<Process[]>;
	/** Closes a process that runs on this computer. */
	successful(process: ProcessLike, place?: InColony): Promise<Process>;
	failed(process: ProcessLike, place?: InColony): Promise<Process>;
	/** Adds an attribute to a process that runs on this computer; the same key again replaces the value. */
	addAttribute(process: ProcessLike, attribute: NewAttribute, place?: InColony): Promise<Attribute>;
	/** Hears which topics have changed in the colony, whoever changed them, until the returned function is called. */
	watch(hear: (topics: ReadonlySet<Topic>) => void, place?: InColony): () => void;
	/** Lets this computer work: the handler runs for each process that is assigned to it. */
	work(handler: Handler, options?: WorkOptions & InColony): Worker;
	/** Stops the computers at work, waits for what they run, and lets go of the store. */
	close(): Promise<void>;
};

/** How long an answer to a submission is asked for, in milliseconds. */
const patience = 5000;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const idOf = (process: ProcessLike): Id => isObject(process) ? process.processid : process;

const connectOptions = namesOf<ConnectOptions>({
	host: true, port: true, fingerprint: true, tlsca: true, insecure: true, dbhost: true, dbport: true, dbuser: true, dbpassword: true, dbname: true, dbschema: true, dbssl: true, dbpool: true, dbtarget: true, dblisten: true, dbprepare: true,
	privateKey: true, computerid: true, id: true, rootpassword: true, colonyid: true, tracer: true,
});
const callOptions = namesOf<CallOptions>({notice: true, signal: true, idempotencyKey: true});
const assignOptions = namesOf<AssignRequest & InColony>({wait: true, count: true, colonyid: true});
const attributeOptions = namesOf<NewAttribute>({key: true, value: true, type: true});
const workOptions = namesOf<WorkOptions & InColony>({concurrency: true, wait: true, signal: true, handleSignals: true, notice: true, report: true, colonyid: true});

/** @throws InvalidInput */
function checkCall(options: CallOptions): void {
	refuseUnknownOptions(options, callOptions, 'a call');
	if (options.idempotencyKey !== undefined) {
		checkIdempotencyKey(options.idempotencyKey, 'idempotencyKey');
	}
}

/** Who calls. @throws InvalidInput, Unauthenticated */
async function callerOf({privateKey, computerid, id, rootpassword, colonyid}: ConnectOptions, {config}: Folders): Promise<{caller: Caller; id: Id}> {
	const given = Object.entries({privateKey, id, rootpassword}).filter(([, value]) => value !== undefined).map(([name]) => name);
	if (given.length !== 1) {
		throw new InvalidInput(given.length === 0 ? 'It is not clear who calls.' : `${given[0]!} and ${given[1]!} exclude each other.`, {hint: 'Give privateKey, id (of a key in the keychain) or rootpassword.'});
	}

	if (computerid !== undefined && privateKey === undefined) {
		throw new InvalidInput('computerid goes with privateKey alone.', {hint: 'Give the id of the computer as id: its key is found in the keychain.'});
	}

	if (rootpassword !== undefined) {
		return {caller: {root: rootpassword}, id: 'root'};
	}

	if (privateKey !== undefined) {
		const identity = prove(privateKey);
		return {caller: {identity}, id: computerid ?? identity.id};
	}

	const keychain = openKeychain({folder: config, passphrase: passphraseFrom(process.env)});
	return {caller: {identity: await keychain.identity(await keychain.keyOf(id!, colonyid))}, id: id!};
}

class Connection implements Client {
	readonly id: Id;
	readonly #context: Context;
	readonly #caller: Caller;
	readonly #colonyid: Id | undefined;
	readonly #tracing: Tracing | undefined;
	readonly #workers = new Set<Worker>();

	constructor(context: Context, {caller, id}: {caller: Caller; id: Id}, {colonyid, tracing}: {colonyid: Id | undefined; tracing: Tracing | undefined}) {
		this.id = id;
		this.#context = context;
		this.#caller = caller;
		this.#colonyid = colonyid;
		this.#tracing = tracing;
	}

	async run<Name extends OperationName>(name: Name, input: Operations[Name]['input'], options: CallOptions = {}): Promise<Operations[Name]['result']> {
		checkCall(options);
		return this.#context.run(this.#caller, name, input, options);
	}

	async runMany<Name extends OperationName>(name: Name, inputs: ReadonlyArray<Operations[Name]['input']>, options: CallOptions = {}) {
		checkCall(options);
		return this.#context.runMany(this.#caller, name, inputs, options);
	}

	submit(submission: Submission, options?: CallOptions): Promise<Process>;
	submit(submissions: readonly Submission[], options?: CallOptions): Promise<Process[]>;
	async submit(given: Submission | readonly Submission[], options: CallOptions = {}): Promise<Process | Process[]> {
		const isOne = !Array.isArray(given);
		const inputs = (isOne ? [given as Submission] : given as readonly Submission[]).map(spec => ({spec: isObject(spec) && !Array.isArray(spec) ? {...spec, targetcolonyid: spec.targetcolonyid ?? this.#colony()} : spec as never}));
		const keyed = {idempotencyKey: randomUUID(), ...options};
		const send = async (specs: typeof inputs): Promise<Process | Process[]> => persist({clock: machineClock, signal: AbortSignal.timeout(patience)}, async () => isOne
			? this.run('process.submit', specs[0]!, keyed)
			: results(await this.runMany('process.submit', specs, keyed)));
		const colonyid = inputs[0]?.spec?.targetcolonyid;
		return this.#tracing === undefined || colonyid === undefined
			? send(inputs)
			: this.#tracing.submit({colonyid, count: inputs.length}, async traceparent => send(traceparent === undefined ? inputs : inputs.map(({spec}) => ({spec: {traceparent, ...spec}}))));
	}

	async assign(request: AssignRequest & InColony = {}, options?: CallOptions): Promise<Process[]> {
		refuseUnknownOptions(request, assignOptions, 'assign');
		const {wait = 0, count = 1, colonyid} = request;
		if (!Number.isInteger(count) || count < 1 || count > limits.batch) {
			throw new InvalidInput(`count must be a whole number from 1 to ${limits.batch}, not ${quoted(count)}.`, {hint: 'Ask again for more.'});
		}

		const input = {colonyid: this.#colony(colonyid), wait};
		try {
			const answers = count === 1 ? [{result: await this.run('process.assign', input, options)}] : await this.runMany('process.assign', Array.from({length: count}, () => input), options);
			return answers.flatMap(answer => 'result' in answer ? [answer.result] : []);
		} catch (error) {
			if (error instanceof ColoniesError && error.code === 'nothing-to-assign') {
				return [];
			}

			throw error;
		}
	}

	async successful(process: ProcessLike, place: InColony = {}): Promise<Process> {
		return this.run('process.successful', {colonyid: this.#place(place, 'successful'), processid: idOf(process)});
	}

	async failed(process: ProcessLike, place: InColony = {}): Promise<Process> {
		return this.run('process.failed', {colonyid: this.#place(place, 'failed'), processid: idOf(process)});
	}

	async addAttribute(process: ProcessLike, attribute: NewAttribute, place: InColony = {}): Promise<Attribute> {
		refuseUnknownOptions(attribute, attributeOptions, 'addAttribute');
		return this.run('attribute.add', {colonyid: this.#place(place, 'addAttribute'), processid: idOf(process), ...attribute});
	}

	watch(hear: (topics: ReadonlySet<Topic>) => void, place: InColony = {}): () => void {
		return this.#context.watch(hear, {caller: this.#caller, colonyid: this.#place(place, 'watch')});
	}

	work(handler: Handler, given: WorkOptions & InColony = {}): Worker {
		refuseUnknownOptions(given, workOptions, 'work');
		const {colonyid, ...options} = given;
		if (!('identity' in this.#caller)) {
			throw new NotAllowed('Root runs no processes.', {hint: 'Connect as a computer, with its id or private key.'});
		}

		const worker = startWork({...options, tracing: this.#tracing, context: this.#context, identity: this.#caller.identity, computerid: this.id, colonyid: this.#colony(colonyid), handler});
		this.#workers.add(worker);
		void worker.done.catch(() => undefined).then(() => this.#workers.delete(worker));
		return worker;
	}

	async close(): Promise<void> {
		await Promise.all([...this.#workers].map(async worker => worker.stopping ? worker.done.catch(() => undefined) : worker.stop()));
		await this.#context.close();
	}

	#place(place: InColony, of: string): Id {
		refuseUnknownOptions(place, ['colonyid'], of);
		return this.#colony(place.colonyid);
	}

	#colony(given?: Id): Id {
		const colonyid = given ?? this.#colonyid;
		if (colonyid === undefined) {
			throw new InvalidInput('It is not said which colony is meant.', {hint: 'Give colonyid here or to connect.'});
		}

		return colonyid;
	}
}

/** The results of a list that is done as a whole. */
const results = (answers: Array<{result: Process} | ColoniesError>): Process[] => answers.map(answer => {
	if (answer instanceof ColoniesError) {
		throw answer;
	}

	return answer.result;
});

/**
Connects to a store: a Colonies server, a database, or what the commands would work on. One that does not answer now is tried again with each call.
@throws ColoniesError
*/
export async function connect(options: ConnectOptions = {}): Promise<Client> {
	refuseUnknownOptions(options, connectOptions, 'connect');
	const {privateKey, computerid, id, rootpassword, colonyid, tracer, ...choice} = options;
	const places = folders(process.env);
	const caller = await callerOf({privateKey, computerid, id, rootpassword, colonyid}, places);
	const tracing = tracer && await openTracing(tracer);
	const contexts = createContexts({env: process.env, folders: places, settings: openSettings({folder: places.config}), version});
	return new Connection(await contexts.open(choice, {attended: true}), caller, {colonyid, tracing});
}

/** Lets a computer work; the same as `client.work`. */
export const work = (client: Client, handler: Handler, options?: Parameters<Client['work']>[1]): Worker => client.work(handler, options);
