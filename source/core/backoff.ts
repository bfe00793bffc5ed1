const shortest = 25;
const longest = 5000;

/** Milliseconds to wait before try number `attempt` (from 0): 25 ms, doubling up to 5 s, each less up to a half of it, so that many who wait do not come back together. */
export function backOff(attempt: number): number {
	const full = Math.min(longest, shortest * (2 ** Math.min(attempt, 16)));
	return full * (1 - (Math.random() / 2));
}

/** Waits so many milliseconds, or less when the signal comes first. Keeps the program running: it would else end while its store is away. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
	if (signal.aborted) {
		return;
	}

	await new Promise<void>(resolve => {
		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener('abort', end);
			resolve();
		};

		const timer = setTimeout(end, milliseconds);
		signal.addEventListener('abort', end);
	});
}
