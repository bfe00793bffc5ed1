/* eslint-disable @typescript-eslint/no-loop-func -- the keychain is one and the same during a test */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeEach, test} from 'node:test';
import {inspect} from 'node:util';
import {ColoniesError, type ErrorCode} from '../source/core/errors.ts';
import {createIdentity, recover} from '../source/identity/index.ts';
import {openKeychain, type Keychain} from '../source/keychain/index.ts';

// The key pair of colonies.md.
const key = '4b24941ca1d85fb1ff055e81fad7dba97471e756bebc38e03e657c738f0e1224';
const id = '2770116b0d66a71840a4513bec52707c4a26042462b62e0830497724f7d37773';
const label = {kind: 'colony', name: 'mycolony', colonyid: id} as const;
const posix = {skip: process.platform === 'win32' && 'Windows has no file modes'};

let folder: string;
let warnings: string[];
let keychain: Keychain;

beforeEach(() => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'colonies-keychain-'));
	warnings = [];
	keychain = openKeychain({folder, warn: message => warnings.push(message)});
});

afterEach(() => {
	fs.rmSync(folder, {recursive: true, force: true});
});

const fileOf = (name: string): string => path.join(folder, 'keys', `${name}.json`);
const modeOf = (file: string): number => fs.statSync(file).mode & 0o777; // eslint-disable-line no-bitwise

/** Everything that could be printed of a value. */
const shown = (value: unknown): string => [
	inspect(value, {depth: 20, showHidden: true}), JSON.stringify(value), String(value), value instanceof Error ? value.stack : '',
].join('\n');

async function fails(ask: () => Promise<unknown>, code: ErrorCode, pattern: RegExp): Promise<ColoniesError> {
	let error: unknown = 'no error';
	try {
		await ask();
	} catch (error_) {
		error = error_;
	}

	assert.ok(error instanceof ColoniesError, inspect(error));
	assert.equal(error.code, code);
	assert.match(error.message, pattern);
	assert.ok(error.hint, 'It says what to do next.');
	assert.ok(!shown(error).includes(key), 'It does not show the key.');
	return error;
}

test('a new key is on disk, closed to others, before it is returned', posix, async () => {
	const {identity} = await keychain.create();
	const kept = JSON.parse(fs.readFileSync(fileOf(identity.id), 'utf8')) as {privatekey: string};
	assert.match(kept.privatekey, /^[\da-f]{64}$/);
	assert.equal(modeOf(fileOf(identity.id)), 0o600);
	assert.equal(modeOf(path.join(folder, 'keys')), 0o700);
	assert.deepEqual(fs.readdirSync(path.join(folder, 'keys')), [`${identity.id}.json`]);
	const again = await openKeychain({folder}).identity(identity.id);
	assert.equal(recover('test', again.sign('test')), identity.id);
	assert.deepEqual(warnings, []);
});

test('adding a key keeps it once, in whatever case it comes', async () => {
	const identity = await keychain.add(`  ${key.toUpperCase()}\n`);
	assert.equal(identity.id, id);
	assert.equal(await keychain.privateKey(id), key);
	const before = fs.statSync(fileOf(id));
	await keychain.add(key);
	const after = fs.statSync(fileOf(id));
	assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
	assert.deepEqual([await keychain.has(id), await keychain.list()], [true, [{id}]]);
});

test('what is no private key is refused and leaves nothing behind', async () => {
	await fails(async () => keychain.add(`${key}0`), 'invalid-input', /64 hex digits/);
	await fails(async () => keychain.add('0'.repeat(64)), 'invalid-input', /out of the range/);
	assert.deepEqual(fs.readdirSync(folder), []);
});

test('asking creates nothing, and a key that is not there says how to add it', async () => {
	assert.equal(await keychain.has(id), false);
	assert.deepEqual(await keychain.list(), []);
	assert.equal(await keychain.remove(id), false);
	for (const ask of [async () => keychain.identity(id), async () => keychain.privateKey(id), async () => keychain.describe(id, label)]) {
		const error = await fails(ask, 'unauthenticated', /no key for 2770\.\.7773/);
		assert.match(error.hint!, /colonies keychain add/);
	}

	assert.deepEqual(fs.readdirSync(folder), []);
});

test('an id is checked before it becomes a file name', async () => {
	fs.writeFileSync(path.join(folder, 'outside.json'), JSON.stringify({privatekey: key}));
	for (const name of ['../outside', '', id.slice(1), id.toUpperCase(), `${id}/..`, `../keys/${id}`, `${id}\0`, key.toUpperCase()]) {
		for (const ask of [async () => keychain.identity(name), async () => keychain.has(name), async () => keychain.remove(name), async () => keychain.privateKey(name)]) {
			const error = await fails(ask, 'invalid-input', /64 lowercase hex digits/);
			assert.ok(!shown(error).toLowerCase().includes(key), 'A private key given for an id is not shown.');
		}
	}

	assert.ok(fs.existsSync(path.join(folder, 'outside.json')));
});

const other = createIdentity();
const faults: Record<string, [contents: string, reason: RegExp]> = {
	'an empty file': ['', /is empty/],
	'a file cut short': [`{"privatekey":"${key}"`, /not JSON/],
	'a bare key': [key, /not JSON/],
	'a key without quotes': [`{"privatekey":${key}}`, /not JSON/],
	'a text': [`"${key}"`, /no JSON object/],
	'a list': [`["${key}"]`, /no JSON object/],
	null: ['null', /no JSON object/],
	'an object without a key': ['{"key":1}', /no privatekey/],
	'a key that is a number': ['{"privatekey":4}', /no privatekey/],
	'a key that is too short': [`{"privatekey":"${key.slice(1)}"}`, /no private key/],
	'the key of another id': [`{"privatekey":"${other.privateKey}"}`, new RegExp(`belongs to ${other.identity.id.slice(0, 4)}`)],
};

