import {toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Context, Notice} from '../operations/index.ts';
import {assembleFleet, type Keys} from './demo/fleet.ts';
import {createLife, type LifeOptions} from './demo/life.ts';

/** Where time comes from. `after` begins the work once so many milliseconds have passed, unless the returned function is called. */
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

type DemoOptions = {
	context: Context;
	/** Root password of the demo's installation. */
	root: string;
	keys: Keys;
	/** As Math.random; it decides what is submitted and how it goes. */
	random?: () => number;
	/** How many times faster than usual. */
	pace?: number;
	/** Hears when the demo has to wait, and when it goes on. */
	notice?: Notice;
	clock?: Clock;
	bounds?: LifeOptions['bounds'];
};

/** Milliseconds from one tick to the next, and the longest pause after failures. */
const interval = 250;
const longestPause = 30_000;

/** Nobody looks after a demo that stays open: what happened before a day is dropped, unless somebody has chosen how long it is kept. */
async function limitHistory(context: Context, root: string): Promise<void> {
	try {
		const {days} = await context.run({root}, 'history.get', {});
		if (days === null) {
			await context.run({root}, 'history.retention', {days: 1});
		}
	} catch (error) {
		// Whoever has changed the root password looks after it.
		if (toColoniesError(error).code !== 'unauthenticated') {
			throw error;
		}
	}
}

/**
Starts a colony of simulated computers that register, get approved, pull and close processes through the operations. On a store and keychain that it knows it goes on. Once started it waits out every error.
`stop` ends it when what is under way is done; what runs then is taken up again by the next start.
@throws ColoniesError when it cannot start; calling it again goes on where it stopped
*/
export async function startDemo({context, root, keys, random = Math.random, pace = 1, notice = () => undefined, clock = machineClock, bounds = {waiting: 200, closed: 2000}}: DemoOptions): Promise<{colonyid: Id; stop(): Promise<void>}> {
	const fleet = await assembleFleet({context, root, keys});
	await limitHistory(context, root);
	const life = await createLife({context, fleet, random, pace, bounds});
	const started = clock.now();
	let [failures, stopped] = [0, false];
	let cancel: () => void;
	let current: Promise<void> = Promise.resolve();

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
				notice(`The demo waits: ${error instanceof Error ? error.message : String(error)}`);
			}
		}

		if (!stopped) {
			schedule(failures === 0 ? interval : Math.min(longestPause, interval * (2 ** failures)));
		}
	};

	const schedule = (milliseconds: number): void => {
		cancel = clock.after(milliseconds, async () => {
			current = turn();
			return current;
		});
	};

	// So that an approval tells at once.
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
