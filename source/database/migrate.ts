import {ColoniesError, storeUnavailable} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {engineBehind, refuseWorker, unsafeTriggers} from './citus.ts';
import {migrations} from './migrations/index.ts';
import {base} from './migrations/008-base.ts';
import type {Migration} from './migrations/migration.ts';
import {continueNumbers} from './numbering.ts';
import {defaultSchema} from './schema.ts';
import {commandsOf} from './scripts.ts';
import {sqlstateOf} from './sqlstate.ts';
import {timescaleSchema} from './timescale.ts';
import type {Client, Database} from './types.ts';

// Two that create the same schema or table at once collide in the catalogue; whoever loses looks again.
const collisions = new Set(['23505', '42P06', '42P07', '42710', '40P01', '40001', 'XX000']);
const attempts = 20;

async function colliding(work: () => Promise<void>): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			await work(); // eslint-disable-line no-await-in-loop
			return;
		} catch (error) {
			if (attempt === attempts || !collisions.has(sqlstateOf(error) ?? '')) {
				throw error;
			}
		}
	}
}

/** The version of the schema that this program works with. */
export const newestSchema = migrations.at(-1)!.number;

const hasLedger = async (client: Client): Promise<boolean> => {
	const {rows} = await client.query<{found: boolean}>('select to_regclass(\'colonies.migrations\') is not null as found');
	return rows[0]!.found;
};

/** The number of the newest migration in the database; 0 when the schema is not there. */
export async function schemaVersion(client: Client): Promise<number> {
	if (!await hasLedger(client)) {
		return 0;
	}

	const {rows} = await client.query<{number: number}>('select coalesce(max(number), 0)::int as number from colonies.migrations');
	return rows[0]!.number;
}

/** @throws ColoniesError `newer-database` when a newer version of the program made the schema. */
export async function refuseNewer(client: Client, known: readonly Migration[] = migrations): Promise<number> {
	const version = await schemaVersion(client);
	const newest = known.at(-1)?.number ?? 0;
	if (version > newest) {
		throw new ColoniesError('newer-database', `The database has schema version ${version}; this program knows versions up to ${newest}.`, {hint: 'Install the newest colonies-tui; nothing was changed.'});
	}

	return version;
}

/** @throws ColoniesError `unavailable` for a database that cannot keep every text: in another encoding than UTF-8. */
export async function refuseEncoding(client: Client): Promise<void> {
	const {rows: [row]} = await client.query<{encoding: string; name: string}>('select current_setting(\'server_encoding\') as encoding, current_database() as name');
	const {encoding, name} = row!;
	if (!/^utf-?8$/i.test(encoding)) {
		throw new ColoniesError('unavailable', `The database ${quoted(name)} keeps texts as ${encoding}; it must be UTF8.`, {
			hint: 'Make one that fits with `createdb --encoding=UTF8 --template=template0 --locale=C NAME`, and give it with --dbname.', outward: storeUnavailable,
		});
	}
}

/** What the ledger of the migrations is made of (an integer, a text and a time with their types), and no table of that name that another program has. */
const ledgerColumns = 'number 23, name 25, at 1184';

/**
Proves that what lies in the schema is ours, or nothing yet. It asks the catalogue, whatever the user may read.
@throws ColoniesError `unavailable` for a schema that holds tables of somebody else
*/
export async function refuseForeign({schema}: Database, client: Client): Promise<void> {
	const {rows: [row]} = await client.query<{name: string; tables: string[]; ledger: string | null}>(`
		with ours as (
			select c.oid, c.relname, c.relkind from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where n.nspname = 'colonies' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
		)
		select current_database() as name, array(select relname::text from ours order by relkind = 'S', relname limit 3) as tables,
			(select string_agg(a.attname || ' ' || a.atttypid, ', ' order by a.attnum) from ours join pg_catalog.pg_attribute a on a.attrelid = ours.oid and a.attnum > 0 and not a.attisdropped where ours.relname = 'migrations') as ledger`);
	const {name, tables, ledger} = row!;
	if (tables.length > 0 && ledger !== ledgerColumns) {
		throw new ColoniesError('unavailable', `The schema ${quoted(schema)} of the database ${quoted(name)} is not one of Colonies: it holds ${tables.map(table => quoted(table)).join(', ')}, and no ledger of Colonies.`, {
			hint: 'Name another schema with --dbschema, or another database with --dbname; nothing was changed.', outward: storeUnavailable,
		});
	}
}

