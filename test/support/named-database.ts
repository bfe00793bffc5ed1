// The database that somebody names for the tests, so that any engine that speaks the protocol of PostgreSQL can be tried.
import {randomBytes} from 'node:crypto';
import process from 'node:process';
import {after} from 'node:test';
import pg from 'pg';
import {parse} from 'pg-connection-string';
import {distributeSchema} from '../../source/database/citus.ts';
import {migrate} from '../../source/database/migrate.ts';
import {openPostgres, type PostgresOptions} from '../../source/database/postgres.ts';

const url = process.env.COLONIES_TEST_DATABASE;

/** The database that COLONIES_TEST_DATABASE names, `postgresql://user:password@host:port/name`; undefined where it names none. */
export const namedDatabase: PostgresOptions | undefined = url ? read(url) : undefined;

function read(text: string): PostgresOptions {
	const {host, port, user, password, database} = parse(text);
	if (!host || !user || !database) {
		throw new Error('COLONIES_TEST_DATABASE needs a host, a user and a database: postgresql://user:password@host:port/name');
	}

	return {host, port: Number(port ?? 5432), user, password, database};
}

async function asking<Result>({host, port, user, password, database}: PostgresOptions, ask: (client: pg.Client) => Promise<Result>): Promise<Result> {
	const client = new pg.Client({host, port, user, password, database});
	await client.connect();
	try {
		return await ask(client);
	} finally {
		await client.end();
	}
}

const prefix = 'colonies_test_';

/** Drops the schemas that earlier tests have left, for those that were killed drop nothing; nothing else in the database is touched. */
const empty = async (where: PostgresOptions): Promise<void> => asking(where, async client => {
	const {rows} = await client.query<{name: string}>('select nspname as name from pg_catalog.pg_namespace where starts_with(nspname, $1)', [prefix]);
	for (const {name} of rows) {
		await client.query(`drop schema "${name}" cascade`);
	}
});

let timescale: Promise<boolean> | undefined;

/** Whether the named database has TimescaleDB. */
export async function isTimescale(where: PostgresOptions): Promise<boolean> {
	timescale ??= asking(where, async client => (await client.query('select from pg_catalog.pg_extension where extname = \'timescaledb\'')).rowCount === 1);
	return timescale;
}

let citus: Promise<boolean> | undefined;

/** Whether the named database has Citus. */
export async function isCitus(where: PostgresOptions): Promise<boolean> {
	citus ??= asking(where, async client => (await client.query('select from pg_catalog.pg_extension where extname = \'citus\'')).rowCount === 1);
	return citus;
}

let emptied: Promise<void> | undefined;
const made: string[] = [];

if (namedDatabase !== undefined) {
	after(async () => asking(namedDatabase, async client => {
		for (const name of made) {
			await client.query(`drop schema if exists "${name}" cascade`);
		}
	}));
}

/** A schema of its own in a database: a name that none has yet, and that the program makes. */
export async function freshSchema(where: PostgresOptions): Promise<PostgresOptions> {
	emptied ??= empty(where);
	await emptied;
	const schema = `${prefix}${randomBytes(6).toString('hex')}`;
	made.push(schema);
	const place = {...where, schema};
	if (await isCitus(where)) {
		await distributed(place);
	}

	return place;
}

/** Has the program make the schema, and Citus distribute it: what is tried in it then is tried on a worker. */
async function distributed(place: PostgresOptions): Promise<void> {
	const database = await openPostgres(place);
	try {
		await migrate(database);
		await distributeSchema(database);
	} finally {
		await database.close();
	}
}
