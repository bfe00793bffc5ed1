import {spawn, type ChildProcess} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import https from 'node:https';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {openPostgres} from '../source/database/postgres.ts';
import {type Identity, signHttp} from '../source/identity/index.ts';
import type {OperationName} from '../source/operations/index.ts';
import {openColony, rootPassword} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';
import {wire} from '../test/support/server.ts';
import {
	cpuOf, type Figure, median, postgresPid, quantile,
} from './support/measure.ts';
import {seconds} from './support/ours.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */
const callers = 32;
type Server = {port: number; pid: number; child: ChildProcess};

/** Starts a server in a process of its own, as an operator does. */
async function start(where: Awaited<ReturnType<typeof freshDatabase>>, home: string): Promise<Server> {
	const child = spawn(process.execPath, ['dist/cli.js', 'server', 'start', '--port', '0', '--host', '127.0.0.1', '--dbhost', where.host!, '--dbport', String(where.port), '--dbuser', where.user!, '--dbname', where.database!], {
		env: {...process.env, COLONIES_HOME: home, COLONIES_ROOT_PASSWORD: rootPassword}, stdio: ['ignore', 'pipe', 'ignore'],
	});
	const [address] = await once(child.stdout, 'data') as [Buffer];
	return {port: Number(new URL(String(address).trim()).port), pid: child.pid!, child};
}

type Prepared = {method: string; target: string; headers: Record<string, string>; body?: Uint8Array};

async function send({port}: Server, agent: https.Agent, {method, target, headers, body}: Prepared): Promise<unknown> {
	return new Promise((resolve, reject) => {
		const request = https.request({host: '127.0.0.1', port, path: target, method, agent, rejectUnauthorized: false, headers: body ? {...headers, 'content-type': 'application/json', 'content-length': body.length} : headers}, response => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => {
				chunks.push(chunk);
			});
			response.once('end', () => {
				const text = Buffer.concat(chunks).toString();
				if (response.statusCode === 200) {
					resolve(JSON.parse(text) as unknown);
				} else {
					reject(new Error(`${response.statusCode!}: ${text}`));
				}
			});
		});
		request.once('error', reject);
		request.end(body);
	});
}

/**
What a signed request costs a server: the processor that its process and PostgreSQL take for it, with 32 callers that send the next when the one before was answered. The callers sign and send from another process.
*/
export async function * server(): AsyncGenerator<Figure> {
	const postgres = await startPostgres({fsync: true, settings: {max_wal_size: '4GB'}});
	const where = await freshDatabase(postgres);
	const database = await openPostgres({...where, poolSize: 2});
	const colony = await openColony(database);
	const computers = await Promise.all(Array.from({length: callers}, async () => colony.computer()));
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-bench-'));
	const ours = await start(where, home);
	const agent = new https.Agent({keepAlive: true, maxSockets: callers});
	const authority = `127.0.0.1:${ours.port}`;
	const signed = (identity: Identity, name: OperationName, input: Record<string, unknown>, idempotencyKey?: string): Prepared => {
		const {method, target, body: value} = wire(name, input);
		const body = value === undefined ? undefined : new Uint8Array(Buffer.from(JSON.stringify(value)));
		const key: Record<string, string> = idempotencyKey === undefined ? {} : {'idempotency-key': idempotencyKey};
		return {method, target, body, headers: {host: authority, ...key, ...signHttp(identity, {method, authority, target, body, idempotencyKey})}};
	};

	const running: Array<Array<{processid: string}>> = computers.map(() => []);
	const kinds: Record<string, (caller: number) => Promise<unknown>> = {
		'nothing (/healthz)': async () => send(ours, agent, {method: 'GET', target: '/healthz', headers: {host: authority}}),
		'process submit': async () => send(ours, agent, signed(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id, timeout: 600, in: {job: 'render', frame: '1017'}}}, randomUUID())),
		async 'process assign'(caller) {
			running[caller]!.push(await send(ours, agent, signed(computers[caller]!, 'process.assign', {colonyid: colony.id}, randomUUID())) as {processid: string});
		},
		'process successful': async caller => send(ours, agent, signed(computers[caller]!, 'process.successful', {colonyid: colony.id, processid: running[caller]!.pop()!.processid})),
		'process get': async () => send(ours, agent, signed(colony.owner, 'process.get', {colonyid: colony.id, processid: running[0]![0]!.processid})),
	};
	try {
		// Warm, with enough that waits and runs.
		await Promise.all(computers.map(async (_, caller) => {
			for (let turn = 0; turn < 60; turn++) {
				await kinds['process submit']!(caller);
			}

			for (let turn = 0; turn < 10; turn++) {
				await kinds['process assign']!(caller);
			}
		}));
		for (const [name, work] of Object.entries(kinds)) {
			const [node, server] = [cpuOf(ours.pid), cpuOf(postgresPid(postgres.folder))];
			const times: number[] = [];
			let left = name === 'process assign' || name === 'process successful' ? callers * (name === 'process assign' ? 45 : 40) : Infinity;
			const until = performance.now() + (seconds * 1000);
			await Promise.all(computers.map(async (_, caller) => {
				while (left-- > 0 && performance.now() < until) {
					const sent = performance.now();
					await work(caller);
					times.push(performance.now() - sent);
				}
			}));
			const isOfProcesses = name.startsWith('process') && name !== 'process get';
			yield {name: `processor of the server for ${name}, ${callers} callers`, unit: 'ms', ours: (cpuOf(ours.pid) - node) / times.length, ...(isOfProcesses ? {goal: {of: 'ours', most: 0.6}} : {}), note: `p50 ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`};
			if (isOfProcesses || name === 'process get') {
				yield {name: `processor of PostgreSQL for ${name}, ${callers} callers`, unit: 'ms', ours: (cpuOf(postgresPid(postgres.folder)) - server) / times.length, ...(isOfProcesses ? {goal: {of: 'ours', most: 0.5}} : {})};
			}

			await pause(100);
		}

		const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${ours.pid}/status`, 'utf8'))![1]) / 1024;
		yield {name: 'memory of the server after that', unit: 'MB', ours: resident};
	} finally {
		ours.child.kill('SIGKILL');
		agent.destroy();
		rmSync(home, {recursive: true, force: true});
		await database.close();
		await postgres.stop();
	}
}
