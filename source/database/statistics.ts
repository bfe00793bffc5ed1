import {type Id, type ProcessState, processStates} from '../core/types.ts';
import {countOf} from './process-statements.ts';
import type {Client} from './types.ts';
import {bytesOfAll} from './values.ts';

/** The first colonies by id: metrics tell of these and of no more. */
export async function firstColonies(client: Client, limit: number): Promise<Id[]> {
	const {rows} = await client.query<{colony_id: Id}>('select colony_id from colonies.colonies order by colony_id limit $1', [limit]);
	return rows.map(row => row.colony_id);
}

/** How many processes of some colonies are in each state, counted to `limit` and no further. */
export async function statesByColony(client: Client, colonies: readonly Id[], limit: number): Promise<Array<{colony: Id; state: ProcessState; count: number}>> {
	const {rows} = await client.query<{colony_id: Id} & Record<ProcessState, number>>(
		`select c.colony_id, ${processStates.map(state => `${countOf(state, {colony: 'c.colony_id', limit: '$1'})} as ${state}`).join(', ')} from unnest($2::bytea[]) as c(colony_id)`,
		[limit, bytesOfAll(colonies)],
	);
	return rows.flatMap(row => processStates.map(state => ({colony: row.colony_id, state, count: row[state]})));
}

/** Processes at the front of a queue that are looked at. */
const front = 100;

/**
Seconds that the longest waiting process among the first in line of some colonies has waited, since it was submitted or came back; 0 where none waits.
Of the first alone: those that came back stand in front by their submission, however short they wait.
*/
export async function oldestWaiting(client: Client, colonies: readonly Id[]): Promise<Array<{colony: Id; seconds: number}>> {
	const {rows} = await client.query<{colony_id: Id; seconds: number}>(
		`select c.colony_id, coalesce(greatest(0, extract(epoch from statement_timestamp() - w.since)), 0)::float8 as seconds from unnest($1::bytea[]) as c(colony_id) cross join lateral (
			select min(coalesce(f.returned_at, f.submission_time)) as since from (
				select p.returned_at, p.submission_time from colonies.live p where p.colony_id = c.colony_id and p.status = 0 order by p.entered_at, p.process_id limit ${front}
			) f
		) w`,
		[bytesOfAll(colonies)],
	);
	return rows.map(({colony_id: colony, seconds}) => ({colony, seconds}));
}

/** Seconds for which the running process that is longest past its deadline has been so; 0 where there is none. */
export async function deadlineLag(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{lag: number | null}>('select extract(epoch from statement_timestamp() - min(deadline))::float8 as lag from (select deadline from colonies.live where status = 1 and deadline is not null order by deadline limit 1) first');
	return Math.max(0, row!.lag ?? 0);
}
