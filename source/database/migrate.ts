import {ColoniesError, storeUnavailable} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {migrations} from './migrations/index.ts';
import {base} from './migrations/008-base.ts';
import type {Migration} from './migrations/migration.ts';
import {continueNumbers} from './numbering.ts';
import {sqlstateOf} from './sqlstate.ts';
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

/** Makes the schema where it is not there yet. One that is may belong to a user who has no other right in this database. */
async function createSchema(client: Client): Promise<void> {
	const {rows: [row]} = await client.query<{isThere: boolean; mayCreate: boolean; mayFill: boolean | null; user: string; name: string}>(`
		select s.oid is not null as "isThere", has_database_privilege(current_database(), 'create') as "mayCreate", has_schema_privilege(s.oid, 'create') as "mayFill", current_user as "user", current_database() as name
		from (select to_regnamespace('colonies')::oid as oid) s`);
	const {isThere, mayCreate, mayFill, user, name} = row!;
	if (!isThere && mayCreate) {
		// Somebody else may have made it just now.
		await client.query('create schema if not exists colonies');
	} else if (!isThere || mayFill !== true) {
		throw new ColoniesError('unavailable', isThere ? `The user ${quoted(user)} may make nothing in the schema "colonies" of the database ${quoted(name)}.` : `The user ${quoted(user)} may make no schema in the database ${quoted(name)}.`, {
			hint: isThere ? `Let its owner run: alter schema colonies owner to "${user}"` : `Let the owner of the database run: create schema colonies authorization "${user}"`, outward: storeUnavailable,
		});
	}
}

async function createLedger(database: Database): Promise<void> {
	if (await hasLedger(database)) {
		return;
	}

	await colliding(async () => database.transaction(async client => {
		await createSchema(client);
		await client.query('create table if not exists colonies.migrations (number integer primary key, name text not null, at timestamptz not null default now())');
	}));
}

/**
Brings the schema `colonies` up to date, one transaction a migration, and has the numbers of the history go on where they ended. Harmless when repeated and when several do it at once.
@returns the numbers of the migrations that this call carried out.
@throws ColoniesError `newer-database`; `unavailable` for a database of another encoding than UTF-8, and for a user who may not make the schema
*/
export async function migrate(database: Database, known: readonly Migration[] = migrations): Promise<number[]> {
	await refuseEncoding(database);
	await createLedger(database);
	const version = await refuseNewer(database, known);
	const done: number[] = [];
	for (const migration of known.filter(({number}) => number > version)) {
		await colliding(async () => database.transaction(async client => { // eslint-disable-line no-await-in-loop
			// First, so that a concurrent migration collides here: it waits for this one and then finds its number taken.
			const {rowCount} = await client.query('insert into colonies.migrations (number, name) values ($1, $2) on conflict do nothing', [migration.number, migration.name]);
			if (rowCount === 1) {
				await database.execute(client, migration.script);
				done.push(migration.number);
			}
		}));
	}

	if (known.some(({number}) => number === base.number)) {
		await continueNumbers(database);
	}

	return done;
}

/** Drops the schema with all that is in it. */
export async function dropSchema(database: Client): Promise<void> {
	await database.query('drop schema if exists colonies cascade');
}
