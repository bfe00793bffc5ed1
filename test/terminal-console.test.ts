import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	after, before, describe, test, type TestContext,
} from 'node:test';
import {brokerContext} from '../source/contexts/local.ts';
import {migrate} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {openKeychain} from '../source/keychain/index.ts';
import type {Context} from '../source/operations/index.ts';
import {
	freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {openTerminal, sane, type Terminal} from './support/terminal.ts';

const program = path.resolve(import.meta.dirname, '..', 'dist', 'cli.js');

/** A folder for keys, settings and data of its own. */
function freshHome(t: TestContext): string {
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-console-'));
	t.after(() => {
		rmSync(home, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
	});
	return home;
}

type Options = {columns?: number; rows?: number; env?: Record<string, string | undefined>; words?: string[]};

/** The console in a terminal; it is taken away at the end of the test. */
function openConsole(t: TestContext, home: string, {columns = 120, rows = 36, env = {}, words = []}: Options = {}): Terminal {
	const terminal = openTerminal({
		command: [process.execPath, program, ...words], columns, rows, env: {COLONIES_HOME: home, NO_COLOR: undefined, TERM: 'xterm-256color', ...env},
	});
	t.after(async () => terminal.close());
	return terminal;
}

/** Runs the program without a terminal. */
async function run(home: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{code: number; stdout: string; stderr: string}> {
	const child = spawn(process.execPath, [program, ...words], {env: {...process.env, COLONIES_HOME: home, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
	const outcome = {code: -1, stdout: '', stderr: ''};
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		outcome.stdout += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		outcome.stderr += text;
	});
	return new Promise(resolve => {
		child.on('close', code => {
			resolve({...outcome, code: code ?? -1});
		});
	});
}

const nothingBelow = (terminal: Terminal) => terminal.screen().filter(line => line !== '').join('\n');

describe('on the embedded database, with nothing configured', () => {
	test('a newcomer registers a colony and a computer, approves it, and leaves a sane terminal', async t => {
		const home = freshHome(t);
		const terminal = openConsole(t, home, {columns: 80, rows: 24});
		await terminal.until('Opening the database');
		await terminal.until('Welcome to Colonies');
		terminal.press('1');
		await terminal.until('Register a colony');
		terminal.type('qAy');
		terminal.press('enter');
		terminal.type('secret word');
		await terminal.until('•••••••••••');
		assert.doesNotMatch(terminal.raw(), /secret/, 'the password is not on the screen');
		terminal.press('enter');
		await terminal.until('Password again');
		terminal.type('secret word');
		terminal.press('enter');
		await terminal.until('Registered the colony qAy');
		terminal.press('3');
		await terminal.until('No computers found');
		terminal.press('n');
		await terminal.until('Register a computer');
		terminal.paste('edge\n1');
		terminal.press('ctrl-s');
		await terminal.until(/> edge 1 +\? pending/);
		terminal.press('A');
		await terminal.until('Approve the computer edge 1');
		terminal.press('A');
		terminal.press('enter');
		await terminal.until('Cancelled; nothing was changed.');
		terminal.press('A', 'y');
		await terminal.until(/> edge 1 +✓ approved/);
		terminal.press('q');
		assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);

		const listed = await run(home, ['keychain', 'ls', '--output', 'json']);
		assert.equal((JSON.parse(listed.stdout) as unknown[]).length, 2);
		const snapshot = await run(home, []);
		assert.equal(snapshot.code, 0);
		assert.match(snapshot.stdout, /qAy/);
		assert.match(snapshot.stdout, /No processes found/);
		assert.doesNotMatch(snapshot.stdout, /\u001B/);
	});

	test('a second console and a command share the database of the first, and one of them takes over when it goes', async t => {
		const home = freshHome(t);
		const first = openConsole(t, home);
		await first.until('Welcome');
		const second = openConsole(t, home);
		await second.until('Welcome');
		const where = await run(home, ['database', 'where']);
		assert.equal(where.code, 0, where.stderr);
		const registered = await run(home, ['colony', 'register', '--rootpassword', 'secret', '--spec', 'examples/colony.json']);
		assert.equal(registered.code, 0, registered.stderr);
		await second.until('mycolony');
		first.press('ctrl-c');
		await first.exit();
		const computer = await run(home, ['computer', 'register', '--colonyid', registered.stdout.trim(), '--spec', 'examples/computer.json']);
		assert.equal(computer.code, 0, computer.stderr);
		second.press('3');
		await second.until('my_computer');
		const refused = await run(home, ['database', 'drop', '--yes']);
		assert.equal(refused.code, 9);
		assert.match(refused.stderr, /is open in process \d+/);
		second.signal('SIGTERM');
		assert.equal((await second.exit()).code, 143);
		assert.deepEqual(await second.sanity(), sane);
	});

	test('a terminal without room or without powers', async t => {
		const home = freshHome(t);
		const small = openConsole(t, home, {columns: 50, rows: 10});
		await small.until('this terminal has 50 and 10');
		small.resize(60, 15);
		await small.until('Welcome');
		for (const [columns, rows] of [[200, 60], [61, 15], [90, 40], [59, 14], [100, 24]] as const) {
			small.resize(columns, rows);
		}

		await small.until(screen => screen.length === 24 && screen.some(line => line.includes('Register a colony')));
		small.press('q');
		await small.exit();
		assert.deepEqual(await small.sanity(), sane);

		const dumb = openConsole(t, home, {env: {TERM: 'dumb'}});
		assert.equal((await dumb.exit()).code, 0);
		assert.match(dumb.raw(), /colonies \| embedded/);
		assert.doesNotMatch(dumb.raw(), /\u001B/);
	});

	test('the demo works by itself, and without colours where none are wanted', async t => {
		const terminal = openConsole(t, freshHome(t), {words: ['--demo'], env: {NO_COLOR: '1'}});
		await terminal.until(/OK\/h [1-9]/, {timeout: 60_000});
		terminal.press('3');
		await terminal.until(/> \S+ +\? pending/);
		terminal.press('A', 'y');
		await terminal.until('Approved the computer');
		assert.doesNotMatch(terminal.raw(), /\u001B\[(?:\d+;)*3[0-7](?:;\d+)*m/);
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
	});
});

describe('on PostgreSQL', {skip: noPostgres}, () => {
	let server: Server;

	before(async () => {
		server = await startPostgres();
	});

	after(async () => {
		await server.stop();
	});

	/** A colony on a database of its own, with its owner's key in a keychain, and a context beside the console's for changing it from elsewhere. */
	async function settle(t: TestContext) {
		const options = await freshDatabase(server);
		const home = freshHome(t);
		const keychain = openKeychain({folder: home});
		const {identity: owner} = await keychain.create();
		const elsewhere: Context = brokerContext(await openPostgres(options), {kind: 'database', name: 'elsewhere', local: true});
		t.after(async () => elsewhere.close());
		const database = await openPostgres(options);
		await migrate(database);
		await database.close();
		await elsewhere.run({root: 'secret'}, 'colony.register', {colonyid: owner.id, spec: {name: 'far'}});
		await keychain.describe(owner.id, {kind: 'colony', name: 'far', colonyid: owner.id});
		const env = {COLONIES_DBHOST: options.host, COLONIES_DBPORT: String(options.port), COLONIES_DBUSER: options.user, COLONIES_DBNAME: options.database};
		const register = async (name: string) => {
			const {identity} = await openKeychain({folder: freshHome(t)}).create();
			await elsewhere.run({identity: owner}, 'computer.register', {colonyid: owner.id, computerid: identity.id, spec: {name, cores: 4, mem: 4000}});
			return identity;
		};

		return {home, env, owner, elsewhere, register};
	}

	test('shows what others change, and keeps the cursor on its row', async t => {
		const {home, env, owner, elsewhere, register} = await settle(t);
		await register('middle');
		const terminal = openConsole(t, home, {env, columns: 100, rows: 24});
		await terminal.until('No processes found');
		terminal.press('3');
		await terminal.until(/> middle +\? pending/);
		const early = await register('early');
		await terminal.until(screen => screen.some(line => line.includes('early')));
		assert.match(nothingBelow(terminal), /> middle/, 'the cursor stays on its row');
		terminal.press('A', 'y');
		await terminal.until(/> middle +✓ approved/);
		terminal.press('2');
		await elsewhere.run({identity: owner}, 'computer.approve', {colonyid: owner.id, computerid: early.id});
		await elsewhere.run({identity: owner}, 'process.submit', {spec: {targetcolonyid: owner.id, computertype: 'gpu_train'}});
		await terminal.until(/· waiting +gpu_train/);
		await elsewhere.run({identity: early}, 'process.assign', {colonyid: owner.id});
		await terminal.until(/▸ running +gpu_train/);
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
	});

	test('asks for the passphrase of encrypted keys before anything is drawn, and signs with them then', async t => {
		const {home, env, register} = await settle(t);
		await register('middle');
		await openKeychain({folder: home}).encrypt('correct horse');
		const terminal = openConsole(t, home, {env, columns: 100, rows: 24});
		await terminal.until('Passphrase of your keys:');
		terminal.press(...'wrong', 'enter');
		await terminal.until(/The passphrase does not open the key of/);
		terminal.press(...'correct horse', 'enter');
		await terminal.until('No processes found');
		terminal.press('3');
		await terminal.until(/> middle +\? pending/);
		terminal.press('A', 'y');
		await terminal.until(/> middle +✓ approved/);
		terminal.press('6');
		await terminal.until(/locked/);
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
		assert.doesNotMatch(terminal.screen().join('\n'), /horse/);
	});

	test('nothing that a worker writes reaches the terminal', async t => {
		const {home, env, owner, elsewhere, register} = await settle(t);
		const evil = '\u001B]52;c;ZXZpbA==\u0007\u001B]0;title\u0007\u001B[31mred\u001B[2J\u009B1A\r\b\u202Eabc\u0000'.replaceAll('\0', '');
		const worker = await register('worker');
		await elsewhere.run({identity: owner}, 'computer.approve', {colonyid: owner.id, computerid: worker.id});
		await elsewhere.run({identity: owner}, 'process.submit', {spec: {targetcolonyid: owner.id, in: {plain: evil}}});
		const {processid} = await elsewhere.run({identity: worker}, 'process.assign', {colonyid: owner.id});
		await elsewhere.run({identity: worker}, 'attribute.add', {colonyid: owner.id, processid, key: 'log', value: `${evil}\n${'x'.repeat(10_000)}`});
		await elsewhere.run({identity: worker}, 'attribute.add', {colonyid: owner.id, processid, key: 'api_token', value: 'topsecret'});
		const terminal = openConsole(t, home, {env});
		await terminal.until(/▸ running/);
		terminal.press('j', 'enter');
		await terminal.until('Attributes');
		await terminal.until('␛]52;c;ZXZpbA==␇');
		terminal.press('a');
		await terminal.until('api_token');
		terminal.press('y');
		await terminal.until('"processid"');
		const raw = terminal.raw();
		assert.ok(!raw.includes('\u001B]'), 'no operating system command');
		assert.ok(!raw.includes('\u0007') && !raw.includes('\b') && !raw.includes('\u009B') && !raw.includes('\u202E'));
		assert.ok(!raw.includes('topsecret'), 'secrets are masked');
		terminal.press('d');
		await terminal.until('api_token = ••••');
		terminal.press('s');
		await terminal.until('topsecret');
		terminal.press('esc', 'q');
		await terminal.exit();
	});

	test('stays when the database goes, refuses changes, and comes back with it', async t => {
		const {home, env, elsewhere, register} = await settle(t);
		await register('lab');
		await elsewhere.close();
		const terminal = openConsole(t, home, {env});
		await terminal.until('No processes found');
		terminal.press('3');
		await terminal.until(/> lab +\? pending/);
		await server.kill();
		await terminal.until('AWAY');
		terminal.press('A');
		await terminal.until('Changes are refused');
		assert.doesNotMatch(nothingBelow(terminal), /Approve the computer/);
		await server.start();
		await terminal.until(screen => (screen[0] ?? '').includes('live'), {timeout: 40_000});
		terminal.press('A', 'y');
		await terminal.until(/> lab +✓ approved/);
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
		assert.deepEqual(await terminal.sanity(), sane);
	});
});
