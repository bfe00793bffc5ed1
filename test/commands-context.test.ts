import assert from 'node:assert/strict';
import path from 'node:path';
import {suite, test} from 'node:test';
import {commands} from '../source/commands/entries.ts';
import {savedContexts} from '../source/contexts/saved.ts';
import {
	type Context, type ContextChoice, type Contexts, readChoice, type Typed,
} from '../source/operations/index.ts';
import {
	freshHome, inProcess, temporaryFolder, writeInto,
} from './support/commands.ts';

const fingerprint = 'ab'.repeat(32);
const withColons = 'AB:'.repeat(31) + 'AB';

/** A user with no context yet. */
function fresh(env: NodeJS.ProcessEnv = {}) {
	const home = freshHome();
	const run = inProcess(savedContexts({env, ...home}) as Contexts, home, {env});
	const list = async () => JSON.parse((await run(['context', 'ls'])).stdout) as Array<{name: string; kind: string; where: string; current: boolean}>;
	return {home, run, list};
}

/** A store that is opened and closed, and what was asked for. */
function noted(change: Partial<Context> = {}) {
	const choices: ContextChoice[] = [];
	const context = {where: async () => ({place: 'somewhere'}), close: async () => undefined, ...change} as unknown as Context;
	const run = inProcess({
		async open(choice: ContextChoice) {
			choices.push(choice);
			return context;
		},
	} as Contexts, freshHome());
	return {choices, run};
}

