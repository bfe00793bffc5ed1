/* eslint-disable @typescript-eslint/no-loop-func -- the settings are one and the same during a test */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeEach, test} from 'node:test';
import {inspect} from 'node:util';
import fc from 'fast-check';
import {ColoniesError, type ErrorCode} from '../source/core/errors.ts';
import {openSettings, type SavedContext, type Settings} from '../source/keychain/index.ts';
import {withLock} from '../source/keychain/lock.ts';

const password = 'rFcLGNkgsNtksg6Pgtn9CumL4xXBQ7';
const database: SavedContext = {
	kind: 'database', host: 'localhost', port: 5432, user: 'postgres', password, database: 'postgres', ssl: true,
};
const server: SavedContext = {
	kind: 'server', host: 'colonies.example', port: 8080, fingerprint: 'ab12',
};
const edge = 'edge.example:8080';
const posix = {skip: process.platform === 'win32' && 'Windows has no file modes'};

let folder: string;
let file: string;
let lock: string;
let warnings: string[];
let settings: Settings;

beforeEach(() => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'colonies-settings-'));
	file = path.join(folder, 'settings.json');
	lock = path.join(folder, 'settings.lock');
	warnings = [];
	settings = openSettings({folder, warn: message => warnings.push(message)});
});

afterEach(() => {
	fs.rmSync(folder, {recursive: true, force: true});
});

async function fails(ask: () => Promise<unknown>, code: ErrorCode, pattern: RegExp): Promise<void> {
	await assert.rejects(ask, (error: unknown) => {
		assert.ok(error instanceof ColoniesError, inspect(error));
		assert.equal(error.code, code);
		assert.match(error.message, pattern);
		assert.ok(error.hint, 'It says what to do next.');
		assert.ok(!inspect(error, {depth: 20, showHidden: true}).includes(password), 'It does not show the password.');
		return true;
	});
}

test('without a file there are no contexts and no settings, and asking makes none', async () => {
	assert.deepEqual(await settings.read(), {contexts: {}, current: undefined, console: {}});
	assert.equal(await settings.get('sort'), undefined);
	assert.deepEqual(fs.readdirSync(folder), []);
});

test('contexts and the current one are kept in a file closed to others', posix, async () => {
	await settings.saveContext('prod', database, {use: true});
	await settings.saveContext(edge, server);
	const again = openSettings({folder});
	assert.deepEqual(await again.read(), {contexts: {prod: database, [edge]: server}, current: 'prod', console: {}});
	assert.equal(fs.statSync(file).mode & 0o777, 0o600); // eslint-disable-line no-bitwise
	assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
	await again.useContext(edge);
	await again.saveContext('prod', server);
	const {current, contexts} = await settings.read();
	assert.deepEqual([current, contexts.prod], [edge, server]);
});

test('a forgotten context is not the current one either', async () => {
	await settings.saveContext('prod', database, {use: true});
	await settings.saveContext('edge', server);
	assert.equal(await settings.forgetContext('edge'), true);
	assert.equal(await settings.forgetContext('edge'), false);
	assert.deepEqual(await settings.read(), {contexts: {prod: database}, current: 'prod', console: {}});
	assert.equal(await settings.forgetContext('prod'), true);
	assert.deepEqual(await settings.read(), {contexts: {}, current: undefined, console: {}});
	await settings.saveContext('prod', database, {use: true});
	await settings.useContext(undefined);
	assert.deepEqual(await settings.read(), {contexts: {prod: database}, current: undefined, console: {}});
});

test('a context that is none is refused before anything is written', async () => {
	await fails(async () => settings.saveContext('prod', {...database, port: 0}), 'invalid-input', /port should be/);
	await fails(async () => settings.saveContext('prod', {...server, host: ''}), 'invalid-input', /host should be/);
	await fails(async () => settings.useContext('nobody'), 'invalid-input', /no context "nobody"/);
	for (const name of ['', ' ', '__proto__', 'constructor', 'a\u001Bb', 'x'.repeat(201)]) {
		await fails(async () => settings.saveContext(name, server), 'invalid-input', /cannot be a name/);
	}

	assert.deepEqual(fs.readdirSync(folder), []);
});

test('any JSON value under any printable key comes back, beside all others', async () => {
	const key = fc.string({minLength: 1, maxLength: 20}).filter(text => text.trim() !== '' && !['__proto__', 'constructor', 'prototype'].includes(text));
	// Through JSON once, for it has no -0.
	const value = fc.option(fc.json().map(json => JSON.parse(json) as unknown), {nil: undefined});
	const model = new Map<string, unknown>();
	await fc.assert(fc.asyncProperty(key, value, async (key, value) => {
		await settings.set(key, value);
		if (value === undefined) {
			model.delete(key);
		} else {
			model.set(key, value);
		}

		assert.deepEqual(await settings.get(key), value);
		const {console} = await settings.read();
		assert.deepEqual(console, Object.fromEntries(model));
	}), {numRuns: 50});
});

