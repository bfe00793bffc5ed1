import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {PassThrough} from 'node:stream';
import {suite, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {runCommand} from '../source/commands/index.ts';
import {createIdentity} from '../source/identity/index.ts';
import {
	freshHome, openSettled, temporaryFolder, worldOf, type Outcome,
} from './support/commands.ts';
import {openTerminal} from './support/terminal.ts';

const {contexts, home} = await openSettled();

/** A keyboard that remembers whether it is raw. */
class Keyboard extends PassThrough {
	isTTY = true;
	raw: boolean[] = [];

	setRawMode(raw: boolean): this {
		this.raw.push(raw);
		return this;
	}
}

/** Runs with somebody at a terminal who types this; `chunks` as they come from the keyboard. */
async function typing(words: readonly string[], chunks: ReadonlyArray<string | Uint8Array>, user = home): Promise<Outcome & {raw: boolean[]}> {
	const stdin = new Keyboard();
	const world = worldOf(contexts, user, {stdin});
	world.stderr.isTTY = true;
	for (const chunk of chunks) {
		stdin.write(chunk);
	}

	const code = await runCommand(words, world);
	return {code, stdout: world.stdout.text, stderr: world.stderr.text, raw: stdin.raw};
}

suite('a password that is asked for', () => {
	const list = ['colony', 'ls'];

	test('is typed unseen', async () => {
		const {code, stdout, stderr, raw} = await typing(list, ['sec', 'ret', '\r']);
		assert.equal(code, 0, stderr);
		assert.match(stdout, /mycolony/);
		assert.equal(stderr, 'Root password: ******\n');
		assert.deepEqual(raw, [true, false]);
	});

	test('can be corrected: backspace, ctrl-u, keys that write nothing', async () => {
		for (const keys of [['secx\u007Fret\r'], ['wrong\u0015secret\n'], ['\u001B[Asec\u001BOPret\u0001\u0004'], ['seé\u007Fcret\r'], [Buffer.from('se'), Buffer.from([0xF0, 0x9F]), Buffer.from([0x98, 0x80, 0x7F]), 'cret\r']]) {
			const {code, stderr} = await typing(list, keys);
			assert.equal(code, 0, stderr);
		}
	});

	test('is given up with ctrl-c, and with ctrl-d on an empty line', async () => {
		for (const keys of ['sec\u0003', '\u0004']) {
			const {code, stdout, stderr, raw} = await typing(list, [keys]);
			assert.deepEqual({code, stdout, raw}, {code: 13, stdout: '', raw: [true, false]});
			assert.match(stderr, /\ncolonies: It was cancelled; nothing was changed\.\n/);
		}
	});

	test('may not be empty, or wrong', async () => {
		assert.equal((await typing(list, ['\r'])).code, 3);
		const {code, stderr} = await typing(list, ['guess\r']);
		assert.equal(code, 3);
		assert.match(stderr, /The root password is wrong/);
		assert.doesNotMatch(stderr, /guess/);
	});

	test('is not asked for when it is given, or when nobody would see the question', async () => {
		assert.deepEqual((await typing([...list, '--rootpassword', 'secret'], [])).raw, []);
		const stdin = new Keyboard();
		const world = worldOf(contexts, home, {stdin});
		assert.equal(await runCommand(list, world), 3);
		assert.match(world.stderr.text, /The root password is missing/);
	});

	test('is typed twice when it is new', async () => {
		const change = ['database', 'rootpassword'];
		const differing = await typing(change, ['much better\rother\r']);
		assert.equal(differing.code, 2);
		assert.equal(differing.stderr, 'New root password: ***********\nNew root password again: *****\ncolonies: The two differ; nothing was changed.\nType the same twice.\n');
		const short = await typing(change, ['shorter\r']);
		assert.equal(short.code, 2);
		assert.match(short.stderr, /The new root password has fewer than 8 characters; nothing was changed\./);
		const {code, stderr} = await typing(change, ['much better\rmuch better\r', 'secret\r']);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /\nA root password is set; it is needed to change it\.\nRoot password: \*{6}\nThe root password is set\.\n$/);
		assert.equal((await typing(list, ['secret\r'])).code, 3);
		assert.equal((await typing([...change, '--newrootpassword', 'secret', '--rootpassword', 'much better'], [])).code, 0);
	});

	test('comes before the question whether to go on', async () => {
		const {id} = ((await home.keychain.list()).find(({label}) => label?.kind === 'colony')!);
		const {code, stderr} = await typing(['colony', 'remove', '--colonyid', id], ['secret\r', 'no\n']);
		assert.equal(code, 13);
		assert.match(stderr, /^Root password: \*{6}\nRemove a colony .*\nType YES to go on: colonies: The answer was not YES; nothing was changed\.\n/);
	});
});

