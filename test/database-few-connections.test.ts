// A PostgreSQL that gives fewer connections than a program would like to have.
import assert from 'node:assert/strict';
import {test, type TestContext} from 'node:test';
import pg from 'pg';
import {createContexts} from '../source/contexts/index.ts';
import {migrate} from '../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openColony} from './support/colony.ts';
import {freshHome, inProcess} from './support/commands.ts';
import {
	freshDatabase, noPostgres, onSocket, type Server, startPostgres,
} from './support/databases.ts';
import {closeAfter, failureOf, happening} from './support/outcomes.ts';
import {serve} from './support/server.ts';

const skip = noPostgres;
// Ten for all, three of which are kept for its superuser.
const server: Server = skip ? undefined as never : await startPostgres({settings: {max_connections: '10'}});

/** As a database administrator does, who is let in always. */
async function administer(statement: string, database = 'postgres'): Promise<pg.QueryResult<{count: number}>> {
	const client = new pg.Client({...onSocket(server), database});
	await client.connect();
	const result = await client.query<{count: number}>(statement);
	await client.end();
	return result;
}

const connectionsWhere = async (condition: string): Promise<number> => {
	const {rows} = await administer(`select count(*)::int as count from pg_stat_activity where ${condition} and pid <> pg_backend_pid()`);
	return rows[0]!.count;
};

/** A database of a role's own, with our schema. */
async function ownedBy(role: string): Promise<PostgresOptions> {
	const where = await freshDatabase(server);
	await administer(`create role ${role} login`);
	await administer(`alter database ${where.database!} owner to ${role}`);
	const database = await openPostgres({...where, user: role, poolSize: 2});
	await migrate(database);
	await database.close();
	return {...where, user: role};
}

/** Takes every connection that the server has for a role, and keeps them idle. */
async function takeAll(t: TestContext, where: PostgresOptions): Promise<() => Promise<void>> {
	const taken: pg.Client[] = [];
	const giveBack = async () => {
		await Promise.all(taken.splice(0).map(async client => client.end()));
	};

	t.after(giveBack);
	for (;;) {
		const client = new pg.Client({host: where.host, port: where.port, user: where.user, database: where.database});
		try {
			await client.connect();
		} catch (error) {
			assert.equal((error as {code?: string}).code, '53300');
			return giveBack;
		}

		taken.push(client);
	}
}

test('with four connections for its role a server answers a hundred requests at once, and hears of changes', {skip}, async t => {
	const where = await ownedBy('four');
	await administer('alter role four connection limit 4');
	const database = await openPostgres(where);
	closeAfter(t, database);
	const colony = await openColony(database);
	const served = await serve(database);
	const heard = happening<string>();
	await database.listen('news', heard.tell);
	const answers = await Promise.all(Array.from({length: 100}, async () => served.call(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id}})));
	assert.deepEqual([...new Set(answers.map(({status}) => status))], [200]);
	const count = await connectionsWhere('usename = \'four\'');
	assert.ok(count <= 4, String(count));

	// The listener has one of the four, whoever came first.
	const until = performance.now() + 30_000;
	while (!database.load().listening) {
		assert.ok(performance.now() < until, 'It does not hear.');
		await database.query('select 1');
	}

	await administer('select pg_notify(\'news\', \'here\')', where.database);
	assert.equal(await heard.next(), 'here');

	// More are taken when there are more.
	await administer('alter role four connection limit -1');
	while (database.load().connections <= 4) {
		assert.ok(performance.now() < until, 'It takes no more.');
		await Promise.all(Array.from({length: 20}, async () => database.query('select 1')));
	}
});

test('where others have all connections, whoever needs one waits a while, says why when none comes, and is served when one does', {skip}, async t => {
	const where = await ownedBy('late');
	const database = await openPostgres({...where, poolSize: 4, connectTimeout: 300});
	const patient = await openPostgres({...where, poolSize: 4});
	closeAfter(t, database, patient);
	// As after a restart: nobody has a session any more, and others are quicker.
	await administer('select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = \'late\'');
	const taken = [await takeAll(t, where)];
	while (database.load().connections + patient.load().connections > 0) {
		await administer('select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = \'late\' and application_name = \'colonies\'');
		taken.push(await takeAll(t, where));
	}

	const giveBack = async () => Promise.all(taken.map(async each => each()));
	const failure = await failureOf(database.query('select 1'));
	assert.equal(failure.code, 'unavailable');
	assert.match(failure.message, /too many connections already\.$/);
	assert.match(failure.hint ?? '', /max_connections/);

	const waiting = Array.from({length: 20}, async () => patient.query('select 1 as one'));
	assert.equal((await failureOf(database.query('select 1'))).code, 'unavailable');
	await giveBack();
	for (const {rows} of await Promise.all(waiting)) {
		assert.deepEqual(rows, [{one: 1}]);
	}

	assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
});

test('the size of the pool is a flag, a variable or what the context says, and two at least', {skip}, async t => {
	const {host, port, user, database: dbname} = await freshDatabase(server);
	const flags = {dbhost: host!, dbport: port!, dbuser: user!, dbname: dbname!};
	const home = freshHome();
	const contextsWith = (env: NodeJS.ProcessEnv) => createContexts({env, folders: home.folders, settings: home.settings});
	const preparing = await openPostgres({host, port, user, database: dbname});
	await migrate(preparing);
	await preparing.close();
	const {identity: stranger} = createIdentity();

	for (const [env, more, most] of [[{COLONIES_DBPOOL: '3'}, {}, 3], [{COLONIES_DBPOOL: '3'}, {dbpool: 2}, 2]] as const) {
		const context = await contextsWith(env).open({...flags, ...more});
		t.after(async () => context.close());
		await Promise.all(Array.from({length: 20}, async () => failureOf(context.run({identity: stranger}, 'colony.get', {colonyid: stranger.id}))));
		assert.equal(await connectionsWhere(`datname = '${dbname!}'`), most);
		await context.close();
	}

	await assert.rejects(contextsWith({COLONIES_DBPOOL: '1'}).open(flags), {code: 'invalid-input', message: 'COLONIES_DBPOOL must be a whole number from 2 to 1000, not "1".'});
	const refused = await inProcess(contextsWith({}), home)(['server', 'start', '--dbhost', host!, '--dbpool', '1']);
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /^colonies: --dbpool must be a whole number from 2 to 1000, not "1"\.$/m);
});
