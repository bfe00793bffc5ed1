import assert from 'node:assert/strict';
import {once} from 'node:events';
import {
	spawn, spawnSync, type ChildProcess, type SpawnOptions,
} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {afterEach, beforeEach, test} from 'node:test';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {createIdentity} from '../source/identity/index.ts';
import {openKeychain, openSettings} from '../source/keychain/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const writers = Array.from({length: 16}, (_, index) => index);

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
	children = [];
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'colonies-processes-'));
});

afterEach(() => {
	for (const child of children) {
		child.kill('SIGKILL');
	}

	fs.rmSync(folder, {recursive: true, force: true});
});

/** Arguments of a Node that runs `body` with `keychain` and `settings` opened on the folder, and prints what goes wrong as `code: message`. */
const program = (body: string, where = folder): string[] => ['--import', 'tsx', '--input-type=module', '-e', `
	import {openKeychain, openSettings} from './source/keychain/index.ts';
	const [keychain, settings] = [openKeychain({folder: ${JSON.stringify(where)}}), openSettings({folder: ${JSON.stringify(where)}})];
	try {
		${body}
	} catch (error) {
		console.log(error.code + ': ' + error.message);
	}
`];

function start(command: string, values: string[], options: SpawnOptions = {}): ChildProcess {
	const child = spawn(command, values, {cwd: root, stdio: ['pipe', 'pipe', 'inherit'], ...options});
	children.push(child);
	return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
	const ended = once(child, 'close');
	const output = await text(child.stdout!);
	await ended;
	return output.trim();
}

/** Starts every program, waits until all have loaded what they need, lets them go at the same moment, and gives what each printed. */
async function race(bodies: string[]): Promise<string[]> {
	const started = bodies.map(body => start(process.execPath, program(`
		await import('conf');
		console.error('ready');
		await new Promise(resolve => process.stdin.once('data', resolve).once('end', resolve));
		process.stdin.destroy();
		${body}
	`), {stdio: 'pipe'}));
	const outputs = started.map(async child => outputOf(child));
	await Promise.all(started.map(async child => once(child.stderr!, 'data')));
	for (const child of started) {
		child.stdin!.end('go\n');
	}

	return Promise.all(outputs);
}

test('sixteen processes that write at once lose no key and no setting', async () => {
	const shared = createIdentity();
	const pairs = writers.map(() => createIdentity());
	const printed = await race(pairs.map(({privateKey, identity: {id}}, index) => `
		await keychain.add('${shared.privateKey}');
		await settings.set('key${index}', ${index});
		await keychain.add('${privateKey}');
		await keychain.describe('${id}', {kind: 'computer', name: 'lab${index}', colonyid: '${shared.identity.id}'});
		await settings.saveContext('context${index}', {kind: 'server', host: 'localhost', port: ${index + 1}});
		const {identity} = await keychain.create();
		await keychain.privateKey('${shared.identity.id}');
		console.log(identity.id);
	`));
	const rows = await openKeychain({folder}).list();
	assert.deepEqual(rows.map(({id}) => id), [...pairs.map(({identity}) => identity.id), shared.identity.id, ...printed].sort());
	assert.ok(rows.every(row => row.damaged === undefined && row.note === undefined));
	assert.deepEqual(rows.flatMap(({label}) => label?.name ?? []).sort(), writers.map(index => `lab${index}`).sort());

	const {contexts, console} = await openSettings({folder}).read();
	assert.deepEqual(console, Object.fromEntries(writers.map(index => [`key${index}`, index])));
	assert.deepEqual(Object.keys(contexts).sort(), writers.map(index => `context${index}`).sort());
	assert.deepEqual(fs.readdirSync(folder).sort(), ['keys', 'labels', 'settings.json']);
	assert.equal(fs.readdirSync(path.join(folder, 'keys')).length, 33);
});

