import type {Id, Time} from '../core/types.ts';
import {readClock} from './clock.ts';
import type {Place} from './events.ts';
import {horizonOf} from './numbering.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** A seal over a run of rows of the history (docs/audit.md). Hashes are 64 hex digits. `to`: the last row that it seals; the first comes after the `to` of its predecessor. */
export type Seal = {
	number: number;
	/** Hash of the seal before; zeros for the first. */
	predecessor: string;
	hash: string;
	to: Place;
	rows: number;
	/** Of its rows, the earliest and the latest time. */
	oldest: Time;
	newest: Time;
	/** SHA-256 over the entries of its rows. */
	content: string;
	madeat: Time;
	/** Whether it still keeps the list of its rows; retention lets go of it with the last of them. */
	listed: boolean;
};

/** A row of the history as a seal lists it. `at`: microseconds since 1970; `leaf`: SHA-256 of the row in canonical form. */
export type Entry = Place & {at: bigint; leaf: string};

/** Rows that one seal takes at most, and bytes as they are stored of what belongs to them. */
const most = {rows: 2000, bytes: 2_097_152};

export const noSeal = '0'.repeat(64);

const field = (text: string): string => `coalesce(char_length(${text}) || ':' || ${text}, '-') || e'\\n'`;
/** A time that the clock never shows has a text of its own, too, so that no altered time reads like another one, or like none. */
const timeText = (time: string): string => `case when isfinite(${time})
	then to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || case when ${time} < timestamptz '0001-01-01T00:00:00Z' then ' BC' else '' end
	else ${time}::text end`;

const columns = ['txid::text', 'history_id::text', timeText('at'), 'colonies.text_of(actor)', 'colonies.text_of(colony_id)', 'noun', 'colonies.text_of(subject_id)', 'what', 'from_state', 'to_state', 'detail::text', 'request', 'signature', timeText('since')];

/** A row of the history in canonical form: the name of the form, and each column as its length in characters, a colon and its text, or `-` for null, each on a line. */
const canonicalRow = `'colonies.history/1' || e'\\n' || ${columns.map(column => field(column)).join(' || ')}`;

const leastBigint = '-9223372036854775808';

const microsecondsOf = (time: string): string => `case when isfinite(${time})
	then extract(epoch from date_trunc('second', ${time}))::bigint * 1000000 + extract(microseconds from ${time})::bigint % 1000000
	else '${leastBigint}'::bigint end`;

/** 56 bytes: transaction, row and time in eight bytes each, the highest first, and the SHA-256 of the row. */
const entryOfRow = `int8send(txid) || int8send(history_id) || int8send(${microsecondsOf('at')}) || sha256(convert_to(${canonicalRow}, 'UTF8'))`;
const entryLength = 56;

const canonicalSeal = `'colonies.seal/1' || e'\\n' || number || e'\\n' || encode(predecessor, 'hex') || e'\\n' || to_txid || '.' || to_row || e'\\n' || rows || e'\\n'
	|| ${timeText('oldest')} || e'\\n' || ${timeText('newest')} || e'\\n' || encode(content, 'hex') || e'\\n' || ${timeText('made_at')} || e'\\n'`;

/** A seal in canonical form: what its hash is the SHA-256 of. */
export const sealText = ({number, predecessor, to, rows, oldest, newest, content, madeat}: Omit<Seal, 'hash' | 'listed'>): string =>
	['colonies.seal/1', number, predecessor, `${to.txid}.${to.row}`, rows, oldest, newest, content, madeat, ''].join('\n');

/** The list that a seal keeps of its rows, taken apart. */
export function readEntries(bytes: Buffer): Entry[] {
	return Array.from({length: Math.floor(bytes.length / entryLength)}, (_, index) => {
		const entry = bytes.subarray(index * entryLength, (index + 1) * entryLength);
		return {
			txid: Number(entry.readBigInt64BE(0)), row: Number(entry.readBigInt64BE(8)), at: entry.readBigInt64BE(16), leaf: entry.toString('hex', 24),
		};
	});
}

/** Entries as bytes again: those from one to before another. */
export const entryBytes = (bytes: Buffer, from: number, to: number): Buffer => bytes.subarray(from * entryLength, to * entryLength);

type SealRow = {
	number: number; predecessor: string; hash: string; to_txid: number; to_row: number; rows: number; oldest: Time; newest: Time; content: string; made_at: Time; listed: boolean;
};