for (const [fault, [contents, reason]] of Object.entries(faults)) {
	test(`${fault} is damaged: named, kept as it is, and nobody's identity`, async () => {
		await keychain.add(other.privateKey);
		fs.writeFileSync(fileOf(id), contents, {mode: 0o600});
		for (const ask of [async () => keychain.identity(id), async () => keychain.privateKey(id), async () => keychain.add(key)]) {
			const error = await fails(ask, 'damaged', reason);
			assert.ok(error.message.includes(fileOf(id)) && !shown(error).includes(other.privateKey) && !shown(error).includes(key.slice(0, 12)));
		}

		await keychain.describe(id, label);
		await keychain.create();
		assert.equal(fs.readFileSync(fileOf(id), 'utf8'), contents);

		const rows = await keychain.list();
		const row = rows.find(row => row.id === id);
		assert.equal(row?.damaged, true);
		assert.match(row.note!, reason);
		assert.deepEqual(rows.filter(row => row.damaged !== true).length, 2);
		assert.equal(await keychain.has(id), true);
		assert.equal(await keychain.remove(id), true);
		assert.ok(await keychain.add(key));
	});
}

test('a folder or a link that leads nowhere in place of a key is damaged, and stays', posix, async () => {
	fs.mkdirSync(fileOf(id), {recursive: true});
	await fails(async () => keychain.add(key), 'damaged', /no file/);
	fs.rmdirSync(fileOf(id));
	fs.symlinkSync('nowhere.json', fileOf(id));
	await fails(async () => keychain.add(key), 'damaged', /leads nowhere/);
	assert.equal(fs.readlinkSync(fileOf(id)), 'nowhere.json');
});

test('a key may be a link to a file that lies elsewhere', posix, async () => {
	const elsewhere = path.join(folder, 'elsewhere');
	fs.writeFileSync(elsewhere, JSON.stringify({privatekey: key}), {mode: 0o600});
	fs.mkdirSync(path.join(folder, 'keys'), {mode: 0o700});
	fs.symlinkSync(elsewhere, fileOf(id));
	assert.ok(await keychain.add(key));
	assert.equal(await keychain.remove(id), true);
	assert.ok(fs.existsSync(elsewhere));
});

test('a key and its folder found open to others are closed, and that is said', posix, async () => {
	await keychain.add(key);
	fs.chmodSync(path.join(folder, 'keys'), 0o755);
	fs.chmodSync(fileOf(id), 0o644);
	await keychain.identity(id);
	assert.equal(modeOf(path.join(folder, 'keys')), 0o700);
	assert.equal(modeOf(fileOf(id)), 0o600);
	assert.equal(warnings.length, 2);
	assert.match(warnings.join('\n'), /keys was open to other users \(mode 0755\)[^]*\.json was open to other users \(mode 0644\)/);
	await keychain.identity(id);
	assert.equal(warnings.length, 2);
});

test('the folder that a person named keeps its mode', posix, async () => {
	fs.chmodSync(folder, 0o755);
	await keychain.create();
	assert.equal(modeOf(folder), 0o755);
});

test('labels say what keys are for; they lie apart, and go with their key', async () => {
	const {identity} = await keychain.create();
	await keychain.add(key);
	await keychain.describe(id, label);
	await keychain.describe(identity.id, {kind: 'computer', name: 'lab1', colonyid: id});
	await keychain.describe(identity.id, {kind: 'computer', name: 'lab2', colonyid: id});
	assert.deepEqual(await keychain.list(), [
		{id, label},
		{id: identity.id, label: {kind: 'computer', name: 'lab2', colonyid: id}},
	].sort((left, right) => left.id < right.id ? -1 : 1));
	await keychain.remove(identity.id);
	assert.deepEqual(fs.readdirSync(path.join(folder, 'labels')), [`${id}.json`]);
});

test('a damaged label is noted and left as it is, and its key goes on working', async () => {
	await keychain.add(key);
	fs.mkdirSync(path.join(folder, 'labels'));
	const labelFile = path.join(folder, 'labels', `${id}.json`);
	fs.writeFileSync(labelFile, '{');
	await fails(async () => keychain.describe(id, label), 'damaged', /labels.*not JSON/);
	assert.equal(fs.readFileSync(labelFile, 'utf8'), '{');
	const [row] = await keychain.list();
	assert.equal(row?.damaged, undefined);
	assert.match(row?.note ?? '', /labels.*not JSON/);
	assert.ok(await keychain.identity(id));
});

test('removing a key also removes what a killed process left of it, and nothing of others', async () => {
	await keychain.add(key);
	const left = [`${id}.json.0a1b2c3d.new`, `${id}.json.0a1b2c3d.new.tmp-1234567890abcdef`];
	const kept = [`${other.identity.id}.json.0a1b2c3d.new`, `${id}.json.backup`];
	for (const name of [...left, ...kept]) {
		fs.writeFileSync(path.join(folder, 'keys', name), '{}');
	}

	assert.deepEqual(await keychain.list(), [{id}]);
	assert.equal(await keychain.remove(id), true);
	assert.deepEqual(fs.readdirSync(path.join(folder, 'keys')).sort(), kept.sort());
});

test('nothing that can be printed shows a private key', async () => {
	const identity = await keychain.add(key);
	for (const value of [keychain, identity, await keychain.list(), await keychain.identity(id), {identity}]) {
		assert.ok(!shown(value).includes(key));
	}
});
