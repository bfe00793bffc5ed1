import {limits} from '../core/limits.ts';
import type {Id} from '../core/types.ts';
import {
	type Database, endOfHistory, type Event, eventsAfter, type Place, placeText, readPlace,
} from '../database/index.ts';
import type {News} from './news.ts';

/** Between two looks at the history, in milliseconds, for what nobody announced. */
const lookEvery = 1000;

type Hear = (events: readonly Event[]) => void;
type Follow = {colony: Id; hear: Hear; /** What came while its own past is still read. */ held: Event[] | undefined};

const isAfter = (one: Place, other: Place): boolean => one.txid > other.txid || (one.txid === other.txid && one.row > other.row);

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

		const follow: Follow = {colony, hear, held: asked === undefined ? undefined : []};
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
				await this.#readPast(follow, asked, from);
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

	/** What was before `end` comes from the history, what came since was held. */
	async #readPast(follow: Follow, asked: Place, end: Place): Promise<void> {
		for (let place = asked; ;) {
			const events = await eventsAfter(this.#database, {after: place, colony: follow.colony, limit: limits.events}); // eslint-disable-line no-await-in-loop
			const past = events.filter(({id}) => !isAfter(readPlace(id), end));
			if (past.length > 0) {
				follow.hear(past);
			}

			if (events.length < limits.events || past.length < events.length) {
				break;
			}

			place = readPlace(events.at(-1)!.id);
		}

		const held = follow.held!.filter(({id}) => isAfter(readPlace(id), asked));
		follow.held = undefined;
		if (held.length > 0) {
			follow.hear(held);
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
			if (own.length === 0) {
				continue;
			}

			if (follow.held) {
				follow.held.push(...own);
			} else {
				follow.hear(own);
			}
		}
	}
}
