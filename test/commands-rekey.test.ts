import assert from 'node:assert/strict';
import {EventEmitter} from 'node:events';
import {after, suite, test} from 'node:test';
import {runCommand} from '../source/commands/index.ts';
import {createContexts} from '../source/contexts/index.ts';
import {Unavailable} from '../source/core/errors.ts';
import type {Computer, Process} from '../source/core/types.ts';
import {migrate} from '../source/database/index.ts';
import {work} from '../source/door/working.ts';
import {openKeychain} from '../source/keychain/index.ts';
import {
	contextsOn, freshHome, inProcess, settle, temporaryFolder, worldOf, type Home, type Outcome, type Run,
} from './support/commands.ts';
import {openMemory} from './support/databases.ts';
import {serve, testCertificate} from './support/server.ts';

type Entry = {id: string; name: string; computerid?: string; replacedby?: string; encrypted?: true};

const short = (id: string): string => `${id.slice(0, 4)}..${id.slice(-4)}`;
const keysOf = async (run: Run): Promise<Map<string, Entry>> => new Map((JSON.parse((await run(['keychain', 'ls'])).stdout) as Entry[]).map(entry => [entry.id, entry]));

/** What a command that went well printed. */
async function done(outcome: Promise<Outcome>): Promise<string> {
	const {code, stdout, stderr} = await outcome;
	assert.equal(code, 0, stderr);
	return stdout.trim();
}

const database = await openMemory();
after(async () => database.close());
await migrate(database);
const embedded = contextsOn(database);
const served = await serve(database, {secure: true, local: true});
const {fingerprint} = await testCertificate();
const store = ['--host', '127.0.0.1', '--port', String(served.port), '--fingerprint', fingerprint];

/** Commands of a user: on the database, or on the server in front of it. */
const places: Array<[name: string, commands: (home: Home) => Run]> = [
	['the embedded database', home => inProcess(embedded, home)],
	['a server', home => {
		const run = inProcess(createContexts({env: {}, folders: home.folders, settings: home.settings}), home);
		return async (words, input) => run(words[0] === 'keychain' ? words : [...words, ...store], input);
	}],
];

for (const [name, commands] of places) {
	suite(`computer rekey on ${name}`, () => {
		test('makes a key here, which signs for the computer from then on', {timeout: 60_000}, async () => {
			const home = freshHome();
			const run = commands(home);
			const {colony, computer} = await settle(run);
			const of = ['--colonyid', colony, '--computerid', computer];
			const submit = async () => JSON.parse(await done(run(['process', 'submit', '--spec', '-'], JSON.stringify({targetcolonyid: colony})))) as Process;
			await submit();
			const held = JSON.parse(await done(run(['process', 'assign', ...of]))) as Process;
			const {code, stdout, stderr} = await run(['computer', 'rekey', ...of]);
			const key = stdout.trim();
			assert.deepEqual([code, stderr], [0, 'my_computer has a new key; requests signed with the old one are refused from now on.\n']);
			assert.match(key, /^[\da-f]{64}$/);
			const shown = JSON.parse(await done(run(['computer', 'get', ...of]))) as Computer;
			assert.equal(shown.keyid, key);
			assert.deepEqual(JSON.parse(await done(run(['computer', 'ls', '--colonyid', colony]))), [shown]);

			const keys = await keysOf(run);
			assert.deepEqual([keys.get(computer)!.replacedby, keys.get(key)!.computerid, keys.get(key)!.name], [key, computer, 'my_computer']);
			for (const words of [['process', 'successful', '--processid', held.processid], ['process', 'psw']]) {
				await done(run([...words, ...of]));
			}

			await submit();
			await done(run(['process', 'assign', '--colonyid', colony, '--id', computer]));
			await submit();
			await done(run(['process', 'assign', ...of, '--computerprvkey', await home.keychain.privateKey(key)]));
			const refused = await run(['process', 'assign', ...of, '--computerprvkey', await home.keychain.privateKey(computer)]);
			assert.deepEqual([refused.code, refused.stderr.split('\n')[0]], [4, `colonies: "${short(computer)}" is neither the owner nor a computer of the colony "${short(colony)}", if there is one.`]);
			assert.equal((await run(['computer', 'rekey', ...of, '--keyid', key])).code, 6);

			// Another name is noted with both of its keys; a third key replaces both.
			await done(run(['computer', 'rename', ...of, '--name', 'edge']));
			const third = JSON.parse(await done(run(['computer', 'rekey', ...of, '--output', 'json']))) as Computer;
			const later = await keysOf(run);
			assert.deepEqual([computer, key, third.keyid!].map(id => [later.get(id)!.name, later.get(id)!.replacedby]), [['edge', third.keyid], ['edge', third.keyid], ['edge', undefined]]);
			await submit();
			await done(run(['process', 'assign', ...of]));
		});

		test('gives the computer a key that was made where it works', {timeout: 60_000}, async () => {
			const [owner, worker] = [freshHome(), freshHome()];
			const [run, there] = [commands(owner), commands(worker)];
			const {colony, computer} = await settle(run);
			const of = ['--colonyid', colony, '--computerid', computer];
			const key = await done(there(['keychain', 'new', ...of]));
			assert.deepEqual([...(await keysOf(there)).values()].map(({id, computerid}) => [id, computerid]), [[key, computer]]);
			assert.equal(await done(run(['computer', 'rekey', ...of, '--keyid', key])), key);
			assert.equal((await keysOf(run)).get(computer)!.replacedby, key);
			const missing = await run(['process', 'assign', ...of]);
			assert.deepEqual([missing.code, missing.stderr.split('\n')[0]], [3, `colonies: The key of the computer ${short(computer)} was replaced by ${short(key)}, which the keychain does not hold.`]);

			await done(run(['process', 'submit', '--spec', '-'], JSON.stringify({targetcolonyid: colony})));
			await done(there(['process', 'assign', ...of]));
			// Once the owner keeps the key too, it signs there as well.
			await done(run(['keychain', 'add'], await worker.keychain.privateKey(key)));
			await done(run(['process', 'psw', ...of]));
			const third = commands(freshHome());
			await done(third(['keychain', 'add', ...of], await worker.keychain.privateKey(key)));
			await done(third(['process', 'psw', ...of]));
			// Back to the first key, which is still here.
			assert.equal(await done(run(['computer', 'rekey', ...of, '--keyid', computer])), computer);
			await done(run(['process', 'psw', ...of]));
			assert.equal((await keysOf(run)).get(computer)!.replacedby, undefined);
		});

		test('what is refused leaves the keychain as it was', async () => {
			const run = commands(freshHome());
			const {colony, computer} = await settle(run);
			const before = await keysOf(run);
			for (const [words, code] of [
				[['--computerid', 'f'.repeat(64)], 5],
				[['--computerid', computer, '--keyid', colony], 6],
				[['--computerid', computer, '--keyid', computer], 6],
				[['--computerid', computer, '--keyid', 'x'], 2],
				[['--computerid', computer, '--id', computer], 4],
			] as const) {
				assert.equal((await run(['computer', 'rekey', '--colonyid', colony, ...words])).code, code, words.join(' '));
			}

			assert.deepEqual(await keysOf(run), before);
		});
	});
}

