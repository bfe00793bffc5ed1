import assert from 'node:assert/strict';
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, createWriteStream, existsSync, openSync} from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {Readable, Writable} from 'node:stream';
import {suite, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import type {Process} from '../source/core/types.ts';
import {runCommand, type World} from '../source/commands/index.ts';
import {createLog} from '../source/server/log.ts';
import type {Visit} from '../source/server/visit.ts';
import {
	examples, openSettled, temporaryFolder, worldOf,
} from './support/commands.ts';

const skip = existsSync('/dev/full') ? false : 'There is no /dev/full here.';
const settled = skip ? undefined : await openSettled();

/** Runs a command whose standard output goes where there is no room. */
async function onFullDisk(words: readonly string[], input = '') {
	const {contexts, home} = settled!;
	const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)]);
	// As standard output is: an error does not end it.
	const stdout = createWriteStream('/dev/full', {autoDestroy: false} as object);
	stdout.on('error', () => undefined);
	const world: World = {...worldOf(contexts, home, {stdin}), stdout};
	const code = await runCommand(words, world);
	await new Promise<void>(resolve => {
		stdout.once('close', () => {
			resolve();
		}).destroy();
	});
	return {code, stderr: (world.stderr as unknown as {text: string}).text};
}

const unwritten = 'colonies: The answer could not be written to standard output: no space left on device.';

/** A pipe whose reader has gone after the first line. */
class OneLine extends Writable {
	lines = 0;

	override _write(_chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
		this.lines++;
		done(this.lines > 1 ? Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}) : undefined);
	}
}

suite('a command whose answer has no room', {skip}, () => {
	const spec = () => JSON.stringify({targetcolonyid: settled!.colony, computertype: 'full'});
	const count = async () => (JSON.parse((await settled!.run(['process', 'psw', '--colonyid', settled!.colony, '--count', '100', '--output', 'json'])).stdout) as Process[]).length;
	const failed = async (type: string) => (JSON.parse((await settled!.run(['process', 'ls', '--colonyid', settled!.colony, '--state', 'failed', '--filter', `type:${type}`, '--output', 'json'])).stdout) as Process[]).length;

	test('says so when it only reads, in a sentence and with an exit code of its own', async () => {
		for (const words of [['process', 'ls', '--colonyid', settled!.colony], ['keychain', 'ls'], ['help'], ['--version'], ['completion', 'bash']]) {
			assert.deepEqual(await onFullDisk(words), {code: 11, stderr: `${unwritten}\nMake room there, or write it elsewhere.\n`}, words.join(' '));
		}
	});

	test('says that what it was to change is done, and the id of what it made', async () => {
		const {code, stderr} = await onFullDisk(['process', 'submit', '--spec', '-'], spec());
		assert.equal(code, 11);
		const [, processid] = /^colonies: The answer could not be written to standard output: no space left on device\. It was done; the id is ([\da-f]{64})\.\nIt need not be done again\.\n$/.exec(stderr)!;
		const {stdout} = await settled!.run(['process', 'get', '--colonyid', settled!.colony, '--processid', processid!]);
		assert.equal((JSON.parse(stdout) as Process).computertype, 'full');

		const registered = await onFullDisk(['computer', 'register', '--colonyid', settled!.colony, '--spec', path.join(examples, 'computer.json')]);
		assert.equal(registered.code, 11);
		const [, computerid] = /It was done; the id is ([\da-f]{64})\.\n/.exec(registered.stderr)!;
		assert.equal((await settled!.home.keychain.identity(computerid!)).id, computerid);
		assert.equal((await onFullDisk(['computer', 'approve', '--colonyid', settled!.colony, '--computerid', computerid!, '--output', 'json'])).stderr.split('\n')[0], `${unwritten} It was done.`);

		const key = 'd6eb959e9aec2e6fdc44b5862b269e987b8a4d6f2baca542d8acaa97ee5e74f6';
		assert.match((await onFullDisk(['keychain', 'add'], key)).stderr, /The key is kept; its id is [\da-f]{64}\./);
	});

	test('says how many of a list are done', async () => {
		const before = await count();
		const {code, stderr} = await onFullDisk(['process', 'submit', '--spec', '-'], `[${spec()},${spec()},${spec()}]`);
		assert.equal(code, 11);
		assert.match(stderr, / 3 of 3 were done\.\n/);
		assert.equal(await count(), before + 3);
	});

	test('carries a plan out to its end, and says how it went', async () => {
		await settled!.run(['process', 'submit', '--spec', '-'], JSON.stringify(Array.from({length: 4}, () => ({targetcolonyid: settled!.colony, computertype: 'planned'}))));
		for (const output of [[], ['--output', 'json']]) {
			const {code, stderr} = await onFullDisk(['process', 'cancel', '--colonyid', settled!.colony, '--filter', 'state:waiting type:planned', '--yes', ...output]);
			assert.equal(code, 11);
			assert.match(stderr, /no space left on device\. 4 done\.\nIt need not be done again\.\n$/);
			assert.equal(await failed('planned'), 4);
			await settled!.run(['process', 'retry', '--colonyid', settled!.colony, '--filter', 'state:failed type:planned', '--yes']);
		}
	});

	test('carries a plan out to its end, too, when its reader leaves', async () => {
		await settled!.run(['process', 'submit', '--spec', '-'], JSON.stringify(Array.from({length: 30}, () => ({targetcolonyid: settled!.colony, computertype: 'left'}))));
		const {contexts, home} = settled!;
		const stdout = new OneLine();
		const world = {...worldOf(contexts, home), stdout};
		assert.equal(await runCommand(['process', 'cancel', '--colonyid', settled!.colony, '--filter', 'state:waiting type:left', '--yes', '--rate', '1000'], world), 0);
		assert.match(world.stderr.text, /\n30 done\.\n$/);
		assert.equal((JSON.parse((await settled!.run(['process', 'ls', '--colonyid', settled!.colony, '--state', 'failed', '--filter', 'type:left', '--count', '50', '--output', 'json'])).stdout) as Process[]).length, 30);
	});
});

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** Starts the program in a home of its own, on its embedded database. */
function start(words: readonly string[], {home, stdout, stderr}: {home: string; stdout: 'pipe' | 'ignore' | number; stderr: 'pipe' | 'ignore' | number}): ChildProcess {
	return spawn(process.execPath, [program, ...words], {env: {...process.env, COLONIES_HOME: home, COLONIES_ROOT_PASSWORD: 'secret'}, stdio: ['ignore', stdout, stderr]});
}

