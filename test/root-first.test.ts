import assert from 'node:assert/strict';
import {PassThrough} from 'node:stream';
import path from 'node:path';
import {suite, test} from 'node:test';
import {runCommand} from '../source/commands/index.ts';
import {migrate} from '../source/database/index.ts';
import {
	contextsOn, examples, freshHome, inProcess, type Run, worldOf,
} from './support/commands.ts';
import {openMemory} from './support/databases.ts';

/** A store without a root password, and a user who has it. */
async function fresh(t: {after: (work: () => Promise<void>) => void}) {
	const database = await openMemory();
	t.after(async () => database.close());
	await migrate(database);
	const home = freshHome();
	const contexts = contextsOn(database, home);
	const isSet = async () => (await database.query('select 1 from colonies.installation')).rows.length === 1;
	const run = (env: Record<string, string> = {}): Run => inProcess(contexts, home, {env});
	const type = async (words: readonly string[], ...texts: string[]) => {
		const stdin = Object.assign(new PassThrough(), {isTTY: true, setRawMode: () => undefined});
		const world = worldOf(contexts, home, {stdin});
		world.stderr.isTTY = true;
		for (const text of texts) {
			stdin.write(text);
		}

		const code = await runCommand(words, world);
		return {code, stdout: world.stdout.text, stderr: world.stderr.text};
	};

	return {run, type, isSet, home, contexts};
}

const register = ['colony', 'register', '--spec', path.join(examples, 'colony.json')];
const warning = 'It has fewer than 8 characters and can be guessed: colonies database rootpassword changes it.';

suite('the first root password', () => {
	test('is set by no reading, whatever is in the environment', async t => {
		const {run, isSet} = await fresh(t);
		for (const words of [['colony', 'ls'], ['audit', 'verify'], ['history', 'get'], ['colony', 'remove', '--colonyid', 'a'.repeat(64), '--yes']]) {
			const {code, stderr} = await run({COLONIES_ROOT_PASSWORD: 'a typo it is'})(words);
			assert.equal(code, 3, words.join(' '));
			assert.match(stderr, /^colonies: This installation has no root password yet\.\nSet it where the data is/);
		}

		assert.equal(await isSet(), false);
	});

	test('is set by registering a colony; one that is short and given is kept, with a warning', async t => {
		const {run} = await fresh(t);
		const {code, stderr} = await run()([...register, '--rootpassword', 'secret']);
		assert.equal(code, 0);
		assert.equal(stderr, `Saved as this database's root password. ${warning}\n`);
		assert.equal((await run({COLONIES_ROOT_PASSWORD: 'secret'})(['colony', 'ls'])).code, 0);
		assert.equal((await run({COLONIES_ROOT_PASSWORD: 'other'})(['colony', 'ls'])).code, 3);
	});

	test('is typed twice on a terminal, and is long enough', async t => {
		const {type, isSet, home} = await fresh(t);
		const short = await type(register, 'secret\r');
		assert.equal(short.code, 2);
		assert.match(short.stderr, /There is no root password yet; this one becomes it\.\ncolonies: The root password has fewer than 8 characters; nothing was changed\.\n/);
		const differing = await type(register, 'long enough\rlong enouhg\r');
		assert.equal(differing.code, 2);
		assert.match(differing.stderr, /The two differ; nothing was changed\./);
		assert.equal(await isSet(), false);
		assert.deepEqual(await home.keychain.list(), [], 'no key is left of what was refused');

		const {code, stdout, stderr} = await type(register, 'long enough\rlong enough\r');
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^[\da-f]{64}\n$/);
		assert.equal((await type(['colony', 'ls'], 'long enough\r')).code, 0);
		// Once is enough from then on.
		assert.equal((await type(register, 'long enough\r')).code, 0);
	});

	test('is set by a command of its own, which changes it later for whoever knows it', async t => {
		const {run, type} = await fresh(t);
		const set = ['database', 'rootpassword', '--newrootpassword'];
		assert.deepEqual(await run()([...set, 'long enough']), {code: 0, stdout: '', stderr: 'Saved as this database\'s root password.\nThe root password is set.\n'});
		const refused = await run()([...set, 'another one']);
		assert.equal(refused.code, 3);
		assert.match(refused.stderr, /^colonies: A root password is set; it is needed to change it\.\nGive it with --rootpassword/);
		assert.equal((await run()([...set, 'another one', '--rootpassword', 'long enough'])).code, 0);
		assert.equal((await type(['colony', 'ls'], 'another one\r')).code, 0);
	});

	test('may be set anew by whoever has the database, when it was forgotten', async t => {
		const {run, type} = await fresh(t);
		assert.match((await run()(['database', 'resetroot', '--yes'])).stderr, /^There is no root password\. Set one/);
		await run()([...register, '--rootpassword', 'nobody knows it']);
		assert.equal((await type(['database', 'resetroot'], 'no\n')).code, 13);
		assert.equal((await run({COLONIES_ROOT_PASSWORD: 'nobody knows it'})(['colony', 'ls'])).code, 0);
		assert.equal((await run()(['database', 'resetroot', '--yes'])).code, 0);
		assert.equal((await run({COLONIES_ROOT_PASSWORD: 'nobody knows it'})(['colony', 'ls'])).code, 3);
		assert.equal((await run()(['database', 'rootpassword', '--newrootpassword', 'a better one'])).code, 0);
		const {stdout} = await run({COLONIES_ROOT_PASSWORD: 'a better one'})(['audit', 'ls', '--output', 'json']);
		assert.deepEqual((JSON.parse(stdout) as Array<{what: string}>).map(({what}) => what).slice(0, 2), ['database.firstrootpassword', 'database.resetroot']);
	});
});
