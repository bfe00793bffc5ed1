import type {Id} from '../core/types.ts';
import {type Database, keepSeen} from '../database/index.ts';

/** How often sightings are written, in milliseconds: many in one statement, not one a request. */
const interval = 10_000;

/** Remembers which computers did something, and writes it down now and then. */
export class Sightings {
	readonly #database: Database;
	readonly #seen = new Map<string, {colony: Id; computer: Id; at: number}>();
	#timer: NodeJS.Timeout | undefined;

	constructor(database: Database) {
		this.#database = database;
	}

	/** Notes that a computer did something just now. */
	note(colony: Id, computer: Id): void {
		this.#seen.set(`${colony} ${computer}`, {colony, computer, at: performance.now()});
		this.#timer ??= setTimeout(() => {
			void this.flush();
		}, interval).unref();
	}

	/** Writes down what there is. Never throws: what cannot be written now is noted again with the next request. */
	async flush(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const now = performance.now();
		const seen = [...this.#seen.values()].map(({colony, computer, at}) => ({colony, computer, ago: now - at}));
		this.#seen.clear();
		if (seen.length > 0) {
			try {
				await keepSeen(this.#database, seen);
			} catch {}
		}
	}
}
