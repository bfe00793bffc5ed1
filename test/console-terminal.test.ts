import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer, type AddressInfo, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	after, before, describe, test,
} from 'node:test';
import {
	freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {openTerminal, sane, type Terminal} from './support/terminal.ts';

const root = path.resolve(import.meta.dirname, '..');
const program = [process.execPath, path.join(root, 'dist', 'cli.js')] as const;

const folders: string[] = [];
const terminals: Terminal[] = [];
after(async () => {
	await Promise.all(terminals.map(async terminal => terminal.close()));
	for (const folder of folders) {
		rmSync(folder, {recursive: true, force: true, maxRetries: 5});
	}
});

function freshFolder(): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-terminal-'));
	folders.push(folder);
	return folder;
}

type Environment = Record<string, string | undefined>;
type Options = {home: string; words?: readonly string[]; columns?: number; rows?: number; env?: Environment; command?: readonly string[]};

function start({home, words = [], columns = 100, rows = 30, env = {}, command = program}: Options): Terminal {
	const terminal = openTerminal({command: [...command, ...words], columns, rows, cwd: root, env: {COLONIES_HOME: home, ...env}});
	terminals.push(terminal);
	return terminal;
}

type Outcome = {code: number | null; stdout: string; stderr: string};

/** Runs the program without a terminal. */
async function run(home: string, words: readonly string[], env: Environment = {}): Promise<Outcome> {
	const child = spawn(program[0], [program[1], ...words], {cwd: root, env: {...process.env, COLONIES_HOME: home, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
	const outcome: Outcome = {code: null, stdout: '', stderr: ''};
	for (const stream of ['stdout', 'stderr'] as const) {
		child[stream].setEncoding('utf8').on('data', (text: string) => {
			outcome[stream] += text;
		});
	}

	return new Promise(resolve => {
		child.once('close', code => {
			resolve({...outcome, code});
		});
	});
}

/** Leaves the exit code of the program in a file, even when the terminal goes away with the shell in it. */
const noting = ['/bin/sh', '-c', 'trap : HUP; echo $$ > "$NOTES/shell"; "$@" 2> "$NOTES/error"; echo $? > "$NOTES/code"', 'sh', ...program];

/** Registers a colony from the first screen. */
async function registerColony(terminal: Terminal, name: string): Promise<void> {
	await terminal.until('Welcome to Colonies');
	terminal.press('1');
	await terminal.until('> Name');
	terminal.type(name);
	terminal.press('enter');
	terminal.type('secret word');
	await terminal.until('•••••••••••');
	terminal.press('enter');
	await terminal.until('Password again');
	terminal.type('secret word');
	terminal.press('enter');
	await terminal.until(`Registered the colony ${name}`);
	await terminal.until('No processes found');
}

describe('on the embedded database', () => {
	const home = freshFolder();

	test('something stands on the screen at once, and q is heard before the database is open', async () => {
		const terminal = start({home: freshFolder()});
		await terminal.until('Opening the database');
		assert.ok(terminal.screen()[0]!.startsWith('colonies'));
		terminal.press('q');
		assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);
	});

	test('ctrl-c leaves a sane terminal, and what was registered is there the next time', async () => {
		const terminal = start({home});
		await registerColony(terminal, 'mycolony');
		terminal.press('n', 'ctrl-s');
		await terminal.until('Submitted the process');
		terminal.press('ctrl-c');
		assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);
	});

	for (const how of ['a hangup', 'SIGHUP'] as const) {
		test(`${how} ends it at once, quietly, and lets go of the database`, async () => {
			const notes = freshFolder();
			const terminal = start({home, command: noting, env: {NOTES: notes}});
			await terminal.until('WAIT 1');
			if (how === 'a hangup') {
				terminal.hangUp();
			} else {
				const shell = readFileSync(path.join(notes, 'shell'), 'utf8').trim();
				const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').split(' ');
				process.kill(Number(child), how);
			}

			const code = path.join(notes, 'code');
			await eventually(() => existsSync(code) && readFileSync(code, 'utf8') !== '', 'it did not end');
			// Node's own way out aborts where the terminal is gone: 134.
			assert.equal(Number(readFileSync(code, 'utf8')), 129, readFileSync(path.join(notes, 'error'), 'utf8'));
			assert.doesNotMatch(readFileSync(path.join(notes, 'error'), 'utf8'), /assert|trace|wrong/i);
			if (how === 'SIGHUP') {
				assert.deepEqual(await terminal.sanity(), sane);
			}
		});
	}

	test('killed with -9 and opened again: nothing is lost, and the folder is not held', async () => {
		const terminal = start({home});
		await terminal.until('WAIT 1');
		terminal.press('n', 'ctrl-s');
		await terminal.until('Submitted the process');
		terminal.signal('SIGKILL');
		await terminal.exit();
		const again = start({home});
		await again.until('WAIT 2');
		again.press('q');
		assert.equal((await again.exit()).code, 0);
	});

	test('a storm of sizes, keys and bytes that are none ends in a whole frame, and changes nothing', async () => {
		const terminal = start({home});
		await terminal.until('WAIT 2');
		const sizes = [[80, 24], [60, 15], [50, 10], [200, 60], [99, 16], [120, 36]] as const;
		for (let round = 0; round < 12; round++) {
			for (const [columns, rows] of sizes) {
				terminal.resize(columns, rows);
				terminal.press('j', 'enter', 'a', 'y', 'esc', '3', '?', 'esc', '6', '2');
			}
		}

		terminal.press('esc', 'esc', '2');
		await terminal.until(screen => screen.length === 36 && /^│[> ] [\da-f]{8} {2}· waiting/m.test(screen.join('\n')) && screen[33]!.startsWith('└') && screen[34]!.includes('open'));
		assert.equal(terminal.screen().filter(line => line.startsWith('colonies |')).length, 1);
		terminal.resize(60, 15);
		await terminal.until(screen => screen.length === 15 && screen[12]!.startsWith('└') && /live|loading/.test(screen[0]!));
		terminal.resize(50, 10);
		await terminal.until('needs 60 columns and 15 rows');
		assert.ok(!terminal.screen().join('\n').includes('waiting'));
		terminal.resize(100, 30);
		await terminal.until('WAIT 2');

		const junk = ['\u001B[1;5P', '\u001B[<0;10;10M', '\u001B[M !!', '\u001B[200~Xy\nq\u001B[201~', '\u001B[?1;2c', '\u001B]11;rgb:0/0/0\u0007', '\u001BP>|x\u001B\\', '\u001B[I\u001B[O', '\u009B', '\0', '\u001B[', '1;', '\u001B\u001B', '\u001B[999999999999C', 'é漢👩‍👩‍👧'];
		for (const bytes of [...junk, ...junk.flatMap(text => [...text])].filter(bytes => !/^[a-zA-Z\n]$/.test(bytes))) {
			terminal.send(bytes);
		}

		terminal.press('esc', 'esc', 'esc', '6');
		await terminal.until('FILE');
		assert.match(terminal.screen()[1]!, /^WAIT 2 .*RUN 0 .*FAIL(?:\/h)? 0/);
		terminal.press('q');
		assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);
	});

	test('ctrl-z gives the shell its terminal, fg brings the console back', {skip: existsSync('/bin/bash') ? false : 'There is no bash.'}, async () => {
		const terminal = start({home, command: ['/bin/bash', '--norc', '--noprofile', '-i'], env: {PS1: 'shell> ', HISTFILE: '/dev/null'}});
		await terminal.until('shell>');
		terminal.type(`${program.map(word => `'${word}'`).join(' ')}\r`);
		await terminal.until('WAIT 2');
		terminal.press('ctrl-z');
		await terminal.until(/Stopped[^]*shell>/);
		terminal.type('echo $((6 * 7))\r');
		await terminal.until(/^42$/m);
		terminal.type('fg\r');
		await terminal.until(screen => screen[0]!.startsWith('colonies |') && screen.join('\n').includes('WAIT 2'));
		terminal.press('q');
		await terminal.until(screen => screen.findLast(line => line !== '')?.trim() === 'shell>');
		terminal.type('exit\r');
		await terminal.exit();
		assert.deepEqual(await terminal.sanity(), sane);
	});

	test('without a terminal: one plain picture, and the reason where there is none', async () => {
		const plain = await run(home, []);
		assert.deepEqual({code: plain.code, stderr: plain.stderr}, {code: 0, stderr: ''});
		assert.match(plain.stdout, /^colonies \| embedded mycolony \| as owner [^\n]* RO /);
		assert.match(plain.stdout, /· waiting +any/);
		assert.doesNotMatch(plain.stdout, /\u001B/);
		const wrong = await run(home, ['--dbport=nonsense']);
		assert.deepEqual({code: wrong.code, stdout: wrong.stdout}, {code: 2, stdout: ''});
		assert.match(wrong.stderr, /--dbport must be a whole number from 1 to 65535/);
		const holder = start({home});
		await holder.until('WAIT 2');
		// The console has the database open, and shares it.
		const shared = await run(home, []);
		assert.deepEqual({code: shared.code, stderr: shared.stderr}, {code: 0, stderr: ''});
		assert.match(shared.stdout, /· waiting +any/);
		holder.press('q');
		await holder.exit();
	});
});

