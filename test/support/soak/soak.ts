import {execFile, fork, type ChildProcess} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import pg from 'pg';
import type {Id} from '../../../source/core/types.ts';
import {openPostgres} from '../../../source/database/postgres.ts';
import {type Client, connect} from '../../../source/index.ts';
import {openColony, rootPassword} from '../colony.ts';
import {
	freePort, onSocket, type Server, startPostgres,
} from '../databases.ts';
import {type ServerProcess, startServer} from '../server-processes.ts';
import type {Orders, Report} from './crew.ts';
import {type Forwarder, openForwarder} from './forwarder.ts';
import {type Found, type Judgement, Ledger} from './ledger.ts';
import {Submitter, typesOfHalves} from './submitter.ts';

export type SoakOptions = {
	/** Whether the database writes through to its disk. */
	fsync?: boolean;
	/** Megabytes of the disk that the database has for itself; without it, it is on that of the machine. */
	diskSize?: number;
	/** Processes that are submitted a second. */
	rate: number;
};

/** What came of a phase. `audit`: what is wrong with the history, or nothing. */
export type Verdict = Judgement & {acknowledged: number; failed: number; audit: string | undefined};

/** Of the role that the servers work as, and of one that only takes connections. */
export const roles = {servers: 'colonies', others: 'others'} as const;

/** Connections that the servers have when 300 are taken: fewer than they would like. */
const connectionsLeft = 12;
export const connectionsTaken = 300;
const reservedConnections = 3;

const computerCount = 16;
export const databaseName = 'soak';

/** What takes longer never comes. */
const longestMs = 60_000;

/** Milliseconds between two looks that ask a server. */
const requestEveryMs = 200;

const settings = {
	max_connections: String(connectionsTaken + connectionsLeft + reservedConnections),
	superuser_reserved_connections: String(reservedConnections),
	// Small, so that a full disk is met by the WAL, too.
	max_wal_size: '64MB',
	min_wal_size: '32MB',
};

const program = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** Two servers on one database, sixteen computers that work through them, and somebody who submits: what faults are brought upon. */
export class Soak {
	readonly servers: ServerProcess[] = [];
	/** What was acknowledged in the phase that goes on. */
	ledger = new Ledger();
	/** The database that the servers work on now. */
	postgres: Server;
	readonly forwarder: Forwarder;
	readonly #home: string;
	readonly #standbys: Server[] = [];
	readonly #clients: Client[] = [];
	readonly #said = new Map<string, number>();
	#colonyid: Id = '';
	#crew: ChildProcess | undefined;
	#failure: Error | undefined;
	#submitter: Submitter | undefined;
	#lastRow = '0';

	private constructor({postgres, forwarder}: {postgres: Server; forwarder: Forwarder}) {
		this.postgres = postgres;
		this.forwarder = forwarder;
		this.#home = mkdtempSync(path.join(tmpdir(), 'colonies-soak-'));
	}

	/** Starts all of it and waits until every computer works. Where that fails, nothing is left of it. */
	static async open({fsync = false, diskSize, rate}: SoakOptions): Promise<Soak> {
		const postgres = await startPostgres({fsync, diskSize, settings});
		const soak = new Soak({postgres, forwarder: await openForwarder(postgres)});
		try {
			await soak.#open(rate);
			return soak;
		} catch (error) {
			await soak.close();
			throw error;
		}
	}

	async #open(rate: number): Promise<void> {
		await this.sql(`create role ${roles.servers} login`);
		await this.sql(`create role ${roles.others} login`);
		await this.sql(`create database ${databaseName} owner ${roles.servers}`);
		const database = await openPostgres({...onSocket(this.postgres), user: roles.servers, database: databaseName});
		const colony = await openColony(database);
		this.#colonyid = colony.id;
		for (let index = 0; index < computerCount; index++) {
			await colony.computer({name: `computer ${index}`, computertype: typesOfHalves[index % 2]});
		}

