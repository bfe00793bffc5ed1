import type pg from 'pg';
import {ColoniesError, storeUnavailable} from '../core/errors.ts';
import {plural} from '../core/text.ts';
import {type NoChanges, Reaching} from '../core/reachability.ts';
import {noteEngine} from './citus.ts';
import {describeServer} from './describe.ts';
import {askForChanges, ChangesWatch, probe} from './postgres/changes.ts';
import {requestCancel} from './postgres/cancel.ts';
import {closingClient, placeOf} from './postgres/client.ts';
import {Hosts} from './postgres/hosts.ts';
import {Listener} from './postgres/listener.ts';
import {isFinal, refusal} from './postgres/refusal.ts';
import {PooledSession} from './postgres/pooled-session.ts';
import {
	isOutOfConnections, type Lease, NoneFree, Sessions,
} from './postgres/sessions.ts';
import {readSettings, type PostgresOptions, type Settings} from './postgres/settings.ts';
import {statementsIn} from './schema.ts';
import {executeWithin, transact} from './session.ts';
import {
	afterCommit, isPreparedElsewhere, translate, undone,
} from './sqlstate.ts';
import type {
	Client, Database, Load, Reachability, Rows, Statement,
} from './types.ts';

export type {PostgresOptions} from './postgres/settings.ts';

const isRead = (text: string): boolean => /^\s*(?:select|show|explain)\b/i.test(text);

/** Milliseconds that a statement waits for a server which is known to be away. */
const patience = 1500;

class Postgres implements Database {
	readonly schema: string;
	readonly #settings: Settings;
	readonly #statementOf: (text: string) => string;
	readonly #cancel: (client: pg.PoolClient) => void;
	readonly #pool: pg.Pool;
	readonly #sessions: Sessions;
	readonly #maxWaiting: number;
	readonly #reaching: Reaching;
	readonly #listener: Listener;
	readonly #changes: ChangesWatch;
	readonly #hosts: Hosts;
	#prepares: boolean;
	readonly #Query: unknown;
	#closing: Promise<void> | undefined;

	constructor(settings: Settings, driver: Pick<typeof pg, 'Pool' | 'Client' | 'Connection'>, {poolSize = 8, maxWaiting = 1000, prepare = true}: PostgresOptions) {
		this.#prepares = prepare;
		this.#hosts = new Hosts(settings.places, settings.target, async place => probe(new driver.Client({...settings.config, ...place})));
		this.#Query = (driver as {Query?: unknown}).Query;
		this.#settings = settings;
		this.schema = settings.schema;
		this.#statementOf = statementsIn(settings.schema);
		this.#cancel = client => {
			requestCancel(client, driver);
		};

