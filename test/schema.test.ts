// The schema's name is a setting, and no setting of a session is needed: by the server's defaults, whatever they are, and through a pooler.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import pg from 'pg';
import ts from 'typescript';
import {createContexts} from '../source/contexts/index.ts';
import {resolveTarget} from '../source/contexts/resolve.ts';
import {
	dropSchema, eventsAfter, migrate, rollPulse, seals,
} from '../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import {statementsIn} from '../source/database/schema.ts';
import type {Time} from '../source/core/types.ts';
import type {Client, Database} from '../source/database/types.ts';
import {openColony, root, type Colony} from './support/colony.ts';
import {freshHome, inProcess} from './support/commands.ts';
import {
	freshDatabase, noPostgres, onSocket, openMemory, openTimescale, startPostgres,
} from './support/databases.ts';
import {intact, live} from './support/lived.ts';

const skip = noPostgres;
const server = skip ? undefined as never : await startPostgres();

async function open(options: PostgresOptions): Promise<Database> {
	const database = await openPostgres(options);
	after(async () => database.close());
	await migrate(database);
	return database;
}

/** Statements in a database, as its administrator. */
async function administer({database}: PostgresOptions, ...statements: string[]): Promise<void> {
	const client = new pg.Client({...onSocket(server), database});
	await client.connect();
	for (const statement of statements) {
		await client.query(statement);
	}

	await client.end();
}

const names = async (client: Client, schema: string): Promise<string[]> => {
	const {rows} = await client.query<{name: string}>(`select c.relname::text as name from pg_class c where c.relnamespace = to_regnamespace($1)
		union all select p.proname::text from pg_proc p where p.pronamespace = to_regnamespace($1)
		union all select t.typname::text from pg_type t where t.typnamespace = to_regnamespace($1) order by 1`, [schema]);
	return rows.map(({name}) => name);
};

test('statements name the schema before what is in it, and before nothing else', async () => {
	const database = await openMemory();
	const timescale = await openTimescale();
	for (const each of [database, timescale]) {
		after(async () => each.close());
		await migrate(each);
	}

	const known = new Set([...await names(database, 'colonies'), ...await names(timescale, 'colonies')]);
	const folder = fileURLToPath(new URL('../source/database/', import.meta.url));
	const used = new Set<string>();
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
			for (const [, name] of node.text.matchAll(/\bcolonies\.([a-z_]\w*(?:\/1)?)/g)) {
				used.add(name!);
			}
		}

		ts.forEachChild(node, visit);
	};

	for (const file of fs.readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.ts'))) {
		visit(ts.createSourceFile(file, fs.readFileSync(path.join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true));
	}

	assert.ok(used.size > 20, [...used].join(' '));
	const forms = new Set(['history/1', 'seal/1', 'ts']);
	assert.deepEqual([...used].filter(name => !forms.has(name) && ![...known].some(each => each === name || (name.endsWith('_') && each.startsWith(name)))), []);
});

test('a statement is turned into one for another schema, but for the forms that seals are made of', () => {
	const statementOf = statementsIn('user');
	assert.equal(statementOf('select colonies.bytes_of($1), \'colonies.history/1\', \'colonies.seals\' from colonies.live where schemaname = \'colonies\''), 'select "user".bytes_of($1), \'colonies.history/1\', \'"user".seals\' from "user".live where schemaname = \'user\'');
	assert.equal(statementsIn('colonies')('select from colonies.live'), 'select from colonies.live');
});