test('a computer whose passphrase is lost works on with a new key', {timeout: 60_000}, async () => {
	const owner = freshHome();
	const run = inProcess(embedded, owner);
	const {colony, computer} = await settle(run);
	const of = ['--colonyid', colony, '--computerid', computer];
	await owner.keychain.encrypt('correct horse battery');
	const opened = (passphrase: string): Home => ({...owner, keychain: openKeychain({folder: owner.folders.config, passphrase: async () => passphrase})});
	assert.equal((await inProcess(embedded, opened('forgotten'))(['computer', 'rekey', ...of])).code, 3);
	const key = await done(inProcess(embedded, opened('correct horse battery'))(['computer', 'rekey', ...of]));
	assert.equal((await keysOf(run)).get(key)!.encrypted, true, 'A new key is encrypted where others are.');

	const signals = new EventEmitter(); // eslint-disable-line unicorn/prefer-event-target -- signals are told by one
	const world = worldOf(embedded, opened('correct horse battery'), {work, signals, env: {PATH: process.env.PATH}});
	await done(inProcess(embedded, opened('correct horse battery'))(['process', 'submit', '--spec', '-'], JSON.stringify({targetcolonyid: colony})));
	const ended = runCommand(['computer', 'work', ...of, '--', 'true'], world);
	while (!world.stderr.text.includes('successful after')) {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}

	signals.emit('SIGTERM');
	assert.equal(await ended, 0);
});

test('a key is kept when the answer is lost, and noted when it is given again', async () => {
	const home = freshHome();
	const run = inProcess(embedded, home);
	const {colony, computer} = await settle(run);
	const of = ['--colonyid', colony, '--computerid', computer];
	const context = await embedded.open({});
	const losing = {
		...embedded, open: async () => ({...context, run: (async (caller, name, input, options) => {
			const result = await context.run(caller, name, input, options);
			if (name === 'computer.rekey') {
				throw new Unavailable('The answer is lost.');
			}

			return result;
		}) as typeof context.run}),
	};
	const {code, stderr} = await inProcess(losing, home)(['computer', 'rekey', ...of]);
	const [, key] = /Whether the computer has the key ([\da-f]{64}) now is not known\. It is kept: .* --keyid \1\./.exec(stderr)!;
	assert.equal(code, 8);
	assert.deepEqual([(await keysOf(run)).get(computer)!.replacedby, (await keysOf(run)).has(key!)], [undefined, true]);
	assert.equal((await run(['computer', 'rekey', ...of, '--keyid', key!])).code, 6);
	assert.equal((await keysOf(run)).get(computer)!.replacedby, key);
	assert.equal((await run(['process', 'psw', ...of])).code, 0);
});

test('a key that is forgotten leaves its computer with the one that it had replaced', async () => {
	const {keychain} = freshHome();
	const [{identity: own}, {identity: next}] = [await keychain.create(), await keychain.create()];
	const colonyid = 'a'.repeat(64);
	const of = {computerid: own.id, colonyid, name: 'lab'};
	assert.equal(await keychain.keyOf(own.id, colonyid), own.id);
	await keychain.replace(of, next.id);
	assert.equal(await keychain.keyOf(own.id, colonyid), next.id);
	assert.equal(await keychain.keyOf(own.id, 'b'.repeat(64)), own.id, 'It is of one colony.');
	assert.equal(await keychain.keyOf(own.id, undefined), own.id);
	await keychain.remove(next.id);
	assert.equal(await keychain.keyOf(own.id, colonyid), own.id);
	assert.deepEqual(await keychain.list(), [{id: own.id, label: {kind: 'computer', name: 'lab', colonyid}}]);
});

test('a key is made without being for anything, or for a computer of a colony', async () => {
	const folder = temporaryFolder();
	const run = inProcess(embedded, {...freshHome(), keychain: openKeychain({folder})});
	const id = await done(run(['keychain', 'new']));
	assert.deepEqual([...(await keysOf(run)).keys()], [id]);
	assert.equal((await run(['keychain', 'new', '--computerid', id])).code, 2);
});
