import type {Time} from '../core/types.ts';
import {chunksOf, compressOne, setCompression} from './compression.ts';
import type {Place} from './events.ts';
import type {Change} from './history.ts';
import {type Piece, piecesOf} from './pieces.ts';
import {lastSeal} from './seals.ts';
import type {Client} from './types.ts';

/** How long the history is kept, in days; null for ever. `compressafter`: days after which it is compressed, with closed processes, where TimescaleDB is. `droppedbefore`: what is older is gone, or going. */
export type Retention = {days: number | null; compressafter: number | null; droppedbefore: Time | null};

/** Rows that are dropped, and seals whose lists are, at most in one transaction. */
const most = {rows: 2000, seals: 200};

export async function get(client: Client): Promise<Retention> {
	const {rows: [row]} = await client.query<{days: number | null; compress_after: number | null; dropped_before: Time | null}>('select days, compress_after, dropped_before from colonies.retention');
	return {days: row?.days ?? null, compressafter: row?.compress_after ?? null, droppedbefore: row?.dropped_before ?? null};
}

/** Sets how long the history is kept, and after how long that and closed processes are compressed. @throws InvalidInput where they cannot be compressed */
export async function set(client: Client, {days, compressafter}: Pick<Retention, 'days' | 'compressafter'>): Promise<Retention> {
	const before = await get(client);
	await client.query(
		`insert into colonies.retention (days, compress_after) values ($1, $2)
		on conflict (only_row) do update set days = excluded.days, compress_after = excluded.compress_after`,
		[days, compressafter],
	);
	if (compressafter !== before.compressafter) {
		await setCompression(client, compressafter);
	}

	return get(client);
}

/** Rows that tell how long the history and closed processes are kept stay for good: they say what retention may have dropped. */
const staysForGood = 'what in (\'history.retention\', \'process.retention\')';

/** Seconds by which the oldest row of the history exceeds its retention; 0 where it is kept for ever, or none is due. */
export async function overdue(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{seconds: number}>(`select coalesce(greatest(0, extract(epoch from statement_timestamp() - r.days * interval '1 day' - h.at)), 0)::float8 as seconds
		from colonies.retention r cross join lateral (select at from colonies.history where not (${staysForGood}) order by at limit 1) h where r.days is not null`);
	return row?.seconds ?? 0;
}

const isKeeping = 'hashtextextended(\'colonies.retention\', 0)';

/** The time before which rows go, once more of them do: that is a change of the installation, written before the first of them goes. */
async function advance(client: Client, days: number): Promise<Change[]> {
	const {rows: [moved]} = await client.query<{before: Time}>(
		`update colonies.retention set dropped_before = due.before from (select date_trunc('hour', statement_timestamp() - make_interval(days => $1::int)) as before) due
		where (dropped_before is null or dropped_before < due.before) and (select at from colonies.history where not (${staysForGood}) order by at limit 1) < due.before
		returning due.before`,
		[days],
	);
	return moved === undefined ? [] : [{kind: 'noted', noun: 'installation', subject: 'history', what: 'history.drop', detail: {before: moved.before, days}}];
}

const isDue = `at < $1::timestamptz and (txid, history_id) <= ($2::bigint, $3::bigint) and not (${staysForGood})`;

/** Drops a portion of the rows that are older, sealed ones alone. @returns whether there may be more */
async function dropRows(client: Client, before: Time): Promise<boolean> {
	const last = await lastSeal(client);
	if (last === undefined) {
		return false;
	}

	const inChunks = await chunksOf(client, 'history');
	const {txid, row} = last.to;
	const {rows: unsealed} = await client.query('select from colonies.history where txid >= $2::bigint and (txid, history_id) > ($2::bigint, $3::bigint) and at < $1::timestamptz limit 1', [before, txid, row]);
	if (unsealed.length === 0) {
		// Whoever works with a piece is not waited for; then it is for the next time.
		await client.query('set local lock_timeout = \'200ms\'');
		const pieces = await piecesOf(client, 'history');
		const more = await dropPieces(client, pieces.filter(({ends}) => ends <= before), last.to);
		return inChunks ? more : await deleteRows(client, partlyDue(pieces, before), last.to) || more;
	}

	return inChunks ? false : deleteRows(client, before, last.to);
}

async function deleteRows(client: Client, before: Time, {txid, row}: Place, from = '-infinity'): Promise<boolean> {
	const {rowCount} = await client.query(
		`delete from colonies.history where (at, history_id) in (select at, history_id from colonies.history where at >= $5::timestamptz and ${isDue} order by at, history_id limit $4)`,
		[before, txid, row, most.rows, from],
	);
	return rowCount === most.rows;
}

/** What is due in the last piece that is not due as a whole: of a day none, for the day is over soon. */
function partlyDue(pieces: readonly Piece[], before: Time): Time {
	const isDay = ({begins, ends}: Piece) => Date.parse(ends) - Date.parse(begins) === 86_400_000;
	return pieces.find(piece => piece.begins <= before && piece.ends > before && isDay(piece))?.begins ?? before;
}

type Within = {stays: boolean; others: boolean};

