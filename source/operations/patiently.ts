import {setTimeout as pause} from 'node:timers/promises';
import {ColoniesError} from '../core/errors.ts';
import type {Notice} from './broker.ts';

/** Milliseconds before each further try: enough for a server that starts again. */
const usualPauses = [200, 400, 800, 1600, 3200, 3200];
/** Milliseconds after which it is not tried again: one that answers slowly, or never, has been waited for long enough. */
const longest = 15_000;

/**
Does something again while the store does not answer, a bounded number of times. Only for what does no harm when it was done without our hearing of it: a request with an idempotency key, the same each time.
@param notice hears that it is tried again, once
@throws ColoniesError, the last when none of the tries was answered
*/
export async function patiently<Result>(work: () => Promise<Result>, notice: Notice, pauses: readonly number[] = usualPauses): Promise<Result> {
	const until = performance.now() + longest;
	for (const [index, span] of pauses.entries()) {
		try {
			return await work(); // eslint-disable-line no-await-in-loop
		} catch (error) {
			if (!(error instanceof ColoniesError) || error.code !== 'unavailable' || performance.now() > until) {
				throw error;
			}

			if (index === 0) {
				notice(`${error.message} Trying again …`);
			}

			await pause(span); // eslint-disable-line no-await-in-loop
		}
	}

	return work();
}
