/** How many of some times, ascending, are from one moment on and before another. */
const between = (times: readonly number[], from: number, to: number): number => times.filter(time => time >= from && time < to).length;

/** The mean of a span in closings a second. Times in milliseconds. */
export const rateBetween = (times: readonly number[], from: number, to: number): number => between(times, from, to) * 1000 / (to - from);

export type Recovery = {
	/** When processes were closed, in milliseconds, by the half of the computers that did it. */
	closings: ReadonlyArray<readonly number[]>;
	/** Closings a second of each half before. */
	before: readonly number[];
	/** When the fault was over, and until when is looked, in milliseconds. */
	healedAt: number;
	now: number;
	/** Milliseconds that are taken together. */
	window: number;
};

const step = 100;
const share = 0.9;

/**
Seconds from the end of a fault until each half of the computers closes as many as before again: the first moment from which the mean over a window is at least 90 % of it.
Undefined while it is not so.
*/
export function secondsToRecover({closings, before, healedAt, now, window}: Recovery): number | undefined {
	for (let from = healedAt; from + window <= now; from += step) {
		const isBack = closings.every((times, half) => rateBetween(times, from, from + window) >= share * before[half]!);
		if (isBack) {
			return (from - healedAt) / 1000;
		}
	}

	return undefined;
}
