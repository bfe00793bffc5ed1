import type pg from 'pg';
import {ColoniesError} from '../core/errors.ts';
import {plural} from '../core/text.ts';
import {pause} from '../core/backoff.ts';
import {Reaching} from '../core/reachability.ts';
import {describeServer} from './describe.ts';
import {closingClient, drop} from './postgres/client.ts';
import {Listener} from './postgres/listener.ts';
import {isFinal, refusal} from './postgres/refusal.ts';
import {PooledSession} from './postgres/pooled-session.ts';
import {readSettings, type PostgresOptions, type Settings} from './postgres/settings.ts';
import {executeWithin, transact} from './session.ts';
import {
	afterCommit, sqlstateOf, translate, undone,
} from './sqlstate.ts';
import type {
	Client, Database, Reachability, Rows,
} from './types.ts';

export type {PostgresOptions} from './postgres/settings.ts';

const isRead = (text: string): boolean => /^\s*(?:select|show|explain)\b/i.test(text);

const tooManyConnections = '53300';

/** Milliseconds that a statement waits for a server which is known to be away. */
const patience = 1500;

/** What comes in time; a connection that comes later goes back to the pool. */
async function within(milliseconds: number, connecting: Promise<pg.PoolClient>): Promise<pg.PoolClient | undefined> {
	const stop = new AbortController();
	try {
		const client = await Promise.race([connecting, pause(milliseconds, stop.signal)]);
		if (client) {
			return client;
		}
	} finally {
		stop.abort();
	}

	void releaseLater(connecting);
	return undefined;
}

async function releaseLater(connecting: Promise<pg.PoolClient>): Promise<void> {
	try {
		const client = await connecting;
		client.release();
	} catch {
		// It came to nothing.
	}
}

class Postgres implements Database {
	readonly #settings: Settings;
	readonly #pool: pg.Pool;
	readonly #maxWaiting: number;
	readonly #reaching: Reaching;
	readonly #listener: Listener;
	#closing: Promise<void> | undefined;

