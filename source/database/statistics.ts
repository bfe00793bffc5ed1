import {type Id, type ProcessState, processStates} from '../core/types.ts';
import type {Client} from './types.ts';

/** How many processes of each colony are in each state, counted to `limit` and no further. */
export async function statesByColony(client: Client, limit: number): Promise<Array<{colony: Id; state: ProcessState; count: number}>> {
	const {rows} = await client.query<{colony_id: Id; status: number; count: number}>(
		`select c.colony_id, s.status, (select count(*)::int from (select from colonies.processes p where p.colony_id = c.colony_id and p.status = s.status limit $1) found) as count
		from colonies.colonies c cross join unnest(array[0, 1, 2, 3]::smallint[]) as s(status) order by c.colony_id, s.status`,
		[limit],
	);
	return rows.map(row => ({colony: row.colony_id, state: processStates[row.status]!, count: row.count}));
}

/** Seconds for which the running process that is longest past its deadline has been so; 0 where there is none. */
export async function deadlineLag(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{lag: number | null}>('select extract(epoch from statement_timestamp() - min(deadline))::float8 as lag from (select deadline from colonies.live where status = 1 and deadline is not null order by deadline limit 1) first');
	return Math.max(0, row!.lag ?? 0);
}
