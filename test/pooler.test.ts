// Everything through PgBouncer in transaction mode, with its settings as they come.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {promisify} from 'node:util';
import {createContexts} from '../source/contexts/index.ts';
import {eventsAfter} from '../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {News} from '../source/operations/news.ts';
import {openColony} from './support/colony.ts';
import {freshHome, inProcess, temporaryFolder} from './support/commands.ts';
import {
	flagsOf, freePort, freshDatabase, noPostgres, onSocket, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {open as openConsole} from './support/console.tsx';
import {intact, live} from './support/lived.ts';
import {noPooler, startPooler} from './support/poolers.ts';
import {startServer} from './support/server-processes.ts';
import {walk} from './support/walk.ts';

const skip = noPostgres || noPooler;
const server = skip ? undefined : await startPostgres({tcp: true, settings: {max_connections: '200'}});
const pooler = server && await startPooler(server);

/** A database of its own, as it is reached through the pooler. */
const freshThroughPooler = async (): Promise<PostgresOptions> => ({...pooler!, database: (await freshDatabase(server!)).database!});

async function open(options: PostgresOptions): Promise<Database> {
	const database = await openPostgres(options);
	after(async () => database.close());
	return database;
}

test('many colonies work at once; a statement that takes too long is cancelled', {skip}, async () => {
	const where = await freshThroughPooler();
	const database = await open(where);
	const colony = await openColony(database);
	after(colony.broker.news.watch(() => undefined));
	await Promise.all(Array.from({length: 8}, async () => live(await openColony(database, colony.broker))));
	// No notification comes through it, so work is found by polling.
	assert.equal(database.load().listening, false);
	const other = await openColony(database, colony.broker);
	const waiting = other.as(await other.computer(), 'process.assign', {colonyid: other.id, wait: 60});
	const {processid} = await other.submit();
	assert.equal((await waiting).processid, processid);
	await live(colony);
	assert.ok((await eventsAfter(database, {after: {txid: 0, row: 0}, colony: colony.id, limit: 100})).length > 5);
	await intact(colony);
	// This pooler does not keep prepared statements, which is found out as soon as a session meets another server.
	await eventually(async () => {
		await Promise.all(Array.from({length: 3}, async () => live(await openColony(database, colony.broker))));
		return !database.load().prepares;
	}, 'It goes on preparing.');
	const status = await colony.own('database.status');
	assert.deepEqual([status.listening, status.prepared], [false, false]);
	// A statement by itself has no setting that ends it: it is cancelled, through the pooler too.
	const hasty = await openPostgres({...where, statementTimeout: 500});
	after(async () => hasty.close());
	await assert.rejects(hasty.query('select pg_sleep(300)'), {code: 'unavailable', message: 'The database stopped the statement: it took too long, or somebody cancelled it.'});
	await assert.rejects(hasty.transaction(async client => client.query('select pg_sleep(300)')), {message: 'The database stopped the statement: it took too long, or somebody cancelled it.'});
	assert.equal((await database.query<{one: number}>('select 1 as one')).rows[0]!.one, 1);
	const {rows: [none]} = await database.query<{count: number}>('select count(*)::int as count from pg_stat_activity where query like \'%pg_sleep(300)%\' and state = \'active\' and pid <> pg_backend_pid()');
	assert.equal(none!.count, 0);
});

test('what another program changes is found by polling where no notification arrives', {skip}, async t => {
	const where = await freshThroughPooler();
	const database = await open(where);
	const colony = await openColony(await open({...onSocket(server!), database: where.database!}));
	const news = new News(database);
	t.after(async () => news.close());
	let heard = 0;
	news.watch(() => {
		heard++;
	});
	await eventually(() => heard > 0, 'The first look tells of nothing.');
	const before = heard;
	await colony.submit();
	await eventually(() => heard > before, 'A submission is not found.');

	assert.equal(database.load().listening, false);
});

test('with a direct host to listen on, notifications arrive', {skip}, async t => {
	const where = await freshThroughPooler();
	const database = await open({...where, listen: `127.0.0.1:${server!.port}`, password: server!.password});
	const colony = await openColony(database);
	t.after(colony.broker.news.watch(() => undefined));
	await eventually(() => database.load().listening, 'It hears nothing.');
	const person = await openConsole({database, colonies: [colony]});
	person.press('8');
	await person.until(/listening +yes/);
});

test('PgBouncer of the examples asks for the password, and a wrong one is refused', {skip}, async () => {
	const where = {...await startPooler(server!, {scram: true}), database: (await freshDatabase(server!)).database!};
	const colony = await openColony(await open({...where, listen: `127.0.0.1:${server!.port}`}));
	await live(colony);
	await intact(colony);
	await assert.rejects(openPostgres({...where, password: 'wrong'}), {code: 'unavailable', message: /SASL authentication failed/});
});

test('a direct host that leads to another database is found out: its notifications do not arrive', {skip}, async t => {
	const where = await freshThroughPooler();
	const elsewhere = await startPostgres({tcp: true});
	t.after(async () => elsewhere.stop());
	const database = await open({...onSocket(server!), database: where.database!, listen: `${elsewhere.host}`});
	const colony = await openColony(database);
	t.after(colony.broker.news.watch(() => undefined));
	await colony.submit();
	assert.equal(database.load().listening, false);
});

test('a server behind a pooler says in its log that it polls, and a console on it says so', {skip}, async t => {
	const where = await freshThroughPooler();
	const database = await open(where);
	const person = await openConsole({database, colonies: [await openColony(database)]});
	person.press('8');
	await person.until(/listening +not heard: polls every 200 ms/);
	const served = await startServer(where, {home: temporaryFolder(), port: await freePort()});
	t.after(async () => served.end('SIGTERM'));
	await eventually(() => served.said().includes('Notifications of the database do not arrive'), served.said());
	assert.match(served.said(), /polling every 200 ms\. Name a direct host with --dblisten HOST\[:PORT]\./);
});

test('the walk of colonies.md', {skip}, async t => {
	const home = freshHome();
	const contexts = createContexts({env: {}, folders: home.folders, settings: home.settings});
	await walk({step: async (name, work) => t.test(name, work), run: inProcess(contexts, home), databaseFlags: flagsOf(await freshThroughPooler())});
});

test('the races, computers at work that wait, and replays', {skip}, async () => {
	const {host, port, database} = await freshThroughPooler();
	const {stdout} = await promisify(execFile)(process.execPath, [path.join('scripts', 'test.js'), 'test/races', 'test/work.test', 'test/server-replay'], {
		cwd: path.dirname(import.meta.dirname),
		env: {...process.env, NODE_TEST_CONTEXT: undefined, COLONIES_TEST_DATABASE: `postgresql://postgres@${host}:${port}/${database}`},
		timeout: 200_000,
	}).catch((error: unknown) => error as {stdout: string});
	assert.match(stdout, /^[1-9]\d+ passed, 0 failed$/m, stdout.slice(-4000));
});
