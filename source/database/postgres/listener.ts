import type pg from 'pg';
import {backOff, pause} from '../backoff.ts';

type Hearer = {hear: (payload: string) => void; onGap: (() => void) | undefined};

type Tell = {
	/** The connection stands (again). */
	up(): void;
	/** It could not be made, or went. */
	down(error: unknown): void;
};

const silence = 15_000;
const patience = 5000;

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
The connection for notifications: of its own and never in a transaction. It is made when it is first asked for and from then on made again whenever it goes.
Its coming and going is also how the rest learns whether the server answers, for it is tried without anybody asking.
*/
export class Listener {
	readonly #connect: () => Promise<pg.Client>;
	readonly #tell: Tell;
	readonly #hearers = new Map<string, Set<Hearer>>();
	readonly #closing = new AbortController();
	#client: pg.Client | undefined;
	#running: Promise<void> | undefined;
	#hurry = new AbortController();
	#firstTry: Promise<void> = Promise.resolve();
	/** Statements on one connection wait for each other. */
	#last: Promise<unknown> = Promise.resolve();

	constructor(connect: () => Promise<pg.Client>, tell: Tell) {
		this.#connect = connect;
		this.#tell = tell;
	}

	/** Whether a notification can be sent here. */
	get isUp(): boolean {
		return this.#client !== undefined;
	}

	/** Returns when the channel is heard, or at once when the server is away: then it is heard later, and `onGap` tells. */
	async listen(channel: string, hear: (payload: string) => void, onGap?: () => void): Promise<() => Promise<void>> {
		const hearer: Hearer = {hear, onGap};
		const hearers = this.#hearers.get(channel) ?? new Set();
		const isNew = hearers.size === 0;
		hearers.add(hearer);
		this.#hearers.set(channel, hearers);
		this.start();
		await this.#firstTry;
		if (isNew && this.#client) {
			// When this fails the connection is lost, and the next one listens to all channels.
			await this.#run(this.#client, `listen ${quoteName(channel)}`).catch(() => undefined);
		}

		return async () => {
			if (hearers.delete(hearer) && hearers.size === 0) {
				this.#hearers.delete(channel);
				if (this.#client) {
					await this.#run(this.#client, `unlisten ${quoteName(channel)}`).catch(() => undefined);
				}
			}
		};
	}

	/** Sends a notification. @throws whatever pg throws. */
	async notify(channel: string, payload: string): Promise<void> {
		await this.#run(this.#client!, 'select pg_notify($1, $2)', [channel, payload]);
	}

	/** Begins to make the connection, and never stops making it again. */
	start(): void {
		if (this.#running === undefined && !this.#closing.signal.aborted) {
			this.#firstTry = new Promise(resolve => {
				this.#running = this.#keepConnected(resolve);
			});
		}
	}

	/** Somebody has seen the connection of another fail, or come back: looks now instead of later. */
	check(): void {
		this.start();
		this.#hurry.abort();
		const client = this.#client;
		if (client) {
			void this.#ping(client);
		}
	}

	async close(): Promise<void> {
		this.#closing.abort();
		this.#hurry.abort();
		const client = this.#client;
		this.#client = undefined;
		await client?.end().catch(() => undefined);
		await this.#running;
	}

	async #keepConnected(tried: () => void): Promise<void> {
		for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
			try {
				const client = await this.#connect(); // eslint-disable-line no-await-in-loop
				const lost = this.#watch(client);
				await this.#listenToAll(client); // eslint-disable-line no-await-in-loop
				attempt = 0;
				this.#client = client;
				this.#tell.up();
				tried();
				throw await lost; // eslint-disable-line no-await-in-loop, @typescript-eslint/only-throw-error -- the error as pg gave it
			} catch (error) {
				this.#client = undefined;
				if (!this.#closing.signal.aborted) {
					this.#tell.down(error);
					tried();
					this.#hurry = new AbortController();
					await pause(backOff(attempt), AbortSignal.any([this.#hurry.signal, this.#closing.signal])); // eslint-disable-line no-await-in-loop
				}
			}
		}

		tried();
	}

	/** Resolves to the error when the connection goes. */
	async #watch(client: pg.Client): Promise<unknown> {
		client.on('notification', ({channel, payload = ''}) => {
			for (const {hear} of this.#hearers.get(channel) ?? []) {
				queueMicrotask(() => {
					hear(payload);
				});
			}
		});
		const timer = setInterval(() => {
			void this.#ping(client);
		}, silence).unref();
		return new Promise(resolve => {
			client.on('error', resolve);
			client.on('end', () => {
				clearInterval(timer);
				resolve(new Error('Connection ended'));
			});
		});
	}

	async #listenToAll(client: pg.Client): Promise<void> {
		const channels = [...this.#hearers.keys()];
		if (channels.length > 0) {
			await this.#run(client, channels.map(channel => `listen ${quoteName(channel)}`).join(';'));
		}
	}

	/** A connection whose other end vanished without a word is found only by asking. */
	async #ping(client: pg.Client): Promise<void> {
		try {
			await this.#run(client, 'select 1');
		} catch {
			// The stream's end is what the watcher waits for.
			(client as unknown as {connection: {stream: {destroy(): void}}}).connection.stream.destroy();
		}
	}

	async #run(client: pg.Client, text: string, values?: string[]): Promise<unknown> {
		const running = this.#last.then(async () => client.query({text, ...(values ? {values} : {}), query_timeout: patience} as pg.QueryConfig));
		this.#last = running.catch(() => undefined);
		return running;
	}
}
