// Databases that take no changes for a while: set to be read-only, or a standby until it is promoted.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import pg from 'pg';
import {brokerContext} from '../source/contexts/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {isRetryable, sqlstateOf} from '../source/database/sqlstate.ts';
import type {Database} from '../source/database/types.ts';
import {openColony} from './support/colony.ts';
import {
	freshDatabase, noPostgres, onSocket, type Server, startPostgres,
} from './support/databases.ts';
import {closeAfter, failureOf, happening} from './support/outcomes.ts';
import {openMuted} from './support/muting.ts';

const skip = noPostgres;
const opened: Database[] = [];
after(async () => Promise.all(opened.map(async database => database.close())));
const server: Server = skip ? undefined as never : await startPostgres();

/** As a database administrator does, on a connection of its own. */
async function administer(on: Server, ...statements: string[]): Promise<void> {
	const client = new pg.Client(onSocket(on));
	await client.connect();
	for (const statement of statements) {
		await client.query(statement);
	}

	await client.end();
}

/** Resolves when a database is known to take changes, or not to. */
const known = async (database: Database, takesChanges: boolean): Promise<void> => new Promise(resolve => {
	const stop = database.watchReachability(({reachable, noChanges}) => {
		if (reachable && (noChanges === undefined) === takesChanges) {
			resolve();
			queueMicrotask(() => {
				stop();
			});
		}
	});
});

test('a database that was read-only for a while is written to again, by a program that was started meanwhile', {skip}, async t => {
	const where = await freshDatabase(server);
	const preparing = await openPostgres(where);
	await preparing.query('create table t (a int)');
	await preparing.close();
	await administer(server, `alter database ${where.database!} set default_transaction_read_only = on`);
	const database = await openPostgres(where);
	closeAfter(t, database);
	await known(database, false);
	// All sessions of the pool at once, so that each of them is of this time.
	const failures = await Promise.all(Array.from({length: 8}, async () => failureOf(database.query('insert into t values (1)'))));
	assert.deepEqual([...new Set(failures.map(failure => sqlstateOf(failure)))], ['25006']);
	assert.deepEqual((await database.query('select * from t')).rows, []);

	await administer(server, `alter database ${where.database!} reset default_transaction_read_only`);
	await known(database, true);
	await Promise.all(Array.from({length: 16}, async () => database.query('insert into t values (1)')));
	await Promise.all(Array.from({length: 16}, async () => database.transaction(async client => client.query('insert into t values (1)'))));
	assert.deepEqual((await database.query('select count(*) as count from t')).rows, [{count: 32}]);
});

test('sessions that have become read-only, as those to a server that was the primary before, cost no request', {skip}, async t => {
	const database = await openPostgres(await freshDatabase(server));
	opened.push(database);
	const colony = await openColony(database);
	const context = brokerContext(database, {kind: 'database', name: 'test', local: true});
	t.after(async () => context.broker.close());
	// As sessions to the old server are, where the name of the host leads to another one by now.
	await Promise.all(Array.from({length: 8}, async () => database.query('select set_config(\'default_transaction_read_only\', \'on\', false), pg_sleep(0.05)')));
	const stale = await failureOf(database.transaction(async client => client.query('create table t (a int)')));
	assert.ok(isRetryable(stale), 'one that is tried once says that it may be tried again');

	await Promise.all(Array.from({length: 8}, async () => database.query('select set_config(\'default_transaction_read_only\', \'on\', false), pg_sleep(0.05)')));
	const processes = await Promise.all(Array.from({length: 20}, async () => context.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}})));
	assert.equal(new Set(processes.map(({processid}) => processid)).size, 20);
});

/** Resolves when a database hears what is said, or does not. */
async function listening(database: Database, hears: boolean): Promise<void> {
	const until = performance.now() + 60_000;
	while (database.load().listening !== hears) {
		assert.ok(performance.now() < until, hears ? 'It does not hear.' : 'It still hears.');
		await new Promise(setImmediate);
	}
}

test('a program that was started on a standby hears of changes when that becomes the primary', {skip}, async t => {
	const where = await freshDatabase(server);
	const standby = await startPostgres({standbyOf: server});
	const database = await openPostgres({...where, ...onSocket(standby), database: where.database!});
	closeAfter(t, database);
	const heard = happening<string>();
	const gaps = happening();
	await database.listen('news', heard.tell, gaps.tell);
	await known(database, false);
	assert.equal(database.load().listening, false);
	assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
	assert.doesNotMatch(standby.log(), /ERROR/);

	await standby.promote();
	await known(database, true);
	// What was said meanwhile may be of interest.
	await gaps.next();
	await listening(database, true);
	await database.notify('news', 'here');
	assert.equal(await heard.next(), 'here');
	await database.query('create table t (a int)');
});

test('one whose notifications are lost on the way, though its connection stands, notices, and hears again when they arrive', {skip}, async t => {
	const where = await freshDatabase(server);
	const line = await openMuted(where);
	t.after(async () => line.close());
	const [database, other] = await Promise.all([openPostgres({...where, host: line.host, port: line.port}), openPostgres(where)]);
	closeAfter(t, database, other);
	const heard = happening<string>();
	const gaps = happening();
	await database.listen('news', heard.tell, gaps.tell);
	await new Promise<void>(resolve => {
		t.after(database.watchReachability(({unheard}) => {
			if (unheard) {
				resolve();
			}
		}));
	});
	assert.equal(database.load().listening, false);
	line.unmute();
	await listening(database, true);
	// What was said meanwhile may be of interest.
	await gaps.next();
	await other.notify('news', 'here');
	assert.equal(await heard.next(), 'here');
});