test('a private key is typed unseen', async () => {
	const {identity, privateKey} = createIdentity();
	const user = freshHome();
	const {code, stdout, stderr} = await typing(['keychain', 'add'], [`${privateKey}\r`], user);
	assert.deepEqual({code, stdout, stderr}, {code: 0, stdout: `${identity.id}\n`, stderr: `Private key: ${'*'.repeat(64)}\n`});
	assert.ok(await user.keychain.has(identity.id));
});

const program = fileURLToPath(new URL('../cli.tsx', import.meta.url));

test('a password on the command line does not stay in the list of processes', {skip: process.platform !== 'linux' && 'There is no /proc to read it from.'}, async () => {
	const child = spawn(process.execPath, ['--import', 'tsx', program, 'database', 'drop', '--dbhost', 'nowhere.example', '--dbpassword', 'hunter2'], {
		cwd: path.dirname(program), env: {...process.env, COLONIES_HOME: temporaryFolder()}, stdio: 'pipe',
	});
	const ended = once(child, 'exit');
	let said = '';
	for await (const chunk of child.stderr) {
		said += String(chunk);
		if (said.includes('Type YES')) {
			break;
		}
	}

	const shown = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
	// Not `end`: it goes on although whoever answered keeps the pipe open.
	child.stdin.write('no\n');
	assert.deepEqual(await ended, [13, null]);
	child.stdin.destroy();
	assert.equal(shown.replaceAll('\0', ''), 'colonies');
	assert.doesNotMatch(said, /hunter2/);
});

suite('a real terminal', () => {
	const open = (folder: string) => openTerminal({command: [process.execPath, '--import', 'tsx', program, 'keychain', 'add'], cwd: path.dirname(program), env: {COLONIES_HOME: folder}});

	test('shows stars, and is as before afterwards', async () => {
		const {identity, privateKey} = createIdentity();
		const terminal = open(temporaryFolder());
		await terminal.until('Private key:');
		terminal.type(privateKey);
		terminal.press('enter');
		assert.equal((await terminal.exit()).code, 0);
		assert.match(terminal.raw(), new RegExp(identity.id));
		assert.ok(!terminal.raw().includes(privateKey));
		const {echo, lineMode} = await terminal.sanity();
		assert.deepEqual({echo, lineMode}, {echo: true, lineMode: true});
		await terminal.close();
	});

	test('is as before after ctrl-c and after a signal, too', async () => {
		for (const end of ['ctrl-c', 'SIGTERM'] as const) {
			const terminal = open(temporaryFolder());
			await terminal.until('Private key:');
			terminal.type('abc');
			await terminal.until('***');
			if (end === 'ctrl-c') {
				terminal.press(end);
			} else {
				terminal.signal(end);
			}

			const {code, signal} = await terminal.exit();
			assert.ok(end === 'ctrl-c' ? code === 13 : signal === 'SIGTERM', `${code} ${signal}`);
			const {echo, lineMode} = await terminal.sanity();
			assert.deepEqual({echo, lineMode}, {echo: true, lineMode: true}, end);
			await terminal.close();
		}
	});
});