suite('contexts', () => {
	test('a server is kept, used, and forgotten', async () => {
		const {home, run, list} = fresh();
		const added = await run(['context', 'add', 'lab', '--host', 'lab.example', '--fingerprint', withColons]);
		assert.deepEqual(added, {code: 0, stdout: '', stderr: 'Saved the context "lab": https://lab.example:8080.\nWork there from now on: colonies context use lab\n'});
		assert.deepEqual((await home.settings.read()).contexts.lab, {kind: 'server', host: 'lab.example', port: 8080, fingerprint});

		assert.deepEqual((await list()).map(({name, kind, current}) => [name, kind, current]), [['embedded', 'embedded', true], ['lab', 'server', false]]);
		assert.equal((await run(['context', 'use', 'lab'])).stderr, '"lab" is the current context: https://lab.example:8080.\n');
		assert.deepEqual((await list()).map(({current}) => current), [false, true]);
		assert.match((await run(['context', 'ls', '--output', 'table'])).stdout, /^ {3}NAME +KIND +WHERE\n {3}embedded +embedded .*\n\* {2}lab +server +https:\/\/lab\.example:8080\n$/);

		const removed = await run(['context', 'remove', 'lab']);
		assert.deepEqual(removed, {code: 0, stdout: '', stderr: 'Forgot the context "lab". It was the current one: what is not told otherwise goes to the embedded store now.\n'});
		assert.deepEqual((await list()).map(({name, current}) => [name, current]), [['embedded', true]]);
	});

	test('a database is kept with its password, which is never shown', async () => {
		const {home, run} = fresh();
		assert.equal((await run(['context', 'add', 'prod', '--dbhost', 'db.example', '--dbpassword', 'hunter2', '--dbuser', 'ann'])).code, 0);
		assert.deepEqual((await home.settings.read()).contexts.prod, {kind: 'database', host: 'db.example', port: 5432, user: 'ann', password: 'hunter2', database: 'postgres', ssl: false});
		for (const output of ['json', 'table', 'csv']) {
			const {stdout, stderr} = await run(['context', 'ls', '--output', output]);
			assert.match(stdout, /db\.example/);
			assert.doesNotMatch(stdout + stderr, /hunter2/);
		}
	});

	test('several hosts are kept with what is asked of them, and with where notifications are heard', async () => {
		const {home, run} = fresh();
		const {code, stderr} = await run([
			'context', 'add', 'prod', '--dbhost', 'db1, db2:5433', '--dbtarget', 'prefer-standby', '--dblisten', 'db1:6000', '--dbprepare', 'off', '--dbpool', '4',
		]);
		assert.equal(code, 0, stderr);
		assert.deepEqual((await home.settings.read()).contexts.prod, {
			kind: 'database', host: 'db1,db2:5433', port: 5432, user: 'postgres', database: 'postgres', ssl: false, pool: 4, prepare: false, target: 'prefer-standby', listen: 'db1:6000',
		});
		for (const [flag, value, said] of [['--dbtarget', 'fastest', /--dbtarget must be one of read-write, prefer-standby, any/], ['--dblisten', 'a:b', /--dblisten must be a name or an IP address, not "a:b"/]] as const) {
			const refused = await run(['context', 'add', 'prod', '--dbhost', 'db', flag, value]);
			assert.equal(refused.code, 2);
			assert.match(refused.stderr, said);
		}
	});

	test('another place under the same name takes the place of the first, and says so', async () => {
		const {run, list} = fresh();
		await run(['context', 'add', 'lab', '--host', 'one.example']);
		await run(['context', 'use', 'lab']);
		const {stderr} = await run(['context', 'add', 'lab', '--host', '::1', '--port', '9000', '--insecure']);
		assert.match(stderr, /^Warning: nobody checks the certificate of this server/);
		assert.match(stderr, /\nSaved the context "lab": https:\/\/\[::1]:9000, in place of https:\/\/one\.example:8080\.\n$/);
		assert.equal((await list())[1]!.current, true);
	});

	test('a file with an authority is kept by its whole path, and must be there', async () => {
		const {home, run} = fresh();
		const file = writeInto(temporaryFolder(), 'ca.pem', 'a certificate');
		const relative = path.relative('.', file);
		assert.equal((await run(['context', 'add', 'lab', '--host', 'x', '--tlsca', relative])).code, 0);
		assert.deepEqual((await home.settings.read()).contexts.lab, {kind: 'server', host: 'x', port: 8080, tlsca: file});
		const {code, stderr} = await run(['context', 'add', 'lab', '--host', 'x', '--tlsca', '/nowhere/ca.pem']);
		assert.equal(code, 2);
		assert.match(stderr, /^colonies: There is no certificate "\/nowhere\/ca\.pem" that can be read\.\n/);
	});

	test('the embedded store can be used, and neither removed nor replaced', async () => {
		const {run, list} = fresh();
		await run(['context', 'add', 'lab', '--host', 'x']);
		await run(['context', 'use', 'lab']);
		assert.equal((await run(['context', 'use', 'embedded'])).code, 0);
		assert.equal((await list())[0]!.current, true);
		assert.equal((await run(['context', 'remove', 'embedded'])).code, 2);
		assert.equal((await run(['context', 'add', 'embedded', '--host', 'x'])).code, 2);
	});

	test('what the environment says goes before it, and that is said', async () => {
		const {run} = fresh({COLONIES_HOST: 'lab.example'});
		await run(['context', 'add', 'lab', '--host', 'x']);
		for (const words of [['context', 'use', 'lab'], ['context', 'ls']]) {
			assert.match((await run(words)).stderr, /COLONIES_HOST is set in the environment, and goes before it\.\n$/);
		}
	});

	test('what is missing or wrong is said in one sentence', async () => {
		const {home, run} = fresh();
		const cases: Array<[words: string[], code: number, message: RegExp]> = [
			[['use'], 2, /^colonies: `colonies context use` needs a NAME\.\nName of a context/],
			[['add', '--host', 'x'], 2, /^colonies: `colonies context add` needs a NAME\.\nWhat to call it\.\n$/],
			[['add', 'a', 'b', '--host', 'x'], 2, /^colonies: "b" is not expected after `colonies context add NAME`\./],
			[['add', 'lab'], 2, /^colonies: A context needs a place\.\nGive a server with --host/],
			[['add', 'a\u001B[2J', '--host', 'x'], 2, /^colonies: NAME must not have control characters/],
			[['add', 'lab', '--host', 'x', '--fingerprint', 'abc'], 2, /^colonies: --fingerprint must be a SHA-256 fingerprint: 64 hex digits, with or without colons, not "abc"\./],
			[['add', 'lab', '--host', 'x', '--dbhost', 'y'], 2, /^colonies: --host and --dbhost exclude each other\./],
			[['add', 'lab', '--host', 'x', '--fingerprint', fingerprint, '--insecure'], 2, /^colonies: --fingerprint and --insecure exclude each other\./],
			[['add', 'lab', '--host', 'x', '--port', '70000'], 2, /^colonies: --port must be a whole number from 1 to 65535/],
			[['use', 'nothing'], 5, /^colonies: There is no context "nothing"\.\nThere are "embedded"\.\n$/],
			[['remove', 'nothing'], 5, /^colonies: There is no context "nothing"\./],
			[['ls', 'nothing'], 2, /^colonies: "nothing" is not expected after `colonies context ls`\./],
		];
		for (const [words, code, message] of cases) {
			const outcome = await run(['context', ...words]);
			assert.deepEqual({code: outcome.code, stdout: outcome.stdout}, {code, stdout: ''}, words.join(' '));
			assert.match(outcome.stderr, message);
		}

		assert.deepEqual((await home.settings.read()).contexts, {});
	});

	test('help and the table of commands show the name', async () => {
		const {run} = fresh();
		assert.match((await run(['help', 'context', 'add'])).stdout, /\nUsage: colonies context add NAME \[flags]\n\n {2}NAME {2}What to call it\n/);
		assert.match((await run(['help', 'context'])).stdout, /\n {2}context use NAME {3,}Work in a context/);
	});
});

