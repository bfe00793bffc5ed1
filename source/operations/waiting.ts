import {mayRun, type Worker} from '../core/matching.ts';
import type {Demand, Id} from '../core/types.ts';
import {type Database, readDemands, waitingDemands} from '../database/index.ts';
import type {News, NewWork} from './news.ts';

/** Between two looks at what waits, in milliseconds: for what nobody announced, one statement for all who wait here. */
const lookEvery = 2000;

/** Kinds of work that are remembered. */
const most = 10_000;

/** A computer that waits for work. */
type Waiter = {
	colony: Id;
	/** Undefined while it asks the database: whatever comes meanwhile may be for it. */
	worker: Worker | undefined;
	/** Something came while it asked. */
	missed: boolean;
	wake: () => void;
};

/** One computer's waiting, from before it first asks until it is served or gone. */
export type Turn = {
	/** Waits until there is something that this computer may run, the time is over or the signal comes. @returns whether it is worth asking again */
	next(worker: Worker, until: number, signal: AbortSignal | undefined): Promise<boolean>;
	leave(): void;
};

/**
Computers that wait for work on this server. They hold no connection and ask nothing: news of work names its kind, the kind is held against each of them in memory, the longest waiting first,
and as many of them ask as there is work. Whoever asks in vain goes on waiting in its place.
*/
export class Waiting {
	readonly #database: Database;
	readonly #news: News;
	readonly #waiters = new Set<Waiter>();
	readonly #kinds = new Map<number, {colony: Id; demand: Demand}>();
	#listening: Promise<() => void> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#looking = false;
	#closed = false;

	constructor(database: Database, news: News) {
		this.#database = database;
		this.#news = news;
	}

	/** How many computers wait. */
	get size(): number {
		return this.#waiters.size;
	}

	/** Takes a place, before the database is asked, so that nothing that comes meanwhile is missed. */
	async enter(colony: Id): Promise<Turn> {
		this.#listening ??= this.#news.watchWork(work => {
			void this.#hear(work);
		});
		const waiter: Waiter = {colony, worker: undefined, missed: false, wake: () => undefined};
		this.#waiters.add(waiter);
		this.#timer ??= setInterval(() => {
			void this.#look();
		}, lookEvery).unref();
		await this.#listening;
		return {
			next: async (worker, until, signal) => this.#next(waiter, {worker, until, signal}),
			leave: () => {
				this.#waiters.delete(waiter);
				if (this.#waiters.size === 0) {
					clearInterval(this.#timer);
					this.#timer = undefined;
				}
			},
		};
	}

	/** Lets nobody wait any longer. */
	async close(): Promise<void> {
		this.#closed = true;
		clearInterval(this.#timer);
		for (const {wake} of this.#waiters) {
			wake();
		}

		const stop = await this.#listening;
		stop?.();
	}

	async #next(waiter: Waiter, {worker, until, signal}: {worker: Worker; until: number; signal: AbortSignal | undefined}): Promise<boolean> {
		const left = until - performance.now();
		if (this.#closed || left <= 0 || signal?.aborted) {
			return false;
		}

		if (!waiter.missed) {
			let timer: NodeJS.Timeout | undefined;
			await new Promise<void>(resolve => {
				waiter.wake = resolve;
				waiter.worker = worker;
				timer = setTimeout(resolve, left);
				signal?.addEventListener('abort', waiter.wake, {once: true});
			});
			clearTimeout(timer);
			signal?.removeEventListener('abort', waiter.wake);
		}

		waiter.worker = undefined;
		waiter.missed = false;
		return !this.#closed && !signal?.aborted && performance.now() < until;
	}

	async #hear(work: NewWork): Promise<void> {
		if (this.#waiters.size === 0) {
			return;
		}

		if (work === 'any') {
			return this.#look();
		}

		try {
			await this.#learn([...work.keys()]);
			this.#wake(work);
		} catch {
			// The database is away; it is looked at again in a moment.
		}
	}

	/** Looks at all that waits in the colonies of those who wait here. */
	async #look(): Promise<void> {
		if (this.#looking || this.#closed) {
			return;
		}

		this.#looking = true;
		try {
			const colonies = [...new Set([...this.#waiters].map(({colony}) => colony))];
			const work = await waitingDemands(this.#database, colonies, this.#waiters.size);
			await this.#learn([...work.keys()]);
			this.#wake(work);
		} catch {
			// The next look tries again.
		}

		this.#looking = false;
	}

	async #learn(demands: readonly number[]): Promise<void> {
		const unknown = demands.filter(demand => !this.#kinds.has(demand));
		if (unknown.length === 0) {
			return;
		}

		if (this.#kinds.size > most) {
			this.#kinds.clear();
		}

		for (const {id, colony, demand} of await readDemands(this.#database, unknown)) {
			this.#kinds.set(id, {colony, demand});
		}
	}

	/** Wakes as many as there is work for, those first who wait the longest. */
	#wake(work: ReadonlyMap<number, number>): void {
		const left = new Map([...work].flatMap(([id, count]) => {
			const kind = this.#kinds.get(id);
			return kind ? [[kind, count] as const] : [];
		}));
		for (const waiter of this.#waiters) {
			if (left.size === 0) {
				return;
			}

			for (const [kind, count] of left) {
				if (kind.colony !== waiter.colony) {
					continue;
				}

				if (waiter.worker === undefined) {
					waiter.missed = true;
				} else if (mayRun(waiter.worker, kind.demand)) {
					waiter.worker = undefined;
					waiter.wake();
					if (count === 1) {
						left.delete(kind);
					} else {
						left.set(kind, count - 1);
					}

					break;
				}
			}
		}
	}
}
