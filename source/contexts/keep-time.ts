import type {Broker} from '../operations/index.ts';

/** Between two looks at the deadlines, in milliseconds: an attempt ends within two seconds of its deadline (domain.md). */
const deadlineInterval = 1000;
/** Between two seals of the history, in milliseconds: it is sealed within two seconds. */
const sealInterval = 1000;
/** Between two turns of counting for Pulse, in milliseconds; what came since is read from the history. */
const pulseInterval = 2000;
/** Between two looks at what of the history is to be dropped or compressed, in milliseconds. */
const historyInterval = 60_000;
/** Between two clearings of spent nonces, in milliseconds; they lie in tables by the minute. */
const nonceInterval = 60_000;
/** Between two looks whether there is place for what is closed in the next month, in milliseconds. */
const monthsInterval = 3_600_000;
/** Between two looks at which closed processes are not to be kept any longer, in milliseconds: each look leaves a row of the history for each colony that has some. */
const closedInterval = 3_600_000;
/** Between two looks whether tables are to be vacuumed, in milliseconds. */
const vacuumInterval = 10_000;
/** Between two clearings of what nothing points to any more, in milliseconds. */
const tidyInterval = 600_000;

/** Does something again and again, at once where there is more to do, until the returned function is called, which waits for the turn that is under way. What fails is tried again at the next turn. */
function repeat(act: () => Promise<boolean>, interval: number): () => Promise<void> {
	let stopped = false;
	let timer: NodeJS.Timeout | undefined;
	let current: Promise<void> = Promise.resolve();

	const turn = async (): Promise<void> => {
		// That the database is away is said by its reachability.
		const more = await act().catch(() => false);
		schedule(more ? 0 : interval);
	};

	const schedule = (wait: number): void => {
		if (!stopped) {
			timer = setTimeout(() => {
				current = turn();
			}, wait);
			timer.unref();
		}
	};

	schedule(Math.min(interval, deadlineInterval));
	return async () => {
		stopped = true;
		clearTimeout(timer);
		await current;
	};
}

/** What was done so long ago, in milliseconds, is due; it counts as done now. `atOnce`: it is due the first time, too. */
function dueEvery(interval: number, {atOnce = false} = {}): () => boolean {
	let last = atOnce ? 0 : Date.now();
	return () => {
		const isDue = Date.now() - last > interval;
		last = isDue ? Date.now() : last;
		return isDue;
	};
}

/**
Sees to deadlines, seals the history, counts it for Pulse and drops what is too old of it, and tidies up now and then, until the returned function is called. None of these waits for another: however much is to be counted, deadlines are kept.
Any number of processes may do so on one database. A database that is away is tried again at the next turn.
@param isReady whether the database takes changes now; asked before each turn
*/
export function keepTime(broker: Broker, isReady: () => Promise<boolean> = async () => true): () => Promise<void> {
	const [clears, tidies, drops, makes, removes] = [dueEvery(nonceInterval), dueEvery(tidyInterval), dueEvery(historyInterval), dueEvery(monthsInterval, {atOnce: true}), dueEvery(closedInterval, {atOnce: true})];
	let [isDropping, isRemoving] = [false, false];

	const duties: Array<[act: () => Promise<boolean>, interval: number]> = [
		// What is many is ended in turns, so that leaving never waits for all of them.
		[async () => await broker.endExpired() > 0, deadlineInterval],
		[async () => broker.seal(), sealInterval],
		[async () => {
			if (await broker.rollPulse()) {
				return true;
			}

			// What is to be dropped was counted before.
			isDropping ||= drops();
			// Where it fails, the next turn tries again.
			isDropping &&= await broker.keepHistory();

			return isDropping;
		}, pulseInterval],
		[async () => {
			isRemoving ||= removes();
			isRemoving &&= await broker.dropClosed();

			return isRemoving;
		}, pulseInterval],
		[async () => {
			if (clears()) {
				// Others may be at that table; then it is for the next time.
				await broker.clearNonces().catch(() => undefined);
			}

			if (makes()) {
				// Somebody may be reading for long; then it is for the next time.
				await broker.makePieces().catch(() => undefined);
			}

			if (tidies()) {
				await broker.tidy();
			}

			return false;
		}, deadlineInterval],
		[async () => {
			await broker.vacuum();
			return false;
		}, vacuumInterval],
	];
	const stops = duties.map(([act, interval]) => repeat(async () => await isReady() && act(), interval));
	return async () => {
		await Promise.all(stops.map(async stop => stop()));
	};
}