const selected = 'number, encode(predecessor, \'hex\') as predecessor, encode(hash, \'hex\') as hash, to_txid, to_row, rows, oldest, newest, encode(content, \'hex\') as content, made_at, entries is not null as listed';

const toSeal = (row: SealRow): Seal => ({
	number: row.number, predecessor: row.predecessor, hash: row.hash, to: {txid: row.to_txid, row: row.to_row}, rows: row.rows, oldest: row.oldest, newest: row.newest, content: row.content, madeat: row.made_at, listed: row.listed,
});

/** The last seal; undefined where nothing is sealed yet. */
export async function lastSeal(client: Client): Promise<Seal | undefined> {
	const {rows: [row]} = await client.query<SealRow>(`select ${selected} from colonies.seals order by number desc limit 1`);
	return row && toSeal(row);
}

/** When the oldest change was made that no seal covers yet; null where all is sealed. */
export async function unsealedSince(client: Client, {to}: Pick<Seal, 'to'>): Promise<Time | null> {
	const {rows: [row]} = await client.query<{at: Time}>('select at from colonies.history where txid >= $1::bigint and (txid, history_id) > ($1::bigint, $2::bigint) order by txid, history_id limit 1', [to.txid, to.row]);
	return row?.at ?? null;
}

/** The seals from a number on, in their order. */
export async function sealsFrom(client: Client, number: number, limit: number): Promise<Seal[]> {
	const {rows} = await client.query<SealRow>(`select ${selected} from colonies.seals where number >= $1 order by number limit $2`, [number, limit]);
	return rows.map(row => toSeal(row));
}

/** The seal with this hash among those that are counted from 1 on, which are the chain; undefined where there is none. */
export async function sealWithHash(client: Client, hash: string): Promise<Seal | undefined> {
	const {rows: [row]} = await client.query<SealRow>(`select ${selected} from colonies.seals where hash = decode($1, 'hex') and number >= 1 order by number limit 1`, [hash]);
	return row && toSeal(row);
}

/** The number of a seal that stands before the first one, where somebody put one in. */
export async function sealBeforeFirst(client: Client): Promise<number | undefined> {
	const {rows: [row]} = await client.query<{number: number}>('select number from colonies.seals where number < 1 order by number limit 1');
	return row?.number;
}

/** The seal that a row belongs to; undefined where it is not sealed yet. */
export async function sealOf(client: Client, {txid, row}: Place): Promise<Seal | undefined> {
	const {rows: [found]} = await client.query<SealRow>(`select ${selected} from colonies.seals where (to_txid, to_row) >= ($1::bigint, $2::bigint) order by to_txid, to_row limit 1`, [txid, row]);
	return found && toSeal(found);
}

const beforeAll: Place = {txid: Number.NEGATIVE_INFINITY, row: Number.NEGATIVE_INFINITY};

/** Rows after the place `($1, $2)`. Said twice of the transaction, for among compressed rows they are found by that alone. */
const afterPlace = (from: Place): string => `txid >= $1::bigint and (txid, history_id) ${from === beforeAll ? '>=' : '>'} ($1::bigint, $2::bigint)`;

const placeValues = (place: Place): Array<number | string> => place === beforeAll ? [leastBigint, leastBigint] : [place.txid, place.row];

/** Where the rows of a seal begin: after its predecessor, and the first seal's before all. */
export const startOf = (predecessor: Seal | undefined): Place => predecessor?.to ?? beforeAll;

const isSealing = 'hashtextextended(\'colonies.seals\', 0)';

