import type {Client} from './types.ts';

/** Days for which a piece of the table of closed processes is made before they come. */
const ahead = 2;

/** Makes the pieces of the table of closed processes for today and the days to come, where they are not there yet; TimescaleDB makes its own. What ends on a day without one goes to a piece for all such days. */
export async function makeDays(client: Client): Promise<void> {
	// Somebody who reads the table for long is not waited for; then it is for the next time.
	await client.query('set local lock_timeout = \'200ms\'');
	await client.query('select make_day_of_closed((statement_timestamp() at time zone \'UTC\')::date + days) from generate_series(0, $1::integer) days', [ahead]);
}