/** Drops whole pieces; of one with a row that stays for good, a portion of its other rows. @returns whether there may be more */
async function dropPieces(client: Client, pieces: readonly Piece[], sealed: Place): Promise<boolean> {
	const within = 'h.at >= $1::timestamptz and h.at < $2::timestamptz';
	let more = false;
	/* eslint-disable no-await-in-loop */
	for (const {name, begins, ends, isCompressed, functions} of pieces) {
		const {rows: [row]} = await client.query<Within>(
			`select exists (select from colonies.history h where ${within} and ${staysForGood}) as stays, exists (select from colonies.history h where ${within} and not (${staysForGood})) as others`,
			[begins, ends],
		);
		const {stays, others} = row!;
		if (!stays) {
			await (functions === undefined
				? client.query(`do $body$ begin drop table ${name}; exception when lock_not_available then null; end $body$`)
				: client.query(`select ${functions}.drop_chunks('colonies.history', older_than => $1::timestamptz, newer_than => $2::timestamptz)`, [ends, begins]));
		} else if (others) {
			if (isCompressed) {
				await client.query(`select ${functions}.decompress_chunk($1::regclass)`, [name]);
			}

			more = await deleteRows(client, ends, sealed, begins) || more;
		}
	}
	/* eslint-enable no-await-in-loop */

	return more;
}

/** Lets go of the lists of seals whose rows are all gone; the seals stay. */
async function dropEntries(client: Client, before: Time): Promise<boolean> {
	const {rowCount} = await client.query(
		`update colonies.seals set entries = null where number in (
			select s.number from (select number, newest, to_txid, to_row from colonies.seals where entries is not null order by number limit $2) s
			left join colonies.seals p on p.number = s.number - 1
			where s.newest < $1::timestamptz and not exists (
				select from colonies.history h where h.txid <= s.to_txid and (h.txid, h.history_id) <= (s.to_txid, s.to_row)
					and (p.number is null or (h.txid >= p.to_txid and (h.txid, h.history_id) > (p.to_txid, p.to_row)))
			)
		)`,
		[before, most.seals],
	);
	return rowCount > 0;
}

/**
Does a portion of what retention asks, in a transaction of its own; where somebody else is at it, nothing.
Rows go only as far as `horizon` takes them for dropped: once the row that says so is sealed, and never because of what stands in the table `retention` alone.
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
	const allowed = await horizon(client);
	if (droppedbefore === null || allowed === undefined) {
		return {changes, more: false};
	}

	const [before] = [droppedbefore, allowed.before].sort() as [Time, Time];
	const more = [await dropRows(client, before), await dropEntries(client, before)];
	return {changes, more: more.includes(true)};
}

/** Compresses one chunk that is due, where TimescaleDB has nobody of its own who does. @returns whether there was one */
export async function compress(client: Client): Promise<boolean> {
	const {compressafter} = await get(client);
	return compressafter !== null && compressOne(client, compressafter);
}

/** What retention may have dropped: rows from before a time. `days`, `at`, `place`: of the row `history.retention` that allows it. */
export type Horizon = {before: Time; days: number; at: Time; place: Place};

const textOf = (time: string): string => `to_char((${time}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const isTime = String.raw`'^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$'`;
const madeAt = (row: string): string => `(select s.made_at from colonies.seals s where (s.to_txid, s.to_row) >= (${row}.txid, ${row}.history_id) order by s.to_txid, s.to_row limit 1)`;

/**
The time before which retention may have dropped rows; undefined where it may have dropped none.
A row `history.drop` counts only when it is sealed, and only as far as the sealed `history.retention` before it allows: to so many days before the drop was sealed, before another retention was, and before now.
Times are compared as text, so that no row that somebody wrote can make this fail.
@param head place up to which a head that was kept elsewhere covers the history: what was dropped later counts only as far as the retention of then allows, too
*/
export async function horizon(client: Client, head?: Place): Promise<Horizon | undefined> {
	const {rows: [row]} = await client.query<{before: Time; days: number; at: Time; txid: number; history_id: number}>(
		`with said as (
			select h.txid, h.history_id, h.at, h.what, h.detail, count(*) filter (where h.what = 'history.retention') over (order by h.txid, h.history_id) as period,
				case when h.detail->>'days' ~ '^[1-9]\\d{0,4}$' then (h.detail->>'days')::integer end as days
			from colonies.history h, (select to_txid, to_row from colonies.seals order by number desc limit 1) l
			where h.subject_id = 'history' and h.noun = 'installation' and (h.txid, h.history_id) <= (l.to_txid, l.to_row)
				and ((h.what = 'history.retention' and h.actor = 'root') or (h.what = 'history.drop' and h.actor = 'system'))
		), kept as (select * from said where what = 'history.retention'),
		agreed as (
			select (select k.days from kept k where (k.txid, k.history_id) <= ($1::bigint, $2::bigint) order by k.txid desc, k.history_id desc limit 1) as days
		), drops as (
			select k.days, k.at, k.txid, k.history_id, d.detail->>'before' as before,
				case when $1::bigint is null or (d.txid, d.history_id) <= ($1::bigint, $2::bigint) then k.days when agreed.days is not null then greatest(k.days, agreed.days) end as allowed,
				least(${madeAt('d')}, (select ${madeAt('n')} from kept n where n.period = d.period + 1), statement_timestamp()) as made_at
			from said d join kept k on k.period = d.period cross join agreed
			where d.what = 'history.drop' and k.days is not null and d.detail->>'before' ~ ${isTime}
		), bounds as (select *, ${textOf('made_at - make_interval(days => allowed)')} as bound from drops where allowed is not null)
		select days, at, txid, history_id, least(before collate "C", bound collate "C") as before from bounds where bound is not null order by least(before collate "C", bound collate "C") desc limit 1`,
		head === undefined ? [null, null] : [head.txid, head.row],
	);
	return row && {before: row.before, days: row.days, at: row.at, place: {txid: row.txid, row: row.history_id}};
}
