import {Worker} from 'node:worker_threads';
import {
	ask, askTogether, type Answer, type Fault, type Instance, type Leg,
} from './protocol.js';

/** One session of a PGlite, wherever it runs. It takes and gives text; statements run in the order in which they came. */
export type Engine = {
	/** Resolves to the reason when it has stopped by itself, or was closed. */
	readonly gone: Promise<Error>;
	query(text: string, values: Array<string | null>): Promise<Answer>;
	/** Statements in one transaction, all or nothing, with an answer for each. */
	flight(legs: readonly Leg[]): Promise<Answer[]>;
	execute(script: string): Promise<void>;
	onNotification(hear: (channel: string, payload: string) => void): void;
	close(): Promise<void>;
};

/** What the worker is started with; see embedded-worker.js. */
export type WorkerTask =
	| {folder: string; staging: string; template: string}
	| {template: string}
	| {makeTemplate: string};

type Message = {
	ready?: true;
	failed?: Fault & {complaint?: string};
	lost?: string;
	id?: number;
	answer?: Answer | Answer[];
	fault?: Fault;
	channel?: string;
	payload?: string;
};

type Question = {text: string; values: Array<string | null>} | {legs: readonly Leg[]} | {script: string} | {end: true};
type Asked = {resolve: (answer: Answer | Answer[]) => void; reject: (error: Error) => void};

const toError = ({message, ...rest}: Fault): Error => Object.assign(new Error(message), rest);

// SQLSTATEs for what comes after the end of the engine, and for what was under way then and may have been done.
const neverAsked = '08003';
const perhapsDone = '08006';
const diskFull = '53100';

type Promised<Value> = {promise: Promise<Value>; resolve: (value: Value) => void; reject: (error: Error) => void};

function promise<Value>(): Promised<Value> {
	const promised: Partial<Promised<Value>> = {};
	promised.promise = new Promise((resolve, reject) => {
		Object.assign(promised, {resolve, reject});
	});
	return promised as Promised<Value>;
}

// Its options are its own: a loader of this program would only slow it down, and what it prints would spoil the screen.
const options = {execArgv: [], stdout: true, stderr: true};

/** PostgreSQL in a thread of its own, so that a long statement does not stop this one. */
class WorkerEngine implements Engine {
	readonly #worker: Worker;
	readonly #ready = promise<void>();
	readonly #gone = promise<Error>();
	readonly #asked = new Map<number, Asked>();
	#last = 0;
	#lost: Error | undefined;
	#hear: ((channel: string, payload: string) => void) | undefined;

	constructor(task: WorkerTask) {
		// Beside this file in the source, and beside all others in the bundle.
		this.#worker = new Worker(new URL('embedded-worker.js', import.meta.url), {...options, workerData: task});
		this.#worker.stdout.resume();
		this.#worker.stderr.resume();
		this.#worker.on('message', message => {
			this.#receive(message as Message);
		});
		this.#worker.on('error', error => {
			this.#lose(error);
		});
		this.#worker.on('exit', code => {
			this.#lose(new Error(`its thread ended with code ${code}`));
		});
	}

	/** Rejects when the worker could not do what it was started for. */
	get ready(): Promise<void> {
		return this.#ready.promise;
	}

	get gone(): Promise<Error> {
		return this.#gone.promise;
	}

	async query(text: string, values: Array<string | null>): Promise<Answer> {
		return await this.#ask({text, values}) as Answer;
	}

	async flight(legs: readonly Leg[]): Promise<Answer[]> {
		return await this.#ask({legs}) as Answer[];
	}

	async execute(script: string): Promise<void> {
		await this.#ask({script});
	}

	onNotification(hear: (channel: string, payload: string) => void): void {
		this.#hear = hear;
	}

	async close(): Promise<void> {
		try {
			await this.#ask({end: true});
		} finally {
			this.#lose(new Error('it was closed'));
			await this.gone;
		}
	}

	async #ask(question: Question): Promise<Answer | Answer[]> {
		if (this.#lost) {
			throw Object.assign(new Error(`The embedded database has stopped: ${this.#lost.message}`), {code: neverAsked});
		}

		const id = ++this.#last;
		return new Promise((resolve, reject) => {
			this.#asked.set(id, {resolve, reject});
			this.#worker.postMessage({id, ...question});
		});
	}

	#receive(message: Message): void {
		if (message.id !== undefined) {
			const asked = this.#asked.get(message.id);
			this.#asked.delete(message.id);
			if (message.fault) {
				asked?.reject(toError(message.fault));
			} else {
				asked?.resolve(message.answer!);
			}
		} else if (message.channel !== undefined) {
			this.#hear?.(message.channel, message.payload ?? '');
		} else if (message.ready) {
			this.#ready.resolve();
		} else if (message.failed) {
			const {complaint, ...fault} = message.failed;
			this.#lose(toError({...fault, message: complaint ?? fault.message}));
		} else if (message.lost !== undefined) {
			this.#lose(new Error(message.lost));
		}
	}

	#lose(why: Error): void {
		if (this.#lost) {
			return;
		}

		this.#lost = why;
		// What a full disk cut off was never committed.
		const code = why.message.includes('No space left on device') ? diskFull : perhapsDone;
		for (const {reject} of this.#asked.values()) {
			reject(Object.assign(new Error(`The embedded database stopped: ${why.message}`), {code}));
		}

		this.#asked.clear();
		void this.#stop(why);
	}

	/** Nobody learns that it is gone before it is: two engines on one folder would destroy it. */
	async #stop(why: Error): Promise<void> {
		await this.#worker.terminate();
		this.#ready.reject(why);
		this.#gone.resolve(why);
	}
}

/** Starts PostgreSQL in a worker thread. @throws whatever kept it from starting, with the last complaint of PostgreSQL as the message */
export async function startEngine(task: Exclude<WorkerTask, {makeTemplate: string}>): Promise<Engine> {
	const engine = new WorkerEngine(task);
	await engine.ready;
	return engine;
}

/** Makes the archive of a fresh database. */
export async function makeTemplate(file: string): Promise<void> {
	const engine = new WorkerEngine({makeTemplate: file});
	await engine.ready;
}

/** A PGlite of this thread. */
export function engineOf(instance: Instance): Engine {
	const gone = promise<Error>();
	let last: Promise<unknown> = Promise.resolve();
	// As the worker does: answers of statements that run at once get mixed up.
	const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
		const before = last;
		const turn = (async () => {
			await before;
			return work();
		})();
		last = turn.catch(() => undefined); // The next turn comes either way.
		return turn;
	};

	return {
		gone: gone.promise,
		query: async (text, values) => inTurn(async () => ask(instance, text, values)),
		flight: async legs => inTurn(async () => askTogether(instance, legs)),
		async execute(script) {
			await inTurn(async () => instance.exec(script));
		},
		onNotification(hear) {
			instance.onNotification(hear);
		},
		async close() {
			gone.resolve(new Error('it was closed'));
			await instance.close();
		},
	};
}