suite('flags that say which store', () => {
	test('those of a server come through, a fingerprint as 64 lowercase digits', async () => {
		const {choices, run} = noted();
		const server = ['--host', 'lab.example', '--port', '9000', '--fingerprint', withColons];
		assert.equal((await run(['database', 'where', ...server])).code, 0);
		const given = Object.fromEntries(Object.entries(choices[0]!).filter(([, value]) => value !== undefined));
		assert.deepEqual(given, {host: 'lab.example', port: 9000, fingerprint});
	});

	test('a server and a database exclude each other, as do ways to check a certificate', () => {
		const databases: Typed[] = [{dbhost: 'x'}, {dbport: '5'}, {dbname: 'x'}, {dbpassword: 'x'}, {dbssl: true}, {demo: true}];
		const servers: Typed[] = [{host: 'x'}, {port: '5'}, {fingerprint}, {tlsca: 'x'}, {insecure: true}];
		for (const given of databases.flatMap(database => servers.map(server => ({...database, ...server})))) {
			assert.throws(() => readChoice(given), {code: 'invalid-input', message: /exclude each other\.$/});
		}

		assert.throws(() => readChoice({tlsca: 'x', fingerprint}), {message: '--tlsca and --fingerprint exclude each other.'});
		assert.throws(() => readChoice({tlsca: 'x', insecure: true}), {message: '--tlsca and --insecure exclude each other.'});
		assert.equal(readChoice({fingerprint, insecure: false}).insecure, false);
	});

	test('a fingerprint is 64 digits, or 32 pairs with colons between all of them', () => {
		for (const good of [fingerprint, fingerprint.toUpperCase(), withColons, withColons.toLowerCase()]) {
			assert.equal(readChoice({fingerprint: good}).fingerprint, fingerprint);
		}

		for (const bad of ['', fingerprint.slice(1), `${fingerprint}a`, withColons.slice(1), withColons.replace(':', ''), `${withColons}:`, fingerprint.replace('a', 'g')]) {
			assert.throws(() => readChoice({fingerprint: bad}), {code: 'invalid-input'});
		}
	});

	test('--insecure is warned of, and so is a context that is', async () => {
		const warning = /^Warning: nobody checks the certificate of this server/;
		const byFlag = noted({insecure: true});
		const {stderr} = await byFlag.run(['database', 'where', '--host', 'x', '--insecure']);
		assert.match(stderr, warning);
		assert.equal(stderr.match(/Warning/g)!.length, 1);
		assert.match((await byFlag.run(['database', 'where'])).stderr, warning);
		assert.equal((await noted().run(['database', 'where', '--host', 'x'])).stderr, '');
	});

	test('what works on a database alone takes no server', async () => {
		const {run} = noted();
		for (const words of [['database', 'create'], ['database', 'drop']]) {
			const {code, stderr} = await run([...words, '--host', 'x']);
			assert.equal(code, 2);
			assert.match(stderr, /"--host" is not a flag of/);
		}
	});

	test('every command with a store takes all of them', () => {
		for (const {words, store} of commands.filter(({store}) => Object.keys(store).length > 0)) {
			assert.ok('dbhost' in store, words.join(' '));
		}

		assert.ok(commands.filter(({store}) => 'fingerprint' in store).length > 20);
	});
});
