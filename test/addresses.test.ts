import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import {resolveTarget} from '../source/contexts/resolve.ts';
import {savedContexts} from '../source/contexts/saved.ts';
import {readHost} from '../source/core/address.ts';
import {connect} from '../source/index.ts';
import {newPrivateKey} from '../source/identity/index.ts';
import type {Contexts} from '../source/operations/index.ts';
import {authorityOf} from '../source/remote/address.ts';
import {freshHome, inProcess, temporaryFolder} from './support/commands.ts';
import {failureOf} from './support/outcomes.ts';

process.env.COLONIES_HOME = temporaryFolder();
const nothing = {contexts: {}, current: undefined, console: {}};

/** What somebody may write for a host, what is said of it, and what to write in its place. */
const wrong: ReadonlyArray<readonly [written: string, problem: string, hint: string]> = [
	['https://x', 'must be a host alone, not a URL (it begins with https:)', 'Give the host x alone.'],
	['https://x:8443/colonies', 'must be a host alone, not a URL (it begins with https:)', 'Give the host x, and the port 8443 by itself.'],
	['https://[::1]:8080', 'must be a host alone, not a URL (it begins with https:)', 'Give the host [::1], and the port 8080 by itself.'],
	['x:8443', 'must be a host alone, without a port, not "x:8443"', 'Give the host x, and the port 8443 by itself.'],
	['[::1]:8443', 'must be a host alone, without a port, not "[::1]:8443"', 'Give the host [::1], and the port 8443 by itself.'],
	['root:hush@x', 'must be a host alone, without a user or a path', 'Give the host x alone.'],
	['x/path', 'must be a host alone, without a user or a path', 'Give the host x alone.'],
	['postgresql://u:hush@h/db', 'must be a host alone, not a URL (it begins with postgresql:)', 'Set DATABASE_URL to such a URL, or give host, port, user and database by themselves.'],
	['a,b', 'must be one host, not "a,b"', 'Give one name or IP address.'],
	['a b', 'must be one host, not "a b"', 'Give one name or IP address.'],
	['[x]', 'must be a name or an IP address, not "[x]"', 'An address of IPv6 is written as ::1 or [::1].'],
	['1::2::3', 'must be a name or an IP address, not "1::2::3"', 'An address of IPv6 is written as ::1 or [::1].'],
	['*', 'must be a name or an IP address, not "*"', 'A name has letters, digits, dots and hyphens.'],
];

const right: ReadonlyArray<readonly [written: string, host: string]> = [
	['localhost', 'localhost'], ['Server.Example', 'Server.Example'], ['a_b-c.d', 'a_b-c.d'], ['127.0.0.1', '127.0.0.1'], ['::1', '::1'], ['[::1]', '::1'], ['[2001:DB8::1]', '2001:DB8::1'], ['::ffff:10.0.0.1', '::ffff:10.0.0.1'], ['fe80::1%eth0', 'fe80::1%eth0'], ['bücher.example', 'xn--bcher-kva.example'],
];

suite('a host', () => {
	test('is a name or an address, in brackets or not', () => {
		for (const [written, host] of right) {
			assert.deepEqual(readHost(written), {host});
			assert.deepEqual(resolveTarget({}, {COLONIES_HOST: written}, nothing), {kind: 'server', name: `${host.includes(':') ? `[${host}]` : host}:8080`, host, port: 8080});
		}

		assert.equal(authorityOf({host: 'fe80::1%eth0', port: 8080, trust: {kind: 'system'}, place: ''}), '[fe80::1]:8080');
	});

	test('is refused one way wherever it is written, with what to write', async () => {
		const home = freshHome();
		const run = inProcess(savedContexts({env: {}, ...home}) as Contexts, home);
		for (const [written, problem, hint] of wrong) {
			const said = (name: string) => `colonies: ${name} ${problem}.\n${hint}\n`;
			const commands: Array<[name: string, words: string[]]> = [
				['--host', ['context', 'add', 'lab', '--host', written]],
				['--host', ['colony', 'ls', '--host', written]],
				// A database may have several hosts, and a server several names.
				...(written === 'a,b' ? [] : [['--dbhost', ['context', 'add', 'lab', '--dbhost', written]]] satisfies Array<[string, string[]]>),
				['--host', ['server', 'start', '--rootpassword', 'x', '--host', written]],
				...(written === 'a,b' ? [] : [['--name', ['server', 'start', '--rootpassword', 'x', '--name', `localhost,${written}`]] satisfies [string, string[]]]),
			];
			for (const [name, words] of commands) {
				const {code, stdout, stderr} = await run(words);
				assert.deepEqual({code, stdout, stderr}, {code: 2, stdout: '', stderr: said(name)}, words.join(' '));
			}

			for (const name of ['COLONIES_HOST', ...(written === 'a,b' ? [] : ['COLONIES_DBHOST'])]) {
				assert.throws(() => resolveTarget({}, {[name]: written}, nothing), {code: 'invalid-input', message: `${name} ${problem}.`, hint});
			}

			for (const name of ['host', ...(written === 'a,b' ? [] : ['dbhost'])]) {
				const {code, message, hint: next} = await failureOf(connect({[name]: written, privateKey: newPrivateKey()}));
				assert.deepEqual([code, message, next], ['invalid-input', `${name} ${problem}.`, hint]);
			}
		}

		assert.deepEqual((await home.settings.read()).contexts, {});
	});

	test('of a database may be the folder of its socket', () => {
		assert.equal((resolveTarget({}, {COLONIES_DBHOST: '/run/postgresql'}, nothing) as {host: string}).host, '/run/postgresql');
		assert.equal((resolveTarget({}, {COLONIES_DBHOST: '[::1]'}, nothing) as {host: string}).host, '::1');
		assert.throws(() => resolveTarget({}, {COLONIES_HOST: '/run/postgresql'}, nothing), {message: /must be a host alone/});
	});
});

