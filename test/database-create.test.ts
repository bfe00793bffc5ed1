// `database create` on databases of all kinds, as users of all kinds.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {after, test} from 'node:test';
import pg from 'pg';
import {createContexts} from '../source/contexts/index.ts';
import {migrate} from '../source/database/index.ts';
import {migrations} from '../source/database/migrations/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {freshHome, inProcess, type Outcome} from './support/commands.ts';
import {noPostgres, onSocket, type Server, startPostgres} from './support/databases.ts';

const skip = noPostgres;
const server: Server = skip ? undefined as never : await startPostgres();
const administrator = new pg.Client(skip ? {} : onSocket(server));
if (!skip) {
	await administrator.connect();
	await administrator.query('create role owner login');
	await administrator.query('create role tenant login');
}

after(async () => administrator.end());

/** A database that belongs to the role `owner`. */
async function makeDatabase(options = ''): Promise<string> {
	const name = `created_${randomBytes(6).toString('hex')}`;
	await administrator.query(`create database ${name} owner owner ${options}`);
	return name;
}

/** Statements in a database, as its administrator. */
async function administer(database: string, ...statements: string[]): Promise<void> {
	const client = new pg.Client({...onSocket(server), database});
	await client.connect();
	for (const statement of statements) {
		await client.query(statement);
	}

	await client.end();
}

/** Runs a command on a database as a user. */
async function run(words: readonly string[], {dbname, dbuser}: {dbname: string; dbuser: string}): Promise<Outcome> {
	const home = freshHome();
	const command = inProcess(createContexts({env: {}, folders: home.folders, settings: home.settings}), home);
	return command([...words, '--dbhost', server.host, '--dbport', String(server.port), '--dbuser', dbuser, '--dbname', dbname]);
}

const create = ['database', 'create', '--rootpassword', 'correct horse battery staple'];

test('a user who owns the schema and has no other right in the database makes what is in it', {skip}, async () => {
	const dbname = await makeDatabase();
	await administer(dbname, 'create schema colonies authorization tenant', 'revoke all on schema public from public');
	const made = await run(create, {dbname, dbuser: 'tenant'});
	assert.equal(made.code, 0, made.stderr);
	const again = await run(create, {dbname, dbuser: 'tenant'});
	assert.equal(again.code, 0, again.stderr);
	const list = await run(['colony', 'ls', '--rootpassword', 'correct horse battery staple', '--output', 'json'], {dbname, dbuser: 'tenant'});
	assert.equal(list.code, 0, list.stderr);
});

test('a database of an older version is brought up to date, step by step, and says so', {skip}, async () => {
	const dbname = await makeDatabase();
	const database = await openPostgres({...onSocket(server), database: dbname});
	const older = migrations.slice(0, -2);
	await migrate(database, older);
	await database.close();
	const made = await run(create, {dbname, dbuser: 'postgres'});
	assert.equal(made.code, 0, made.stderr);
	const steps = made.stderr.split('\n').filter(line => line.startsWith('Bringing'));
	assert.deepEqual(steps.map(line => line.replace(/, about .* rows/, '')), migrations.slice(-2).map(({name}, index) => `Bringing the schema up to date, step ${index + 1} of 2: ${name} …`));
	assert.match(made.stderr, /Brought the schema in .* up to date\.\n/);
});

test('a user who may make no schema is told which one is missing and who makes it how', {skip}, async () => {
	const dbname = await makeDatabase();
	const refused = await run(create, {dbname, dbuser: 'tenant'});
	assert.equal(refused.code, 8);
	assert.match(refused.stderr, /The user "tenant" may make no schema in the database "created_\w+"\.\n/);
	const [, statement] = /Let the owner of the database run: (.+)\n/.exec(refused.stderr) ?? [];
	await administer(dbname, statement!);
	assert.equal((await run(create, {dbname, dbuser: 'tenant'})).code, 0);
});

test('a user who may make nothing in a schema of somebody else is told so', {skip}, async () => {
	const dbname = await makeDatabase();
	await administer(dbname, 'create schema colonies authorization owner', 'grant usage on schema colonies to tenant');
	const refused = await run(create, {dbname, dbuser: 'tenant'});
	assert.equal(refused.code, 8);
	assert.match(refused.stderr, /The user "tenant" may make nothing in the schema "colonies"/);
	const [, statement] = /Let its owner run: (.+)\n/.exec(refused.stderr) ?? [];
	await administer(dbname, statement!);
	assert.equal((await run(create, {dbname, dbuser: 'tenant'})).code, 0);
});

test('a database that cannot keep every text is refused when the schema is made, and when it is opened', {skip}, async () => {
	for (const encoding of ['LATIN1', 'SQL_ASCII']) {
		const dbname = await makeDatabase(`encoding '${encoding}' template template0`);
		const refused = await run(create, {dbname, dbuser: 'owner'});
		assert.equal(refused.code, 8);
		assert.match(refused.stderr, new RegExp(`The database "${dbname}" keeps texts as ${encoding}; it must be UTF8\\.`));
		assert.match(refused.stderr, /createdb --encoding=UTF8 --template=template0 --locale=C NAME/);
		const client = new pg.Client({...onSocket(server), database: dbname});
		await client.connect();
		const {rows: [row]} = await client.query<{schema: string | null}>('select to_regnamespace(\'colonies\')::text as schema');
		await client.end();
		assert.equal(row!.schema, null, 'nothing is half done');
		const opened = await run(['colony', 'ls', '--rootpassword', 'correct horse battery staple'], {dbname, dbuser: 'owner'});
		assert.equal(opened.code, 8);
		assert.match(opened.stderr, /it must be UTF8/);
	}

	const dbname = await makeDatabase('encoding \'UTF8\' template template0 lc_collate \'C\' lc_ctype \'C\'');
	assert.equal((await run(create, {dbname, dbuser: 'owner'})).code, 0);
});
