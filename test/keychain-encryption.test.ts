import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {runCommand} from '../source/commands/index.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openKeychain, passphraseFrom, type Keychain} from '../source/keychain/index.ts';
import {contextsOn, freshHome, temporaryFolder, worldOf} from './support/commands.ts';
import {openMemory} from './support/databases.ts';

type Case = {folder: string; keys: Map<string, string>; open: (passphrase?: string | (() => Promise<string>)) => Keychain; files: () => Record<string, string>};

/** A keychain with three keys. */
async function openCase(): Promise<Case> {
	const folder = temporaryFolder();
	const open = (passphrase?: string | (() => Promise<string>)) => openKeychain({folder, ...(passphrase !== undefined && {passphrase: typeof passphrase === 'string' ? async () => passphrase : passphrase})});
	const keys = new Map<string, string>();
	for (let count = 0; count < 3; count++) {
		const {privateKey, identity} = createIdentity();
		await open().add(privateKey);
		keys.set(identity.id, privateKey);
	}

	const files = () => Object.fromEntries(fs.readdirSync(path.join(folder, 'keys')).map(name => [name, fs.readFileSync(path.join(folder, 'keys', name), 'utf8')]));
	return {folder, keys, open, files};
}

test('an encrypted key is opened by its passphrase alone, signs as before, and its file holds nothing of it', async () => {
	const {keys, open, files} = await openCase();
	const ids = [...keys.keys()].sort();
	assert.deepEqual((await open().encrypt('correct horse')).sort(), ids);
	const all = JSON.stringify(files());
	for (const [id, key] of keys) {
		assert.ok(!all.includes(key) && !all.includes(Buffer.from(key, 'hex').toString('base64')));
		assert.equal(await open('correct horse').privateKey(id), key);
		const {id: signer} = await open('correct horse').identity(id);
		assert.equal(signer, id);
	}

	for (const entry of await open().list()) {
		assert.deepEqual(entry, {id: entry.id, encrypted: true});
	}

	assert.equal(await open().isEncrypted(), true);
	assert.deepEqual(await open().encrypt('correct horse'), []);
});

test('a passphrase that is wrong or missing is one sentence, changes no file, and is asked for again', async () => {
	const {keys, open, files} = await openCase();
	const [id] = keys.keys();
	await open().encrypt('correct horse');
	const before = files();
	const wrong = {code: 'unauthenticated', message: `The passphrase does not open the key of ${id!.slice(0, 4)}..${id!.slice(-4)}.`};
	await assert.rejects(open('wrong').identity(id!), wrong);
	await assert.rejects(open('wrong').decrypt(), {code: 'unauthenticated'});
	await assert.rejects(open('wrong').changePassphrase('next'), {code: 'unauthenticated', message: 'The passphrase opens no key of the keychain.'});
	await assert.rejects(open('wrong').create(), {code: 'unauthenticated'});
	await assert.rejects(open('wrong').encrypt('wrong'), {code: 'unauthenticated', message: 'Other keys are encrypted already, and this is not their passphrase.'});
	await assert.rejects(open().identity(id!), {code: 'unauthenticated', message: 'The keys are encrypted, and no passphrase was given.'});
	assert.deepEqual(files(), before);
	const typed = ['wrong', 'correct horse'];
	const keychain = open(async () => typed.shift()!);
	await assert.rejects(keychain.unlock(), {code: 'unauthenticated'});
	await keychain.unlock();
	// Asked once from then on.
	assert.equal((await keychain.identity(id!)).id, id);
	assert.deepEqual(typed, []);
});

test('a new key goes under the passphrase of the others, and one that differs is refused', async () => {
	const {open, files} = await openCase();
	await open().encrypt('correct horse');
	const {identity} = await open('correct horse').create();
	assert.match(files()[`${identity.id}.json`]!, /"encrypted"/);
	assert.equal((await open('correct horse').identity(identity.id)).id, identity.id);
});

test('the passphrase is changed, and taken away', async () => {
	const {keys, open, files} = await openCase();
	const before = files();
	await open().encrypt('correct horse');
	const {changed, left} = await open('correct horse').changePassphrase('battery staple');
	assert.deepEqual([changed.length, left], [3, []]);
	for (const [id, key] of keys) {
		await assert.rejects(open('correct horse').identity(id), {code: 'unauthenticated'});
		assert.equal(await open('battery staple').privateKey(id), key);
	}

	await open('battery staple').decrypt();
	assert.deepEqual(files(), before);
});

