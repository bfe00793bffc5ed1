import process from 'node:process';
import {InvalidInput} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {
	plural, quoted, shortId, visible,
} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import type {Caller, Context} from '../operations/index.ts';
import {Attempt, type Outcome} from './attempt.ts';
import {Closing, type Store} from './closing.ts';
import {type Assigned, Requests} from './requests.ts';
import type {Tracing} from './tracing.ts';
import type {
	Handler, Progress, Worker, WorkOptions,
} from './types.ts';
import {type Clock, machineClock} from './waiting.ts';

type Identity = Extract<Caller, {identity: unknown}>['identity'];

export type ComputerOptions = WorkOptions & {
	context: Pick<Context, 'run' | 'runMany'>;
	/** The key of the computer. */
	identity: Identity;
	/** Its id, where it is known not to be the one that the key proves. */
	computerid?: Id;
	colonyid: Id;
	handler: Handler;
	clock?: Clock;
	/** Makes a span of each attempt. */
	tracing?: Tracing | undefined;
	/** Milliseconds between two looks whether a process that runs is still this computer's. */
	heartbeat?: number;
	/** Where signals are heard: this process, unless somebody else tells of them. */
	signals?: Signals;
};

/** What tells of signals, as a process does. */
type Signals = {
	on(name: NodeJS.Signals, hear: () => void): unknown;
	removeListener(name: NodeJS.Signals, hear: () => void): unknown;
};

/** Handlers that go on although they were aborted are waited for this long, in milliseconds. */
const grace = 10_000;

function checked(name: string, value: number, most: number): number {
	if (!Number.isInteger(value) || value < 1 || value > most) {
		throw new InvalidInput(`${name} must be a whole number from 1 to ${most}, not ${quoted(value)}.`);
	}

	return value;
}

/** Calls what is not ours; what it throws is its own affair. */
function quietly<Value>(call: ((value: Value) => void) | undefined): (value: Value) => void {
	return value => {
		try {
			call?.(value);
		} catch {}
	};
}

/** Tells whoever runs the computer. That nobody can read it must not end its program: a failed write is an event, which somebody has to hear. */
const toStandardError = (sentence: string): void => {
	const {stderr} = process;
	const hear = (): void => undefined;
	stderr.once('error', hear);
	stderr.write(`${visible(sentence)}\n`, error => {
		if (!error) {
			stderr.removeListener('error', hear);
		}
	});
};

const stopped = (): Error => new Error('The computer was stopped.');

/** Milliseconds between two looks whether a process that runs is still this computer's: well below the time after which a computer counts as silent. */
const usualHeartbeat = 120_000;

/** A computer that asks for work, runs it and closes it. */
class ComputerAtWork implements Worker {
	readonly done: Promise<void>;
	readonly #handler: Handler;
	readonly #concurrency: number;
	readonly #heartbeat: number;
	readonly #tracing: Tracing | undefined;
	readonly #store: Store;
	readonly #closing: Closing;
	readonly #requests: Requests;
	readonly #notice: (sentence: string) => void;
	readonly #report: (progress: Progress) => void;
	readonly #stopping = new AbortController();
	readonly #forced = new AbortController();
	readonly #attempts = new Map<Attempt, Promise<void>>();
	#tellRoom: () => void = () => undefined;