/**
Seals the oldest rows that are not sealed yet and that no transaction can add to any more (domain.md, "History"); at most so many at once.
In a transaction of its own. Nobody waits for it, and it for nobody: where another one seals, that one does.
@returns how many rows it sealed, and whether there are more
*/
export async function seal(client: Client): Promise<{rows: number; more: boolean}> {
	const {rows: [lock]} = await client.query<{free: boolean}>(`select pg_try_advisory_xact_lock(${isSealing}) as free`);
	if (!lock!.free) {
		return {rows: 0, more: false};
	}

	const last = await lastSeal(client);
	const start = startOf(last);
	const horizon = await horizonOf(client);
	const now = await readClock(client);
	const {rows: [made]} = await client.query<Made>(
		`with due as (
			select *, row_number() over place as number, sum(pg_column_size(detail)) over place as bytes from (
				select * from colonies.history where ${afterPlace(start)} and txid < $7::bigint
				order by txid, history_id limit $5
			) h window place as (order by txid, history_id)
		), listed as (
			select count(*)::int as rows, min(at) as oldest, max(at) as newest, string_agg(${entryOfRow}, '' order by txid, history_id) as entries,
				(array_agg(txid order by txid desc, history_id desc))[1] as to_txid, (array_agg(history_id order by txid desc, history_id desc))[1] as to_row
			from due where number = 1 or coalesce(bytes, 0) <= $6
		), made as (
			select $3::bigint as number, decode($4, 'hex') as predecessor, l.*, sha256(l.entries) as content, $8::timestamptz as made_at from listed l where l.rows > 0
		)
		select number, predecessor, sha256(convert_to(${canonicalSeal}, 'UTF8')) as hash, to_txid::text, to_row::text, rows, oldest::text, newest::text, content, entries, (select count(*) from due) > rows or rows = $5 as more from made`,
		[...placeValues(start), (last?.number ?? 0) + 1, last?.hash ?? noSeal, most.rows, most.bytes, horizon, now],
	);
	if (made === undefined) {
		return {rows: 0, more: false};
	}

	// The transaction gets its number at the insert, at the end, so that readers of events are not held up meanwhile.
	await Promise.all([
		client.query(
			`insert into colonies.seals (number, predecessor, hash, to_txid, to_row, rows, oldest, newest, content, made_at, entries)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			[made.number, bytesOf(made.predecessor), bytesOf(made.hash), made.to_txid, made.to_row, made.rows, made.oldest, made.newest, bytesOf(made.content), now, bytesOf(made.entries)],
		),
		client.query('update colonies.txid_base set sealed = $1', [made.to_txid]),
	]);
	return {rows: made.rows, more: made.more};
}

/** A seal as it is to be kept, with the list of its rows; its end and times as the database writes them, for somebody may have put in what no number and no time here is equal to. */
type Made = {number: number; predecessor: string; hash: string; to_txid: string; to_row: string; rows: number; oldest: string; newest: string; content: string; entries: string; more: boolean};

/** Rows after a place, up to another, `($3, $4)`. */
const between = (from: Place): string => `${afterPlace(from)} and txid <= $3::bigint and (txid, history_id) <= ($3::bigint, $4::bigint)`;

const entriesOf = (from: Place): string => `select string_agg(${entryOfRow}, '' order by txid, history_id) as entries from colonies.history where ${between(from)}`;

const toBuffer = (hex: string | null): Buffer => Buffer.from(hex ?? '', 'hex');

/** The entries of all rows after a place up to another, as they are now, one after the other. */
export async function entriesBetween(client: Client, from: Place, to: Place): Promise<Buffer> {
	const {rows: [row]} = await client.query<{entries: string | null}>(entriesOf(from), [...placeValues(from), to.txid, to.row]);
	return toBuffer(row!.entries);
}

/**
The entries that a seal keeps of its rows, undefined where its list is gone, and those of its rows as they are now.
Of one moment, for retention may drop both meanwhile.
@param from where its rows begin
*/
export async function keptAndPresent(client: Client, {number, to}: Seal, from: Place): Promise<{kept: Buffer | undefined; present: Buffer}> {
	const {rows: [row]} = await client.query<{kept: string | null; present: string | null}>(
		`select s.entries as kept, p.entries as present from (${entriesOf(from)}) p left join colonies.seals s on s.number = $5`,
		[...placeValues(from), to.txid, to.row, number],
	);
	return {kept: row!.kept === null ? undefined : toBuffer(row!.kept), present: toBuffer(row!.present)};
}

/** The entries that a seal keeps of its rows; undefined where its list is gone. */
export async function keptEntries(client: Client, number: number): Promise<Buffer | undefined> {
	const {rows: [row]} = await client.query<{entries: string | null}>('select entries from colonies.seals where number = $1', [number]);
	return row?.entries ? toBuffer(row.entries) : undefined;
}

/** How many rows are not sealed yet, counted to `limit`, and since when. */
export async function unsealed(client: Client, after: Place, limit: number): Promise<{rows: number; since: Time | null}> {
	const {rows: [row]} = await client.query<{rows: number; since: Time | null}>(
		`select count(*)::int as rows, min(at) as since from (
			select at from colonies.history where txid >= $1::bigint and (txid, history_id) > ($1::bigint, $2::bigint) order by txid, history_id limit $3
		) h`,
		[after.txid, after.row, limit],
	);
	return row!;
}

/** How many rows no seal covers, counted to `limit`, and how many seconds ago the oldest of them was written; 0 where there is none. */
export async function backlog(client: Client, limit: number): Promise<{rows: number; seconds: number}> {
	const {rows: [row]} = await client.query<{rows: number; seconds: number}>(
		`with last as materialized (select to_txid, to_row from colonies.seals order by number desc limit 1), start as materialized (
			select coalesce((select to_txid from last), '${leastBigint}'::bigint) as txid, coalesce((select to_row from last), '${leastBigint}'::bigint) as row
		)
		select count(*)::int as rows, coalesce(greatest(0, extract(epoch from statement_timestamp() - min(at))), 0)::float8 as seconds from (
			select at from colonies.history where txid >= (select txid from start) and (txid, history_id) > ((select txid from start), (select row from start)) order by txid, history_id limit $1
		) h`,
		[limit],
	);
	return row!;
}

/** A change as it is checked against the request that was signed for it. `computer`, `keyid`: of its detail; `drop`: the detail of one about closed processes that were removed together. */
export type SignedRow = {
	place: Place; at: Time; actor: Id | 'root' | 'system'; colonyid: Id | null; noun: string; subject: string; what: string; request: string | null; signature: string | null; computer: string | null; keyid: string | null; drop: unknown;
};

type ChangeRow = {txid: number; history_id: number; at: Time; actor: string; colony_id: string | null; noun: string; subject_id: string; what: string; request: string | null; signature: string | null; computer: string | null; keyid: string | null; drop: unknown};

/** The changes between two places that have a request, and those that should: `whats`. */
export async function changesBetween(client: Client, from: Place, to: Place, whats: readonly string[]): Promise<SignedRow[]> {
	const {rows} = await client.query<ChangeRow>(
		`select txid, history_id, at, colonies.text_of(actor) as actor, colonies.text_of(colony_id) as colony_id, noun, colonies.text_of(subject_id) as subject_id, what, request, signature, detail->>'computer' as computer, detail->>'keyid' as keyid, case when what = 'process.drop' then detail end as drop from colonies.history
		where ${between(from)} and (request is not null or signature is not null or what = any ($5))
		order by txid, history_id`,
		[...placeValues(from), to.txid, to.row, whats],
	);
	return rows.map(row => ({
		place: {txid: row.txid, row: row.history_id}, at: row.at, actor: row.actor, colonyid: row.colony_id, noun: row.noun, subject: row.subject_id, what: row.what, request: row.request, signature: row.signature, computer: row.computer, keyid: row.keyid, drop: row.drop,
	}));
}

/** The first transaction of each signature: a request is carried out once. */
export async function firstOfSignatures(client: Client, signatures: readonly string[]): Promise<Map<string, number>> {
	const {rows} = await client.query<{signature: string; txid: number}>('select signature, min(txid) as txid from colonies.history where signature = any ($1) group by signature', [signatures]);
	return new Map(rows.map(({signature, txid}) => [signature, txid]));
}

/** Where a row stands that has the time and number of one that is missing at its place: it was moved there. */
export async function placeOfRow(client: Client, {at, row}: Entry): Promise<Place | undefined> {
	if (!Number.isSafeInteger(row)) {
		return undefined;
	}

	const {rows: [found]} = await client.query<{txid: number; history_id: number}>(
		'select txid, history_id from colonies.history where at = timestamptz \'1970-01-01T00:00:00Z\' + $1::bigint * interval \'1 microsecond\' and history_id = $2',
		[String(at), row],
	);
	return found && {txid: found.txid, row: found.history_id};
}

/** What a row says of itself now, in short; undefined where there is none, or where its numbers are too large to have been given by a database. */
export async function rowAt(client: Client, {txid, row}: Place): Promise<{what: string; colonyid: Id | null} | undefined> {
	if (!Number.isSafeInteger(txid) || !Number.isSafeInteger(row)) {
		return undefined;
	}

	const {rows: [found]} = await client.query<{what: string; colony_id: Id | null}>('select what, colony_id from colonies.history where txid = $1 and history_id = $2', [txid, row]);
	return found && {what: found.what, colonyid: found.colony_id};
}