	constructor(settings: Settings, driver: Pick<typeof pg, 'Pool' | 'Client'>, {poolSize = 8, maxWaiting = 1000}: PostgresOptions) {
		this.#settings = settings;
		this.#maxWaiting = maxWaiting;
		this.#reaching = new Reaching(true);
		const Client = closingClient(driver.Client);
		this.#pool = new driver.Pool({
			...settings.config, Client, max: poolSize, idleTimeoutMillis: 30_000,
		});
		// A connection that ends while nobody uses it, or between two statements of a transaction, would else end the program.
		this.#pool.on('error', () => {
			this.#listener.suspect();
		});
		this.#pool.on('connect', client => {
			client.on('error', () => undefined);
		});
		this.#listener = new Listener(() => new Client(settings.config), {
			up: () => {
				this.#reaching.up();
			},
			down: error => {
				// A server that has no connection left for this one still answers the others.
				if (sqlstateOf(error) !== tooManyConnections || !this.#reaching.state.reachable) {
					this.#reaching.down(refusal(error, settings).message);
				}
			},
		});
	}

	get kind() {
		return 'postgresql' as const;
	}

	/** Waits for the first connection. @throws ColoniesError `unavailable` */
	async connect({startUnreachable = false}: PostgresOptions): Promise<void> {
		if (startUnreachable) {
			this.#reaching.down(`Cannot connect to ${this.#settings.place}: it has not answered yet.`);
			this.#listener.start();
		}

		try {
			const client = await this.#connected();
			client?.release();
			this.#reaching.up();
		} catch (error) {
			if (!startUnreachable || isFinal(error, this.#settings)) {
				await this.close();
				throw refusal(error, this.#settings);
			}
		}
	}

	async query<Row>(text: string, values: readonly unknown[] = []): Promise<Rows<Row>> {
		return this.#lend(async session => {
			try {
				return await session.query(text, values) as Rows<Row>;
			} catch (error) {
				throw isRead(text) ? error : afterCommit(error);
			}
		});
	}

	async transaction<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
		try {
			return await this.#lend(async session => transact(session, work));
		} catch (error) {
			throw undone(error);
		}
	}

	async execute(client: Client, script: string): Promise<void> {
		await (executeWithin(client, script) ?? this.#lend(async session => session.execute(script)));
	}

	async listen(channel: string, hear: (payload: string) => void, onGap?: () => void): Promise<() => Promise<void>> {
		this.#refuseWhenClosed();
		return this.#listener.listen(channel, hear, onGap);
	}

	async notify(channel: string, payload: string): Promise<void> {
		this.#refuseWhenClosed();
		if (!this.#listener.isUp) {
			await this.query('select pg_notify($1, $2)', [channel, payload]);
			return;
		}

		try {
			await this.#listener.notify(channel, payload);
		} catch (error) {
			throw translate(error);
		}
	}

	watchReachability(tell: (state: Reachability) => void): () => void {
		// Its connection notices also what no statement runs into.
		this.#listener.start();
		return this.#reaching.watch(tell);
	}

	load(): {connections: number; idle: number; waiting: number} {
		const {totalCount, idleCount, waitingCount} = this.#pool;
		return {connections: totalCount, idle: idleCount, waiting: waitingCount};
	}

	async describe(): Promise<{place: string; server: string; timescale: string | undefined}> {
		return {place: this.#settings.place, ...await describeServer(this)};
	}

	async close(): Promise<void> {
		this.#closing ??= (async () => {
			await Promise.all([this.#pool.end(), this.#listener.close()]);
			this.#reaching.down('The database is closed.');
		})();
		await this.#closing;
	}

	#refuseWhenClosed(): void {
		if (this.#closing) {
			throw new ColoniesError('unavailable', 'The connection to the database is closed.');
		}
	}

	/** A connection of the pool. Undefined: the server is known to be away and has not come back within a moment. */
	async #connected(): Promise<pg.PoolClient | undefined> {
		const connecting = this.#pool.connect();
		return this.#reaching.state.reachable ? connecting : within(patience, connecting);
	}

	async #borrow(): Promise<pg.PoolClient> {
		this.#refuseWhenClosed();
		const {waitingCount, totalCount, options: {max}} = this.#pool;
		if (waitingCount >= this.#maxWaiting) {
			throw new ColoniesError('unavailable', `The database is busy: ${plural(waitingCount, 'statement')} before this one.`, {hint: 'Try it again in a moment.'});
		}

		try {
			const client = await this.#connected();
			if (client) {
				return client;
			}
		} catch (error) {
			if (totalCount === max && (error as Error).message.startsWith('timeout exceeded')) {
				throw new ColoniesError('unavailable', `The database is busy: of ${plural(max, 'connection')} none became free in time.`, {hint: 'Try it again in a moment.', cause: error});
			}

			this.#listener.suspect();
			throw refusal(error, this.#settings);
		}

		throw new ColoniesError('unavailable', this.#reaching.state.reason ?? 'The database does not answer.', {hint: 'It is tried again all the time; try it again in a moment.'});
	}

	async #lend<Result>(work: (session: PooledSession) => Promise<Result>): Promise<Result> {
		const client = await this.#borrow().catch((error: unknown) => {
			throw undone(error);
		});
		const session = new PooledSession(client, this.#settings.statementTimeout);
		try {
			return await work(session);
		} finally {
			this.#giveBack(client, session);
		}
	}

	#giveBack(client: pg.PoolClient, {isLost}: PooledSession): void {
		if (isLost) {
			// Where the other end has vanished, a farewell would keep this program for minutes.
			drop(client);
			client.release(true);
			this.#listener.suspect();
			return;
		}

		client.release();
		if (!this.#reaching.state.reachable) {
			this.#listener.hurry();
		}
	}
}

/**
Connects to a PostgreSQL or TimescaleDB server.
@throws ColoniesError `unavailable`, with one sentence that names the server and says why, when it cannot; `invalid-input` for a connection string that cannot be read.
*/
export async function openPostgres(options: PostgresOptions): Promise<Database> {
	const {default: driver} = await import('pg');
	const settings = readSettings(options, driver.Client);
	const database = new Postgres(settings, driver, options);
	await database.connect(options);
	return database;
}
