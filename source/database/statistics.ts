import {type Id, type ProcessState, processStates} from '../core/types.ts';
import {countOf} from './process-statements.ts';
import type {Client} from './types.ts';

/** How many processes of each colony are in each state, counted to `limit` and no further. */
export async function statesByColony(client: Client, limit: number): Promise<Array<{colony: Id; state: ProcessState; count: number}>> {
	const {rows} = await client.query<{colony_id: Id} & Record<ProcessState, number>>(
		`select c.colony_id, ${processStates.map(state => `${countOf(state, {colony: 'c.colony_id', limit: '$1'})} as ${state}`).join(', ')} from colonies.colonies c order by c.colony_id`,
		[limit],
	);
	return rows.flatMap(row => processStates.map(state => ({colony: row.colony_id, state, count: row[state]})));
}

/** Seconds for which the running process that is longest past its deadline has been so; 0 where there is none. */
export async function deadlineLag(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{lag: number | null}>('select extract(epoch from statement_timestamp() - min(deadline))::float8 as lag from (select deadline from colonies.live where status = 1 and deadline is not null order by deadline limit 1) first');
	return Math.max(0, row!.lag ?? 0);
}
