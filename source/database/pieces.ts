import type {Client} from './types.ts';

/** Makes the pieces of the tables of closed processes and of the history for the time that comes, where they are not there yet; TimescaleDB makes its own. What belongs to none goes to a piece for all that is so. */
export async function makePieces(client: Client): Promise<void> {
	// Somebody who reads the table for long is not waited for; then it is for the next time.
	await client.query('set local lock_timeout = \'200ms\'');
	await client.query('select colonies.make_month_of_closed(((statement_timestamp() at time zone \'UTC\') + months * interval \'1 month\')::date) from generate_series(0, 1) months');
	await client.query('select colonies.make_piece_of_history((statement_timestamp() at time zone \'UTC\')::date + days) from generate_series(0, 2) days');
}
