import type {Client} from './types.ts';

/** Makes the pieces of the table of closed processes for this month and the next, where they are not there yet; TimescaleDB makes its own. What ends in a month without one goes to a piece for all such months. */
export async function makeMonths(client: Client): Promise<void> {
	// Somebody who reads the table for long is not waited for; then it is for the next time.
	await client.query('set local lock_timeout = \'200ms\'');
	await client.query('select colonies.make_month_of_closed(((statement_timestamp() at time zone \'UTC\') + months * interval \'1 month\')::date) from generate_series(0, 1) months');
}
