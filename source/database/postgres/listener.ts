import {randomBytes} from 'node:crypto';
import type pg from 'pg';
import {backOff, pause} from '../../core/backoff.ts';
import type {NoChanges} from '../../core/reachability.ts';
import {Turns} from '../turns.ts';
import {askForChanges} from './changes.ts';
import {drop} from './client.ts';

type Hearer = {
	hear: (payload: string) => void;
	onGap: (() => void) | undefined;
	/** Its `listen` has returned, so it may have missed something while there was no connection. */
	isSettled: boolean;
};

type Tell = {
	/** The connection stands (again), and was told why it may change nothing, if so. */
	up(noChanges: NoChanges | undefined, client: object): void;
	/** It could not be made, or went. */
	down(error: unknown): void;
	/** Sends a notification from another session than the listener's: a pooler may give both the same server. */
	say(channel: string): Promise<void>;
	/** Whether notifications arrive was found out. */
	hears(isHearing: boolean): void;
};

/** Milliseconds between two proofs that notifications arrive, where the last one succeeded and where it failed. */
const proveEveryMs = 15_000;
const proveAgainMs = 3000;
/** Milliseconds that an answer is waited for. */
const patience = 5000;
/** Milliseconds that a notification of our own is waited for, and between two of them. */
const hearingMs = 2000;
const sayEveryMs = 400;

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
The connection for notifications: of its own and never in a transaction. It is made when it is first asked for and from then on made again whenever it goes.
Its coming and going is also how the rest learns whether the server answers, for it is tried without anybody asking.
That it hears is not taken on trust: every fifteen seconds another session of this program notifies it.
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
	/** A channel for its proofs, which nobody else listens to. */
	readonly #proofChannel = `colonies_proof_${randomBytes(8).toString('hex')}`;
	readonly #proofs = new Set<AbortController>();
	/** Whether notifications arrive; undefined until it is found out. */
	#hearing: boolean | undefined;
	#provedAt = -Infinity;
	/** A standby lets nobody listen. */
	#isOnStandby = false;

	constructor(makeClient: () => pg.Client, tell: Tell) {
		this.#makeClient = makeClient;
		this.#tell = tell;
	}

	/** Whether a notification can be sent here. */
	get isUp(): boolean {
		return this.#client !== undefined;
	}

	/** Whether notifications arrive, as far as they were tried. */
	get isHearing(): boolean {
		return this.#hearing === true;
	}

	/** Whether it was found out that notifications do not arrive. */
	get isDeaf(): boolean {
		return this.#hearing === false;
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
			void this.#prove(this.#client);
		}
	}

	/** The server may be another one now, or lets it listen now: makes the connection anew, if there is one. */
	renew(): void {
		if (this.#client) {
			drop(this.#client);
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
			const noChanges = await askForChanges(client);
			this.#isOnStandby = noChanges === 'standby';
			// Before the channels are read, so that a new hearer either is among them or listens itself.
			this.#client = client;
			await this.#listenToAll(client);
			timer = setInterval(() => {
				if (!this.isHearing || performance.now() - this.#provedAt > proveEveryMs) {
					void this.#prove(client);
				}
			}, proveAgainMs).unref();
			this.#tell.up(noChanges, client);
			connected();
			this.#tellGap();
			void this.#prove(client);
			await lost;
		} finally {
			clearInterval(timer);
			this.#client = undefined;
			// One that does not hear is polled for until another one does.
			this.#hearing = this.#hearing === false ? false : undefined;
			drop(client);
		}
	}

	async #whenLost(client: pg.Client): Promise<void> {
		client.on('notification', ({channel, payload = ''}) => {
			// A pooler lends a server that listens for the time of a statement; only what arrives between statements proves anything.
			if (channel === this.#proofChannel && this.#turns.isIdle) {
				this.#hearProof();
			}

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
		if (!this.#isOnStandby) {
			const channels = [this.#proofChannel, ...this.#hearers.keys()];
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

	/**
	Finds out whether the connection answers, and whether it hears what another session says: a transaction pooler passes on what a client asks, and no notification.
	One that does not answer is dropped and made anew; one that does not hear listens again and is kept.
	*/
	async #prove(client: pg.Client): Promise<void> {
		try {
			await this.#run(client, 'select 1');
		} catch {
			if (!this.#closing.signal.aborted) {
				drop(client);
			}

			return;
		}

		if (this.#isOnStandby) {
			this.#found(client, false);
			return;
		}

		try {
			const isHearing = await this.#hears();
			if (!isHearing && client === this.#client) {
				await this.#listenToAll(client);
			}

			this.#found(client, isHearing || (client === this.#client && await this.#hears()));
		} catch {
			// No other session was to be had: nothing was found out.
		}
	}

	/** Whether a notification of another session arrives. @throws ColoniesError when it could not be sent */
	async #hears(): Promise<boolean> {
		const proof = new AbortController();
		this.#proofs.add(proof);
		try {
			for (const until = performance.now() + hearingMs; !proof.signal.aborted && !this.#closing.signal.aborted && performance.now() < until;) {
				await this.#tell.say(this.#proofChannel); // eslint-disable-line no-await-in-loop
				await pause(sayEveryMs, AbortSignal.any([proof.signal, this.#closing.signal])); // eslint-disable-line no-await-in-loop
			}

			return proof.signal.aborted;
		} finally {
			this.#proofs.delete(proof);
		}
	}

	#found(client: pg.Client, isHearing: boolean): void {
		if (client === this.#client && !this.#closing.signal.aborted) {
			const wasDeaf = this.isDeaf;
			this.#hearing = isHearing;
			this.#provedAt = performance.now();
			this.#tell.hears(isHearing);
			if (isHearing && wasDeaf) {
				// Something may have been missed.
				this.#tellGap();
			}
		}
	}

	#hearProof(): void {
		for (const proof of this.#proofs) {
			proof.abort();
		}
	}

	async #run(client: pg.Client, text: string, values?: readonly string[]): Promise<void> {
		const query = {text, values: values && [...values], query_timeout: patience};
		await this.#turns.run(async () => client.query(query));
	}

	/** Listens, or no longer, where there is a connection. When that fails the connection is made anew, and listens to all channels. */
	async #tryTo(client: pg.Client | undefined, text: string): Promise<void> {
		if (client && !this.#isOnStandby) {
			try {
				await this.#run(client, text);
			} catch {
				drop(client);
			}
		}
	}
}
