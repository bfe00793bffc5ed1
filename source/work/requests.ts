import {randomUUID} from 'node:crypto';
import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import {microseconds} from '../core/time.ts';
import type {Process, Time} from '../core/types.ts';
import type {Store} from './closing.ts';
import {awayPauses, BackOff, isOpen} from './waiting.ts';

/** A process that was assigned, with the milliseconds to its deadline where it has one. */
export type Assigned = {process: Process; remaining: number | undefined};

export type RequestsOptions = {
	store: Store;
	/** Seconds that a request waits at the server. */
	wait: number;
	notice: (sentence: string) => void;
	/** Comes when no more work is wanted. */
	stopping: AbortSignal;
	/** Comes when nothing is to be waited for any longer. */
	forced: AbortSignal;
};

/** Pauses while this computer is refused, in milliseconds: somebody has to let it in. */
const refusedPauses = {first: 1000, longest: 15_000};

/** A request that waits for work and comes back sooner with nothing, in milliseconds, is not repeated at once. */
const soon = 1000;

/** How often it is found out, when the computer is stopped, what came of the last request. */
const lastTries = 3;

const millisecondsOf = (time: Time): number | undefined => {
	const value = microseconds(time);
	return value === undefined ? undefined : Number(value) / 1000;
};

/** A request is over with these: nothing was assigned, or what was has been taken back. */
const isOver = ({code}: ColoniesError): boolean => code === 'not-allowed' || code === 'not-found' || code === 'conflict';

/** Asks for work, one request after the other, whatever befalls the store meanwhile. */
export class Requests {
	readonly #options: RequestsOptions;
	readonly #away = new BackOff(awayPauses);
	readonly #refused = new BackOff(refusedPauses);
	/** What it was last said to wait for. */
	#told: string | undefined;
	/** The clock of the server in milliseconds, as an answer told it, when this one showed 0. */
	#serverClock: number | undefined;

	constructor(options: RequestsOptions) {
		this.#options = options;
	}

	/**
	Asks once for up to `count` processes, and waits for them. A request whose answer is lost is repeated under its key until it is known what came of it, so that nothing is assigned without being run.
	@returns nothing when there was none, after a pause where that came too soon
	@throws InvalidInput when it will never be different
	*/
	async ask(count: number): Promise<Assigned[]> {
		const {clock} = this.#options.store;
		const {stopping, forced} = this.#options;
		const key = randomUUID();
		for (let [again, last] = [false, 0]; ; again = true) {
			last += stopping.aborted ? 1 : 0;
			const asked = clock.now();
			try {
				const processes = await this.#call(key, count); // eslint-disable-line no-await-in-loop
				this.#goOn();
				if (processes.length === 0 && clock.now() - asked < soon) {
					await clock.pause(this.#away.next(), stopping); // eslint-disable-line no-await-in-loop
				} else {
					this.#away.reset();
				}

				return this.#ours(processes, again);
			} catch (error) {
				const failure = toColoniesError(error);
				if (failure.code === 'invalid-input') {
					throw failure;
				}

				if (forced.aborted || (stopping.aborted && (isOver(failure) || last === lastTries))) {
					return [];
				}

				await this.#waitOut(failure); // eslint-disable-line no-await-in-loop
				if (isOver(failure)) {
					return [];
				}
			}
		}
	}

	/** A request that is stopped ends without an answer, or with none: the next one finds out. It does not wait. */
	async #call(idempotencyKey: string, count: number): Promise<Process[]> {
		const {store: {context, caller, colonyid}, wait, stopping, forced} = this.#options;
		const input = {colonyid, wait: stopping.aborted ? 0 : wait};
		const options = {idempotencyKey, signal: stopping.aborted ? forced : stopping};
		try {
			if (count === 1) {
				return [await context.run(caller, 'process.assign', input, options)];
			}

			const answers = await context.runMany(caller, 'process.assign', Array.from({length: count}, () => input), options);
			return answers.flatMap(answer => 'result' in answer ? [answer.result] : []);
		} catch (error) {
			if (toColoniesError(error).code === 'nothing-to-assign') {
				return [];
			}

			throw error;
		}
	}

	/** What runs on this computer of what was assigned. An answer that was asked for again tells how it is now: some may have gone back to waiting since. */
	#ours(processes: readonly Process[], again: boolean): Assigned[] {
		const {computerid, clock} = this.#options.store;
		return processes.flatMap(process => {
			const [start, deadline] = [millisecondsOf(process.starttime), millisecondsOf(process.deadline)];
			if (process.status !== 1 || process.assignedcomputerid !== computerid) {
				return [];
			}

			if (start !== undefined && (!again || this.#serverClock === undefined)) {
				// It was assigned just now, as far as can be told.
				this.#serverClock = start - clock.now();
			}

			const remaining = deadline === undefined ? undefined : Math.min(deadline - start!, deadline - this.#serverClock! - clock.now());
			return remaining !== undefined && remaining <= 0 ? [] : [{process, remaining}];
		});
	}

	async #waitOut(failure: ColoniesError): Promise<void> {
		const {store: {clock}, stopping, forced, notice} = this.#options;
		if (stopping.aborted) {
			await clock.pause(this.#away.next(), forced);
			return;
		}

		if (this.#told !== failure.code) {
			this.#told = failure.code;
			notice(['This computer waits:', failure.message, failure.hint].filter(Boolean).join(' '));
		}

		await clock.pause((isOpen(failure) ? this.#away : this.#refused).next(), stopping);
	}

	#goOn(): void {
		this.#refused.reset();
		if (this.#told !== undefined) {
			this.#told = undefined;
			this.#options.notice('This computer goes on.');
		}
	}
}