		this.#maxWaiting = maxWaiting;
		this.#reaching = new Reaching(true);
		const hosts = this.#hosts;
		const Client = closingClient(driver.Client, hosts);
		this.#pool = new driver.Pool({
			...settings.config, Client, max: poolSize, idleTimeoutMillis: 30_000, pipeline: true,
		});
		// A connection that ends while nobody uses it, or between two statements of a transaction, would else end the program.
		this.#pool.on('error', () => {
			this.#listener.suspect();
		});
		this.#pool.on('connect', client => {
			client.on('error', () => undefined);
		});
		this.#sessions = new Sessions(this.#pool, {size: poolSize, waitMs: settings.config.connectionTimeoutMillis!});
		const makeClient = () => new Client(settings.config);
		const {listenPlaces} = settings;
		const ListenClient = listenPlaces ? closingClient(driver.Client, new Hosts(listenPlaces, settings.target, async place => probe(new driver.Client({...settings.config, ...place})))) : Client;
		this.#listener = new Listener(() => new ListenClient({...settings.config, ...listenPlaces?.[0]}), {
			say: async channel => {
				await this.query('select pg_notify($1, \'\')', [channel]);
			},
			hears: isHearing => {
				this.#reaching.hears(isHearing);
			},
			up: (noChanges, client) => {
				this.#reaching.up();
				this.#found(noChanges, client);
			},
			down: error => {
				this.#makeRoom(error);
				// A server that has no connection left for this one still answers the others.
				if (!isOutOfConnections(error) || !this.#reaching.state.reachable) {
					this.#reaching.down(refusal(error, settings));
				}
			},
		});
		this.#changes = new ChangesWatch(makeClient, {
			found: (noChanges, client) => {
				this.#found(noChanges, client);
			},
			failed: error => {
				this.#makeRoom(error);
			},
		});
	}

	get kind() {
		return 'postgresql' as const;
	}

	/** Waits for the first connection. @throws ColoniesError `unavailable` */
	async connect({startUnreachable = false}: PostgresOptions): Promise<void> {
		if (startUnreachable) {
			this.#reaching.down({message: `Cannot connect to ${this.#settings.place}: it has not answered yet.`});
			this.#listener.start();
		}

		try {
			const lease = await this.#connected();
			if (lease) {
				await this.#checkFirst(lease);
				this.#reaching.up();
			}
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
			return await this.#lend(async session => transact(session, async client => {
				noteEngine(client, this);
				return work(client);
			}));
		} catch (error) {
			this.#prepares &&= !isPreparedElsewhere(error);

			throw undone(error);
		}
	}

	async flight(statements: readonly Statement[]): Promise<Rows[]> {
		try {
			return await this.#lend(async session => session.flight(statements));
		} catch (error) {
			this.#prepares &&= !isPreparedElsewhere(error);

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

	load(): Load {
		return {...this.#sessions.load, listening: this.#listener.isHearing, deaf: this.#listener.isDeaf, prepares: this.#prepares, noChanges: this.#reaching.state.noChanges};
	}

	async describe(): Promise<{place: string; server: string; timescale: string | undefined}> {
		const {current} = this.#hosts;
		return {place: current ? this.#settings.describe(current) : this.#settings.place, ...await describeServer(this)};
	}

	async close(): Promise<void> {
		this.#closing ??= (async () => {
			await Promise.all([this.#pool.end(), this.#listener.close(), this.#changes.close()]);
			this.#reaching.down({message: 'The database is closed.'});
		})();
		await this.#closing;
	}

	#refuseWhenClosed(): void {
		if (this.#closing) {
			throw new ColoniesError('unavailable', 'The connection to the database is closed.');
		}
	}

	/** What a new session says. @throws whatever pg throws */
	async #checkFirst(lease: Lease): Promise<void> {
		try {
			this.#found(await askForChanges(lease.client), lease.client);
		} catch (error) {
			const place = placeOf(lease.client);
			if (place) {
				this.#hosts.forget(place);
			}

			this.#sessions.discard(lease);
			throw error;
		}

		this.#sessions.giveBack(lease, true);
	}

	/** A new session was told whether it may change anything. */
	#found(noChanges: NoChanges | undefined, client: object): void {
		const place = placeOf(client);
		if (place) {
			this.#hosts.found(place, noChanges);
		}

		const {noChanges: before} = this.#reaching.state;
		this.#reaching.takesChanges(noChanges);
		if (noChanges !== undefined) {
			this.#changes.look();
		} else if (before !== undefined) {
			this.#renew();
		}
	}

	/** What was found out about the server may be of another time: neither the sessions nor the listener go on with what they were made with. */
	#renew(): void {
		this.#sessions.renew();
		this.#listener.renew();
	}

	/** Where a connection that is needed more was refused for want of a place, one of the sessions gives way. */
	#makeRoom(error: unknown): void {
		if (isOutOfConnections(error)) {
			void this.#sessions.giveOneUp().catch(() => undefined);
		}
	}

	/** A session. Undefined: the server is known to be away and has not come back within a moment. */
	async #connected(): Promise<Lease | undefined> {
		return this.#reaching.state.reachable ? this.#sessions.take() : this.#sessions.takeWithin(patience);
	}

	async #borrow(): Promise<Lease> {
		this.#refuseWhenClosed();
		const {waiting} = this.#sessions.load;
		if (waiting >= this.#maxWaiting) {
			throw new ColoniesError('unavailable', `The database is busy: ${plural(waiting, 'statement')} before this one.`, {hint: 'Try it again in a moment.', outward: storeUnavailable});
		}

		try {
			const lease = await this.#connected();
			if (lease) {
				return lease;
			}
		} catch (error) {
			if (error instanceof NoneFree) {
				throw new ColoniesError('unavailable', `The database is busy: of ${plural(this.#sessions.most, 'connection')} none became free in time.`, {hint: 'Try it again in a moment.', cause: error, outward: storeUnavailable});
			}

			if (!isOutOfConnections(error)) {
				this.#listener.suspect();
			}

			throw refusal(error, this.#settings);
		}

		const {reason = 'The database does not answer.', hint, barrier} = this.#reaching.state;
		throw new ColoniesError('unavailable', reason, {hint: barrier && hint ? hint : 'It is tried again all the time; try it again in a moment.', barrier, outward: storeUnavailable});
	}

	async #lend<Result>(work: (session: PooledSession) => Promise<Result>): Promise<Result> {
		const lease = await this.#borrow().catch((error: unknown) => {
			throw undone(error);
		});
		const session = new PooledSession(lease.client, {
			statementTimeout: this.#settings.statementTimeout,
			statementOf: this.#statementOf,
			cancel: this.#cancel,
			prepares: this.#prepares,
			Query: this.#Query,
			mayBeStale: !lease.isNew && this.#reaching.state.noChanges === undefined,
		});
		try {
			return await work(session);
		} finally {
			this.#giveBack(lease, session);
		}
	}

	#giveBack(lease: Lease, {isLost, refusedChange, wasCancelled, isOutdated}: PooledSession): void {
		if (isLost) {
			this.#sessions.discard(lease);
			this.#listener.suspect();
			return;
		}

		// Where the database is known to take no changes, its sessions serve those who read until it does.
		const isStale = refusedChange && this.#reaching.state.noChanges === undefined;
		if (isStale) {
			this.#doubt(lease);
		}

		this.#sessions.giveBack(lease, !isStale && !wasCancelled && !isOutdated);
		if (!this.#reaching.state.reachable) {
			this.#listener.hurry();
		}
	}

	/** A session may change nothing, though the database was thought to take changes: all sessions of its time are doubtful, and a new one tells. */
	#doubt(lease: Lease): void {
		if (!lease.isNew && this.#sessions.isCurrent(lease)) {
			this.#renew();
		}

		this.#changes.look();
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
