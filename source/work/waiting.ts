import {backOff, pause} from '../core/backoff.ts';
import {type ColoniesError, toColoniesError} from '../core/errors.ts';

/** Where time comes from, in milliseconds. `pause` resolves when the time is over or the signal comes. */
export type Clock = {now(): number; pause(milliseconds: number, signal: AbortSignal): Promise<void>};

export const machineClock: Clock = {now: () => performance.now(), pause};

const open = new Set(['unavailable', 'internal', 'in-use', 'disk-full', 'cancelled']);

/** Whether an error leaves it open what came of a call: it may have been carried out, and may be made again. */
export const isOpen = ({code}: ColoniesError): boolean => open.has(code);

/** How often a fault inside the store is met before it is taken for an answer. */
const faults = 6;

/**
Makes a call that may be made twice until it is answered: again and again while the store is away, and some times over for a fault inside it. Once the signal has come, once.
`again`: whether an earlier try may have been carried out.
@throws ColoniesError
*/
export async function persist<Result>({clock, signal}: {clock: Clock; signal: AbortSignal}, call: (again: boolean) => Promise<Result>): Promise<Result> {
	for (let [attempt, met] = [0, 0]; ; attempt++) {
		try {
			return await call(attempt > 0); // eslint-disable-line no-await-in-loop
		} catch (error) {
			const failure = toColoniesError(error);
			met += failure.code === 'internal' ? 1 : 0;
			if (!isOpen(failure) || met === faults) {
				throw failure;
			}

			await clock.pause(backOff(attempt), signal); // eslint-disable-line no-await-in-loop
			if (signal.aborted) {
				throw failure;
			}
		}
	}
}
