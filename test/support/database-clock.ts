import {randomBytes} from 'node:crypto';
import type {Client, Database} from '../../source/database/types.ts';

/** Runs work in a transaction whose statements find this time on the clock of the database, and gives what it gave. `time`: as PostgreSQL reads one. */
export type AtTime = <Result>(time: string, work: (client: Client) => Promise<Result>) => Promise<Result>;

/** A clock for transactions on a database, in place of its own: a function of that name in a schema of its own is found before PostgreSQL's. */
export async function databaseClock(database: Database): Promise<AtTime> {
	// Tests of several files may share a database, where what a name with this beginning has is dropped by the next.
	const schema = `colonies_test_clock_${randomBytes(6).toString('hex')}`;
	await database.query(`create schema ${schema}`);
	await database.query(`create function ${schema}.statement_timestamp() returns timestamptz language sql stable as $$select current_setting('test_clock.now')::timestamptz$$`);
	return async (time, work) => database.transaction(async client => {
		await client.query('select set_config(\'test_clock.now\', $1, true)', [time]);
		await client.query(`set local search_path = ${schema}, pg_catalog`);
		return work(client);
	});
}
