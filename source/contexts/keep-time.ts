import type {Broker} from '../operations/index.ts';

/** Between two looks at the deadlines, in milliseconds: an attempt ends within two seconds of its deadline (domain.md). */
const deadlineInterval = 1000;
/** Between two clearings of spent nonces, in milliseconds; they lie in tables by the minute. */
const nonceInterval = 60_000;
/** Between two turns of counting for Pulse, in milliseconds; what came since is read from the history. */
const pulseInterval = 2000;
/** Between two looks at what of the history is to be dropped or compressed, in milliseconds. */
const historyInterval = 60_000;
/** Between two clearings of what nothing points to any more, in milliseconds. */
const tidyInterval = 600_000;

/**
Sees to deadlines, counts for Pulse, seals the history and drops what is too old of it, and tidies up now and then, until the returned function is called. Any number of processes may do so on one database.
A database that is away is tried again at the next turn.
*/
export function keepTime(broker: Broker, guard: () => Promise<void> = async () => undefined): () => Promise<void> {
	let stopped = false;
	let timer: NodeJS.Timeout | undefined;
	let current: Promise<void> = Promise.resolve();
	let tidied = Date.now();
	let cleared = Date.now();
	let rolled = 0;
	let kept = 0;
	let hurries = false;

	const turn = async (): Promise<void> => {
		try {
			await guard();
			// What is many is ended in turns, so that leaving never waits for all of them.
			hurries = await broker.endExpired() > 0;
			if (Date.now() - rolled > pulseInterval) {
				// Where there is more, the next turn goes on.
				const more = await broker.rollPulse();
				rolled = more ? 0 : Date.now();
				hurries ||= more;
			}

			hurries = await broker.seal() || hurries;
			// What is to be dropped was counted before.
			if (rolled > 0 && Date.now() - kept > historyInterval) {
				if (await broker.keepHistory()) {
					hurries = true;
				} else {
					kept = Date.now();
				}
			}

			if (Date.now() - cleared > nonceInterval) {
				cleared = Date.now();
				// Others may be at that table; then it is for the next time.
				await broker.clearNonces().catch(() => undefined);
			}

			if (Date.now() - tidied > tidyInterval) {
				tidied = Date.now();
				await broker.tidy();
			}
		} catch {
			hurries = false;
			// Said by the reachability of the database; the next turn tries again.
		}

		schedule();
	};

	const schedule = (): void => {
		if (!stopped) {
			timer = setTimeout(() => {
				current = turn();
			}, hurries ? 0 : deadlineInterval);
			timer.unref();
		}
	};

	schedule();
	return async () => {
		stopped = true;
		clearTimeout(timer);
		await current;
	};
}
