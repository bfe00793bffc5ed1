import {pulseLevels} from '../core/pulse.ts';
import {horizonOf} from './numbering.ts';
import type {Client, Database} from './types.ts';

/** Rows of the history that are counted in one transaction: few where there is but one connection, for everything else waits meanwhile. */
const portions: Record<Database['kind'], number> = {embedded: 1000, postgresql: 10_000};
/** Rows that are cleared away at once. */
const cleared = 10_000;

type Place = {txid: number; history_id: number};

/**
Counts the next portion of the history. One server at a time does; the others find its place locked and leave it be.
It goes by transaction and row, and only below the oldest transaction that is still open, so that each row is counted once, however late it was committed (domain.md, "History").
@returns how many rows it took up
*/
async function rollPortion(client: Client, portion: number): Promise<number> {
	const {rows: [place]} = await client.query<Place>('select txid, history_id from colonies.pulse_place for update skip locked');
	if (!place) {
		return 0;
	}

	const horizon = await horizonOf(client);
	const {rows: [last]} = await client.query<Place & {count: number}>(
		`with portion as materialized (
			select txid, history_id from colonies.history where (txid, history_id) > ($1::bigint, $2::bigint) and txid < $4::bigint order by txid, history_id limit $3
		)
		select txid, history_id, (select count(*)::int from portion) as count from portion order by txid desc, history_id desc limit 1`,
		[place.txid, place.history_id, portion, horizon],
	);
	if (!last) {
		return 0;
	}

	// By the time of the wall clock, which is volatile: Citus then gathers the rows before it inserts them. A statement that it hands on as a whole fails there (13.2.2).
	await client.query(
		`insert into colonies.pulse_rolled (axis, level, at, colony_id, key, move, cell, n)
		select axis, m.level, at, colony_id, key, move, cell, count(*)
		from colonies.pulse_moves m join (values ${pulseLevels.map(({level, kept}) => `(${level}, clock_timestamp() - interval '${kept} seconds')`).join(', ')}) as l(level, since) on l.level = m.level and m.at >= l.since
		where (txid, history_id) > ($1::bigint, $2::bigint) and (txid, history_id) <= ($3::bigint, $4::bigint)
		group by 1, 2, 3, 4, 5, 6, 7
		on conflict (colony_id, axis, level, at, key, move, cell) do update set n = pulse_rolled.n + excluded.n`,
		[place.txid, place.history_id, last.txid, last.history_id],
	);
	await client.query('update colonies.pulse_place set txid = $1, history_id = $2', [last.txid, last.history_id]);
	return last.count;
}

/**
Brings what Pulse reads up to the end of the history, a bounded part of it at once. What is not yet taken up is read all the same, only slower.
@returns whether there is more
*/
export async function rollPulse(database: Database): Promise<boolean> {
	const portion = portions[database.kind];
	return (await database.transaction(async client => rollPortion(client, portion))) === portion;
}

/** Clears away what is older than it is kept; what was counted outlives the history that it was counted from. */
export async function forgetOldPulse(database: Database): Promise<void> {
	for (const {level, kept} of pulseLevels) {
		let rowCount: number;
		do {
			// eslint-disable-next-line no-await-in-loop
			({rowCount} = await database.query(
				'delete from colonies.pulse_rolled where ctid = any (array(select ctid from colonies.pulse_rolled where level = $1 and at < statement_timestamp() - $2 * interval \'1 second\' limit $3))',
				[level, kept, cleared],
			));
		} while (rowCount === cleared);
	}
}
