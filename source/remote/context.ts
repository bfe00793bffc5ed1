import {randomUUID} from 'node:crypto';
import {setMaxListeners} from 'node:events';
import {backOff, pause} from '../core/backoff.ts';
import {type ColoniesError, NothingToAssign, toColoniesError} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import {type NoChanges, Reaching} from '../core/reachability.ts';
import {
	type AnyOperation, type Caller, type Context, encodeCall, encodeCalls, operationNamed, type operations, parseAll, parseList, type RunOptions, type Where, type WireRequest,
} from '../operations/index.ts';
import type {Address} from './address.ts';
import {
	type Answer, errorOf, exchange, prepare,
} from './calls.ts';
import {Connections} from './connections.ts';
import {NoAnswer} from './failures.ts';
import {barredPauseMs, follow} from './watching.ts';

/** Milliseconds without a byte after which an answer is not waited for any longer; what a call waits on purpose comes on top. */
const silence = 30_000;
/** How often a request that may come twice is sent when its answer is lost. */
const tries = 4;
/**
Seconds that one request waits for work: proxies give up a request that is idle for 50 or 60. A longer wait is made of several requests.
*/
const longestWait = 25;
/** Milliseconds by which a request that has waited to its end may come back sooner, by this clock. */
const clockTolerance = 100;
/** Between two looks whether the server answers, in milliseconds, while nothing else tells. */
const lookEvery = 5000;

type Sending = Pick<RunOptions, 'notice' | 'signal'> & {caller: Caller; request: WireRequest; /** The idempotency key. */ key: string | undefined; mayRepeat: boolean; ending: AbortSignal; wait: number};

export type RemoteOptions = {
	address: Address;
	kind: Context['kind'];
	/** The name that the operator gave it. */
	name: string;
	/** Returned although the server does not answer yet, which `watchReachability` tells. */
	startUnreachable?: boolean;
	/** How often a request is sent again when its answer is lost; 1: never, for somebody above does. */
	tries?: number;
	/** Seconds that one request waits for work at most. */
	longestWait?: number;
};

/** Comes with whichever of two signals comes first, until it is released: `AbortSignal.any` of Node 20 keeps what it made for as long as its sources live. */
function either(one: AbortSignal | undefined, other: AbortSignal): {signal: AbortSignal; release: () => void} {
	const controller = new AbortController();
	const abort = () => {
		controller.abort();
	};

	const sources = [one, other].filter(source => source !== undefined);
	for (const source of sources) {
		source.addEventListener('abort', abort, {once: true});
	}

	if (sources.some(({aborted}) => aborted)) {
		abort();
	}

	return {signal: controller.signal, release() {
		for (const source of sources) {
			source.removeEventListener('abort', abort);
		}
	}};
}

/** What a server says that is there: of itself, and of a database that takes no changes. */
type Ready = {version: string; server?: string; timescale?: string; schema: number; readonly?: NoChanges};

const isReadOnly = (value: unknown): boolean => typeof value === 'object' && value !== null && 'status' in value && value.status === 'read-only';

type CallOptions = RunOptions & {/** Milliseconds that the call waits on purpose. */ wait: number};

/** The operations on a server elsewhere. The keys stay here: each request is signed. */
class RemoteContext implements Context {
	readonly kind: Context['kind'];
	readonly name: string;
	readonly isLocal: boolean;
	readonly insecure: boolean;
	readonly #connections: Connections;
	readonly #tries: number;
	readonly #longestWait: number;
	readonly #reaching = new Reaching(true);
	readonly #closing = new AbortController();
	#watchers = 0;
	#looking: Promise<void> | undefined;