	constructor({context, identity, computerid = identity.id, colonyid, handler, concurrency = 1, wait = 25, notice, report, clock = machineClock, heartbeat = usualHeartbeat, tracing}: ComputerOptions) {
		this.#tracing = tracing;
		this.#handler = handler;
		this.#heartbeat = heartbeat;
		this.#concurrency = checked('concurrency', concurrency, limits.batch);
		this.#notice = quietly(notice);
		this.#report = quietly(report);
		this.#store = {context, caller: {identity}, colonyid, computerid, clock};
		this.#closing = new Closing(this.#store);
		this.#requests = new Requests({
			store: this.#store, wait: checked('wait', wait, limits.wait), notice: this.#notice, stopping: this.#stopping.signal, forced: this.#forced.signal,
		});
		this.done = this.#work();
		// Whoever only ever stops it need not listen.
		this.done.catch(() => undefined);
	}

	get running(): number {
		return this.#attempts.size;
	}

	get stopping(): boolean {
		return this.#stopping.signal.aborted;
	}

	async stop(): Promise<void> {
		if (this.stopping) {
			this.#forced.abort();
			for (const attempt of this.#attempts.keys()) {
				attempt.abort(stopped());
			}
		}

		this.#stopping.abort();
		this.#tellRoom();
		await Promise.allSettled([this.done]);
	}

	async #work(): Promise<void> {
		try {
			while (!this.stopping) {
				const assigned = await this.#requests.ask(this.#concurrency - this.#attempts.size); // eslint-disable-line no-await-in-loop
				for (const each of assigned) {
					this.#begin(each);
				}

				await this.#room(); // eslint-disable-line no-await-in-loop
			}
		} finally {
			await this.#finish();
		}
	}

	/** Waits until there is room for another process, or no more are wanted. */
	async #room(): Promise<void> {
		while (this.#attempts.size >= this.#concurrency && !this.stopping) {
			// eslint-disable-next-line no-await-in-loop
			await new Promise<void>(resolve => {
				this.#tellRoom = resolve;
			});
		}
	}

	#begin({process, remaining}: Assigned): void {
		const span = this.#tracing?.begin(process);
		const attempt = new Attempt(process, {span, store: this.#store, closing: this.#closing, notice: this.#notice, heartbeat: this.#heartbeat});
		const started = performance.now();
		this.#report({process, state: 'started', span: 0});
		const end = (outcome: Outcome): void => {
			span?.end(outcome);
			this.#attempts.delete(attempt);
			this.#tellRoom();
			if (outcome.state === 'gone') {
				this.#notice(`The process ${quoted(shortId(process.processid))} was not closed: ${outcome.reason}`);
			}

			this.#report({process, span: performance.now() - started, ...outcome});
		};

		const run = async (): Promise<void> => {
			end(await attempt.run(this.#handler, remaining));
		};

		this.#attempts.set(attempt, run());
		if (this.#forced.signal.aborted) {
			attempt.abort(stopped());
		}
	}

	/** Waits for what runs; once it is forced, no longer than the grace. */
	async #finish(): Promise<void> {
		const {signal} = this.#forced;
		const all = Promise.all(this.#attempts.values());
		await Promise.race([all, aborted(signal)]);
		if (signal.aborted) {
			const patience = new AbortController();
			await Promise.race([all, this.#store.clock.pause(grace, patience.signal)]);
			patience.abort();
			if (this.running > 0) {
				this.#notice(`${plural(this.running, 'handler')} did not end although aborted; they are waited for no longer.`);
			}
		}
	}
}

/** Resolves when a signal comes. */
const aborted = async (signal: AbortSignal): Promise<void> => new Promise(resolve => {
	if (signal.aborted) {
		resolve();
	}

	signal.addEventListener('abort', () => {
		resolve();
	}, {once: true});
});

/** Milliseconds in which signals count as one: npx, timeout and a terminal each send theirs to the whole group, and hand on the one that they get. */
const together = 500;

/** Stops a computer on signals of the system, as long as it works. */
function obeySignals(worker: Worker, signals: Signals, notice: (sentence: string) => void): () => void {
	const names: NodeJS.Signals[] = ['SIGTERM', 'SIGINT', ...(process.stderr.isTTY ? ['SIGHUP' as const] : [])];
	let last = Number.NEGATIVE_INFINITY;
	const stop = () => {
		if (performance.now() - last > together) {
			last = performance.now();
			notice(worker.stopping ? 'Aborting what runs.' : 'Stopping: what runs is finished first. Another signal aborts it.');
			void worker.stop();
		}
	};

	for (const name of names) {
		signals.on(name, stop);
	}

	return () => {
		for (const name of names) {
			signals.removeListener(name, stop);
		}
	};
}

/**
Lets a computer work: it asks for processes, waiting at the server, hands each to the handler, writes what comes of it and closes it; so many at once.
It waits out every error of the store and takes its work up again; what is taken from it meanwhile it leaves to others.
@throws InvalidInput for a concurrency or wait out of bounds
*/
export function work({signal, handleSignals = false, signals = process, notice = toStandardError, ...options}: ComputerOptions): Worker {
	const worker = new ComputerAtWork({...options, notice});
	const disobey = handleSignals ? obeySignals(worker, signals, quietly(notice)) : () => undefined;
	const stop = () => {
		if (!worker.stopping) {
			void worker.stop();
		}
	};

	const end = () => {
		disobey();
		signal?.removeEventListener('abort', stop);
	};

	void worker.done.catch(() => undefined).then(end);
	if (signal?.aborted) {
		stop();
	}

	signal?.addEventListener('abort', stop);
	return worker;
}
