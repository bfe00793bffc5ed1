import {pulseLevels} from '../core/pulse.ts';
import type {Time} from '../core/types.ts';
import {horizonOf} from './numbering.ts';
import type {Client, Database} from './types.ts';

/** Rows of the history that are counted in one transaction: few where there is but one connection, for everything else waits meanwhile. */
const portions: Record<Database['kind'], number> = {embedded: 1000, postgresql: 10_000};
/** Rows that the continuous aggregates take up at once. */
const stretch = 200_000;
/** Seconds for which the aggregates look back for rows of transactions that were slow. */
const lateness = 3600;
/** Seconds between two turns, and after which a turn whose server has died is given to another. */
const [pause, patience] = [2, 120];

/** Rows that are cleared away at once. */
const cleared = 10_000;

const aggregates = [0, 1].flatMap(axis => pulseLevels.map(({level, kept}) => ({name: `colonies.pulse_${axis}_${level}`, level, kept})));

/** Whether the history is counted by continuous aggregates, or into a table. */
async function isAggregated(client: Client): Promise<boolean> {
	const {rows: [row]} = await client.query<{table: string | null}>('select to_regclass(\'colonies.pulse_rolled\')::text as "table"');
	return row!.table === null;
}

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

	const {rows: [last]} = await client.query<Place & {count: number}>(
		`with portion as materialized (
			select txid, history_id from colonies.history where (txid, history_id) > ($1::bigint, $2::bigint) and txid < $4::bigint order by txid, history_id limit $3
		)
		select txid, history_id, (select count(*)::int from portion) as count from portion order by txid desc, history_id desc limit 1`,
		[place.txid, place.history_id, portion, await horizonOf(client)],
	);
	if (!last) {
		return 0;
	}

	await client.query(
		`insert into colonies.pulse_rolled (axis, level, at, colony_id, key, move, cell, n)
		select axis, m.level, at, colony_id, key, move, cell, count(*)
		from colonies.pulse_moves m join (values ${pulseLevels.map(({level, kept}) => `(${level}, statement_timestamp() - interval '${kept} seconds')`).join(', ')}) as l(level, since) on l.level = m.level and m.at >= l.since
		where (txid, history_id) > ($1::bigint, $2::bigint) and (txid, history_id) <= ($3::bigint, $4::bigint)
		group by 1, 2, 3, 4, 5, 6, 7
		on conflict (colony_id, axis, level, at, key, move, cell) do update set n = pulse_rolled.n + excluded.n`,
		[place.txid, place.history_id, last.txid, last.history_id],
	);
	await client.query('update colonies.pulse_place set txid = $1, history_id = $2', [last.txid, last.history_id]);
	return last.count;
}

/** Has the aggregates take up what is new, and what came late. Their database adds the rest when they are read. @returns whether there is more */
async function refresh(database: Database): Promise<boolean> {
	const {rows: [turn]} = await database.query<{begin: Time; end: Time; more: boolean}>(
		`with turn as (
			update colonies.pulse_place set due_at = statement_timestamp() + $1 * interval '1 second' where due_at <= statement_timestamp() returning rolled_to
		), begun as (
			select (select at from colonies.history where at >= coalesce(rolled_to, '-infinity') order by at limit 1) as at from turn
		), ended as (
			select (select h.at from colonies.history h where h.at >= begun.at order by h.at offset $2 limit 1) as at from begun
		)
		select coalesce(begun.at, statement_timestamp()) as begin, coalesce(ended.at, statement_timestamp()) as "end", ended.at is not null as more from begun, ended`,
		[patience, stretch],
	);
	if (!turn) {
		return false;
	}

	for (const {name, level} of aggregates) {
		// It takes up whole buckets alone: from a little before, so that those begun then are whole by now.
		// eslint-disable-next-line no-await-in-loop
		await database.query('call refresh_continuous_aggregate($1::regclass, $2::timestamptz - $3 * interval \'1 second\', $4::timestamptz)', [name, turn.begin, lateness + (2 * level), turn.end]);
	}

	await database.query('update colonies.pulse_place set rolled_to = $1, due_at = statement_timestamp() + $2 * interval \'1 second\'', [turn.end, turn.more ? 0 : pause]);
	return turn.more;
}

/**
Brings what Pulse reads up to the end of the history, a bounded part of it at once. What is not yet taken up is read all the same, only slower.
@returns whether there is more
*/
export async function rollPulse(database: Database): Promise<boolean> {
	const portion = portions[database.kind];
	return await isAggregated(database) ? refresh(database) : (await database.transaction(async client => rollPortion(client, portion))) === portion;
}

/** Clears away what is older than it is kept; what was counted outlives the history that it was counted from. */
export async function forgetOldPulse(database: Database): Promise<void> {
	if (await isAggregated(database)) {
		for (const {name, kept} of aggregates) {
			await database.query('select drop_chunks($1::regclass, older_than => $2 * interval \'1 second\')', [name, kept]); // eslint-disable-line no-await-in-loop
		}

		return;
	}

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