test('changes that are not waited for happen in the order they were asked for', async () => {
	const numbers = Array.from({length: 30}, (_, index) => index);
	await Promise.all(numbers.map(async index => settings.set('sort', index)));
	assert.equal(await settings.get('sort'), 29);
});

test('a change that fails does not stop the next one', async () => {
	const [first, second] = await Promise.allSettled([settings.useContext('nobody'), settings.set('sort', 'WAIT')]);
	assert.deepEqual([first.status, second.status], ['rejected', 'fulfilled']);
	assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
});

const faults: Record<string, [contents: string, reason: RegExp]> = {
	'an empty file': ['', /is empty/],
	'a file cut short': [`{"contexts":{"prod":{"password":"${password}"`, /not JSON/],
	'a list': ['[]', /no JSON object/],
	'contexts that are a text': ['{"contexts":"prod"}', /contexts should be Object/],
	'a context of an unknown kind': ['{"contexts":{"prod":{"kind":"carrier pigeon"}}}', /contexts\.prod\.kind should be/],
	'a port that is a text': [JSON.stringify({contexts: {prod: {...database, port: password}}}), /contexts\.prod\.port should be number/],
	'a current context that is a number': ['{"current":1}', /current should be string/],
};

for (const [fault, [contents, reason]] of Object.entries(faults)) {
	test(`${fault} is damaged: named, and kept as it is`, async () => {
		fs.writeFileSync(file, contents, {mode: 0o600});
		await fails(async () => settings.read(), 'damaged', reason);
		await fails(async () => settings.get('sort'), 'damaged', /settings\.json/);
		await fails(async () => settings.set('sort', 1), 'damaged', reason);
		await fails(async () => settings.saveContext('prod', server), 'damaged', reason);
		assert.equal(fs.readFileSync(file, 'utf8'), contents);
		assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
	});
}

test('what a newer version keeps in the file stays there', async () => {
	fs.writeFileSync(file, JSON.stringify({later: {a: 1}, contexts: {prod: {...server, later: true}}}));
	await settings.set('sort', 'ID');
	await settings.saveContext('edge', server, {use: true});
	assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), {
		later: {a: 1}, contexts: {prod: {...server, later: true}, edge: server}, console: {sort: 'ID'}, current: 'edge',
	});
});

test('settings that are a link stay one', posix, async () => {
	fs.mkdirSync(path.join(folder, 'dotfiles'));
	const target = path.join(folder, 'dotfiles', 'colonies.json');
	fs.writeFileSync(target, '{"current":"prod"}');
	fs.symlinkSync(target, file);
	await settings.set('sort', 'ID');
	assert.equal(fs.readlinkSync(file), target);
	assert.deepEqual(JSON.parse(fs.readFileSync(target, 'utf8')), {current: 'prod', console: {sort: 'ID'}});
});

test('settings found open to others are closed, and that is said', posix, async () => {
	fs.writeFileSync(file, '{}');
	fs.chmodSync(file, 0o640);
	await settings.read();
	assert.equal(fs.statSync(file).mode & 0o777, 0o600); // eslint-disable-line no-bitwise
	assert.match(warnings.join('\n'), /settings\.json was open to other users \(mode 0640\)/);
});

test('the lock of a process that died is taken over at once, its unfinished file goes', async () => {
	const {pid} = spawnSync(process.execPath, ['-e', '']);
	fs.writeFileSync(lock, JSON.stringify({pid, host: os.hostname(), token: 'of the dead'}));
	fs.writeFileSync(`${file}.0a1b2c3d.new`, '{"cont');
	await Promise.all([settings, openSettings({folder}), openSettings({folder})].map(async (each, index) => each.set(`key${index}`, index)));
	assert.deepEqual((await settings.read()).console, {key0: 0, key1: 1, key2: 2});
	assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
});

test('the lock of a living process is waited for', async () => {
	fs.writeFileSync(lock, JSON.stringify({pid: process.pid, host: os.hostname(), token: 'of the living'}));
	let isDone = false;
	const change = (async () => {
		await settings.set('sort', 'ID');
		isDone = true;
	})();
	await settings.read();
	assert.equal(isDone, false);
	fs.rmSync(lock);
	await change;
	assert.equal(await settings.get('sort'), 'ID');
});

test('a lock whose holder cannot be known is taken over only when it is old', async () => {
	fs.writeFileSync(lock, '');
	const minuteAgo = (Date.now() / 1000) - 60;
	fs.utimesSync(lock, minuteAgo, minuteAgo);
	await settings.set('sort', 'ID');
	assert.deepEqual(fs.readdirSync(folder), ['settings.json']);
});

test('whoever lost the lock notices before changing anything, and leaves it to its new holder', async () => {
	const stolen = JSON.stringify({pid: process.pid, host: os.hostname(), token: 'of another'});
	await fails(async () => withLock(lock, async confirm => {
		confirm();
		fs.writeFileSync(lock, stolen);
		confirm();
	}), 'conflict', /Another process changed the settings/);
	assert.equal(fs.readFileSync(lock, 'utf8'), stolen);
});
