import {type ColoniesError, toColoniesError} from '../core/errors.ts';

/** Where time comes from, in milliseconds. `pause` resolves when the time is over or the signal comes. */
export type Clock = {now(): number; pause(milliseconds: number, signal: AbortSignal): Promise<void>};

export const machineClock: Clock = {
	now: () => performance.now(),
	pause: async (milliseconds, signal) => new Promise(resolve => {
		if (signal.aborted) {
			resolve();
			return;
		}

		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener('abort', end);
			resolve();
		};

		const timer = setTimeout(end, milliseconds);
		signal.addEventListener('abort', end);
	}),
};

/** Pauses that double up to the longest, with jitter, so that many callers do not come back at once. In milliseconds. */
export class BackOff {
	readonly #first: number;
	readonly #longest: number;
	#pause: number;

	constructor({first, longest}: {first: number; longest: number}) {
		this.#first = first;
		this.#longest = longest;
		this.#pause = first;
	}

	next(): number {
		const pause = this.#pause * (0.5 + (Math.random() / 2));
		this.#pause = Math.min(this.#longest, this.#pause * 2);
		return pause;
	}

	reset(): void {
		this.#pause = this.#first;
	}
}

/** While a store is away. */
export const awayPauses = {first: 100, longest: 5000};

const away = new Set(['unavailable', 'internal', 'in-use', 'disk-full', 'cancelled']);

/** Whether an error leaves it open what came of the call: it may have been carried out, and may be made again. */
export const isOpen = ({code}: ColoniesError): boolean => away.has(code);

/** How often a fault is met before it is taken for an answer. */
const faults = 6;

type Persistence = {clock: Clock; signal: AbortSignal};

/**
Makes a call that may be made twice until it is answered: again and again while the store is away, and some times over for a fault inside it. Once the signal has come, once.
`again`: whether an earlier try may have been carried out.
@throws ColoniesError
*/
export async function persist<Result>({clock, signal}: Persistence, call: (again: boolean) => Promise<Result>): Promise<Result> {
	const backOff = new BackOff(awayPauses);
	let met = 0;
	for (let again = false; ; again = true) {
		try {
			return await call(again); // eslint-disable-line no-await-in-loop
		} catch (error) {
			const failure = toColoniesError(error);
			met += failure.code === 'internal' ? 1 : 0;
			if (!isOpen(failure) || met === faults) {
				throw failure;
			}

			await clock.pause(backOff.next(), signal); // eslint-disable-line no-await-in-loop
			if (signal.aborted) {
				throw failure;
			}
		}
	}
}
