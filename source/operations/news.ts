import {toColoniesError} from '../core/errors.ts';
import {type Topic, topics as allTopics} from '../core/types.ts';
import {type Database, writtenTo} from '../database/index.ts';

/** Changes that come within this time of a notification are told in one, in milliseconds. One NOTIFY a change would serialise all writers. */
const gathering = 10;

/** Milliseconds between two looks at whether anything was written, while notifications do not arrive: behind a transaction pooler, and on a standby. */
const pollMs = 200;

/** What a notification holds at most, in bytes; PostgreSQL takes 8000. */
const longest = 7000;

/** Kinds of work (rows of `demands`) of which processes began to wait, with how many; or that there may be any. */
export type NewWork = ReadonlyMap<number, number> | 'any';

type Told = {topics: ReadonlySet<Topic>; work: NewWork};

/** What is told to other processes: `processes,attributes;12,15*3`, or `processes;*` for work of any kind. */
function encode(topics: Iterable<Topic>, work: ReadonlyMap<number, number>): string {
	const payload = `${[...topics].join(',')};${[...work].map(([demand, count]) => count === 1 ? demand : `${demand}*${count}`).join(',')}`;
	return payload.length > longest ? `${[...topics].join(',')};*` : payload;
}

function decode(payload: string): Told {
	const [topics = '', work = ''] = payload.split(';');
	return {
		topics: new Set(topics.split(',').filter(topic => topic !== '') as Topic[]),
		work: work === '*'
			? 'any'
			: new Map(work.split(',').filter(text => text !== '').map(text => {
				const [demand, count = '1'] = text.split('*');
				return [Number(demand), Number(count)] as const;
			})),
	};
}

/**
Tells watchers what has changed, whichever process changed it: after the commit, from a connection of its own, at once when it is quiet and gathered when it is not.
There is no other way for news to go, not even within a process, so that all see the same; where notifications do not arrive, it polls. The channel is called as the schema, so that installations in one database do not hear each other.
*/
export class News {
	readonly #database: Database;
	readonly #watchers = new Set<(told: Told) => void>();
	readonly #pending = new Set<Topic>();
	readonly #work = new Map<number, number>();
	#quiet = true;
	#stopListening: Promise<() => Promise<void>> | undefined;
	#closed = false;
	#timer: NodeJS.Timeout | undefined;
	#polling = false;
	#writtenTo = '';
	#wasMoving = false;

	constructor(database: Database) {
		this.#database = database;
	}

	/** Hears of changes until the returned function is called. */
	watch(hear: (topics: ReadonlySet<Topic>) => void): () => void {
		return this.#add(({topics}) => {
			if (topics.size > 0) {
				hear(topics);
			}
		});
	}

	/** Hears of work that began to wait until the returned function is called. Resolves when it is listened to, so that nothing after is missed. */
	async watchWork(hear: (work: NewWork) => void): Promise<() => void> {
		const stop = this.#add(({work}) => {
			if (work === 'any' || work.size > 0) {
				hear(work);
			}
		});
		await this.#stopListening;
		return stop;
	}

	/** Says that something of these topics was committed, and which kinds of work wait now. Never throws: a watcher that misses it looks again within two seconds. */
	announce(changed: Iterable<Topic>, work: Iterable<number> = []): void {
		for (const topic of changed) {
			this.#pending.add(topic);
		}

		for (const demand of work) {
			this.#work.set(demand, (this.#work.get(demand) ?? 0) + 1);
		}

		if (this.#quiet && this.#pending.size > 0) {
			this.#quiet = false;
			void this.#flush();
		}
	}

	/** Sends what is gathered and stops listening. */
	async close(): Promise<void> {
		this.#closed = true;
		clearInterval(this.#timer);
		await this.#send();
		const stop = await this.#stopListening?.catch(() => undefined);
		await stop?.();
	}

	#add(watcher: (told: Told) => void): () => void {
		this.#watchers.add(watcher);
		this.#stopListening ??= this.#listen();
		this.#timer ??= setInterval(() => {
			void this.#poll();
		}, pollMs).unref();
		return () => {
			this.#watchers.delete(watcher);
			if (this.#watchers.size === 0) {
				clearInterval(this.#timer);
				this.#timer = undefined;
			}
		};
	}

	async #listen(): Promise<() => Promise<void>> {
		return this.#database.listen(this.#database.schema, payload => {
			this.#tell(decode(payload));
		}, () => {
			this.#tellAll();
		}).catch((): (() => Promise<void>) => {
			this.#stopListening = undefined;
			return async () => undefined;
		});
	}

	#tellAll(): void {
		this.#tell({topics: new Set(allTopics), work: 'any'});
	}

	/** Tells of everything when something was written. Once more afterward: a transaction is in the log a moment before others see it. */
	async #poll(): Promise<void> {
		if (this.#polling || !this.#database.load().deaf) {
			return;
		}

		this.#polling = true;
		try {
			const place = await writtenTo(this.#database);
			const isMoving = place !== this.#writtenTo;
			if (isMoving || this.#wasMoving) {
				this.#tellAll();
			}

			this.#writtenTo = place;
			this.#wasMoving = isMoving;
		} catch (error) {
			// A server that cannot say where it writes is taken to have written.
			if (toColoniesError(error).code !== 'unavailable') {
				this.#tellAll();
			}
		}

		this.#polling = false;
	}

	#tell(told: Told): void {
		for (const hear of this.#watchers) {
			hear(told);
		}
	}

	async #send(): Promise<void> {
		if (this.#pending.size === 0) {
			return;
		}

		const payload = encode(this.#pending, this.#work);
		this.#pending.clear();
		this.#work.clear();
		try {
			await this.#database.notify(this.#database.schema, payload);
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
