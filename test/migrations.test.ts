import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {
	dropSchema, migrate, newestSchema, refuseNewer, schemaVersion,
} from '../source/database/index.ts';
import {migrations} from '../source/database/migrations/index.ts';
import type {Migration} from '../source/database/migrations/migration.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {sqlstateOf} from '../source/database/sqlstate.ts';
import type {Database} from '../source/database/types.ts';
import {freshPlace, noPostgres, openBare} from './support/databases.ts';
import {
	contents, openColony, outcomeOf, refused, untilBlocked,
} from './support/colony.ts';

const skip = noPostgres;

/** An empty database, and so many handles on it. */
async function open(count = 1) {
	const where = await freshPlace();
	const databases = await Promise.all(Array.from({length: count}, async () => openPostgres({...where, poolSize: 2})));
	after(async () => Promise.all(databases.map(async database => database.close())));
	return {where, database: databases[0]!, databases};
}

/** The tables that there are, without the pieces of `closed` and of the history, which are chunks elsewhere where TimescaleDB is. */
const tablesOf = async (database: Database): Promise<string[]> => {
	const {rows} = await database.query<{name: string}>(String.raw`select tablename as name from pg_catalog.pg_tables where schemaname = 'colonies' and tablename !~ '^(closed|history)_(\d+|before|other)$' order by 1`);
	return rows.map(({name}) => name);
};

const tables = [
	'arrivals', 'arriving_rows', 'cell_of', 'cells', 'closed', 'colonies', 'colony_cells', 'computers', 'demands', 'departures', 'history', 'idempotency_keys', 'installation', 'live', 'migrations', 'moved_places', 'nonces_0', 'nonces_1', 'nonces_2', 'nonces_3', 'outputs', 'process_retention', 'pulse_place', 'pulse_rolled', 'retention', 'seals', 'seen', 'tokens', 'txid_base',
];

/** Another migration after those there are. */
const next = (script: string): Migration[] => [...migrations, {number: newestSchema + 1, name: 'next', script}];

test('migrations are numbered one by one from 1', () => {
	assert.deepEqual(migrations.map(({number}) => number), migrations.map((_, index) => index + 1));
	assert.equal(newestSchema, migrations.length);
	assert.equal(new Set(migrations.map(({name}) => name)).size, migrations.length);
});

let embedded: Promise<Database> | undefined;
after(async () => (await embedded)?.close());

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', skip, async () => {
		const {database} = await open();
		return database;
	}],
	['the embedded database', false, async () => {
		const database = await (embedded ??= openBare());
		await dropSchema(database);
		return database;
	}],
];

for (const [name, skip, open] of kinds) {
	test(`in ${name} the schema is made once, repeated without harm, and dropped with all in it`, {skip}, async () => {
		const database = await open();
		assert.equal(await schemaVersion(database), 0);
		assert.deepEqual(await migrate(database), migrations.map(({number}) => number));
		assert.deepEqual(await tablesOf(database), tables);
		const colony = await openColony(database);
		const before = await contents(database);
		assert.deepEqual(await migrate(database), []);
		assert.deepEqual(await contents(database), before);
		assert.equal(await schemaVersion(database), newestSchema);
		assert.equal((await colony.own('colony.get')).name, 'mycolony');
		await dropSchema(database);
		assert.deepEqual(await tablesOf(database), []);
		await dropSchema(database);
		assert.equal(await schemaVersion(database), 0);
		assert.deepEqual(await migrate(database), migrations.map(({number}) => number));
	});

	test(`in ${name} a migration that fails leaves nothing of itself`, {skip}, async () => {
		const database = await open();
		await assert.rejects(async () => migrate(database, next('create table half (id integer); insert into half values (1); select 1 / 0')), (error: unknown) => sqlstateOf(error) === '22012');
		assert.equal(await schemaVersion(database), newestSchema);
		assert.deepEqual(await tablesOf(database), tables);
		assert.deepEqual(await migrate(database, next('create table whole (id integer)')), [newestSchema + 1]);
		assert.deepEqual(await tablesOf(database), [...tables, 'whole'].sort());
	});

	test(`in ${name} a schema of a newer version is refused and left as it is`, {skip}, async () => {
		const database = await open();
		await migrate(database, next('create table whole (id integer)'));
		const before = await contents(database);
		for (const work of [async () => migrate(database), async () => refuseNewer(database)]) {
			const error = await refused(work(), 'newer-database', new RegExp(`version ${newestSchema + 1}; this program knows versions up to ${newestSchema}`));
			assert.match(error.hint!, /newest colonies-tui/);
		}

		assert.deepEqual(await contents(database), before);
	});
}

