import {type ColoniesError, Conflict, InvalidInput, toColoniesError} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import type {Process} from '../core/types.ts';
import type {Closing, Store} from './closing.ts';
import type {AttemptSpan} from './tracing.ts';
import type {
	Handler, Job, Outputs, Progress,
} from './types.ts';
import {persist} from './waiting.ts';

/** What came of an attempt. */
export type Outcome = {state: Exclude<Progress['state'], 'started'>; reason?: string};

/** The longest that a timer can be set to, in milliseconds: 24 days. */
const longestTimer = 2_147_483_647;

/** The most that is kept of an error's message, in characters: it may hold anything. */
const longestMessage = 100_000;

/** A text as the value of an attribute may be. */
export const asValue = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');

/** Whether an answer says that a process is not this computer's any more: it went back to waiting, was closed or removed, or the computer was disapproved. */
const isLoss = ({code}: ColoniesError): boolean => code === 'conflict' || code === 'not-found' || code === 'not-allowed';

/** @throws InvalidInput for what is no text and stands for none */
const textOf = (key: string, value: unknown): string => {
	if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
		throw new InvalidInput(`The output ${quoted(key)} must be text, a number or a boolean.`, {hint: 'Return an object of keys and texts; JSON.stringify makes a text of anything.'});
	}

	return String(value);
};

/** What was thrown, as text. Anything may be thrown, also what makes no text. */
function messageOf(thrown: unknown): string {
	try {
		return asValue(String(thrown instanceof Error ? thrown.message : thrown).slice(0, longestMessage)) || 'It failed without a message.';
	} catch {
		return 'It failed with something that is no error.';
	}
}

export type Ways = {
	/** The span of the attempt, where there is a tracer. */
	span?: AttemptSpan | undefined;
	store: Store;
	closing: Closing;
	/** Hears what is out of the ordinary. */
	notice: (sentence: string) => void;
	/** Milliseconds between two looks whether the process is still this computer's. */
	heartbeat: number;
};

/** One process on this computer, from its assignment to its end. */
export class Attempt {
	readonly #process: Process;
	readonly #ways: Ways;
	readonly #controller = new AbortController();
	readonly #pending = new Set<Promise<void>>();
	#last: Promise<void> = Promise.resolve();
	/** Why it is not this computer's any more. */
	#lost: string | undefined;

	constructor(process: Process, ways: Ways) {
		this.#process = process;
		this.#ways = ways;
	}

	/** Lets the handler know that its work is of no use any more, or is wanted no longer. */
	abort(reason: Error): void {
		this.#controller.abort(reason);
	}

	/** Runs the handler and closes the process. `remaining`: milliseconds to its deadline. Never throws. */
	async run(handler: Handler, remaining: number | undefined): Promise<Outcome> {
		const stopWatching = this.#watchDeadline(remaining);
		const stopLooking = this.#lookAfter();
		try {
			return await this.#close(await this.#handle(handler));
		} finally {
			stopWatching();
			stopLooking();
		}
	}

	#watchDeadline(remaining: number | undefined): () => void {
		if (remaining === undefined) {
			return () => undefined;
		}

		const until = performance.now() + remaining;
		let timer: NodeJS.Timeout;
		const watch = () => {
			const left = until - performance.now();
			const expire = () => {
				this.#lose('Its deadline has passed.');
			};

			timer = setTimeout(left > longestTimer ? watch : expire, Math.min(left, longestTimer));
		};

