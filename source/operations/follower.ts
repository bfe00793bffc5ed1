import {limits} from '../core/limits.ts';
import type {Id} from '../core/types.ts';
import {
	type Database, endOfHistory, type Event, eventsAfter, type Place, placeText, readPlace,
} from '../database/index.ts';
import type {News} from './news.ts';

/** Between two looks at the history, in milliseconds, for what nobody announced. */
const lookEvery = 1000;

/** Hears events. What it returns is waited for while the past is read, so that it comes no faster than it is taken; throwing ends that. */
type Hear = (events: readonly Event[]) => void | Promise<void>;
/** `held`: what came while the end of its own past is read; `past`: it is not that far yet, and what comes is read then. */
type Follow = {colony: Id; hear: Hear; held: Event[] | 'past' | undefined};

const isAfter = (one: Place, other: Place): boolean => one.txid > other.txid || (one.txid === other.txid && one.row > other.row);

/** What one who watches throws must not keep the news from the others. */
async function tell({hear}: Follow, events: readonly Event[]): Promise<void> {
	if (events.length > 0) {
		try {
			await hear(events);
		} catch {}
	}
}

/**
Follows the history for all who watch: one statement for all of them together, after news and once a second.
*/
export class Follower {
	readonly #database: Database;
	readonly #news: News;
	readonly #follows = new Set<Follow>();
	#started: Promise<void> | undefined;
	#place: Place = {txid: 0, row: 0};
	#stopNews: (() => void) | undefined;
	#timer: NodeJS.Timeout | undefined;
	#reading = false;
	#again = false;
	#readAt = performance.now();

	constructor(database: Database, news: News) {
		this.#database = database;
		this.#news = news;
	}

	/** Seconds since the history was last read to its end; 0 where nobody watches. */
	get lag(): number {
		return this.#follows.size === 0 ? 0 : (performance.now() - this.#readAt) / 1000;
	}

	/** How many watch. */
	get size(): number {
		return this.#follows.size;
	}

	/**
	Hears what happens in a colony until the returned function is called: all that came after the event `after`, or from now on.
	@returns `from`: the place to go on from when nothing comes
	@throws ColoniesError
	*/
	async follow(colony: Id, hear: Hear, after?: string): Promise<{from: string; stop: () => void}> {
		const asked = after === undefined ? undefined : readPlace(after);
		this.#started ??= this.#start();
		try {
			await this.#started;
		} catch (error) {
			this.#started = undefined;
			throw error;
		}

		const follow: Follow = {colony, hear, held: asked === undefined ? undefined : 'past'};
		const from = this.#place;
		this.#follows.add(follow);
		const stop = () => {
			this.#follows.delete(follow);
			if (this.#follows.size === 0) {
				this.#halt();
			}
		};

		if (asked !== undefined) {
			try {
				await this.#readPast(follow, asked);
			} catch (error) {
				stop();
				throw error;
			}
		}

		return {from: placeText(asked !== undefined && !isAfter(from, asked) ? asked : from), stop};
	}

	close(): void {
		this.#follows.clear();
		this.#halt();
	}

	/** Nobody watches: whoever comes next begins at the end. */
	#halt(): void {
		clearInterval(this.#timer);
		this.#stopNews?.();
		this.#started = undefined;
	}

	async #start(): Promise<void> {
		this.#place = await endOfHistory(this.#database);
		this.#readAt = performance.now();
		this.#stopNews = this.#news.watch(() => {
			void this.#read();
		});
		this.#timer = setInterval(() => {
			void this.#read();
		}, lookEvery).unref();
	}

	/** What was before the end comes from the history, what came since the last page was asked for was held. */
	async #readPast(follow: Follow, asked: Place): Promise<void> {
		for (let place = asked; ;) {
			const end = this.#place;
			follow.held = [];
			const events = await eventsAfter(this.#database, {after: place, colony: follow.colony, limit: limits.events}); // eslint-disable-line no-await-in-loop
			if (events.length < limits.events) {
				const past = events.filter(({id}) => !isAfter(readPlace(id), end));
				const held = follow.held.filter(({id}) => isAfter(readPlace(id), place));
				follow.held = undefined;
				void tell(follow, [...past, ...held]);
				return;
			}

			follow.held = 'past';
			await follow.hear(events); // eslint-disable-line no-await-in-loop
			place = readPlace(events.at(-1)!.id);
		}
	}

	async #read(): Promise<void> {
		if (this.#reading) {
			this.#again = true;
			return;
		}

		this.#reading = true;
		try {
			for (let more = true; more && this.#follows.size > 0;) {
				const events = await eventsAfter(this.#database, {after: this.#place, limit: limits.events}); // eslint-disable-line no-await-in-loop
				if (events.length > 0) {
					this.#place = readPlace(events.at(-1)!.id);
					this.#tell(events);
				}

				more = events.length === limits.events || this.#again;
				this.#again = false;
			}

			this.#readAt = performance.now();
		} catch {
			// The database is away; the next look goes on from here.
		}

		this.#reading = false;
	}

	#tell(events: readonly Event[]): void {
		for (const follow of this.#follows) {
			const own = events.filter(({colonyid}) => colonyid === follow.colony);
			if (follow.held === undefined) {
				void tell(follow, own);
			} else if (follow.held !== 'past') {
				follow.held.push(...own);
			}
		}
	}
}