test('of eight that migrate at once each migration is carried out by one', {skip}, async () => {
	for (const round of [1, 2, 3]) {
		const {databases} = await open(8);
		const known = next(`create table whole (id integer); insert into whole values (${round})`);
		const done = await Promise.all(databases.map(async database => migrate(database, known)));
		assert.deepEqual(done.flat().sort((one, other) => one - other), known.map(({number}) => number));
		const {rows} = await databases[0]!.query('select id from colonies.whole');
		assert.deepEqual(rows, [{id: round}]);
	}
});

test('several processes that migrate at once agree', {skip}, async () => {
	const {where, database} = await open();
	const program = `
		import {migrate} from './source/database/index.ts';
		import {openPostgres} from './source/database/postgres.ts';
		const database = await openPostgres(${JSON.stringify(where)});
		console.log('ready');
		await new Promise(resolve => process.stdin.once('data', resolve));
		console.log(JSON.stringify(await migrate(database)));
		process.stdin.destroy();
		await database.close();
	`;
	const children = [1, 2, 3].map(() => spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
		cwd: path.join(fileURLToPath(import.meta.url), '..', '..'), stdio: ['pipe', 'pipe', 'inherit'],
	}));
	after(() => {
		for (const child of children) {
			child.kill('SIGKILL');
		}
	});
	await Promise.all(children.map(async child => new Promise(resolve => {
		child.stdout.once('readable', resolve);
	})));
	const outputs = children.map(async child => text(child.stdout));
	for (const child of children) {
		child.stdin.end('go\n');
	}

	const done = (await Promise.all(outputs)).map(output => JSON.parse(output.split('\n')[1]!) as number[]);
	assert.deepEqual(done.flat().sort((one, other) => one - other), migrations.map(({number}) => number));
	assert.deepEqual(await tablesOf(database), tables);
});

test('a migration that is cut off in the middle leaves nothing, and the next one makes it whole', {skip}, async () => {
	const {database, databases: [, other]} = await open(2);
	await migrate(database);
	await database.query('create table colonies.gate (id integer)');
	const known = next('create table half (id integer); lock table colonies.gate; create table whole (id integer)');
	const cut = await database.transaction(async client => {
		await client.query('lock table colonies.gate');
		const migration = outcomeOf(migrate(other!, known));
		await untilBlocked(database, migration);
		await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = \'Lock\'');
		return {outcome: await migration};
	});
	assert.notEqual(cut.outcome, 'done');
	assert.equal(await schemaVersion(database), newestSchema);
	assert.deepEqual(await tablesOf(database), [...tables, 'gate'].sort());
	assert.deepEqual(await migrate(other!, known), [newestSchema + 1]);
	assert.deepEqual(await tablesOf(database), [...tables, 'gate', 'half', 'whole'].sort());
});

test('what stands in the database is kept by a later migration', {skip}, async () => {
	const {database} = await open();
	const colony = await openColony(database);
	const process = await colony.submit({in: {key: 'value'}});
	await migrate(database, next('alter table colonies.live add column priority integer not null default 0'));
	assert.deepEqual(await colony.get(process), process);
});
