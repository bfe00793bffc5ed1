import {randomUUID} from 'node:crypto';
import {pause} from '../core/backoff.ts';
import {ColoniesError, toColoniesError} from '../core/errors.ts';
import {Reaching} from '../core/reachability.ts';
import {type Topic, topics as allTopics} from '../core/types.ts';
import {
	type Caller, type Context, operationNamed, type operations, type RunOptions, type Where,
} from '../operations/index.ts';
import {NoAnswer} from '../remote/index.ts';
import {type Embedded, findWay, type Way} from './hosting.ts';

/** Milliseconds for which a host that says it is closing is given to go. */
const farewell = 12_000;
/** How often a call is taken to another host. */
const tries = 5;

type Hear = (topics: ReadonlySet<Topic>) => void;
type Watcher = {hear: Hear; as: Parameters<Context['watch']>[1]; stop: () => void};

/**
The embedded database, shared by the processes of this user: the first one hosts it, the others are its guests, and when it goes one of them takes its place within two seconds.
Nothing that was acknowledged is lost, for it is in the folder. Whoever calls cannot tell host from guest.
*/
class SharedContext implements Context {
	readonly kind = 'embedded' as const;
	readonly isLocal = true as const;
	readonly name: string;
	readonly #embedded: Embedded;
	readonly #reaching = new Reaching(true);
	readonly #watchers = new Set<Watcher>();
	readonly #closing = new AbortController();
	#way: Promise<Way>;
	#present: Way | undefined;
	#stopReaching: () => void = () => undefined;

	constructor(embedded: Embedded, way: Way) {
		this.name = embedded.name;
		this.#embedded = embedded;
		this.#way = Promise.resolve(way);
		this.#attach(way);
	}

	async run(caller: Caller, name: keyof typeof operations, input: any, options: RunOptions = {}): Promise<any> {
		return this.#through(name, options, async (context, given) => context.run(caller, name, input, given));
	}

	async runMany(caller: Caller, name: keyof typeof operations, inputs: any, options: RunOptions = {}): Promise<any> {
		return this.#through(name, options, async (context, given) => context.runMany(caller, name, inputs, given));
	}

	watch(hear: Hear, as?: Parameters<Context['watch']>[1]): () => void {
		const watcher: Watcher = {hear, as, stop: this.#present?.context.watch(hear, as) ?? (() => undefined)};
		this.#watchers.add(watcher);
		return () => {
			this.#watchers.delete(watcher);
			watcher.stop();
		};
	}

	watchReachability(tell: Parameters<Context['watchReachability']>[0]): () => void {
		return this.#reaching.watch(tell);
	}

	async where(): Promise<Where> {
		const {context, isHost} = await this.#way;
		const where = await context.where();
		return isHost ? where : {...where, place: `embedded in ${this.#embedded.folder}`};
	}

	async close(): Promise<void> {
		this.#closing.abort();
		this.#stopReaching();
		for (const {stop} of this.#watchers) {
			stop();
		}

		const way = await this.#way.catch(() => undefined);
		await way?.leave();
	}

	/** Makes a call, and makes it again with the next host where this one has gone and the call may come twice or was never sent. */
	async #through<Result>(name: keyof typeof operations, options: RunOptions, call: (context: Context, options: RunOptions) => Promise<Result>): Promise<Result> {
		const {keyed, route} = operationNamed(name);
		const given = keyed ? {...options, idempotencyKey: options.idempotencyKey ?? randomUUID()} : options;
		const mayRepeat = keyed === true || route.startsWith('GET ');
		for (let attempt = 1; ; attempt++) {
			const way = await this.#way; // eslint-disable-line no-await-in-loop
			try {
				return await call(way.context, given); // eslint-disable-line no-await-in-loop
			} catch (error) {
				const failure = toColoniesError(error);
				if (way.isHost || failure.code !== 'unavailable' || attempt === tries || this.#closing.signal.aborted) {
					throw failure;
				}

				if (failure instanceof NoAnswer && failure.isSent && !mayRepeat) {
					throw new ColoniesError('unavailable', 'The process that had the embedded database open ended before it answered: whether this was done is not known.', {hint: 'Look before you try it again.', cause: failure});
				}

				// It says that it is closing, or is gone already.
				await this.#gone(way); // eslint-disable-line no-await-in-loop
			}
		}
	}

	/** Waits until a host is gone and there is another one. */
	async #gone(way: Way): Promise<void> {
		const enough = new AbortController();
		await Promise.race([way.gone, pause(farewell, enough.signal)]);
		enough.abort();
		await this.#way.catch(() => undefined);
	}

	#attach(way: Way): void {
		this.#present = way;
		this.#stopReaching();
		this.#stopReaching = way.context.watchReachability(({reachable, reason = 'The embedded database does not answer.', hint, barrier}) => {
			if (reachable) {
				this.#reaching.up();
			} else if (way.isHost) {
				// Of a host elsewhere that is tells nothing: another one takes over.
				this.#reaching.down({message: reason, hint, barrier});
			}
		});
		for (const watcher of this.#watchers) {
			watcher.stop();
			watcher.stop = way.context.watch(watcher.hear, watcher.as);
			watcher.hear(new Set(allTopics));
		}

		void this.#follow(way);
	}

	/** When a host has gone: takes its place, or finds who has. */
	async #follow(way: Way): Promise<void> {
		await way.gone;
		if (this.#closing.signal.aborted) {
			return;
		}

		this.#present = undefined;
		this.#way = this.#find();
		// Heard of below, and by whoever calls meanwhile.
		this.#way.catch(() => undefined);
		await way.leave();
		try {
			const next = await this.#way;
			if (!this.#closing.signal.aborted) {
				this.#attach(next);
				this.#reaching.up();
			}
		} catch {
			// Said by whoever calls next; and tried again until this is closed.
			void this.#follow({...way, gone: pause(1000, this.#closing.signal), leave: async () => undefined});
		}
	}

	async #find(): Promise<Way> {
		try {
			return await findWay(this.#embedded, this.#closing.signal);
		} catch (error) {
			this.#reaching.down(toColoniesError(error));
			throw error;
		}
	}
}

/** Opens the embedded database of a folder, in this process or through the one that has it open. @throws ColoniesError */
export async function openShared(embedded: Embedded): Promise<Context> {
	return new SharedContext(embedded, await findWay(embedded, new AbortController().signal));
}