suite('what the environment says', () => {
	test('is checked as flags are, by the names of the variables', () => {
		for (const [env, message] of [
			[{COLONIES_DBPORT: 'x', COLONIES_DBHOST: 'h'}, 'COLONIES_DBPORT must be a whole number from 1 to 65535, not "x".'],
			[{COLONIES_PORT: '0x50', COLONIES_HOST: 'h'}, 'COLONIES_PORT must be a whole number from 1 to 65535, not "0x50".'],
			[{COLONIES_DBSSL: 'perhaps', COLONIES_DBHOST: 'h'}, 'COLONIES_DBSSL must be true or false, not "perhaps".'],
			[{COLONIES_DBSSL: 'constructor', COLONIES_DBHOST: 'h'}, 'COLONIES_DBSSL must be true or false, not "constructor".'],
			[{COLONIES_FINGERPRINT: 'abc', COLONIES_HOST: 'h'}, 'COLONIES_FINGERPRINT must be a SHA-256 fingerprint: 64 hex digits, with or without colons, not "abc".'],
		] as const) {
			assert.throws(() => resolveTarget({}, env, nothing), {code: 'invalid-input', message});
		}

		assert.equal((resolveTarget({}, {COLONIES_DBSSL: 'require', COLONIES_DBHOST: 'h', COLONIES_DBPORT: ''}, nothing) as {ssl: boolean}).ssl, true);
	});

	test('of a database may be a URL, as libpq reads it', () => {
		for (const [DATABASE_URL, expected] of [
			['postgresql://u:p@h:6432/db', {host: 'h', port: 6432, user: 'u', database: 'db'}],
			['postgres://u@[::1]/db', {host: '::1', port: 5432, user: 'u', database: 'db'}],
			['postgresql://u@/db?host=/run/postgresql', {host: '/run/postgresql', port: 5432, user: 'u', database: 'db'}],
			['postgresql://%2Frun%2Fpostgresql/db', {host: '/run/postgresql', port: 5432, user: 'postgres', database: 'db'}],
			['postgresql://h/db?sslmode=require&sslrootcert=/nowhere', {host: 'h', port: 5432, user: 'postgres', database: 'db'}],
		] as const) {
			const {host, port, user, database, url} = resolveTarget({}, {DATABASE_URL}, nothing) as Record<string, unknown>;
			assert.deepEqual({host, port, user, database, url}, {...expected, url: DATABASE_URL});
		}
	});

	test('is refused where it is no such URL, without what may be a password in it', () => {
		for (const [DATABASE_URL, message] of [
			['jdbc:postgresql://h/db?user=u&password=hush', 'DATABASE_URL begins with jdbc:.'],
			['mysql://u:hush@h/db', 'DATABASE_URL begins with mysql:, and is no URL of a PostgreSQL.'],
			['postgresql:u:hush@h/db', 'DATABASE_URL begins with postgresql:, and is no URL of a PostgreSQL.'],
			['host=h password=hush', 'DATABASE_URL is no URL.'],
			['postgresql://u:hu#sh@h/db', 'DATABASE_URL cannot be read.'],
			['postgresql://u:hush@h:99999/db', 'DATABASE_URL cannot be read.'],
			['postgresql://u:hush@h/db?port=99999', 'The port of DATABASE_URL must be a whole number from 1 to 65535, not "99999".'],
		] as const) {
			assert.throws(() => resolveTarget({}, {DATABASE_URL}, nothing), (error: Error & {hint: string}) => {
				assert.equal(error.message, message);
				assert.ok(error.hint && !`${error.message}${error.hint}`.includes('hush'), error.hint);
				return true;
			});
		}
	});
});
