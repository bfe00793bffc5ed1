import assert from 'node:assert/strict';
import path from 'node:path';
import {suite, test} from 'node:test';
import {createIdentity} from '../source/identity/index.ts';
import {
	examples, freshHome, inProcess, openSettled, temporaryFolder, writeInto, type Outcome,
} from './support/commands.ts';

const {contexts, home, run, colony, computer} = await openSettled();
const folder = temporaryFolder();
const stranger = createIdentity();
const keyOf = async (id: string): Promise<string> => home.keychain.privateKey(id);
const [ownerKey, computerKey] = [await keyOf(colony), await keyOf(computer)];
/** The same store, for a user without any key. */
const bare = inProcess(contexts, freshHome());

const short = (id: string): string => `${id.slice(0, 4)}..${id.slice(-4)}`;
const secrets = [ownerKey, computerKey, stranger.privateKey];

async function done(outcome: Promise<Outcome>): Promise<string> {
	const {code, stdout, stderr} = await outcome;
	assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
	return stdout;
}

async function refused(outcome: Promise<Outcome>, code: number, message: string | RegExp): Promise<string> {
	const {code: actual, stdout, stderr} = await outcome;
	assert.deepEqual({code: actual, stdout}, {code, stdout: ''}, stderr);
	const [first] = stderr.split('\n');
	assert.ok(typeof message === 'string' ? first === `colonies: ${message}` : message.test(first!), first);
	assert.ok(secrets.every(secret => !stderr.includes(secret)), stderr);
	return stderr;
}

const spec = writeInto(folder, 'process.json', JSON.stringify({targetcolonyid: colony}));
const list = (...words: string[]): string[] => ['process', 'ls', '--colonyid', colony, ...words];

suite('who signs', () => {
	test('the colony\'s owner, when nobody is named', async () => {
		await done(run(list()));
		await done(run(['process', 'submit', '--spec', spec]));
	});

	test('--id before --computerid, and that before the owner', async () => {
		// Only the computer itself may have a process assigned, and nobody but the owner may approve.
		const {processid} = JSON.parse(await done(run(['process', 'assign', '--colonyid', colony, '--computerid', computer]))) as {processid: string};
		await refused(run(['process', 'assign', '--colonyid', colony]), 4, 'Only an approved computer, for itself, may do this.');
		await refused(run(['process', 'assign', '--colonyid', colony, '--computerid', computer, '--id', colony]), 4, 'Only an approved computer, for itself, may do this.');
		await done(run(['attribute', 'add', '--colonyid', colony, '--processid', processid, '--key', 'k', '--value', '-5', '--computerid', computer]));
		await done(run(['process', 'get', '--colonyid', colony, '--processid', processid, '--computerid', computer]));
		await done(run(['process', 'failed', '--colonyid', colony, '--processid', processid, '--id', computer]));
	});

	test('not the computer that an operation is about', async () => {
		const {stderr} = await run(['computer', 'disapprove', '--colonyid', colony, '--computerid', computer]);
		assert.match(stderr, /^Disapproved/);
		await refused(run(['computer', 'approve', '--colonyid', colony, '--computerid', computer, '--id', computer]), 4, /^colonies: Only the colony owner may do this/);
		assert.equal((await run(['computer', 'approve', '--colonyid', colony, '--computerid', computer])).code, 0);
	});

	test('somebody whose key is not there: how to add it or sign as somebody else', async () => {
		const stderr = await refused(bare(list()), 3, `The keychain holds no key for ${short(colony)}.`);
		assert.match(stderr, /colonies keychain add < keyfile.* --id/);
		await refused(run(['process', 'psw', '--colonyid', colony, '--computerid', stranger.identity.id]), 3, /^colonies: The keychain holds no key/);
	});
});

