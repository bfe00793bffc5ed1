/**
How many signed requests a server answers, how soon a waiting computer hears of work that was submitted at another server, and what 1,000 waiting computers cost.
Prints ratios against a request without signature and database, and bare milliseconds: on a shared machine only the ratios are worth comparing.

	npm run build && node --import tsx bench/server.ts [seconds a figure] [waiting computers]

The callers sign beforehand, so that what is measured is the server; they run in this process, on the same cores.
*/
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import https from 'node:https';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {openPostgres} from '../source/database/postgres.ts';
import {type Identity, signHttp} from '../source/identity/index.ts';
import {openRemote} from '../source/remote/index.ts';
import {openColony, type Colony, rootPassword} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';

const [seconds = 3, many = 1000] = process.argv.slice(2).map(Number);
const home = mkdtempSync(path.join(tmpdir(), 'colonies-bench-'));
const children: ChildProcess[] = [];
type Where = Awaited<ReturnType<typeof freshDatabase>>;
type Server = {port: number; pid: number; fingerprint: string};

/** Starts a server in a process of its own, as an operator does. */
async function start({host, port, user, database}: Where): Promise<Server> {
	const child = spawn(process.execPath, ['dist/cli.js', 'server', 'start', '--port', '0', '--host', '127.0.0.1', '--dbhost', host!, '--dbport', String(port), '--dbuser', user!, '--dbname', database!], {
		env: {...process.env, COLONIES_HOME: home, COLONIES_ROOT_PASSWORD: rootPassword}, stdio: ['ignore', 'pipe', 'pipe'],
	});
	children.push(child);
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	const [address] = await once(child.stdout, 'data') as [Buffer];
	while (!/^[\da-f]{64}$/m.test(said)) {
		await pause(10); // eslint-disable-line no-await-in-loop
	}

	return {port: Number(new URL(String(address).trim()).port), pid: child.pid!, fingerprint: /^[\da-f]{64}$/m.exec(said)![0]};
}

type Prepared = {method: string; target: string; headers: Record<string, string>; body?: Uint8Array};

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function send({port}: Server, agent: https.Agent, {method, target, headers, body}: Prepared): Promise<number> {
	return new Promise((resolve, reject) => {
		const request = https.request({host: '127.0.0.1', port, path: target, method, agent, rejectUnauthorized: false, headers: body ? {...headers, 'content-type': 'application/json', 'content-length': body.length} : headers}, response => {
			response.resume();
			response.once('end', () => {
				resolve(response.statusCode!);
			});
		});
		request.once('error', reject);
		request.end(body);
	});
}

/** So many callers, each sending its next request when the one before was answered, for so many seconds. */
async function load(server: Server, callers: number, make: () => Prepared): Promise<{rate: number; p50: number; p99: number}> {
	const agent = new https.Agent({keepAlive: true, maxSockets: callers});
	// Enough for what any server answers in that time; a signature is good for a minute.
	const prepared = Array.from({length: Math.ceil(seconds * 4000)}, () => make());
	await Promise.all(Array.from({length: callers}, async () => send(server, agent, prepared.pop()!)));
	const spans: number[] = [];
	const began = performance.now();
	await Promise.all(Array.from({length: callers}, async () => {
		while (performance.now() - began < seconds * 1000 && prepared.length > 0) {
			const from = performance.now();
			const status = await send(server, agent, prepared.pop()!); // eslint-disable-line no-await-in-loop
			if (status !== 200) {
				throw new Error(`answered with ${status}`);
			}

			spans.push(performance.now() - from);
		}
	}));
	const took = (performance.now() - began) / 1000;
	agent.destroy();
	spans.sort((one, other) => one - other);
	return {rate: spans.length / took, p50: quantile(spans, 0.5), p99: quantile(spans, 0.99)};
}

