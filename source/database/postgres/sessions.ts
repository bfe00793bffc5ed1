import type pg from 'pg';
import {backOff, pause} from '../../core/backoff.ts';
import {sqlstateOf} from '../sqlstate.ts';
import {drop} from './client.ts';
import {Places} from './places.ts';

/** Milliseconds after which it is tried again whether the server gives one session more than it gave. */
const growPauseMs = 1000;

const tooManyConnections = '53300';

/** Whether a server answered that it has no connection left: for this role, this database or at all. */
export const isOutOfConnections = (error: unknown): boolean => sqlstateOf(error) === tooManyConnections;

/** A session that is lent out. `isNew`: it was made for this loan. */
export type Lease = {client: pg.PoolClient; isNew: boolean};

/** None became free in time. */
export class NoneFree extends Error {}

type Options = {
	/** Sessions at most. */
	size: number;
	/** Milliseconds that one who needs a session waits for it at most. */
	waitMs: number;
};

/**
The sessions of a database: as many as are asked for, or as many as the server gives where that is less. A caller that finds none free waits a bounded time, also where the server refuses more:
for a session that is given back, or for others to let go of theirs.
*/
export class Sessions {
	readonly #pool: pg.Pool;
	readonly #size: number;
	readonly #waitMs: number;
	readonly #places: Places;
	readonly #madeAt = new WeakMap<pg.PoolClient, number>();
	/** Those that stand. */
	#open = 0;
	/** Sessions that were made earlier are no longer used. */
	#validFrom = -Infinity;
	#refusedAt = -Infinity;
	#refusal: unknown;

	constructor(pool: pg.Pool, {size, waitMs}: Options) {
		this.#pool = pool;
		this.#size = size;
		this.#waitMs = waitMs;
		this.#places = new Places(size);
		pool.on('connect', client => {
			this.#open++;
			this.#madeAt.set(client, performance.now());
			// It is counted until its connection ends, whatever ended it.
			client.once('end', () => {
				this.#open--;
			});
		});
	}

	get load(): {connections: number; idle: number; waiting: number} {
		return {connections: this.#open, idle: this.#pool.idleCount, waiting: this.#places.waiting};
	}

	/** How many may be lent out at once now. */
	get most(): number {
		return this.#places.most;
	}

	/** @throws NoneFree, when none became free in time; whatever pg throws when none can be made */
	async take(): Promise<Lease> {
		const until = performance.now() + this.#waitMs;
		this.#grow();
		let isIn = await this.#places.enter(this.#waitMs);
		for (let refusals = 1; isIn; refusals++) {
			try {
				return await this.#connect(); // eslint-disable-line no-await-in-loop
			} catch (error) {
				const left = until - performance.now();
				if (!isOutOfConnections(error) || left <= 0) {
					this.#places.leave();
					throw error;
				}

				this.#refusal = error;
				isIn = await this.#waitForAnother(left, refusals); // eslint-disable-line no-await-in-loop
			}
		}

		throw this.#open === 0 && this.#refusal !== undefined ? this.#refusal : new NoneFree(); // eslint-disable-line @typescript-eslint/only-throw-error -- it is the error as pg threw it
	}

	/** A session that comes within so many milliseconds; one that comes later is taken back. @throws as `take` does */
	async takeWithin(milliseconds: number): Promise<Lease | undefined> {
		const stop = new AbortController();
		const taking = this.take();
		try {
			const lease = await Promise.race([taking, pause(milliseconds, stop.signal)]);
			if (lease) {
				return lease;
			}
		} finally {
			stop.abort();
		}

		void this.#takeBackLater(taking);
		return undefined;
	}

	/** Takes a session back. `isFit`: whether its state is that of a new one. */
	giveBack({client}: Lease, isFit: boolean): void {
		const keeps = isFit && client.getTransactionStatus() === 'I' && this.#isValid(client) && this.#open <= this.#places.most;
		client.release(!keeps);
		this.#leave();
	}

	/** Takes a session back whose connection is lost: a farewell would keep this program for minutes where the other end has vanished. */
	discard({client}: Lease): void {
		drop(client);
		client.release(true);
		this.#leave();
	}

	/** Whether a session is of those that are used now. */
	isCurrent({client}: Lease): boolean {
		return this.#isValid(client);
	}

	/** Uses none of the sessions that there are any longer: what they were made with does not hold any more. */
	renew(): void {
		this.#validFrom = performance.now();
	}

	/** Lets go of one session for the sake of a connection that is needed more, unless it is the last. */
	async giveOneUp(): Promise<void> {
		this.#shrinkTo(this.#open - 1);
		if (this.#open > this.#places.most && this.#pool.idleCount > 0) {
			const client = await this.#pool.connect();
			client.release(true);
		}
	}

	async #takeBackLater(taking: Promise<Lease>): Promise<void> {
		try {
			this.giveBack(await taking, true);
		} catch {
			// It came to nothing.
		}
	}

	async #connect(): Promise<Lease> {
		for (;;) {
			const asked = performance.now();
			const client = await this.#pool.connect(); // eslint-disable-line no-await-in-loop
			if (this.#isValid(client)) {
				this.#refusal = undefined;
				return {client, isNew: this.#madeAt.get(client)! >= asked};
			}

			client.release(true);
		}
	}

	/** Waits until another session is free, or where there is none of ours until it is worth asking again. */
	async #waitForAnother(left: number, refusals: number): Promise<boolean> {
		this.#shrinkTo(this.#open);
		if (this.#open > 0) {
			this.#places.leave();
			return this.#places.enter(left, {first: true});
		}

		await pause(Math.min(left, backOff(refusals)), new AbortController().signal);
		return true;
	}

	#isValid(client: pg.PoolClient): boolean {
		return this.#madeAt.get(client)! >= this.#validFrom;
	}

	#leave(): void {
		this.#places.leave();
		this.#grow();
	}

	#shrinkTo(count: number): void {
		this.#refusedAt = performance.now();
		this.#places.most = Math.max(1, Math.min(count, this.#places.most));
	}

	/** Asks for one more than the server gave, when somebody waits; at once when the last one came. */
	#grow(): void {
		const {most} = this.#places;
		if (most < this.#size && this.#open >= most && performance.now() - this.#refusedAt > growPauseMs) {
			this.#places.most = most + 1;
		}
	}
}
