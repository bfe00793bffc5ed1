import {randomUUID} from 'node:crypto';
import {backOff} from '../core/backoff.ts';
import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import {microseconds} from '../core/time.ts';
import type {Id, Process, Time} from '../core/types.ts';
import type {Store} from './closing.ts';
import {isOpen} from './waiting.ts';

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

/** Milliseconds to wait while this computer is refused, from one to fifteen seconds: somebody has to let it in. */
const refusedPause = (attempt: number): number => 3 * backOff(attempt + 5);

/** A request that waits for work and comes back sooner with nothing, in milliseconds, is not repeated at once. */
const soon = 500;

/** How often it is found out, when the computer is stopped, what came of the last request. */
const lastTries = 3;

const millisecondsOf = (time: Time): number | undefined => {
	const value = microseconds(time);
	return value === undefined ? undefined : Number(value) / 1000;
};

/** A request is over with these: nothing was assigned, or what was has been taken back. */
const isOver = ({code}: ColoniesError): boolean => code === 'not-allowed' || code === 'not-found' || code === 'conflict';

/** Of what is not there any more, nothing. */
function unlessGone(error: unknown): undefined {
	if (toColoniesError(error).code !== 'not-found') {
		throw error;
	}
}

/** Asks for work, one request after the other, whatever befalls the store meanwhile. */
export class Requests {
	readonly #options: RequestsOptions;
	/** Requests in a row that brought nothing sooner than they should. */
	#vain = 0;
	#failures = 0;
	/** What it was last said to wait for. */
	#told: string | undefined;
	/** The clock of the server in milliseconds, as an answer told it, when this one showed 0. */
	#serverClock: number | undefined;

	constructor(options: RequestsOptions) {
		this.#options = options;
	}

	/**
	Asks once for up to `count` processes, and waits for them. What came of a request whose answer is lost, or that was cut short, is found out under its key by one that does not wait: then it is known for good,
	and nothing is assigned without being run.
	@returns nothing when there was none, or this computer is refused, after a pause
	@throws InvalidInput when it will never be different
	*/
	async ask(count: number): Promise<Assigned[]> {
		const {stopping, forced} = this.#options;
		const key = randomUUID();
		for (let [tries, late] = [0, 0]; ; tries++) {
			const waits = tries === 0 && !stopping.aborted;
			late += stopping.aborted ? 1 : 0;
			try {
				const processes = await this.#call(key, {count, waits}); // eslint-disable-line no-await-in-loop
				this.#goOn();
				if (processes.length > 0 || !waits || !stopping.aborted) {
					return await this.#ours(processes, tries > 0); // eslint-disable-line no-await-in-loop
				}
			} catch (error) {
				const failure = toColoniesError(error);
				if (failure.code === 'invalid-input') {
					throw failure;
				}

				if (late === lastTries || (late > 0 && isOver(failure))) {
					return [];
				}

				await this.#waitOut(failure); // eslint-disable-line no-await-in-loop
				if (isOver(failure)) {
					return [];
				}
			}

			if (forced.aborted) {
				return [];
			}
		}
	}

	async #call(key: string, {count, waits}: {count: number; waits: boolean}): Promise<Process[]> {
		const {store: {clock}, stopping} = this.#options;
		const asked = clock.now();
		const processes = await this.#assign(key, {count, waits});
		const isVain = waits && processes.length === 0 && clock.now() - asked < soon;
		this.#vain = isVain ? this.#vain + 1 : 0;
		if (isVain && !stopping.aborted) {
			await clock.pause(backOff(this.#vain), stopping);
		}

		return processes;
	}

	async #assign(idempotencyKey: string, {count, waits}: {count: number; waits: boolean}): Promise<Process[]> {
		const {store: {context, caller, colonyid}, wait, stopping, forced} = this.#options;
		const input = {colonyid, wait: waits ? wait : 0};
		const options = {idempotencyKey, signal: waits ? stopping : forced};
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

	/** The id of this computer. It is not the one that its key proves where its owner has given it another key: then what is assigned to it tells. */
	async #computerOf(processes: readonly Process[]): Promise<Id> {
		const {store, store: {context, caller, colonyid}} = this.#options;
		const others = new Set(processes.map(({assignedcomputerid}) => assignedcomputerid).filter(id => id !== '' && id !== store.computerid));
		for (const computerid of others) {
			const found = await context.run(caller, 'computer.get', {colonyid, computerid}).catch(unlessGone); // eslint-disable-line no-await-in-loop
			if ('identity' in caller && found?.keyid === caller.identity.id) {
				store.computerid = computerid;
			}
		}

		return store.computerid;
	}

	/** What runs on this computer of what was assigned. An answer that was asked for again tells how it is now: some may have gone back to waiting since. */
	async #ours(processes: readonly Process[], again: boolean): Promise<Assigned[]> {
		const {clock} = this.#options.store;
		const computerid = await this.#computerOf(processes);
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
			await clock.pause(backOff(4), forced);
			return;
		}

		if (this.#told !== failure.code) {
			this.#told = failure.code;
			notice(['This computer waits:', failure.message, failure.hint].filter(Boolean).join(' '));
		}

		await clock.pause(isOpen(failure) ? backOff(this.#failures) : refusedPause(this.#failures), stopping);
		this.#failures++;
	}

	#goOn(): void {
		this.#failures = 0;
		if (this.#told !== undefined) {
			this.#told = undefined;
			this.#options.notice('This computer goes on.');
		}
	}
}
