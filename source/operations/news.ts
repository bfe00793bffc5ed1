import {type Topic, topics as allTopics} from '../core/types.ts';
import type {Database} from '../database/index.ts';

const channel = 'colonies';

/** Changes that come within this time of a notification are told in one, in milliseconds. One NOTIFY a change would serialise all writers. */
const gathering = 10;

/**
Tells watchers what has changed, whichever process changed it: after the commit, from a connection of its own, at once when it is quiet and gathered when it is not.
There is no other way for news to go, not even within a process, so that all see the same.
*/
export class News {
	readonly #database: Database;
	readonly #watchers = new Set<(topics: ReadonlySet<Topic>) => void>();
	readonly #pending = new Set<Topic>();
	#quiet = true;
	#stopListening: Promise<() => Promise<void>> | undefined;
	#closed = false;

	constructor(database: Database) {
		this.#database = database;
	}

	/** Hears of changes until the returned function is called. */
	watch(hear: (topics: ReadonlySet<Topic>) => void): () => void {
		this.#watchers.add(hear);
		this.#stopListening ??= this.#listen();
		return () => {
			this.#watchers.delete(hear);
		};
	}

	/** Says that something of these topics was committed. Never throws: whoever misses it reads again within two seconds. */
	announce(changed: readonly Topic[]): void {
		for (const topic of changed) {
			this.#pending.add(topic);
		}

		if (this.#quiet && this.#pending.size > 0) {
			this.#quiet = false;
			void this.#flush();
		}
	}

	/** Sends what is gathered and stops listening. */
	async close(): Promise<void> {
		this.#closed = true;
		await this.#send();
		const stop = await this.#stopListening?.catch(() => undefined);
		await stop?.();
	}

	async #listen(): Promise<() => Promise<void>> {
		return this.#database.listen(channel, payload => {
			this.#tell(new Set(payload.split(',') as Topic[]));
		}, () => {
			this.#tell(new Set(allTopics));
		}).catch((): (() => Promise<void>) => {
			this.#stopListening = undefined;
			return async () => undefined;
		});
	}

	#tell(topics: ReadonlySet<Topic>): void {
		for (const hear of this.#watchers) {
			hear(topics);
		}
	}

	async #send(): Promise<void> {
		if (this.#pending.size === 0) {
			return;
		}

		const payload = [...this.#pending].join(',');
		this.#pending.clear();
		try {
			await this.#database.notify(channel, payload);
		} catch {
			// The database went away; watchers read all again when it is back.
		}
	}

	async #flush(): Promise<void> {
		await this.#send();
		setTimeout(() => {
			if (this.#pending.size > 0 && !this.#closed) {
				void this.#flush();
			} else {
				this.#quiet = true;
			}
		}, gathering).unref();
	}
}
