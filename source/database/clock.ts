import type {Time} from '../core/types.ts';
import type {Client} from './types.ts';

/**
The time of the server that this program talks to. A statement that inserts what it selects is given it as a value: Citus (13.2.2) cannot hand such a statement on with `statement_timestamp()` in it,
and a statement that only selects would tell the time of another server.
*/
export async function readClock(client: Client): Promise<Time> {
	const {rows: [row]} = await client.query<{now: Time}>('select statement_timestamp() as now');
	return row!.now;
}
