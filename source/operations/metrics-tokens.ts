import {timingSafeEqual} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import {Unavailable} from '../core/errors.ts';
import {type Database, tokens} from '../database/index.ts';
import {hashOf, tokenPattern} from './tokens.ts';

type Known = Awaited<ReturnType<typeof tokens.hashes>>;

/** Milliseconds that the database has to answer before the hashes of the last answer are used. */
const answerTimeoutMs = 1500;
/** Milliseconds in which the use of one token is noted once. */
const noteIntervalMs = 60_000;

/**
Checks tokens for /metrics. Requests that come together share one query, so that a flood of wrong tokens takes one connection at most.
While the database does not answer, the hashes of its last answer count: monitoring must see that it is away.
*/
export class MetricsTokens {
	readonly #database: Database;
	readonly #noted = new Map<string, number>();
	#known: Known | undefined;
	#reading: Promise<Known> | undefined;

	constructor(database: Database) {
		this.#database = database;
	}

	/**
	The name of a token; undefined where it is none.
	@throws Unavailable when the database does not answer and has not answered before
	*/
	async nameOf(token: string): Promise<string | undefined> {
		if (!tokenPattern.test(token)) {
			return undefined;
		}

		const digest = Buffer.from(hashOf(token), 'hex');
		let found: string | undefined;
		for (const {name, hash} of await this.#hashes()) {
			if (timingSafeEqual(Buffer.from(hash, 'hex'), digest)) {
				found = name;
			}
		}

		if (found !== undefined) {
			this.#noteUse(found);
		}

		return found;
	}

	async #hashes(): Promise<Known> {
		this.#reading ??= this.#read();
		const reading = this.#reading;
		const stop = new AbortController();
		try {
			const read = await Promise.race([reading, pause(answerTimeoutMs, undefined, {signal: stop.signal})]);
			if (read !== undefined) {
				return read;
			}
		} catch (error) {
			if (this.#known === undefined) {
				throw error;
			}
		} finally {
			stop.abort();
		}

		if (this.#known === undefined) {
			throw new Unavailable('The database does not answer.', {hint: 'Try again in a moment.'});
		}

		return this.#known;
	}

	async #read(): Promise<Known> {
		try {
			this.#known = await tokens.hashes(this.#database);
			return this.#known;
		} finally {
			this.#reading = undefined;
		}
	}

	/** Best effort: nothing depends on it. */
	#noteUse(name: string): void {
		const now = performance.now();
		if (this.#database.load().noChanges !== undefined || now - (this.#noted.get(name) ?? Number.NEGATIVE_INFINITY) < noteIntervalMs) {
			return;
		}

		this.#noted.set(name, now);
		void tokens.noteUse(this.#database, name).catch(() => this.#noted.delete(name));
	}
}