		watch();
		return () => {
			clearTimeout(timer);
		};
	}

	/** Looks now and then whether the process is still this computer's: a cancelled one is given up soon, and whoever looks after the colony sees that this computer lives. */
	#lookAfter(): () => void {
		const {store: {context, caller, colonyid}, heartbeat} = this.#ways;
		const {processid, starttime} = this.#process;
		let timer: NodeJS.Timeout;
		const look = async (): Promise<void> => {
			try {
				const {status, since} = await context.run(caller, 'process.version', {colonyid, processid});
				if (status !== 1 || since !== starttime) {
					this.#lose('It was taken back, or closed by somebody else.');
				}
			} catch (error) {
				const failure = toColoniesError(error);
				if (isLoss(failure)) {
					this.#lose(failure.message);
				}
			}

			schedule();
		};

		const schedule = (): void => {
			if (!this.#controller.signal.aborted && !hasEnded) {
				timer = setTimeout(() => {
					void look();
				}, heartbeat);
			}
		};

		let hasEnded = false;
		schedule();
		return () => {
			hasEnded = true;
			clearTimeout(timer);
		};
	}

	#lose(reason: string): void {
		if (this.#lost === undefined) {
			this.#lost = reason;
			this.abort(this.#refusal(reason));
		}
	}

	#refusal(reason: string): ColoniesError {
		return new Conflict(`The process ${quoted(shortId(this.#process.processid))} is not this computer's any more. ${reason}`);
	}

	/** @returns why it failed */
	async #handle(handler: Handler): Promise<string | undefined> {
		const {span} = this.#ways;
		const job: Job = {
			process: this.#process,
			traceparent: span ? span.traceparent : this.#process.traceparent,
			in: Object.fromEntries((this.#process.in ?? []).map(({key, value}) => [key, value])),
			signal: this.#controller.signal,
			out: (key, value) => this.#write('out', key, value), // eslint-disable-line @typescript-eslint/promise-function-async -- another promise would be one that nobody listens to
			err: (key, value) => this.#write('err', key, value), // eslint-disable-line @typescript-eslint/promise-function-async
		};
		try {
			const outputs = await (span ? span.run(async () => handler(job)) : handler(job)) ?? {};
			// Also what the handler did not wait for belongs to its work.
			await Promise.all(this.#pending);
			await this.#writeAll(outputs);
			return undefined;
		} catch (error) {
			await Promise.allSettled(this.#pending);
			return messageOf(error);
		}
	}

	async #writeAll(outputs: Outputs): Promise<void> {
		if (typeof outputs !== 'object' || Array.isArray(outputs)) {
			throw new InvalidInput('The handler returned what is no object of keys and values.', {hint: 'Return one, or nothing.'});
		}

		for (const [key, value] of Object.entries(outputs).filter(([, value]) => value !== undefined && value !== null)) {
			await this.#write('out', key, textOf(key, value)); // eslint-disable-line no-await-in-loop
		}
	}

	/** One after the other, so that of two values of a key the later one stays. A handler need not wait for it; what is pending when it returns is waited for. */
	#write(type: 'out' | 'err', key: string, value: string): Promise<void> { // eslint-disable-line @typescript-eslint/promise-function-async
		const before = this.#last;
		const write = async (): Promise<void> => {
			await Promise.allSettled([before]);
			await this.#add({type, key, value});
		};

		const writing = write();
		this.#last = writing;
		this.#pending.add(writing);
		const end = () => {
			this.#pending.delete(writing);
		};

		void writing.catch(() => undefined).then(end);
		return writing;
	}

	async #add(attribute: {type: 'out' | 'err'; key: string; value: string}): Promise<void> {
		const {store: {context, caller, colonyid, clock}, notice} = this.#ways;
		const {signal} = this.#controller;
		try {
			if (this.#lost !== undefined) {
				throw this.#refusal(this.#lost);
			}

			await persist({clock, signal}, async () => context.run(caller, 'attribute.add', {colonyid, processid: this.#process.processid, ...attribute}));
		} catch (error) {
			const failure = toColoniesError(error);
			if (isLoss(failure)) {
				this.#lose(failure.message);
			} else {
				notice(`${shortId(this.#process.processid)}: ${quoted(attribute.key)} was not written: ${failure.message}`);
			}

			throw failure;
		}
	}

	async #close(failure: string | undefined): Promise<Outcome> {
		const to = failure === undefined ? 'successful' : 'failed';
		try {
			if (failure !== undefined) {
				await this.#writeFailure(failure);
			}

			if (this.#lost === undefined) {
				await this.#ways.closing.close(this.#process, to, this.#controller.signal);
				return {state: to, ...(failure === undefined ? {} : {reason: failure})};
			}
		} catch (error) {
			const {message} = toColoniesError(error);
			this.#lost ??= message;
		}

		return {state: 'gone', reason: this.#lost};
	}

	/** Says why it failed, where there is room to say so. */
	async #writeFailure(failure: string): Promise<void> {
		try {
			await this.#add({type: 'err', key: 'error', value: failure});
		} catch {
			// It fails all the same, or is not this computer's any more.
		}
	}
}
