import type {Id} from '../core/types.ts';
import type {Context, Notice} from '../operations/index.ts';
import {assembleFleet, type Keys} from './demo/fleet.ts';
import {type Bounds, createLife} from './demo/life.ts';

/** Where the demo has its time from. `after` begins the work once so many milliseconds have passed, unless it is called off. */
export type Clock = {now(): number; after(milliseconds: number, work: () => Promise<void>): () => void};

const machineClock: Clock = {
	now: () => performance.now(),
	after(milliseconds, work) {
		const timer = setTimeout(work, milliseconds);
		timer.unref();
		return () => {
			clearTimeout(timer);
		};
	},
};

export type DemoOptions = {
	context: Context;
	/** Root password of the demo's installation; it registers the colony. */
	root: string;
	keys: Keys;
	/** From 0 up to 1, as Math.random; it decides what is submitted and how it goes. */
	random?: () => number;
	/** How many times faster than usual. */
	pace?: number;
	/** Hears when the demo has to wait and when it goes on, one sentence each. */
	notice?: Notice;
	clock?: Clock;
	bounds?: Partial<Bounds>;
};

export type Demo = {
	colonyid: Id;
	/** Ends it, once what is under way is done. What runs stays running, and is taken up again by the next start. */
	stop(): Promise<void>;
};

/** Milliseconds from the end of one tick to the next, at any pace. */
const interval = 250;
/** Longest pause after a failure, in milliseconds. */
const longestPause = 30_000;

const sayWhy = (error: unknown): string => error instanceof Error ? error.message : String(error);

/**
Starts the demo: a colony of simulated computers that register, get approved, pull and close processes through the operations. On a store and keychain that it knows it goes on.
Once it is started it waits out every error, with back-off.
@throws ColoniesError when the colony cannot be made or read; calling it again goes on where it stopped
*/
export async function startDemo({context, root, keys, random = Math.random, pace = 1, notice = () => undefined, clock = machineClock, bounds}: DemoOptions): Promise<Demo> {
	const fleet = await assembleFleet({context, root, keys});
	const life = await createLife({
		context, fleet, random, pace, bounds: {waiting: 200, closed: 2000, ...bounds},
	});
	const started = clock.now();
	let failures = 0;
	let stopped = false;

	const turn = async (): Promise<void> => {
		try {
			await life.tick((clock.now() - started) * pace);
			if (failures > 0) {
				notice('The demo goes on.');
			}

			failures = 0;
		} catch (error) {
			failures++;
			if (failures === 1) {
				notice(`The demo waits: ${sayWhy(error)}`);
			}
		}

		if (!stopped) {
			schedule(failures === 0 ? interval : Math.min(longestPause, 500 * (2 ** failures)));
		}
	};

	let current: Promise<void> = Promise.resolve();
	let cancel: () => void;
	const schedule = (milliseconds: number): void => {
		cancel = clock.after(milliseconds, async () => {
			current = turn();
			return current;
		});
	};

	const unwatch = context.watch(topics => {
		if (topics.has('computers')) {
			life.wake();
		}
	});
	schedule(0);
	return {
		colonyid: fleet.colonyid,
		async stop() {
			stopped = true;
			cancel();
			unwatch();
			await current;
		},
	};
}