test('a change of passphrase that was cut short leaves each key under one of the two, and is finished by another', async () => {
	const {keys, folder, open, files} = await openCase();
	await open().encrypt('correct horse');
	const before = files();
	await open('correct horse').changePassphrase('battery staple');
	// As if it had ended after the first file.
	const [, ...rest] = Object.entries(before);
	for (const [name, text] of rest) {
		fs.writeFileSync(path.join(folder, 'keys', name), text);
	}

	const {changed, left} = await open('correct horse').changePassphrase('battery staple');
	assert.deepEqual([changed.length, left.length], [2, 1]);
	for (const [id, key] of keys) {
		assert.equal(await open('battery staple').privateKey(id), key);
	}
});

test('a file that was altered, or is that of another key, opens no more and is not written over', async () => {
	const {keys, folder, open, files} = await openCase();
	await open().encrypt('correct horse');
	const [one, other] = [...keys.keys()] as [string, string];
	const fileOf = (id: string) => path.join(folder, 'keys', `${id}.json`);
	const good = files()[`${one}.json`]!;
	fs.writeFileSync(fileOf(one), files()[`${other}.json`]!);
	await assert.rejects(open('correct horse').identity(one), {code: 'unauthenticated'});
	const flipped = JSON.parse(good) as {encrypted: {text: string}};
	flipped.encrypted.text = Buffer.from(Buffer.from(flipped.encrypted.text, 'base64').map((byte, index) => index === 0 ? byte ^ 1 : byte)).toString('base64'); // eslint-disable-line no-bitwise
	fs.writeFileSync(fileOf(one), JSON.stringify(flipped));
	await assert.rejects(open('correct horse').identity(one), {code: 'unauthenticated'});
	for (const change of [{n: 2 ** 30}, {n: 3}, {version: 2}, {kdf: 'md5'}, {tag: 'x'}, {nonce: ''}]) {
		const {encrypted} = JSON.parse(good) as {encrypted: object};
		fs.writeFileSync(fileOf(one), JSON.stringify({encrypted: {...encrypted, ...change}}));
		await assert.rejects(open('correct horse').identity(one), {code: 'damaged'});
		const entries = await open().list();
		assert.equal(entries.find(({id}) => id === one)!.damaged, true);
	}
});

test('commands take the passphrase from the environment or a file descriptor, and say what they did', async t => {
	const database = await openMemory();
	t.after(async () => database.close());
	const home = freshHome();
	const file = path.join(temporaryFolder(), 'passphrase');
	fs.writeFileSync(file, 'battery staple\nmore\n');
	const run = async (words: string[], env: Record<string, string> = {}) => {
		const keychain = openKeychain({folder: home.folders.config, passphrase: passphraseFrom(env)});
		const world = worldOf(contextsOn(database), {...home, keychain}, {env});
		const code = await runCommand(words, world);
		return {code, stdout: world.stdout.text, stderr: world.stderr.text};
	};

	const {stdout} = await run(['keychain', 'add', '--prvkey', createIdentity().privateKey]);
	const id = stdout.trim();
	assert.deepEqual(await run(['keychain', 'passwd']), {code: 2, stdout: '', stderr: 'colonies: No key is encrypted.\nEncrypt them: colonies keychain encrypt\n'});
	const missing = await run(['keychain', 'encrypt']);
	assert.deepEqual([missing.code, missing.stderr.split('\n')[0]], [3, 'colonies: The new passphrase is missing.']);
	const encrypted = await run(['keychain', 'encrypt'], {COLONIES_PASSPHRASE: 'short'});
	assert.deepEqual([encrypted.code, encrypted.stderr], [0, 'A passphrase of fewer than 12 characters can be guessed by anyone who has the files.\nEncrypted 1 key. New keys are encrypted too.\n']);
	assert.match((await run(['keychain', 'ls', '--output', 'table'])).stdout, /encrypted/i);
	assert.equal((await run(['keychain', 'privatekey', '--id', id])).code, 3);
	const descriptor = fs.openSync(file, 'r');
	t.after(() => {
		fs.closeSync(descriptor);
	});
	const changed = await run(['keychain', 'passwd'], {COLONIES_PASSPHRASE: 'short', COLONIES_NEW_PASSPHRASE_FD: String(descriptor)});
	assert.deepEqual([changed.code, changed.stderr], [0, 'Changed the passphrase of 1 key.\n']);
	assert.equal((await run(['keychain', 'privatekey', '--id', id], {COLONIES_PASSPHRASE: 'battery staple'})).code, 0);
	const bad = await run(['keychain', 'decrypt'], {COLONIES_PASSPHRASE_FD: 'x'});
	assert.deepEqual([bad.code, bad.stderr.split('\n')[0]], [2, 'colonies: COLONIES_PASSPHRASE_FD is "x", and nothing can be read there.']);
	assert.deepEqual(await run(['keychain', 'decrypt'], {COLONIES_PASSPHRASE: 'battery staple'}), {code: 0, stdout: '', stderr: 'Decrypted 1 key.\n'});
	assert.equal((await run(['keychain', 'privatekey', '--id', id])).code, 0);
});
