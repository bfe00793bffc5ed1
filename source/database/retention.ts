import {InvalidInput} from '../core/errors.ts';
import type {Time} from '../core/types.ts';
import type {Change} from './history.ts';
import {lastSeal} from './seals.ts';
import type {Client} from './types.ts';

/** How long the history is kept, in days; null for ever. `compressafter`: days after which it is compressed, where TimescaleDB is. `droppedbefore`: what is older is gone, or going. */
export type Retention = {days: number | null; compressafter: number | null; droppedbefore: Time | null};

/** Rows that are dropped, and seals whose lists are, at most in one transaction. */
const most = {rows: 2000, seals: 200};

export async function get(client: Client): Promise<Retention> {
	const {rows: [row]} = await client.query<{days: number | null; compress_after: number | null; dropped_before: Time | null}>('select days, compress_after, dropped_before from retention');
	return {days: row?.days ?? null, compressafter: row?.compress_after ?? null, droppedbefore: row?.dropped_before ?? null};
}

/** Whether the history lies in chunks of TimescaleDB, and whether those can be compressed. */
async function chunks(client: Client): Promise<{compressible: boolean} | undefined> {
	const {rows: extensions} = await client.query('select from pg_extension where extname = \'timescaledb\'');
	if (extensions.length === 0) {
		return undefined;
	}

	const {rows: [found]} = await client.query<{compressible: boolean}>('select compression_enabled as compressible from timescaledb_information.hypertables where hypertable_schema = \'colonies\' and hypertable_name = \'history\'');
	return found;
}

/** Sets how long the history is kept, and after how long it is compressed. @throws InvalidInput where it cannot be compressed */
export async function set(client: Client, {days, compressafter}: Pick<Retention, 'days' | 'compressafter'>): Promise<Retention> {
	const before = await get(client);
	await client.query(
		`insert into retention (days, compress_after) values ($1, $2)
		on conflict (only_row) do update set days = excluded.days, compress_after = excluded.compress_after`,
		[days, compressafter],
	);
	if (compressafter !== before.compressafter) {
		await setCompression(client, compressafter);
	}

	return get(client);
}

async function setCompression(client: Client, days: number | null): Promise<void> {
	const found = await chunks(client);
	if (found === undefined) {
		if (days !== null) {
			throw new InvalidInput('This database cannot compress the history: it does not lie in chunks of TimescaleDB.', {hint: 'Leave --compressafter out, or use a database with TimescaleDB.'});
		}

		return;
	}

	if (!found.compressible) {
		// By what was done, so that operators' changes are found without the others; within, in the order in which they are sealed.
		await client.query('alter table history set (timescaledb.compress, timescaledb.compress_segmentby = \'what\', timescaledb.compress_orderby = \'txid, history_id, at\')');
	}

	await client.query('select remove_compression_policy(\'colonies.history\', if_exists => true)');
	if (days !== null) {
		await client.query('select add_compression_policy(\'colonies.history\', compress_after => make_interval(days => $1::int))', [days]);
	}
}

const isKeeping = 'hashtextextended(\'colonies.retention\', 0)';

/** The time before which rows go, once more of them do: that is a change of the installation, written before the first of them goes. */
async function advance(client: Client, days: number): Promise<Change[]> {
	const {rows: [moved]} = await client.query<{before: Time}>(
		`update retention set dropped_before = due.before from (select date_trunc('hour', statement_timestamp() - make_interval(days => $1::int)) as before) due
		where (dropped_before is null or dropped_before < due.before) and (select at from history order by at limit 1) < due.before
		returning due.before`,
		[days],
	);
	return moved === undefined ? [] : [{noun: 'installation', subject: 'history', what: 'history.drop', detail: {before: moved.before, days}}];
}

/** Drops a portion of the rows that are older, sealed ones alone. @returns whether there may be more */
async function dropRows(client: Client, before: Time): Promise<boolean> {
	const last = await lastSeal(client);
	if (last === undefined) {
		return false;
	}

	const {txid, row} = last.to;
	if (await chunks(client) === undefined) {
		const {rowCount} = await client.query(
			`delete from history where (at, history_id) in (
				select at, history_id from history where at < $1::timestamptz and (txid, history_id) <= ($2::bigint, $3::bigint) order by at, history_id limit $4
			)`,
			[before, txid, row, most.rows],
		);
		return rowCount === most.rows;
	}

	// Whoever works with a chunk is not waited for; then it is for the next time.
	await client.query('set local lock_timeout = \'200ms\'');
	const {rows: unsealed} = await client.query('select from history where txid >= $2::bigint and (txid, history_id) > ($2::bigint, $3::bigint) and at < $1::timestamptz limit 1', [before, txid, row]);
	if (unsealed.length === 0) {
		await client.query('select drop_chunks(\'colonies.history\', older_than => $1::timestamptz)', [before]);
	}

	return false;
}

/** Lets go of the lists of seals whose rows are all gone; the seals stay. */
async function dropEntries(client: Client, before: Time): Promise<boolean> {
	const {rowCount} = await client.query(
		`update seals set entries = null where number in (
			select number from (select number, newest from seals where entries is not null order by number limit $2) s where newest < $1::timestamptz
		)`,
		[before, most.seals],
	);
	return rowCount === most.seals;
}

/**
Does a portion of what retention asks, in a transaction of its own; where somebody else is at it, nothing.
@returns the changes to record, and whether there may be more to do
*/
export async function apply(client: Client): Promise<{changes: Change[]; more: boolean}> {
	const {rows: [lock]} = await client.query<{free: boolean}>(`select pg_try_advisory_xact_lock(${isKeeping}) as free`);
	const {days} = lock!.free ? await get(client) : {days: null};
	if (days === null) {
		return {changes: [], more: false};
	}

	const changes = await advance(client, days);
	const {droppedbefore} = await get(client);
	if (droppedbefore === null) {
		return {changes, more: false};
	}

	const more = [await dropRows(client, droppedbefore), await dropEntries(client, droppedbefore)];
	return {changes, more: more.includes(true)};
}

/** Compresses one chunk that is due, where TimescaleDB has nobody of its own who does. @returns whether there was one */
export async function compress(client: Client): Promise<boolean> {
	const {compressafter} = await get(client);
	if (compressafter === null || await chunks(client) === undefined) {
		return false;
	}

	const {rows} = await client.query(
		`select compress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass) from (
			select chunk_schema, chunk_name from timescaledb_information.chunks
			where hypertable_schema = 'colonies' and hypertable_name = 'history' and not is_compressed and range_end < statement_timestamp() - make_interval(days => $1::int)
				and not exists (select from pg_stat_activity where backend_type like 'TimescaleDB%' and datname = current_database())
			order by range_end limit 1
		) due`,
		[compressafter],
	);
	return rows.length > 0;
}

/** The time before which retention has dropped what it says in the history; undefined where it never has. */
export async function horizon(client: Client): Promise<Time | undefined> {
	const {rows: [row]} = await client.query<{before: Time}>('select detail->>\'before\' as before from history where subject_id = \'history\' and what = \'history.drop\' order by at desc, history_id desc limit 1');
	return row?.before;
}

/** Where the history begins now, and whether something before it was dropped. */
export async function beginning(client: Client): Promise<Time | undefined> {
	const {rows: [row]} = await client.query<{at: Time}>('select at from history order by at limit 1');
	return row?.at;
}