const statusOf = async (place: string): Promise<number> => new Promise((resolve, reject) => {
	http.get(`${place}/healthz`, {agent: false}, response => {
		response.resume().once('end', () => {
			resolve(response.statusCode!);
		});
	}).once('error', reject);
});

/** Asks a server many times, then ends it. */
async function staysUp(server: ChildProcess, place: string): Promise<void> {
	const exited = once(server, 'exit');
	for (let index = 0; index < 20; index++) {
		assert.equal(await statusOf(place), 200);
	}

	server.kill('SIGTERM');
	assert.deepEqual(await exited, [0, null]);
}

const firstLine = async (stream: Readable, wanted: RegExp): Promise<string> => {
	for await (const line of createInterface({input: stream})) {
		const found = wanted.exec(line);
		if (found) {
			return found[0];
		}
	}

	throw new Error('It ended before it listened.');
};

suite('the program itself', {skip}, () => {
	const home = skip ? '' : temporaryFolder();
	const words = ['server', 'start', '--plain', '--port', '0', '--log'];
	const full = (use: (fd: number) => ChildProcess): ChildProcess => {
		const fd = openSync('/dev/full', 'w');
		try {
			return use(fd);
		} finally {
			closeSync(fd);
		}
	};

	test('serves on when there is no room for its log', async () => {
		const server = full(stderr => start(words, {home, stdout: 'pipe', stderr}));
		await staysUp(server, await firstLine(server.stdout!, /^http:\S+/));
	});

	test('serves on when whoever read its log has gone', async () => {
		const server = start(words, {home, stdout: 'pipe', stderr: 'pipe'});
		const place = await firstLine(server.stdout!, /^http:\S+/);
		server.stderr!.destroy();
		await staysUp(server, place);
	});

	test('serves where nobody can read on which address', async () => {
		const server = full(stdout => start(words, {home, stdout, stderr: 'pipe'}));
		const place = await firstLine(server.stderr!, /http:\S+\d(?=, for programs)/);
		server.stderr!.resume();
		await staysUp(server, place);
	});

	test('prints its picture, or says that it cannot', async () => {
		const console = full(stdout => start([], {home, stdout, stderr: 'pipe'}));
		const exited = once(console, 'exit');
		let said = '';
		console.stderr!.setEncoding('utf8').on('data', (text: string) => {
			said += text;
		});
		assert.deepEqual(await exited, [11, null], said);
		assert.equal(said, `${unwritten}\nMake room there, or write it elsewhere.\n`);
	});
});

const visit = {id: 'a', started: 0, route: '/healthz', client: {address: '127.0.0.1'}} as unknown as Visit;
const request = {method: 'GET'} as unknown as http.IncomingMessage;
const response = {headersSent: true, statusCode: 200} as unknown as http.ServerResponse;

test('a log whose reader stands still keeps a bounded part of what it was told, and says then how much it lost', async () => {
	const held: Array<() => void> = [];
	const text: string[] = [];
	let isStill = true;
	const stream = new Writable({
		write(chunk: Uint8Array, _encoding, done) {
			text.push(Buffer.from(chunk).toString());
			if (isStill) {
				held.push(done);
			} else {
				done();
			}
		},
	});
	const log = createLog(stream);
	for (let index = 0; index < 50_000; index++) {
		log.request(request, response, visit);
	}

	assert.ok(stream.writableLength < 5_000_000, `${stream.writableLength} bytes wait`);
	isStill = false;
	held[0]!();
	while (stream.writableLength > 0) {
		await new Promise(setImmediate);
	}

	log.request(request, response, visit);
	const lines = text.join('').trim().split('\n').map(line => JSON.parse(line) as {lost?: number; msg: string});
	const lost = lines.find(line => line.lost !== undefined)!;
	assert.equal(lost.msg, 'Lines of this log were lost: they could not be written.');
	assert.equal(lines.length - 1 + lost.lost!, 50_001);
});