test('a name that is no plain identifier of one\'s own is refused, with what it may be', async () => {
	const wrong: Array<[name: string, message: RegExp]> = [
		['', /must be text of 1 to/],
		['Public', /must be a schema's name, not "Public"/],
		['a-b', /must be a schema's name, not "a-b"/],
		['a"b', /must be a schema's name/],
		['1st', /must be a schema's name/],
		['x'.repeat(64), /of at most 63 characters, not of 64/],
		['public', /must not be "public"/],
		['pg_temp', /must not be "pg_temp": that name belongs to PostgreSQL/],
		['information_schema', /belongs to PostgreSQL/],
	];
	for (const [name, message] of wrong.slice(1)) {
		assert.throws(() => resolveTarget({}, {COLONIES_DBHOST: 'h', COLONIES_DBSCHEMA: name}, {contexts: {}, current: undefined, console: {}}), (error: Error & {hint?: string}) => message.test(error.message) && error.message.startsWith('COLONIES_DBSCHEMA ') && error.hint !== undefined, name);
		assert.throws(() => statementsIn(name), message);
		await assert.rejects(openPostgres({schema: name}), {code: 'invalid-input'});
	}

	for (const name of ['a', '_x', 'select', 'x'.repeat(63)]) {
		const target = resolveTarget({dbhost: 'h', dbschema: name}, {}, {contexts: {}, current: undefined, console: {}});
		assert.deepEqual([target.kind === 'database' && target.schema, target.name], [name, `h/postgres/${name}`]);
	}

	assert.throws(() => resolveTarget({dbschema: 'other'}, {}, {contexts: {}, current: undefined, console: {}}), /--dbschema is given, and no database is meant/);
});

void describe('on PostgreSQL', {skip}, () => {
	test('two installations lie side by side in one database, and neither sees what the other does', async () => {
		const where = await freshDatabase(server);
		const databases = [await open(where), await open({...where, schema: 'select'})];
		assert.match((await databases[1]!.describe()).place, /, schema select,/);
		const colonies = await Promise.all(databases.map(async database => openColony(database)));
		const heard = [0, 0];
		for (const [index, {broker}] of colonies.entries()) {
			after(broker.news.watch(() => {
				heard[index]!++;
			}));
			await broker.news.watchWork(() => undefined);
		}

		await live(colonies[1]!);
		assert.deepEqual(heard[0], 0);
		assert.ok(heard[1]! > 0);
		await live(colonies[0]!);
		for (const [index, colony] of colonies.entries()) {
			const other = colonies[1 - index]!;
			assert.equal((await eventsAfter(colony.database, {after: {txid: 0, row: 0}, colony: other.id, limit: 10})).length, 0);
			const {rows: [row]} = await colony.database.query<{colonies: number; processes: number; history: number}>('select (select count(*)::int from colonies.colonies) as colonies, (select count(*)::int from colonies.processes) as processes, (select count(*)::int from colonies.history where colony_id <> colonies.bytes_of($1)) as history', [colony.id]);
			assert.deepEqual(row, {colonies: 1, processes: 3, history: 0});
		}

		// Each seals while the other does.
		await databases[0]!.transaction(async client => {
			assert.ok((await seals.seal(client)).rows > 0);
			assert.ok((await databases[1]!.transaction(async other => seals.seal(other))).rows > 0);
		});
		for (const colony of colonies) {
			await intact(colony);
		}

		assert.deepEqual(await names(databases[0]!, 'colonies'), await names(databases[0]!, 'select'));
		await dropSchema(databases[1]!);
		assert.deepEqual(await names(databases[0]!, 'select'), []);
		await live(await openColony(databases[0]!));
	});

	test('a schema that is somebody else\'s is not touched, and said so', async () => {
		const where = await freshDatabase(server);
		await administer(where, 'create schema shop', 'create table shop.orders (id integer)', 'create table shop.migrations (id integer, migration text, batch integer)');
		const database = await openPostgres({...where, schema: 'shop'});
		after(async () => database.close());
		const refusal = {code: 'unavailable', message: `The schema "shop" of the database "${where.database!}" is not one of Colonies: it holds "migrations", "orders", and no ledger of Colonies.`};
		await assert.rejects(migrate(database), refusal);
		await assert.rejects(dropSchema(database), refusal);
		const home = freshHome();
		const command = inProcess(createContexts({env: {}, folders: home.folders, settings: home.settings}), home);
		const flags = ['--dbhost', server.host, '--dbname', where.database!, '--dbschema', 'shop'];
		for (const words of [['database', 'create', '--rootpassword', 'correct horse battery staple'], ['colony', 'ls', '--rootpassword', 'correct horse battery staple'], ['database', 'where']]) {
			const {code, stderr} = await command([...words, ...flags]);
			assert.notEqual(code, 0);
			assert.match(stderr, /The schema "shop" .* is not one of Colonies/);
			assert.match(stderr, /--dbschema/);
		}

		assert.deepEqual((await names(database, 'shop')).filter(name => !name.startsWith('_')), ['migrations', 'migrations', 'orders', 'orders']);
	});

	test('`database create` makes nothing in the schema public, and a context keeps which schema it is', async () => {
		const where = await freshDatabase(server);
		const database = await openPostgres(where);
		after(async () => database.close());
		const before = await names(database, 'public');
		const home = freshHome();
		const command = inProcess(createContexts({env: {}, folders: home.folders, settings: home.settings}), home);
		const flags = ['--dbhost', server.host, '--dbname', where.database!];
		for (const more of [[], ['--dbschema', 'other']]) {
			const {code, stderr} = await command(['database', 'create', '--rootpassword', 'correct horse battery staple', ...flags, ...more]);
			assert.equal(code, 0, stderr);
		}

		assert.deepEqual(await names(database, 'public'), before);
		assert.deepEqual(await names(database, 'other'), await names(database, 'colonies'));
		const {stdout} = await command(['context', 'ls', '--output', 'json']);
		assert.match(stdout, /the schema other in the database/);
		const place = await command(['database', 'where']);
		assert.match(place.stdout, /schema other/);
	});

	test('it works by whatever defaults the user has, and refuses those that it cannot work by', async () => {
		const where = await freshDatabase(server);
		await administer(
			where,
			...[
				'timezone = \'Asia/Kathmandu\'',
				'bytea_output = escape',
				'search_path = nowhere',
				'intervalstyle = sql_standard',
				'default_transaction_isolation = serializable',
				'extra_float_digits = -3',
				'statement_timeout = 0',
				'jit = on',
				'jit_above_cost = 0',
				'array_nulls = off',
				'quote_all_identifiers = on',
			].map(setting => `alter database ${where.database!} set ${setting}`),
		);
		const database = await open(where);
		const colony = await openColony(database);
		await live(colony);
		await intact(colony);
		const held = await database.transaction(async client => (await client.query('select current_setting(\'timezone\') as zone, current_setting(\'jit\') as jit, current_setting(\'statement_timeout\') as limit, current_setting(\'idle_in_transaction_session_timeout\') as idle')).rows);
		assert.deepEqual(held, [{zone: 'UTC', jit: 'off', limit: '30s', idle: '20s'}]);
		assert.deepEqual((await database.query(String.raw`select current_setting('timezone') as zone, timestamptz '1890-01-01T00:00:00Z' as old, timestamptz '12345-06-07T08:09:10.5Z' as late, '\x005c78ff'::bytea as bytes`)).rows, [{
			zone: 'Asia/Kathmandu', old: '1890-01-01T00:00:00.000000Z', late: '12345-06-07T08:09:10.500000Z', bytes: '005c78ff',
		}]);
		for (const [setting, said] of [['datestyle = \'SQL, DMY\'', 'datestyle = SQL, DMY; Colonies needs ISO'], ['standard_conforming_strings = off', 'standard_conforming_strings = off; Colonies needs on']]) {
			await administer(where, `alter database ${where.database!} set ${setting!}`);
			await assert.rejects(openPostgres(where), (error: Error & {hint?: string}) => error.message === `The database works with ${said!}.` && error.hint!.includes('alter role "postgres" set '));
			await administer(where, `alter database ${where.database!} reset ${setting!.split(' ')[0]!}`);
		}
	});
});

test('on TimescaleDB another schema works too, and nothing is made in the schema public', async () => {
	const database = await openTimescale({schema: 'other'});
	after(async () => database.close());
	const before = await names(database, 'public');
	await migrate(database);
	assert.deepEqual(await names(database, 'public'), before);
	assert.deepEqual(await names(database, 'colonies'), []);
	const colony = await openColony(database);
	await live(colony);
	await intact(colony);
	assert.equal((await database.query('select from timescaledb_information.hypertables where hypertable_schema = \'colonies\'')).rowCount, 2);
	// These find the functions of TimescaleDB by themselves.
	await colony.broker.run(root, 'history.retention', {days: 30, compressafter: 7});
	await colony.broker.keepHistory();
	assert.equal((await colony.own('database.status')).sizes.length, 3);
});