	constructor({address, kind, name, tries: most = tries, longestWait: seconds = longestWait}: RemoteOptions) {
		this.kind = kind;
		this.name = name;
		this.isLocal = 'socket' in address || isLoopback(address.host);
		this.insecure = 'trust' in address && address.trust.kind === 'anything';
		this.#tries = most;
		this.#longestWait = seconds;
		// Every call under way listens to it.
		setMaxListeners(0, this.#closing.signal);
		this.#connections = new Connections(address);
	}

	async run(caller: Caller, name: keyof typeof operations, input: unknown, options: RunOptions = {}): Promise<any> {
		const operation = operationNamed(name);
		const [value] = parseAll(operation, [input]) as [Record<string, unknown>];
		const answer = await this.#inSlices(value, options, async (slice, sliceOptions) => this.#call(caller, operation, encodeCall(operation, {...value, ...slice}), sliceOptions));
		return answer.value;
	}

	async runMany(caller: Caller, name: keyof typeof operations, inputs: readonly unknown[], options: RunOptions = {}): Promise<any> {
		const operation = operationNamed(name);
		const values = parseList(operation, inputs);
		const go = async () => this.#inSlices(values[0]!, options, async (slice, sliceOptions) => this.#call(caller, operation, encodeCalls(operation, values.map(value => ({...value, ...slice}))), sliceOptions));
		if (operation.many!.by === 'count') {
			return this.#counted(go, values.length);
		}

		const {value} = await go();
		return (value as Array<{result: unknown} | {problem: unknown}>).map(answer => operation.many!.isAtomic ? {result: answer} : ('problem' in answer ? errorOf(answer.problem, 400) : answer));
	}

	watch(hear: Parameters<Context['watch']>[0], as?: Parameters<Context['watch']>[1]): () => void {
		const stop = new AbortController();
		if (as) {
			void follow(this.#connections, {...as, hear}, this.#reaching, AbortSignal.any([stop.signal, this.#closing.signal]));
		}

		return () => {
			stop.abort();
		};
	}

	watchReachability(tell: Parameters<Context['watchReachability']>[0]): () => void {
		const stop = this.#reaching.watch(tell);
		this.#watchers++;
		this.#looking ??= this.#look();
		return () => {
			stop();
			this.#watchers--;
		};
	}

	async where(): Promise<Where> {
		const {version, server = `colonies-tui ${version}`, timescale, schema, readonly} = await this.#askReady();
		return {context: this.name, kind: this.kind, place: this.#connections.address.place, server, timescale, schema, ...(readonly && {readonly})};
	}

	/** @throws NoAnswer */
	async greet(): Promise<void> {
		await this.#ask('/healthz');
	}

	down(failure: ColoniesError): void {
		this.#reaching.down(failure);
	}

	async close(): Promise<void> {
		this.#closing.abort();
		this.#connections.close();
	}

	/** What a server says of itself to anybody. The embedded database may just be starting there. */
	async #ask(target: '/healthz' | '/readyz'): Promise<unknown> {
		const {value} = await exchange(this.#connections, {method: 'GET', target, headers: {accept: 'application/json'}}, {silence, signal: this.#closing.signal, isAnswer: isReadOnly});
		return value;
	}

	/** One that takes no changes is there all the same. */
	async #askReady(): Promise<Ready> {
		return await this.#ask('/readyz') as Ready;
	}

	async #counted(go: () => Promise<Answer>, count: number): Promise<Array<{result: unknown} | ColoniesError>> {
		let results: unknown[] = [];
		try {
			const {value} = await go();
			results = value as unknown[];
		} catch (error) {
			if (toColoniesError(error).code !== 'nothing-to-assign') {
				throw error;
			}
		}

		return Array.from({length: count}, (_, index) => index < results.length ? {result: results[index]} : new NothingToAssign('No process was assigned.'));
	}

	/**
	Makes a call that waits in requests that each wait a while, one after the other, until its time is over. All have one idempotency key: a request that got nothing leaves it unused,
	so a caller that loses an answer finds out under that key what the last one got.
	*/
	async #inSlices(input: Record<string, unknown>, options: RunOptions, call: (slice: {wait?: number}, options: CallOptions) => Promise<Answer>): Promise<Answer> {
		const {wait} = input;
		if (typeof wait !== 'number' || wait <= this.#longestWait) {
			return call({}, {...options, wait: typeof wait === 'number' ? wait * 1000 : 0});
		}

		const {idempotencyKey = randomUUID(), signal} = options;
		const until = performance.now() + (wait * 1000);
		for (let left = wait * 1000; ; left = Math.ceil(until - performance.now())) {
			const slice = Math.min(left, this.#longestWait * 1000);
			const began = performance.now();
			try {
				return await call({wait: slice / 1000}, {...options, idempotencyKey, wait: slice}); // eslint-disable-line no-await-in-loop
			} catch (error) {
				// One that comes back sooner is from a server that is closing.
				const isEarly = performance.now() - began < slice - clockTolerance;
				const isOver = isEarly || signal?.aborted === true || performance.now() >= until;
				if (isOver || toColoniesError(error).code !== 'nothing-to-assign') {
					throw error;
				}
			}
		}
	}

	/** Sends a call, and again when its answer is lost and it may come twice. */
	async #call(caller: Caller, operation: AnyOperation, request: WireRequest, {notice, signal, idempotencyKey = randomUUID(), wait}: CallOptions): Promise<Answer> {
		const key = operation.keyed ? idempotencyKey : undefined;
		// One that waits may go on waiting where nobody hears it: whoever asked finds out under the same key, without waiting.
		const mayRepeat = (key !== undefined && wait === 0) || request.method === 'GET';
		const {signal: ending, release} = either(signal, this.#closing.signal);
		try {
			return await this.#repeat({caller, request, key, mayRepeat, ending, notice, signal, wait});
		} finally {
			release();
		}
	}

	async #repeat({caller, request, key, mayRepeat, ending, notice, signal, wait}: Sending): Promise<Answer> {
		for (let attempt = 1; ; attempt++) {
			try {
				// Signed anew each time: a nonce is good once.
				const signed = prepare(this.#connections, caller, request, {idempotencyKey: key});
				const answer = await exchange(this.#connections, signed, {signal: ending, silence: silence + wait}); // eslint-disable-line no-await-in-loop
				this.#reaching.up();
				for (const sentence of answer.notices) {
					notice?.(sentence);
				}

				return answer;
			} catch (error) {
				const failure = this.#failure(error, signal);
				const again = failure instanceof NoAnswer && failure.barrier === undefined && (mayRepeat || !failure.isSent);
				if (!again || attempt >= this.#tries) {
					throw failure;
				}

				await pause(backOff(attempt), ending); // eslint-disable-line no-await-in-loop
			}
		}
	}

	#failure(error: unknown, signal: AbortSignal | undefined): ColoniesError {
		if (this.#closing.signal.aborted) {
			return new NoAnswer('The connection to the server is closed.', {isSent: true});
		}

		if (signal?.aborted) {
			return new NothingToAssign('No process was assigned: it was not waited for any longer.');
		}

		const failure = toColoniesError(error);
		if (failure instanceof NoAnswer) {
			this.#reaching.down(failure);
			void (this.#watchers > 0 && (this.#looking ??= this.#look()));
		} else {
			this.#reaching.up();
		}

		return failure;
	}

	/** Looks whether the server answers, for as long as somebody wants to know. */
	async #look(): Promise<void> {
		const {signal} = this.#closing;
		for (let failures = 0; !signal.aborted;) {
			let isBarred = false;
			try {
				const {readonly} = await this.#askReady(); // eslint-disable-line no-await-in-loop
				failures = 0;
				this.#reaching.takesChanges(readonly);
				this.#reaching.up();
			} catch (error) {
				failures++;
				const failure = toColoniesError(error);
				isBarred = failure.barrier !== undefined;
				if (!signal.aborted) {
					this.#reaching.down(failure);
				}
			}

			await pause(isBarred ? barredPauseMs : (failures === 0 ? lookEvery : backOff(failures + 3)), signal); // eslint-disable-line no-await-in-loop
		}
	}
}

/**
The operations on a Colonies server, over HTTPS or a Unix socket.
@throws NoAnswer (`unavailable`) where it does not answer, unless it may start so
*/
export async function openRemote(options: RemoteOptions): Promise<Context> {
	const context = new RemoteContext(options);
	try {
		await context.greet();
	} catch (error) {
		const failure = toColoniesError(error);
		if (!options.startUnreachable || failure.code !== 'unavailable') {
			await context.close();
			throw failure;
		}

		context.down(failure);
	}

	return context;
}
