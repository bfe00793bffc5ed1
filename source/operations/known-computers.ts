import type {Id} from '../core/types.ts';
import {type ComputerRow, computers, type Database, keyOf} from '../database/index.ts';

/** Computers that are remembered. */
const most = 10_000;

type Search = {ids: Set<Id>; found: Promise<void>};

/**
A cache of computers by what their keys prove, to group those with equal capacity. The statement of the group checks each again. Concurrent look-ups share one query.
*/
export class KnownComputers {
	readonly #database: Database;
	readonly #known = new Map<string, ComputerRow>();
	readonly #searches = new Map<Id, Search>();

	constructor(database: Database) {
		this.#database = database;
	}

	get(colony: Id, key: Id): ComputerRow | undefined {
		return this.#known.get(`${colony} ${key}`);
	}

	note(computer: ComputerRow): void {
		const key = `${computer.colony_id} ${keyOf(computer)}`;
		this.#known.delete(key);
		this.#known.set(key, computer);
		if (this.#known.size > most) {
			this.#known.delete(this.#known.keys().next().value!);
		}
	}

	/** An approved computer; undefined where there is none, or it cannot be found out now. */
	async find(colony: Id, key: Id): Promise<ComputerRow | undefined> {
		const known = this.get(colony, key);
		if (known) {
			return known;
		}

		let search = this.#searches.get(colony);
		if (search === undefined) {
			const ids = new Set<Id>();
			search = {ids, found: this.#search(colony, ids)};
			this.#searches.set(colony, search);
		}

		search.ids.add(key);
		await search.found;
		return this.get(colony, key);
	}

	async #search(colony: Id, ids: ReadonlySet<Id>): Promise<void> {
		// Searches that start by then join this one.
		await new Promise(resolve => {
			setImmediate(resolve);
		});
		this.#searches.delete(colony);
		try {
			for (const row of await computers.approved(this.#database, colony, [...ids])) {
				this.note(row);
			}
		} catch {
			// The call then runs alone, and gets the error.
		}
	}
}