test('a database that never answers holds nobody up: leaving takes some seconds at most', async t => {
	const sockets: Socket[] = [];
	const mute = createServer(socket => {
		sockets.push(socket.on('error', () => undefined));
	});
	await new Promise<void>(resolve => {
		mute.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		mute.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	const words = ['--dbhost=127.0.0.1', `--dbport=${(mute.address() as AddressInfo).port}`];
	const [quit, ended] = ['q', 'SIGTERM'].map(() => start({home: freshFolder(), words}));
	await Promise.all([quit!.until('Opening the database'), ended!.until('Opening the database')]);
	await eventually(() => sockets.length >= 2, 'it does not connect');
	quit!.press('6');
	await quit!.until('The keychain is empty.');
	quit!.press('q');
	ended!.signal('SIGTERM');
	assert.deepEqual(await quit!.exit(), {code: 0, signal: undefined});
	assert.equal((await ended!.exit()).signal, 'SIGTERM');
	assert.deepEqual(await quit!.sanity(), sane);
	assert.deepEqual(await ended!.sanity(), sane);
});

describe('on PostgreSQL', {skip: noPostgres}, () => {
	let server: Server;
	before(async () => {
		server = await startPostgres();
	});
	after(async () => server.stop());

	/** A schema, a colony and its owner's key, made by the commands. */
	async function settle() {
		const {host, port, user, database} = await freshDatabase(server);
		const home = freshFolder();
		const env: Environment = {COLONIES_DBHOST: host, COLONIES_DBPORT: String(port), COLONIES_DBUSER: user, COLONIES_DBNAME: database};
		const command = async (...words: string[]) => {
			const {code, stdout, stderr} = await run(home, words, env);
			assert.equal(code, 0, stderr);
			return stdout.trim();
		};

		await command('database', 'create');
		const colony = await command('colony', 'register', '--rootpassword=secret', '--spec', path.join(root, 'examples', 'colony.json'));
		const register = async () => command('computer', 'register', '--colonyid', colony, '--spec', path.join(root, 'examples', 'computer.json'));
		return {home, env, colony, command, register};
	}

	test('what another process does is on the screen; what the operator does is in the database', async () => {
		const {home, env, colony, command, register} = await settle();
		const terminal = start({home, env, columns: 120, rows: 36});
		await terminal.until('No processes found');
		terminal.press('3');
		await terminal.until('No computers found');
		const computer = await register();
		const status = async () => (JSON.parse(await command('computer', 'get', '--colonyid', colony, '--computerid', computer)) as {status: number}).status;
		await terminal.until(/> my_computer +\? pending/);
		await terminal.until('1 pending');
		terminal.paste('Ay');
		terminal.press('A');
		await terminal.until('Approve the computer my_computer');
		assert.equal(await status(), 0);
		terminal.press('y');
		await terminal.until(/> my_computer +✓ approved/);
		assert.equal(await status(), 1);
		terminal.press('q');
		assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);
	});

	test('stopped, started, and not there at the beginning: the console stays, and is live again by itself', async () => {
		const {home, env, register} = await settle();
		const terminal = start({home, env});
		await terminal.until('No processes found');
		terminal.press('3');
		await terminal.until('No computers found');
		terminal.press('n');
		await terminal.until('> Name');
		await server.stop();
		await terminal.until(/The database is away for \d+s; the data is \d+s old\. Changes are refused/);
		terminal.type('edge-1');
		terminal.press('ctrl-s');
		await terminal.until(/changes are refused until it is back/);
		const late = start({home, env});
		await late.until(/AWAY|not open/);
		const snapshot = await run(home, [], env);
		assert.deepEqual({code: snapshot.code, stdout: snapshot.stdout}, {code: 8, stdout: ''});
		assert.match(snapshot.stderr, /^colonies: /);
		await server.start();
		await terminal.until(screen => screen[0]!.includes('live'), {timeout: 30_000});
		terminal.press('ctrl-s');
		await terminal.until('Registered the computer edge-1');
		await late.until(screen => screen[0]!.includes('live') && screen[0]!.includes('mycolony'), {timeout: 30_000});
		late.press('3');
		await late.until(/> edge-1 +\? pending/);
		await register();
		await Promise.all([terminal.until('my_computer'), late.until('my_computer')]);
		for (const each of [terminal, late]) {
			each.press('q');
			assert.deepEqual(await each.exit(), {code: 0, signal: undefined});
		}
	});

	test('connecting from the first screen makes the schema and the context', async () => {
		const home = freshFolder();
		const {host = '', user = '', database = ''} = await freshDatabase(server);
		const terminal = start({home});
		await terminal.until('Welcome to Colonies');
		terminal.press('3');
		await terminal.until('A Colonies server');
		terminal.press('2');
		await terminal.until('> Host');
		terminal.press('ctrl-u');
		terminal.type(path.join(host, 'nowhere'));
		terminal.press('ctrl-s');
		await terminal.until('there is no socket in that folder.');
		terminal.press('ctrl-u');
		terminal.type(host);
		terminal.press('down', 'down', 'ctrl-u');
		terminal.type(user);
		terminal.press('down', 'down', 'ctrl-u');
		terminal.type(database);
		terminal.press('ctrl-s');
		await terminal.until('The keychain holds no key of a colony here.');
		assert.ok(terminal.screen()[0]!.includes(host.slice(0, 12)));
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
		const {stdout} = await run(home, ['database', 'where']);
		assert.ok(stdout.includes(database), stdout);
	});
});
