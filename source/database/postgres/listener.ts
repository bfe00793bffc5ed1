import type pg from 'pg';
import {backOff, pause} from '../../core/backoff.ts';
import {Turns} from '../turns.ts';
import {drop} from './client.ts';

type Hearer = {
	hear: (payload: string) => void;
	onGap: (() => void) | undefined;
	/** Its `listen` has returned, so it may have missed something while there was no connection. */
	isSettled: boolean;
};

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
	readonly #makeClient: () => pg.Client;
	readonly #tell: Tell;
	readonly #hearers = new Map<string, Set<Hearer>>();
	readonly #closing = new AbortController();
	#client: pg.Client | undefined;
	#attempted: pg.Client | undefined;
	#running: Promise<void> | undefined;
	#hurry = new AbortController();
	#firstTry: Promise<void> = Promise.resolve();
	readonly #turns = new Turns();

	constructor(makeClient: () => pg.Client, tell: Tell) {
		this.#makeClient = makeClient;
		this.#tell = tell;
	}

	/** Whether a notification can be sent here. */
	get isUp(): boolean {
		return this.#client !== undefined;
	}

	/** Returns when the channel is heard, or at once when the server is away: then it is heard later, and `onGap` tells. */
	async listen(channel: string, hear: (payload: string) => void, onGap?: () => void): Promise<() => Promise<void>> {
		const hearer: Hearer = {hear, onGap, isSettled: false};
		const hearers = this.#hearers.get(channel) ?? new Set();
		hearers.add(hearer);
		this.#hearers.set(channel, hearers);
		this.start();
		await this.#firstTry;
		await this.#tryTo(this.#client, `listen ${quoteName(channel)}`);
		hearer.isSettled = true;

		return async () => {
			if (hearers.delete(hearer) && hearers.size === 0) {
				this.#hearers.delete(channel);
				await this.#tryTo(this.#client, `unlisten ${quoteName(channel)}`);
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

	/** Somebody has seen another connection fail: looks whether the server still answers. */
	suspect(): void {
		this.start();
		if (this.#client) {
			void this.#ping(this.#client);
		}
	}

	/** Somebody has seen the server answer: tries again now instead of later. */
	hurry(): void {
		this.start();
		this.#hurry.abort();
	}

	async close(): Promise<void> {
		this.#closing.abort();
		if (this.#client) {
			await this.#client.end();
		} else if (this.#attempted) {
			drop(this.#attempted);
		}

		await this.#running;
	}

	async #keepConnected(tried: () => void): Promise<void> {
		for (let failures = 0; !this.#closing.signal.aborted;) {
			const began = Date.now();
			try {
				await this.#connectOnce(tried); // eslint-disable-line no-await-in-loop
				// One that goes as soon as it has come counts as a failure, or it would be made without a pause.
				failures = Date.now() - began > patience ? 0 : failures + 1;
			} catch (error) {
				failures++;
				if (!this.#closing.signal.aborted) {
					this.#tell.down(error);
				}
			}

			tried();
			this.#hurry = new AbortController();
			await pause(backOff(failures), AbortSignal.any([this.#hurry.signal, this.#closing.signal])); // eslint-disable-line no-await-in-loop
		}

		tried();
	}

	/** Makes the connection and returns when it is lost. @throws when it cannot be made. */
	async #connectOnce(connected: () => void): Promise<void> {
		const client = this.#makeClient();
		this.#attempted = client;
		const lost = this.#whenLost(client);
		let timer: NodeJS.Timeout | undefined;
		try {
			await client.connect();
			// Before the channels are read, so that a new hearer either is among them or listens itself.
			this.#client = client;
			await this.#listenToAll(client);
			timer = setInterval(() => {
				void this.#ping(client);
			}, silence).unref();
			this.#tell.up();
			connected();
			this.#tellGap();
			await lost;
		} finally {
			clearInterval(timer);
			this.#client = undefined;
			drop(client);
		}
	}

	async #whenLost(client: pg.Client): Promise<void> {
		client.on('notification', ({channel, payload = ''}) => {
			for (const {hear} of this.#hearers.get(channel) ?? []) {
				queueMicrotask(() => {
					hear(payload);
				});
			}
		});
		return new Promise(resolve => {
			client.on('error', () => {
				resolve();
			});
			client.on('end', resolve);
		});
	}

	async #listenToAll(client: pg.Client): Promise<void> {
		const channels = [...this.#hearers.keys()];
		if (channels.length > 0) {
			await this.#run(client, channels.map(channel => `listen ${quoteName(channel)}`).join(';'));
		}
	}

	#tellGap(): void {
		for (const {onGap, isSettled} of [...this.#hearers.values()].flatMap(hearers => [...hearers])) {
			if (isSettled && onGap) {
				queueMicrotask(onGap);
			}
		}
	}

	/** A connection whose other end vanished without a word is found only by asking. */
	async #ping(client: pg.Client): Promise<void> {
		try {
			await this.#run(client, 'select 1');
		} catch {
			drop(client);
		}
	}

	async #run(client: pg.Client, text: string, values?: string[]): Promise<void> {
		const query = {text, values, query_timeout: patience};
		await this.#turns.run(async () => client.query(query));
	}

	/** When it fails the connection is lost, and the next one listens to all channels. */
	async #tryTo(client: pg.Client | undefined, text: string): Promise<void> {
		try {
			await (client && this.#run(client, text));
		} catch {}
	}
}