suite('a key that is given', () => {
	test('signs in place of the keychain', async () => {
		await done(bare(list('--prvkey', ownerKey)));
		await done(bare(list('--colonyprvkey', ownerKey)));
		await done(bare(list('--colonyprvkey', ownerKey.toUpperCase())));
		await done(bare(list('--computerprvkey', computerKey)));
		await done(bare(list('--prvkey', computerKey)));
		await done(bare(list('--prvkey', computerKey, '--id', computer)));
		await done(bare(['process', 'psw', '--colonyid', colony, '--computerid', computer, '--computerprvkey', computerKey]));
		await done(bare(['process', 'psw', '--colonyid', colony, '--computerid', computer, '--colonyprvkey', ownerKey]));
	});

	test('is read from standard input', async () => {
		await done(bare(list('--prvkey', '-'), `${ownerKey}\n`));
		await done(bare(list('--prvkey=-'), `  ${ownerKey}\r\nmore`));
		await refused(bare(list('--prvkey', '-'), ''), 2, 'A private key is 64 hex digits; this has 0 characters.');
		await refused(bare(['process', 'submit', '--spec', '-', '--prvkey', '-'], ownerKey), 2, /^colonies: "?Standard input/);
	});

	test('two things cannot both come from standard input', async () => {
		const piped = JSON.stringify({targetcolonyid: colony});
		await refused(bare(['process', 'submit', '--spec', '-', '--colonyprvkey', '-'], piped), 2, 'Standard input can be read once: for --spec or for --colonyprvkey, not for both.');
		await done(bare(['process', 'submit', '--spec', '-', '--colonyprvkey', ownerKey], piped));
	});

	test('that does not fit the id asked for is refused', async () => {
		await refused(run(list('--prvkey', computerKey, '--id', colony)), 3, `The key given with --prvkey does not fit: it belongs to ${short(computer)}, not to ${short(colony)}.`);
		await refused(run(list('--colonyprvkey', computerKey)), 3, `The key given with --colonyprvkey does not fit: it belongs to ${short(computer)}, not to ${short(colony)}.`);
		await refused(run(['process', 'psw', '--colonyid', colony, '--computerid', computer, '--prvkey', ownerKey]), 3, /--prvkey does not fit/);
		// Its owner may have given the computer another key: the store knows.
		await refused(run(['process', 'assign', '--colonyid', colony, '--computerid', computer, '--computerprvkey', stranger.privateKey]), 4, /is neither the owner nor a computer of the colony/);
		await refused(run(['computer', 'register', '--colonyid', colony, '--colonyprvkey', stranger.privateKey, '--spec', path.join(examples, 'computer.json')]), 3, /--colonyprvkey does not fit/);
	});

	test('that is none is refused, and not shown', async () => {
		for (const [key, message] of [
			[ownerKey.slice(1), 'A private key is 64 hex digits; this has 63 characters.'],
			[`${ownerKey.slice(1)}x`, 'A private key is 64 hex digits; this has 64 characters, some of them not hex digits.'],
			['0'.repeat(64), 'This private key is out of the range of secp256k1.'],
			['f'.repeat(64), 'This private key is out of the range of secp256k1.'],
		] as const) {
			const stderr = await refused(run(list('--prvkey', key)), 2, message);
			assert.ok(!stderr.includes(key));
		}

		await refused(run(list('--prvkey', '')), 2, '--prvkey must not be empty.');
	});

	test('of somebody who may not is refused by the operation', async () => {
		await refused(run(list('--prvkey', stranger.privateKey)), 4, /is neither the owner nor a computer of the colony/);
	});

	test('only one', async () => {
		await refused(run(list('--prvkey', ownerKey, '--colonyprvkey', ownerKey)), 2, '--prvkey and --colonyprvkey exclude each other.');
	});
});

suite('the root password', () => {
	const colonies = ['colony', 'ls'];

	test('comes from its flag or the environment', async () => {
		await done(run([...colonies, '--rootpassword', 'secret']));
		const kept = inProcess(contexts, home, {env: {COLONIES_ROOT_PASSWORD: 'secret'}});
		await done(kept(colonies));
		assert.equal((await kept([...colonies, '--rootpassword', 'wrong'])).code, 3);
	});

	test('wrong or missing', async () => {
		const wrong = await refused(run([...colonies, '--rootpassword', 'a wrong one']), 3, 'The root password is wrong.');
		assert.ok(!wrong.includes('a wrong one'));
		const missing = await refused(run(colonies), 3, 'The root password is missing.');
		assert.match(missing, /COLONIES_ROOT_PASSWORD.*--rootpassword/);
		const empty = inProcess(contexts, home, {env: {COLONIES_ROOT_PASSWORD: ''}});
		await refused(empty(colonies), 3, 'The root password is missing.');
	});

	test('does what root may besides others, only when it is given', async () => {
		const get = ['colony', 'get', '--colonyid', colony];
		await done(bare([...get, '--rootpassword', 'secret']));
		await refused(bare(get), 3, /^colonies: The keychain holds no key/);
		await refused(run([...get, '--rootpassword', 'secret', '--id', colony]), 2, '--rootpassword and --id exclude each other.');
	});

	test('is changed', async () => {
		const change = ['database', 'rootpassword', '--rootpassword', 'secret'];
		await refused(run(change), 3, 'The new root password is missing.');
		assert.deepEqual(await run([...change, '--newrootpassword', 'better']), {code: 0, stdout: '', stderr: 'It has fewer than 8 characters and can be guessed: colonies database rootpassword changes it.\nThe root password is set.\n'});
		await refused(run([...colonies, '--rootpassword', 'secret']), 3, 'The root password is wrong.');
		await done(run([...colonies, '--rootpassword', 'better']));
		const kept = inProcess(contexts, home, {env: {COLONIES_ROOT_PASSWORD: 'better', COLONIES_NEW_ROOT_PASSWORD: 'secret'}});
		assert.equal((await kept(['database', 'rootpassword'])).code, 0);
		await done(run([...colonies, '--rootpassword', 'secret']));
	});
});

suite('removing', () => {
	const register = async (): Promise<string> => {
		const {stdout} = await run(['colony', 'register', '--rootpassword', 'secret', '--spec', path.join(examples, 'colony.json')]);
		return stdout.trim();
	};

	test('a colony asks for YES', async () => {
		const id = await register();
		const remove = ['colony', 'remove', '--colonyid', id, '--rootpassword', 'secret'];
		for (const answer of ['', '\n', 'y\n', 'yes\n', 'YES please\n']) {
			const {code, stdout, stderr} = await run(remove, answer);
			assert.deepEqual({code, stdout}, {code: 13, stdout: ''});
			assert.ok(stderr.startsWith(`Remove a colony with its computers, processes and attributes: ${id}.\nType YES to go on: `), stderr);
		}

		const {code, stdout, stderr} = await run(remove, 'YES\n');
		assert.deepEqual({code, stdout}, {code: 0, stdout: ''});
		assert.match(stderr, /Removed the colony mycolony with all that was in it\.\n$/);
	});

	test('or for --yes, or its name', async () => {
		assert.equal((await run(['colony', 'remove', '--colonyid', await register(), '--rootpassword', 'secret', '--yes'])).code, 0);
		const id = await register();
		await refused(run(['colony', 'remove', '--colonyid', id, '--rootpassword', 'secret', '--name', 'another']), 2, 'The colony is named "mycolony", not "another"; nothing was removed.');
		assert.equal((await run(['colony', 'remove', '--colonyid', id, '--rootpassword', 'secret', '--name', 'mycolony'])).code, 0);
	});
});

suite('the keychain', () => {
	test('adds keys from standard input or its flag, and prints the id', async () => {
		const mine = inProcess(contexts, freshHome());
		const {identity, privateKey} = createIdentity();
		assert.equal(await done(mine(['keychain', 'ls'])), '[]\n');
		assert.equal(await done(mine(['keychain', 'ls', '--output', 'json'])), '[]\n');
		assert.equal(await done(mine(['keychain', 'add'], `${privateKey}\n`)), `${identity.id}\n`);
		assert.equal(await done(mine(['keychain', 'add', '--prvkey', privateKey])), `${identity.id}\n`);
		assert.equal(await done(mine(['keychain', 'add', '--prvkey', '-'], privateKey)), `${identity.id}\n`);
		assert.equal(await done(mine(['keychain', 'privatekey', '--id', identity.id])), `${privateKey}\n`);
		assert.deepEqual(JSON.parse(await done(mine(['keychain', 'ls']))), [{id: identity.id, kind: '', name: '', colonyid: ''}]);
		for (const answer of ['', 'no\n']) {
			assert.equal((await mine(['keychain', 'remove', '--id', identity.id], answer)).code, 13);
		}

		const {code, stderr} = await mine(['keychain', 'remove', '--id', identity.id], 'YES\n');
		assert.equal(code, 0);
		assert.match(stderr, new RegExp(`Forgot the key of ${short(identity.id).replaceAll('.', String.raw`\.`)}\\.\n$`));
		assert.equal((await mine(['keychain', 'remove', '--id', identity.id, '--yes'])).code, 3);
		assert.equal((await mine(['keychain', 'privatekey', '--id', identity.id])).code, 3);
		assert.equal((await mine(['keychain', 'add'], '')).code, 2);
	});

	test('nothing else prints a private key', async () => {
		for (const line of [['keychain', 'ls'], ['keychain', 'ls', '--output', 'csv'], ['keychain', 'ls', '--output', 'table']]) {
			const stdout = await done(run(line));
			assert.ok(secrets.every(secret => !stdout.includes(secret)));
			assert.ok(stdout.includes(colony));
		}
	});
});