async function throughput(server: Server, colony: Colony): Promise<void> {
	const authority = `127.0.0.1:${server.port}`;
	const signed = (method: string, target: string, value?: unknown): Prepared => {
		const body = value === undefined ? undefined : new Uint8Array(Buffer.from(JSON.stringify(value)));
		return {method, target, body, headers: {host: authority, ...signHttp(colony.owner, {method, authority, target, body})}};
	};

	const {processid} = await colony.submit();
	const kinds: Array<[string, () => Prepared]> = [
		['nothing (/healthz)', () => ({method: 'GET', target: '/healthz', headers: {host: authority}})],
		['process.get', () => signed('GET', `/colonies/${colony.id}/processes/${processid}`)],
		['process.submit', () => signed('POST', `/colonies/${colony.id}/processes`, {spec: {in: {key: 'value'}}})],
	];
	for (const callers of [1, 8, 32]) {
		let bare = 0;
		for (const [name, make] of kinds) {
			const {rate, p50, p99} = await load(server, callers, make); // eslint-disable-line no-await-in-loop
			bare ||= rate;
			console.log(`${String(callers).padStart(3)} callers  ${name.padEnd(20)} ${rate.toFixed(0).padStart(6)}/s  ${(rate / bare).toFixed(2)} of nothing  p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms`);
		}
	}
}

const residentMemory = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Rounds of: a computer waits at one server, work for it alone is submitted at the other. */
async function wakeUps(waitingAt: Server, submittedAt: Server, colony: Colony, computer: Identity, rounds: number): Promise<number[]> {
	const at = async (server: Server) => openRemote({address: {host: '127.0.0.1', port: server.port, trust: {kind: 'fingerprint', sha256: server.fingerprint}, place: 'the server'}, kind: 'server', name: 'bench'});
	const [one, other] = [await at(waitingAt), await at(submittedAt)];
	const spans: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const assigned = one.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait: 60}).then(() => performance.now());
		await pause(60); // eslint-disable-line no-await-in-loop -- the request is on its way; it is what is measured that must not include it
		await other.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id, targetcomputerids: [computer.id]}}); // eslint-disable-line no-await-in-loop
		const submitted = performance.now();
		spans.push(await assigned - submitted); // eslint-disable-line no-await-in-loop
	}

	await Promise.all([one.close(), other.close()]);
	return spans.sort((a, b) => a - b);
}

/** So many computers that wait, each with a connection of its own, for work that never comes. */
async function waiting(server: Server, colony: Colony): Promise<() => void> {
	const authority = `127.0.0.1:${server.port}`;
	const agent = new https.Agent({keepAlive: true, maxSockets: many});
	const target = `/colonies/${colony.id}/processes/assign?wait=60`;
	for (let index = 0; index < many; index += 50) {
		await Promise.all(Array.from({length: Math.min(50, many - index)}, async () => { // eslint-disable-line no-await-in-loop
			const computer = await colony.computer();
			void send(server, agent, {method: 'POST', target, headers: {host: authority, ...signHttp(computer, {method: 'POST', authority, target})}}).catch(() => undefined);
		}));
	}

	return () => {
		agent.destroy();
	};
}

async function main(): Promise<void> {
	const where = await freshDatabase(await startPostgres());
	const database = await openPostgres({...where, poolSize: 4});
	const colony = await openColony(database);
	const [one, other] = [await start(where), await start(where)];
	await throughput(one, colony);
	await database.query('truncate colonies.live, colonies.closed, colonies.outputs');

	const computer = await colony.computer();
	const told = (spans: readonly number[]) => `p50 ${quantile(spans, 0.5).toFixed(1)} ms  p95 ${quantile(spans, 0.95).toFixed(1)} ms (after the answer to the submission at another server)`;
	console.log(`wake-up, nobody else waits   ${told(await wakeUps(one, other, colony, computer, 50))}`);
	const before = residentMemory(one.pid);
	const stop = await waiting(one, colony);
	await pause(2000);
	const {rows: [row]} = await database.query<{connections: number}>('select count(*)::int as connections from pg_stat_activity where datname = current_database()');
	console.log(`${many} computers wait        ${before.toFixed(0)} → ${residentMemory(one.pid).toFixed(0)} MB, ${row!.connections} connections to the database in all (two servers and this program)`);
	console.log(`wake-up, ${many} others wait   ${told(await wakeUps(one, other, colony, computer, 50))}`);
	stop();
	await database.close();
}

try {
	await main();
} finally {
	for (const child of children) {
		child.kill('SIGKILL');
	}

	rmSync(home, {recursive: true, force: true});
}

process.exit(); // eslint-disable-line unicorn/no-process-exit