test('a key that was acknowledged outlives a process killed in the midst of writing', async () => {
	for (const kills of [1, 5, 20]) {
		const child = start(process.execPath, program('for (;;) console.log((await keychain.create()).identity.id);'));
		const lines = createInterface({input: child.stdout!});
		const acknowledged: string[] = [];
		for await (const line of lines) {
			acknowledged.push(line);
			if (acknowledged.length === kills) {
				child.kill('SIGKILL');
			}
		}

		const rows = await openKeychain({folder}).list();
		const whole = new Set(rows.filter(row => !row.damaged).map(({id}) => id));
		assert.ok(acknowledged.length >= kills && acknowledged.every(id => whole.has(id)));
		assert.equal(whole.size, rows.length);
	}
});

test('settings that no longer fit on the disk stay as they were', {skip: process.platform === 'win32' && 'Windows has no ulimit'}, async () => {
	const settings = openSettings({folder});
	await settings.set('before', 'kept');
	// A limit on the size of files cuts a write short just as a full disk does: the call succeeds with fewer bytes.
	const quoted = program('await settings.set(\'notes\', \'x\'.repeat(10_000)); console.log(\'kept\');').map(each => `'${each.replaceAll('\'', String.raw`'\''`)}'`);
	const output = await outputOf(start('bash', ['-c', `TSX_DISABLE_CACHE=1; export TSX_DISABLE_CACHE; ulimit -f 4; ${process.execPath} ${quoted.join(' ')}`]));
	assert.match(output, /^disk-full: There is no space left to write .*settings\.json\.$/);
	assert.deepEqual(await settings.read(), {contexts: {}, current: undefined, console: {before: 'kept'}});
	assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
});

const mount = (body: string): string => `mount -t tmpfs -o size=16k none "$1" && shift && ${body}`;
const canMount = process.platform === 'linux' && spawnSync('unshare', ['-rm', 'sh', '-c', mount('true'), 'sh', os.tmpdir()]).status === 0;

test('a key that has no room on a full disk is not acknowledged', {skip: !canMount && 'This needs a file system of its own.'}, async () => {
	const body = `
		const {identity} = await keychain.create();
		try { (await import('node:fs')).writeFileSync(${JSON.stringify(path.join(folder, 'filler'))}, Buffer.alloc(100_000)); } catch {}
		let failure;
		try { await keychain.create(); } catch (error) { failure = error; }
		const rows = await keychain.list();
		console.log(failure?.code, rows.length, rows[0].id === identity.id && !rows[0].damaged);
	`;
	const output = await outputOf(start('unshare', ['-rm', 'sh', '-c', mount('exec "$@"'), 'sh', folder, process.execPath, ...program(body)]));
	assert.equal(output, 'disk-full 1 true');
});

test('a folder that may not be written to is said to be so, at once', {skip: process.platform === 'win32' && 'Windows has no file modes'}, async () => {
	const {identity} = await openKeychain({folder}).create();
	// Root may write anywhere, so the program runs as nobody when the tests run as root.
	const [nobody, options] = process.getuid!() === 0 ? [65_534, {uid: 65_534, gid: 65_534}] : [process.getuid!(), {}];
	for (const name of ['keys', `keys/${identity.id}.json`, '']) {
		fs.chownSync(path.join(folder, name), nobody, process.getgid!());
	}

	fs.chmodSync(path.join(folder, 'keys'), 0o500);
	fs.chmodSync(folder, 0o500);
	const body = `
		console.log((await keychain.identity('${identity.id}')).id);
		for (const change of [() => keychain.create(), () => keychain.remove('${identity.id}'), () => settings.set('sort', 1)]) {
			try { await change(); } catch (error) { console.log(error.code + ': ' + error.message); }
		}
	`;
	const env = {...process.env, TSX_DISABLE_CACHE: '1'};
	const [id, ...failures] = (await outputOf(start(process.execPath, program(body), {env, ...options}))).split('\n');
	fs.chmodSync(folder, 0o700);
	assert.equal(id, identity.id);
	assert.equal(failures.length, 3);
	assert.match(failures[0]!, /^invalid-input: .*keys cannot be written to: permission is denied\.$/);
	assert.match(failures[1]!, /^invalid-input: .*\.json cannot be written to: permission is denied\.$/);
	assert.match(failures[2]!, /^invalid-input: .* cannot be written to: permission is denied\.$/);
});
