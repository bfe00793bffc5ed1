// Two servers behind HAProxy on a primary and its standby: a rolling restart, then a failover, while clients work through the proxy.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import {after, test} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import pg from 'pg';
import type {Id} from '../source/core/types.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {type Client, connect, type Worker} from '../source/index.ts';
import {openColony} from './support/colony.ts';
import {temporaryFolder, writeInto} from './support/commands.ts';
import {
	freePort, freshDatabase, noPostgres, onSocket, type Server, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {noProxy, startHaproxy} from './support/proxies.ts';
import {testCertificate} from './support/server.ts';
import {type ServerProcess, startServer} from './support/server-processes.ts';

const skip = noPostgres || noProxy.haproxy;

type Row = {processid: Id; number: string; status: number; steps: string[]};

/** The state of the servers as HAProxy sees them, from its stats socket. */
const statesAt = async (socket: string): Promise<Map<string, string>> => new Promise((resolve, reject) => {
	let said = '';
	const connection = net.connect(socket, () => {
		connection.write('show stat\n');
	});
	connection.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	}).once('error', reject).once('close', () => {
		const rows = said.trim().split('\n').map(line => line.split(','));
		const column = rows[0]!.indexOf('status');
		resolve(new Map(rows.filter(([backend]) => backend === 'colonies').map(row => [row[1]!, row[column]!])));
	});
});

/** What a client submits and a computer runs, one after the other, until it is stopped. A failure is tried again under the same idempotency key. */
class Traffic {
	readonly acknowledged = new Map<string, Id>();
	readonly started: Id[] = [];
	readonly failures: string[] = [];
	readonly #worker: Worker;
	readonly #submitting: Promise<void>;
	#goes = true;

	constructor(owner: Client, computer: Client) {
		this.#worker = computer.work(async ({process}) => {
			this.started.push(process.processid);
			return {result: 'done'};
		}, {concurrency: 4});
		this.#submitting = this.#submit(owner);
	}

	/** Resolves when so many more were submitted and started than now. */
	async untilMore(count = 15): Promise<void> {
		const [submitted, started] = [this.acknowledged.size + count, this.started.length + count];
		await eventually(() => this.acknowledged.size >= submitted && this.started.length >= started, `Work stands still after ${this.acknowledged.size} submissions and ${this.started.length} starts: ${this.failures.join('; ')}`);
	}

	async stop(): Promise<void> {
		this.#goes = false;
		await this.#submitting;
	}

	async close(): Promise<void> {
		await this.stop();
		await this.#worker.stop();
	}

	async #submit(owner: Client): Promise<void> {
		for (let number = 1; this.#goes; number++) {
			// A short backlog, so that work ends soon after submissions do.
			while (this.#goes && this.acknowledged.size - this.started.length > 20) {
				await pause(5);
			}

			const idempotencyKey = randomUUID();
			let processid: Id | undefined;
			while (processid === undefined) {
				try {
					({processid} = await owner.submit({in: {number: String(number)}}, {idempotencyKey}));
				} catch (error) {
					this.failures.push((error as Error).message);
					await pause(50);
				}
			}

			this.acknowledged.set(String(number), processid);
		}
	}
}

type Scene = {primary: Server; standby: Server; where: {database?: string}; servers: ServerProcess[]; restart(index: number): Promise<void>; states(): Promise<Map<string, string>>; traffic: Traffic};

async function openScene(): Promise<Scene> {
	const primary = await startPostgres();
	const where = await freshDatabase(primary);
	const database = await openPostgres(where);
	const colony = await openColony(database);
	await colony.computer();
	await colony.broker.close();
	await database.close();
	const standby = await startPostgres({standbyOf: primary});
	// From now on a commit is acknowledged when the standby has it.
	const administrator = new pg.Client(onSocket(primary));
	await administrator.connect();
	await administrator.query('alter system set synchronous_standby_names = \'*\'');
	await administrator.query('select pg_reload_conf()');
	await eventually(async () => (await administrator.query('select from pg_stat_replication where sync_state = \'sync\'')).rowCount === 1, 'The standby does not follow.');
	await administrator.end();

	const [folder, {cert, key, fingerprint}] = [temporaryFolder(), await testCertificate()];
	const words = ['--tlscert', writeInto(folder, 'cert.pem', cert), '--tlskey', writeInto(folder, 'key.pem', key), '--trustproxy', '127.0.0.1'];
	const ports = [await freePort(), await freePort()];
	const start = async (index: number) => startServer({...where, host: `${primary.host},${standby.host}`}, {home: path.join(folder, String(index)), port: ports[index]!, words});
	const servers = [await start(0), await start(1)];
	after(async () => Promise.all(servers.map(async server => server.end('SIGKILL'))));
	const proxy = await startHaproxy({to: ports[0]!, second: ports[1]!});
	const [ownerKey, computerKey] = colony.privateKeys;
	const clients = await Promise.all([ownerKey!, computerKey!].map(async privateKey => connect({host: '127.0.0.1', port: proxy.port, fingerprint, privateKey, colonyid: colony.id})));
	const traffic = new Traffic(clients[0]!, clients[1]!);
	after(async () => {
		await traffic.close();
		await Promise.all(clients.map(async client => client.close()));
	});
	return {
		primary, standby, where, servers, traffic,
		states: async () => statesAt(proxy.socket),
		async restart(index) {
			assert.deepEqual(await servers[index]!.end('SIGTERM'), {code: 0, signal: null});
			// The other one alone.
			await traffic.untilMore();
			servers[index] = await start(index);
		},
	};
}

const scene = skip ? undefined : await openScene();

test('servers restart one after the other, and no client notices', {skip}, async () => {
	const {traffic, states, restart} = scene!;
	await traffic.untilMore();
	for (const index of [0, 1]) {
		await restart(index);
		await eventually(async () => [...await states()].filter(([name]) => name.startsWith('colonies')).every(([, state]) => state === 'UP'), `HAProxy does not use server ${index + 1} again.`);
		await traffic.untilMore();
	}

	assert.deepEqual(traffic.failures, []);
});

test('the primary dies and the standby is promoted: everything acknowledged is there once, and nothing runs twice', {skip}, async () => {
	const {primary, standby, traffic, where, servers} = scene!;
	const before = traffic.acknowledged.size;
	await primary.kill();
	await eventually(() => traffic.failures.length > 0, 'Submissions go on without a primary.');
	await standby.promote();
	await traffic.untilMore();
	await traffic.stop();
	assert.ok(traffic.acknowledged.size > before);

	const client = new pg.Client({...onSocket(standby), database: where.database!});
	await client.connect();
	after(async () => client.end());
	const rows = async (): Promise<Row[]> => (await client.query<Row>(`
		select encode(process_id, 'hex') as processid, status, jsonb_path_query_first(p.attributes, '$.in[*].number')#>>'{}' as number
		from colonies.processes p`)).rows;
	await eventually(async () => (await rows()).every(({status}) => status === 2), 'Some processes are never closed.');
	const found = await rows();
	assert.deepEqual(new Map(found.map(({number, processid}) => [number, processid])), traffic.acknowledged);
	assert.equal(found.length, traffic.acknowledged.size);
	assert.deepEqual([...traffic.started].sort(), [...traffic.acknowledged.values()].sort());
	const {rows: repeated} = await client.query('select subject_id, what from colonies.history where noun = \'process\' group by 1, 2 having count(*) > 1');
	assert.deepEqual(repeated, []);
	for (const server of servers) {
		assert.deepEqual(await server.end('SIGTERM'), {code: 0, signal: null});
	}
});