		await colony.broker.close();
		await database.close();
		for (const _ of typesOfHalves) {
			// One after the other, so that the certificate is made once and both have it.
			this.servers.push(await this.#startServer(await freePort()));
		}

		const [owner, ...computers] = colony.privateKeys;
		this.#clients.push(...await Promise.all(this.servers.map(async ({port, fingerprint}) => connect({host: '127.0.0.1', port, fingerprint, privateKey: owner!, colonyid: colony.id}))));
		this.#submitter = new Submitter({clients: this.#clients, colonyid: colony.id, rate});
		await this.#startCrew({
			colonyid: colony.id,
			computers: computers.map((privateKey, index) => {
				const half = index % 2 as 0 | 1;
				const {port, fingerprint} = this.servers[half]!;
				return {privateKey, half, port, fingerprint};
			}),
		});
	}

	/** Ends all of it. */
	async close(): Promise<void> {
		this.#crew?.removeAllListeners('exit').kill('SIGKILL');
		await Promise.all(this.#clients.map(async client => client.close()));
		await Promise.all(this.servers.map(async server => server.end('SIGKILL')));
		await this.forwarder.close();
		await Promise.all([this.postgres, ...this.#standbys].map(async server => server.kill()));
		rmSync(this.#home, {recursive: true, force: true});
	}

	/** What was out of the ordinary for the computers, and how often. */
	get said(): ReadonlyMap<string, number> {
		return this.#said;
	}

	/** Runs a statement as the superuser of the database that is in use, over a connection of its own. */
	async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = [], database?: string): Promise<Row[]> {
		const client = new pg.Client({...onSocket(this.postgres), ...(database === undefined ? {} : {database})});
		client.on('error', () => undefined);
		try {
			await client.connect();
			const {rows} = await client.query<Row>(text, values);
			return rows;
		} finally {
			await client.end().catch(() => undefined);
		}
	}

	/** Waits until something is so, and looks every so many milliseconds. @throws Error when it does not come about, or the computers have ended */
	async until(isSo: () => boolean | Promise<boolean>, what: string, everyMs = 20): Promise<void> {
		const deadline = performance.now() + longestMs;
		while (!await isSo()) {
			if (this.#failure) {
				throw this.#failure;
			}

			if (performance.now() > deadline) {
				throw new Error(`It did not come about within ${longestMs / 1000} s that ${what}.\n${this.told()}`);
			}

			await pause(everyMs);
		}
	}

	/** Waits until a submission fails. */
	async untilRefused(): Promise<void> {
		const {failed} = this.ledger;
		await this.until(() => this.ledger.failed > failed, 'a submission met the fault');
	}

	/** Waits until the database takes changes; one that has ended by itself is started again. */
	async untilUp(): Promise<void> {
		await this.until(async () => {
			try {
				if (!this.postgres.isRunning) {
					await this.postgres.start();
				}

				await this.sql('select txid_current()');
				return true;
			} catch {
				return false;
			}
		}, 'the database took changes', requestEveryMs);
	}

	/** Starts to submit, with a new ledger. */
	async begin(): Promise<void> {
		const [row] = await this.sql<{last: string}>('select coalesce(max(history_id), 0)::text as last from colonies.history', [], databaseName);
		this.#lastRow = row!.last;
		this.ledger = new Ledger();
		this.#said.clear();
		this.#submitter!.start(this.ledger);
	}

	/** Stops to submit, lets all be done that was acknowledged, and holds it against the database. `head`: of the audit before. */
	async finish(head: string): Promise<Verdict> {
		const {ledger} = this;
		let isStopped = false;
		const stopping = this.#submitter!.stop().then(() => {
			isStopped = true;
		});
		await Promise.race([stopping, this.until(() => isStopped, 'every submission was acknowledged')]);
		let told = '';
		try {
			await this.until(() => ledger.isDone, 'all was done');
		} catch (error) {
			told = (error as Error).message;
		}

		const verdict = {...ledger.judge(await this.#found()), acknowledged: ledger.acknowledged.size, failed: ledger.failed, audit: await this.#audit(head)};
		if (told !== '' && verdict.lost.length === 0) {
			verdict.lost.push(told);
		}

		return verdict;
	}

	/** The hash of the last seal. `isWhole`: once there is nothing that is not sealed. */
	async head(isWhole = false): Promise<string> {
		let head: string | undefined;
		await this.until(async () => {
			try {
				const {hash, unsealed} = await this.#clients[0]!.run('audit.head', {colonyid: this.#colonyid});
				head = isWhole && unsealed !== null ? undefined : hash;
			} catch {}

			return head !== undefined;
		}, 'the history was sealed', requestEveryMs);
		return head!;
	}

	/** Starts a server again where it was. */
	async restartServer(index: number): Promise<void> {
		this.servers[index] = await this.#startServer(this.servers[index]!.port);
	}

	/** Starts a hot standby of the database, without whose word nothing is acknowledged from then on. */
	async startStandby(): Promise<Server> {
		const standby = await startPostgres({standbyOf: this.postgres, settings});
		this.#standbys.push(standby);
		await this.sql('alter system set synchronous_standby_names = \'*\'');
		await this.sql('select pg_reload_conf()');
		await this.until(async () => {
			const rows = await this.sql('select from pg_stat_replication where sync_state = \'sync\'');
			return rows.length === 1;
		}, 'the standby followed');
		return standby;
	}

	/** Ends connections of the servers to the database: so many at random, or all. */
	async terminate(count?: number): Promise<void> {
		await this.sql('select pg_terminate_backend(pid) from (select pid from pg_stat_activity where usename = $1 order by random() limit $2) each', [roles.servers, count ?? null]);
	}

	async #startServer(port: number): Promise<ServerProcess> {
		return startServer({host: '127.0.0.1', port: this.forwarder.port, user: roles.servers, database: databaseName}, {home: this.#home, port});
	}

	async #startCrew(orders: Orders): Promise<void> {
		const crew = fork(fileURLToPath(new URL('crew.ts', import.meta.url)), {execArgv: ['--import', 'tsx'], env: {...process.env, COLONIES_HOME: this.#home}});
		this.#crew = crew;
		let isReady = false;
		crew.once('exit', code => {
			this.#failure = new Error(`The computers have ended with ${code}.`);
		});
		crew.on('message', (report: Report) => {
			isReady ||= report.isReady === true;
			this.#hear(report);
		});
		crew.send(orders);
		await this.until(() => isReady, 'the computers worked');
	}

	#hear({started, closed, said}: Report): void {
		for (const processid of started) {
			this.ledger.start(processid);
		}

		for (const [processid, at, half] of closed) {
			this.ledger.close(processid, at, half);
		}

		for (const sentence of said) {
			this.ledger.activity++;
			this.#said.set(sentence, (this.#said.get(sentence) ?? 0) + 1);
		}
	}

	/** What those who submit and work were told, for people. */
	told(): string {
		return [...this.ledger.failures, ...this.#said].map(([sentence, count]) => `  ${count} × ${sentence}`).join('\n');
	}

	/** All processes that were submitted since the phase began, from the history and as they are. */
	async #found(): Promise<Found[]> {
		return this.sql<Found>(`
			select encode(h.processid, 'hex') as processid, p.status, encode(p.assigned_computer_id, 'hex') as assigned, h.steps, h.actors,
				jsonb_path_query_first(p.attributes, '$.in[*].number')#>>'{}' as number, jsonb_path_query_first(p.attributes, '$.out[*].result')#>>'{}' as result
			from (
				select subject_id as processid, array_agg(what order by txid, history_id) as steps, array_agg(colonies.text_of(actor) order by txid, history_id) as actors
				from colonies.history where noun = 'process' and history_id > $1 group by subject_id
			) h left join colonies.processes p on p.process_id = h.processid`, [this.#lastRow], databaseName);
	}

	/** What is wrong with the history, or nothing, as an operator finds it out. */
	async #audit(head: string): Promise<string | undefined> {
		try {
			await this.head(true);
			const {host, port} = this.postgres;
			await promisify(execFile)(process.execPath, [
				program, 'audit', 'verify', '--head', head, '--dbhost', host, '--dbport', String(port), '--dbuser', roles.servers, '--dbname', databaseName,
			], {env: {...process.env, COLONIES_HOME: this.#home, COLONIES_ROOT_PASSWORD: rootPassword}});
			return undefined;
		} catch (error) {
			const {stderr, message} = error as Error & {stderr?: string};
			return stderr?.trim() ?? message;
		}
	}
}
