// Databases that move between servers with PostgreSQL's own tools.
import {rmSync} from 'node:fs';
import {randomBytes} from 'node:crypto';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {PostgresOptions} from '../../source/database/postgres.ts';
import type {Client, Database} from '../../source/database/types.ts';
import {postgresProgram, run} from './clusters.ts';

const flagsOf = ({host, port, user, database}: PostgresOptions): string[] => ['-h', String(host), '-p', String(port), '-U', String(user), '-d', String(database)];

/** Copies the schema from one database to another as an operator would: pg_dump, then pg_restore. */
export function dumpAndRestore(from: PostgresOptions, to: PostgresOptions): void {
	const file = path.join(tmpdir(), `colonies-${randomBytes(6).toString('hex')}.dump`);
	try {
		run(postgresProgram('pg_dump'), ...flagsOf(from), '-n', 'colonies', '-Fc', '-f', file);
		run(postgresProgram('pg_restore'), ...flagsOf(to), '--exit-on-error', '--no-owner', file);
	} finally {
		rmSync(file, {force: true});
	}
}

/** Has a server count on by so many transactions. */
export async function countOn(database: Database, transactions: number): Promise<void> {
	await database.query(`do $body$ begin for number in 1..${transactions} loop perform txid_current(); commit; end loop; end $body$`);
}

/** The number that the server gives the next transaction. */
export async function nextTransaction(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{next: number}>('select txid_snapshot_xmax(txid_current_snapshot()) as next');
	return row!.next;
}