/** Makes the schema where it is not there yet. One that is may belong to a user who has no other right in this database. */
async function createSchema(client: Client, schema: string): Promise<void> {
	const {rows: [row]} = await client.query<{isThere: boolean; mayCreate: boolean; mayFill: boolean | null; user: string; name: string}>(`
		select s.oid is not null as "isThere", has_database_privilege(current_database(), 'create') as "mayCreate", has_schema_privilege(s.oid, 'create') as "mayFill", current_user as "user", current_database() as name
		from (select to_regnamespace('colonies')::oid as oid) s`);
	const {isThere, mayCreate, mayFill, user, name} = row!;
	const written = schema === defaultSchema ? schema : `"${schema}"`;
	if (!isThere && mayCreate) {
		// Somebody else may have made it just now.
		await client.query(`create schema if not exists ${written}`);
	} else if (!isThere || mayFill !== true) {
		throw new ColoniesError('unavailable', isThere ? `The user ${quoted(user)} may make nothing in the schema ${quoted(schema)} of the database ${quoted(name)}.` : `The user ${quoted(user)} may make no schema in the database ${quoted(name)}.`, {
			hint: isThere ? `Let its owner run: alter schema ${written} owner to "${user}"` : `Let the owner of the database run: create schema ${written} authorization "${user}"`, outward: storeUnavailable,
		});
	}
}

/** Scripts name their tables without the schema: they find them there, and the functions of TimescaleDB where those are. */
async function pathFor({schema}: Database, client: Client): Promise<string> {
	const timescale = await timescaleSchema(client);
	return `set local search_path = ${[`"${schema}"`, ...(timescale === undefined ? [] : [timescale]), 'pg_temp'].join(', ')};`;
}

/** Carries out a script in a transaction: at once, or where Citus has distributed the schema command by command, for it hands on no more than one. */
async function carryOut(database: Database, client: Client, script: string): Promise<void> {
	const path = await pathFor(database, client);
	if (await engineBehind(client) !== 'citus') {
		await database.execute(client, `${path}\n${script}`);
		return;
	}

	for (const command of [path, unsafeTriggers, ...commandsOf(script)]) {
		await database.execute(client, command); // eslint-disable-line no-await-in-loop
	}
}

async function createLedger(database: Database): Promise<void> {
	if (await hasLedger(database)) {
		return;
	}

	await colliding(async () => database.transaction(async client => {
		await createSchema(client, database.schema);
		await client.query('create table if not exists colonies.migrations (number integer primary key, name text not null, at timestamptz not null default now())');
	}));
}

/** A step on the way from an older version of the schema. `rows`: of all tables, as the server last counted them. */
export type MigrationStep = {place: number; of: number; name: string; rows: number};

async function countedRows(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{rows: number}>(`
		select coalesce(sum(c.reltuples) filter (where c.reltuples > 0), 0)::bigint as rows
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = 'colonies' and c.relkind = 'r'`);
	return row!.rows;
}

/**
Brings the schema up to date, one transaction a migration, and has the numbers of the history go on where they ended. Harmless when repeated and when several do it at once.
@param tell hears of each step before it begins: which of how many it is, what it is called, and how many rows there are by the statistics of the server
@returns the numbers of the migrations that this call carried out.
@throws ColoniesError `newer-database`; `unavailable` for a database of another encoding than UTF-8, for a worker of Citus, for a schema that is somebody else's, and for a user who may not make it
*/
export async function migrate(database: Database, known: readonly Migration[] = migrations, tell: (step: MigrationStep) => void = () => undefined): Promise<number[]> {
	await refuseEncoding(database);
	await refuseWorker(database);
	await refuseForeign(database, database);
	await createLedger(database);
	const version = await refuseNewer(database, known);
	const done: number[] = [];
	const due = known.filter(({number}) => number > version);
	for (const [index, migration] of due.entries()) {
		if (version > 0) {
			tell({place: index + 1, of: due.length, name: migration.name, rows: await countedRows(database)}); // eslint-disable-line no-await-in-loop
		}

		await colliding(async () => database.transaction(async client => { // eslint-disable-line no-await-in-loop
			// First, so that a concurrent migration collides here: it waits for this one and then finds its number taken.
			const {rowCount} = await client.query('insert into colonies.migrations (number, name) values ($1, $2) on conflict do nothing', [migration.number, migration.name]);
			if (rowCount === 1) {
				await carryOut(database, client, migration.script);
				done.push(migration.number);
			}
		}));
	}

	if (known.some(({number}) => number === base.number)) {
		await continueNumbers(database);
	}

	return done;
}

/** Drops the schema with all that is in it. `client`: of a transaction that it is part of. @throws ColoniesError `unavailable` when it is somebody else's */
export async function dropSchema(database: Database, client: Client = database): Promise<void> {
	await refuseForeign(database, client);
	await client.query(`drop schema if exists "${database.schema}" cascade`);
}
