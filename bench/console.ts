import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {spawn as spawnPty} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openKeychain} from '../source/keychain/index.ts';
import {type Colony, openColony} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';
import {bulk} from '../test/support/plans.ts';
import {
	cpuOf, type Figure, median, quantile,
} from './support/measure.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */
const [columns, rows] = [160, 45];
const processes = Number(process.env.BENCH_PROCESSES ?? 1_000_000);
const {CI: _, ...environment} = process.env;

function timed(work: () => void): number {
	const began = performance.now();
	work();
	return performance.now() - began;
}

type Env = Record<string, string | undefined>;

/** A console on a real terminal. */
function openConsole(env: Env) {
	const began = performance.now();
	const pty = spawnPty(process.execPath, ['dist/cli.js'], {cols: columns, rows, env: {...environment, TERM: 'xterm-256color', ...env}});
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	let heard: () => void = () => undefined;
	let [bytes, frames] = [0, 0];
	pty.onData(data => {
		bytes += Buffer.byteLength(data);
		frames += data.split('\u001B[?2026h').length - 1;
		terminal.write(data, () => {
			heard();
		});
	});
	const screen = () => Array.from({length: rows}, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '').join('\n');
	const until = async (wanted: RegExp) => new Promise<number>(resolve => {
		heard = () => {
			if (wanted.test(screen())) {
				resolve(performance.now());
			}
		};

		heard();
	});
	return {
		pty, until, screen,
		firstPaint: async () => await until(/colonies/) - began,
		output: () => ({bytes, frames}),
		async close() {
			const ended = new Promise<void>(resolve => {
				pty.onExit(() => {
					resolve();
				});
			});
			pty.write('q');
			await Promise.race([ended, pause(2000)]);
			pty.kill('SIGKILL');
		},
	};
}

/** So many processes that wait, in kinds that no computer at work may run. */
async function fill(colony: Colony, count: number): Promise<void> {
	await bulk(colony.database, async client => {
		await client.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
			select colonies.bytes_of($1), sha256(('full ' || n)::bytea), '{}', 'full' || n, 1, 0, 0 from generate_series(0, 4) n`, [colony.id]);
		await client.query(
			`insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, attributes)
			select sha256(('w' || n)::bytea), colonies.bytes_of($1), (select demand_id from colonies.demands d where d.colony_id = colonies.bytes_of($1) and d.computer_type = 'full' || n % 5), t.at, t.at, '{}', 'full' || n % 5, 600, 3, 0, 1, 0,
				jsonb_build_object('in', jsonb_build_array(jsonb_build_object('job', n::text))) from generate_series(1, $2::bigint) n cross join lateral (select now() - interval '1 hour' - n * interval '0.1 seconds' as at) t`,
			[colony.id, count],
		);
	});
}

const envOf = ({host, port, user, database}: PostgresOptions): Env => ({COLONIES_DBHOST: host, COLONIES_DBPORT: String(port), COLONIES_DBUSER: user, COLONIES_DBNAME: database});

/** How quick the console is, as a person sees it, on a terminal of 160×45. */
export async function * consoles(): AsyncGenerator<Figure> {
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-bench-'));
	const server = await startPostgres({fsync: true, settings: {max_wal_size: '4GB', shared_buffers: '512MB'}});
	const where = await freshDatabase(server);
	const database = await openPostgres(where);
	const colony = await openColony(database);
	try {
		const keychain = openKeychain({folder: home});
		const {id} = await keychain.add(colony.privateKeys[0]!);
		await keychain.describe(id, {kind: 'colony', name: 'mycolony', colonyid: id});
		const computers = Array.from({length: 8}, () => createIdentity());
		for (const {identity} of computers) {
			await colony.own('computer.register', {computerid: identity.id, spec: {name: 'lab', computertype: 'live', cores: 8, mem: 8000, gpus: 1}});
			await colony.own('computer.approve', {computerid: identity.id});
		}

		const onPostgres = {COLONIES_HOME: home, ...envOf(where)};
		const embedded = {COLONIES_HOME: path.join(home, 'embedded')};
		const run = (env: Env, ...words: string[]) => timed(() => spawnSync(process.execPath, words, {env: {...environment, ...env}}));
		run(embedded, 'dist/cli.js', 'database', 'create');
		const [bare, versions, first, warm]: [number[], number[], number[], number[]] = [[], [], [], []];
		for (let turn = 0; turn < 9; turn++) {
			bare.push(run({}, '-e', ''));
			versions.push(run({}, 'dist/cli.js', '--version'));
			for (const [env, times] of [[onPostgres, first], [embedded, warm]] as const) {
				const opened = openConsole(env);
				times.push(await opened.firstPaint());
				await opened.close();
			}
		}

		const node = median(bare);
		const beside = (name: string, times: number[], most: number): Figure => ({name, unit: 'ms', ours: median(times), peer: 'bare Node', theirs: node, ratio: median(times) / node, goal: {of: 'ratio', most}});
		yield beside('colonies --version', versions, 1.3);
		yield beside('console, first paint on PostgreSQL', first, 2.5);
		yield beside('console, first paint on a warm embedded database', warm, 3);
		await fill(colony, processes);
		yield * atWork(onPostgres, {where, colony, keys: computers.map(({privateKey}) => privateKey)});
	} finally {
		await colony.broker.close();
		await database.close();
		await server.stop();
		rmSync(home, {recursive: true, force: true});
	}
}

/** Beside a thousand changes a second. */
async function * atWork(env: Env, {where, colony, keys}: {where: PostgresOptions; colony: Colony; keys: string[]}): AsyncGenerator<Figure> {
	const worker = spawn(process.execPath, ['--import', 'tsx', 'bench/support/changes.ts', where.host!, String(where.port), where.user!, where.database!, colony.id, colony.privateKeys[0]!, ...keys], {stdio: ['pipe', 'pipe', 'inherit']});
	const opened = openConsole(env);
	await opened.until(/waiting/);
	await pause(3000);
	const times: number[] = [];
	for (let turn = 0; turn < 100; turn++) {
		const pressed = performance.now();
		opened.pty.write('?');
		times.push(await opened.until(/┌ Help /) - pressed);
		opened.pty.write('\u001B[27u');
		await opened.until(/^(?![^]*┌ Help )/);
		await pause(37);
	}

	const [cpu, output, began] = [cpuOf(opened.pty.pid), opened.output(), performance.now()];
	await pause(10_000);
	const took = performance.now() - began;
	const [cpuTook, {bytes, frames}] = [cpuOf(opened.pty.pid) - cpu, opened.output()];
	await opened.close();
	worker.stdin.end();
	const [rate] = await once(worker.stdout, 'data') as [Buffer];
	const name = `${processes.toLocaleString('en')} processes, ${Number(String(rate)).toFixed(0)} changes a second`;
	yield {name: `key to paint, 95 of 100, ${name}`, unit: 'ms', ours: quantile(times, 0.95), goal: {of: 'ours', most: 16}, note: `median ${median(times).toFixed(1)} ms`};
	yield {name: `processor of the console, of one core, ${name}`, unit: '%', ours: 100 * cpuTook / took, goal: {of: 'ours', most: 10}};
	yield {name: `bytes a frame, ${name}`, unit: 'B', ours: (bytes - output.bytes) / Math.max(1, frames - output.frames), goal: {of: 'ours', most: 2048}, note: `${((frames - output.frames) / (took / 1000)).toFixed(1)} frames a second`};
}
