import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import type {ColoniesError} from '../source/core/errors.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import {isOutcomeUnknown, isRetryable, sqlstateOf} from '../source/database/sqlstate.ts';
import {
	freshDatabase, noPostgres, onSocket, onTcp, openFresh, startPostgres, type Server,
} from './support/databases.ts';
import {closeAfter, failureOf, happening, turned} from './support/outcomes.ts';

void describe('a PostgreSQL server', {skip: noPostgres}, async () => {
	// One that offers TLS on 127.0.0.1, one on its socket alone.
	const [secure, server]: [Server, Server] = noPostgres ? [] as never : await Promise.all([startPostgres({tls: true}), startPostgres()]);

	void test('says in one sentence why it cannot connect, and what to do, without the password', async () => {
		const refused: Array<[options: PostgresOptions, message: RegExp, hint: RegExp]> = [
			[{...onTcp(secure), password: 'no such secret'}, /the password is wrong/, /--dbpassword/],
			[{...onTcp(secure), password: undefined}, /none was given/, /--dbpassword/],
			[{...onTcp(secure), database: 'nowhere'}, /no such database/, /createdb nowhere/],
			[{...onSocket(server), user: 'nobody_here'}, /does not let this user in/, /--dbuser/],
			[{...onTcp(secure), port: 1}, /nothing listens there/, /--dbport/],
			[{...onSocket(server), host: '/tmp/no-such-folder'}, /no socket in that folder/, /\.s\.PGSQL\.5432/],
			[{...onTcp(secure), host: 'no-such-host.invalid'}, /no host no-such-host\.invalid/, /--dbhost/],
			[{...onTcp(secure), ssl: true}, /certificate is not trusted/, /sslrootcert/],
			[{connectionString: `postgresql://postgres:no%20such%20secret@127.0.0.1:${secure.port}/postgres`}, /the password is wrong/, /--dbpassword/],
		];
		for (const [options, message, hint] of refused) {
			const failure = await failureOf(openPostgres(options));
			assert.equal(failure.code, 'unavailable');
			assert.match(failure.message, message);
			assert.match(failure.message, /^Cannot connect to PostgreSQL (?:at|in) \S+, (?:port \d+, )?database \w+, as user \w+: .+\.$/);
			assert.match(failure.hint ?? '', hint);
			assert.doesNotMatch(`${failure.message} ${failure.hint}`, /secret/);
		}
	});

	void test('says so when TLS is asked for and not offered', async () => {
		const plain = await startPostgres({tcp: true});
		const failure = await failureOf(openPostgres({...onTcp(plain), ssl: true}));
		assert.match(failure.message, /TLS was asked for and the server does not offer it/);
		assert.match(failure.hint ?? '', /sslmode=disable/);
	});

	void test('connects with TLS, by options and by connection string', async t => {
		const address = `127.0.0.1:${secure.port}/postgres`;
		const credentials = `postgres:${encodeURIComponent(secure.password)}`;
		const ways: PostgresOptions[] = [
			{...onTcp(secure), ssl: {ca: secure.ca}},
			{connectionString: `postgresql://${credentials}@${address}?sslmode=require`},
			{connectionString: `postgresql://${credentials}@${address}?sslmode=verify-full&sslrootcert=${encodeURIComponent(`${secure.host}/data/server.crt`)}`},
		];
		for (const way of ways) {
			const database = await openPostgres(way);
			closeAfter(t, database);
			const {rows} = await database.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
			assert.deepEqual(rows, [{ssl: true}]);
			await database.close();
		}
	});

	void test('refuses a connection string that cannot be read, without showing it', async () => {
		const failure = await failureOf(openPostgres({connectionString: 'postgresql://user:secret@host:port/x'}));
		assert.equal(failure.code, 'invalid-input');
		assert.doesNotMatch(failure.message, /secret/);
		assert.equal((await failureOf(openPostgres({connectionString: 'postgresql://host/x?sslmode=maybe'}))).code, 'invalid-input');
	});

	void test('a restart ends no program: what is heard goes on, after onGap, and the pool is made anew', async t => {
		const server = await startPostgres();
		const database = await openFresh(server);
		closeAfter(t, database);
		const heard = happening<string>();
		const gaps = happening();
		await database.listen('news', heard.tell, gaps.tell);
		await database.notify('news', 'before');
		assert.equal(await heard.next(), 'before');

		await server.stop();
		assert.match(await turned(database, false), /^Cannot connect to PostgreSQL in /);
		assert.equal((await failureOf(database.query('select 1'))).code, 'unavailable');
		assert.equal((await failureOf(database.transaction(async () => undefined))).code, 'unavailable');
		await server.start();
		await turned(database, true);
		await gaps.next();
		await database.notify('news', 'after');
		assert.equal(await heard.next(), 'after');
		assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
	});

	void test('survives that the server is killed', async t => {
		const server = await startPostgres();
		const database = await openFresh(server);
		closeAfter(t, database);
		await database.query('create table kept as select 1 as one');
		await server.kill();
		await turned(database, false);
		// What served this program goes on until it notices.
		let failure: unknown;
		while (failure === undefined) {
			failure = await database.query('select 1').then(() => undefined).catch((error: unknown) => error);
		}

		assert.equal((failure as ColoniesError).code, 'unavailable');
		await server.start();
		await turned(database, true);
		assert.deepEqual((await database.query('select one from kept')).rows, [{one: 1}]);
	});

	void test('may start while the server is away, and is there when it comes', async t => {
		const server = await startPostgres();
		const options = await freshDatabase(server);
		await server.stop();
		const database = await openPostgres({...options, startUnreachable: true});
		closeAfter(t, database);
		const heard = happening<string>();
		const gaps = happening();
		await turned(database, false);
		await database.listen('news', heard.tell, gaps.tell);
		assert.equal((await failureOf(database.query('select 1'))).code, 'unavailable');
		await server.start();
		await turned(database, true);
		await gaps.next();
		await database.notify('news', 'here');
		assert.equal(await heard.next(), 'here');
	});

	void test('does not start unreachable where no waiting helps', async () => {
		const failure = await failureOf(openPostgres({...onTcp(secure), password: 'wrong', startUnreachable: true}));
		assert.match(failure.message, /the password is wrong/);
	});

	void test('closes while it tries to connect', async () => {
		const database = await openPostgres({host: '/tmp/no-such-folder', startUnreachable: true});
		await database.close();
		const failure = await failureOf(database.query('select 1'));
		assert.match(failure.message, /closed/);
		assert.ok(failure.nothingDone);
	});

	void test('a transaction whose connection is lost is undone, and the next one gets another connection', async t => {
		const database = await openFresh(server, {poolSize: 1});
		closeAfter(t, database);
		await database.query('create table t (a int)');
		const failure = await failureOf(database.transaction(async client => {
			await client.query('insert into t values (1)');
			await client.query('select pg_terminate_backend(pg_backend_pid())');
		}));
		assert.equal(failure.code, 'unavailable');
		assert.ok(failure.nothingDone && !isOutcomeUnknown(failure));
		assert.deepEqual((await database.query('select * from t')).rows, []);
	});

	void test('a connection that is lost between two statements ends the transaction alone', async t => {
		const [database, other] = await Promise.all([openFresh(server, {poolSize: 1}), openPostgres(onSocket(server))]);
		closeAfter(t, database, other);
		const first = new Error('first');
		const failure = await failureOf(database.transaction(async client => {
			const {rows} = await client.query<{pid: number}>('select pg_backend_pid() as pid');
			await other.query('select pg_terminate_backend($1, 5000)', [rows[0]!.pid]);
			throw first;
		}));
		assert.equal(failure, first);
		assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
	});

	void test('says that the outcome is unknown when the connection is lost in the commit', async t => {
		const database = await openFresh(server);
		closeAfter(t, database);
		await database.execute(database, `
			create table t (a int);
			create function leave() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
			create constraint trigger leaves after insert on t deferrable initially deferred for each row execute function leave();`);
		const failure = await failureOf(database.transaction(async client => client.query('insert into t values (1)')));
		assert.equal(failure.code, 'unavailable');
		assert.ok(isOutcomeUnknown(failure) && !failure.nothingDone);
	});

	void test('bounds who waits for a connection', async t => {
		const database = await openFresh(server, {poolSize: 1, maxWaiting: 1, connectTimeout: 100});
		closeAfter(t, database);
		await database.transaction(async client => {
			const waits = failureOf(database.query('select 1'));
			const refused = await failureOf(database.query('select 1'));
			assert.match(refused.message, /1 statement before this one/);
			const late = await waits;
			assert.match(late.message, /of 1 connection none became free in time/);
			assert.deepEqual((await client.query('select 1 as one')).rows, [{one: 1}]);
		});
	});

	void test('gives up a statement that takes too long; a migration may take its time', async t => {
		const database = await openFresh(server, {statementTimeout: 50});
		closeAfter(t, database);
		const failure = await failureOf(database.query('select pg_sleep(30)'));
		assert.deepEqual([failure.code, sqlstateOf(failure)], ['unavailable', '57014']);
		await database.transaction(async client => database.execute(client, 'select pg_sleep(0.1)'));
	});

	void test('marks what may be run again', async t => {
		const database = await openFresh(server);
		closeAfter(t, database);
		await database.execute(database, 'create table t (a int primary key, b int); insert into t values (1, 0), (2, 0)');
		const ready = [happening(), happening()];
		const lock = async (mine: number) => database.transaction(async client => {
			await client.query('update t set b = b + 1 where a = $1', [mine + 1]);
			ready[mine]!.tell();
			await ready[1 - mine]!.next();
			await client.query('update t set b = b + 1 where a = $1', [2 - mine]);
		});
		const outcomes = await Promise.allSettled([lock(0), lock(1)]);
		const failures = outcomes.flatMap(outcome => outcome.status === 'rejected' ? [outcome.reason as ColoniesError] : []);
		assert.equal(failures.length, 1);
		assert.ok(isRetryable(failures[0]));
	});

	void test('names missing rights and a server that takes no changes', async t => {
		const options = await freshDatabase(server);
		const database = await openPostgres(options);
		closeAfter(t, database);
		await database.execute(database, 'create table t (a int); create role guest login');
		const guest = await openPostgres({...options, user: 'guest'});
		closeAfter(t, guest);
		const denied = await failureOf(guest.query('select * from t'));
		assert.deepEqual([denied.code, sqlstateOf(denied)], ['unavailable', '42501']);
		const readOnly = await failureOf(database.transaction(async client => {
			await client.query('set transaction read only');
			await client.query('insert into t values (1)');
		}));
		assert.equal(sqlstateOf(readOnly), '25006');
	});
});
