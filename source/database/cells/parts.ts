import type {Id} from '../../core/types.ts';
import type {Place} from '../events.ts';
import {horizonOf} from '../numbering.ts';
import type {Client, Database} from '../types.ts';
import {bytesOf} from '../values.ts';

/** Rows that are copied at once, and bytes of them, as they are stored. */
const most = {rows: 2000, bytes: 4_194_304};

/** What says in the history that a colony came or went, which is not copied: each cell tells its own. */
const comings = 'what in (\'colony.move\', \'colony.arrive\')';

/** What makes a row of the history what it is, wherever it stands. */
const content = ['at', 'since', 'actor', 'colony_id', 'subject_id', 'noun', 'what', 'from_state', 'to_state', 'detail', 'request', 'signature'] as const;

/** SHA-256 over rows, in order, as text; sessions of a transaction print times in UTC. */
const digestOf = (row: string, order: string): string => `encode(sha256(convert_to(coalesce(string_agg(${row}::text, e'\\n' order by ${order}), ''), 'UTF8')), 'hex')`;
const contentOf = (row: string): string => `row(${content.map(column => `${row}.${column}`).join(', ')})`;

/** The highest number of the history up to now. */
export async function newestNumber(client: Client): Promise<number> {
	const {rows: [row]} = await client.query<{txid: number}>('select coalesce((select txid from colonies.history order by txid desc limit 1), 0) as txid');
	return Math.max(row!.txid, await horizonOf(client));
}

/** A copy that was begun. `from`: the name of the source; `txid`: the transaction of the source up to which the history is copied. */
export type Arrival = {from: string; txid: number; rows: number; isParked: boolean; head: string | null};

/** The copy that was begun of a colony, held until the transaction ends; undefined where none was. */
export async function arrivalOf(client: Client, colony: Id): Promise<Arrival | undefined> {
	const {rows: [row]} = await client.query<{from_cell: string; txid: number; rows: number; is_parked: boolean; head: string | null}>('select from_cell, txid, rows, is_parked, head from colonies.arrivals where colony_id = $1 for update', [bytesOf(colony)]);
	return row && {from: row.from_cell, txid: row.txid, rows: row.rows, isParked: row.is_parked, head: row.head};
}

/** Whether a colony lives here. */
export async function presenceIn(client: Client, colony: Id): Promise<boolean> {
	const {rows} = await client.query('select from colonies.colonies where colony_id = $1', [bytesOf(colony)]);
	return rows.length === 1;
}

/** Rows of a colony that a copy takes, counted. */
export async function countOf(client: Client, colony: Id): Promise<number> {
	const {rows: [row]} = await client.query<{count: number}>('select (select count(*) from colonies.history where colony_id = $1) + (select count(*) from colonies.closed where colony_id = $1) as count', [bytesOf(colony)]);
	return row!.count;
}

/** Rows of the history as JSON text, of whole transactions. `upto`: the last of them. */
export type Portion = {rows: string; count: number; digest: string; upto: Place};

/** The rows of a colony after a transaction of its cell, in order; undefined at the end. Only what no transaction can add to any more, unless the colony stands still. */
export async function nextHistory(client: Client, colony: Id, after: number, isFrozen: boolean): Promise<Portion | undefined> {
	const horizon = isFrozen ? Number.MAX_SAFE_INTEGER : await horizonOf(client);
	const ours = `colony_id = $1 and txid > $2::bigint and txid < $3::bigint and not (${comings})`;
	// Up to the last transaction that fits as a whole, or the first one, however large.
	const {rows: [end]} = await client.query<{txid: number | null}>(
		`with looked as (
			select txid, row_number() over w as n, sum(pg_column_size(detail) + coalesce(octet_length(request), 0)) over w as bytes
			from (select * from colonies.history where ${ours} order by txid, history_id limit $4) h window w as (order by txid, history_id)
		), beyond as (select min(txid) as txid from looked where n > 1 and (n = $4 or coalesce(bytes, 0) > $5))
		select coalesce((select max(txid) from looked where txid < (select txid from beyond)), (select case when (select txid from beyond) is null then max(txid) else min(txid) end from looked)) as txid`,
		[bytesOf(colony), after, horizon, most.rows + 1, most.bytes],
	);
	if (end!.txid === null) {
		return undefined;
	}

	const {rows: [row]} = await client.query<{rows: string; count: number; digest: string; last: number}>(
		`select jsonb_agg(to_jsonb(h) - '{txid,history_id}'::text[] order by txid, history_id)::text as rows, count(*)::int as count, ${digestOf(contentOf('h'), 'txid, history_id')} as digest,
			(array_agg(history_id order by txid desc, history_id desc))[1] as last
		from colonies.history h where ${ours}`,
		[bytesOf(colony), after, end!.txid + 1],
	);
	return {rows: row!.rows, count: row!.count, digest: row!.digest, upto: {txid: end!.txid, row: row!.last}};
}

/**
Writes rows of another cell's history into this one's, in their order, and remembers how far it is. Rows that are here already, from an earlier stay or an earlier try, are left out.
@returns the digest of what is here now of them
*/
export async function writeHistory(client: Client, colony: Id, {rows, count, upto}: Portion): Promise<{digest: string}> {
	const same = content.map(column => `x.${column} is not distinct from g.${column}`).filter(text => !/\.(?:colony_id|subject_id|at) /.test(text)).join(' and ');
	const {rows: [written]} = await client.query<{digest: string; txid: number; first: number | null}>(
		`with given as materialized (
			select r.*, o.n from jsonb_array_elements($2::jsonb) with ordinality as o(row, n) cross join lateral jsonb_populate_record(null::colonies.history, o.row) r
		), stayed as materialized (
			select g.n from given g where exists (select from colonies.arrivals a where a.colony_id = $1 and a.repeats)
				and exists (select from colonies.history x where x.subject_id = g.subject_id and x.at = g.at and x.colony_id = g.colony_id and ${same})
		), made as (
			insert into colonies.history (txid, ${content.join(', ')})
			select txid_current() + b.base, ${content.map(column => `g.${column}`).join(', ')} from given g, colonies.txid_base b where txid_current() + b.base > b.sealed and g.n not in (select n from stayed) order by g.n
			returning *
		), present as (
			select row_number() over (order by m.history_id) as place, ${contentOf('m')}::text as text from made m
		), placed as (
			select row_number() over (order by g.n) as place, g.n from given g where g.n not in (select n from stayed)
		)
		select encode(sha256(convert_to(coalesce(string_agg(t.text, e'\\n' order by t.n), ''), 'UTF8')), 'hex') as digest, (select max(txid) from made) as txid, (select min(history_id) from made) as first
		from (select p.n, m.text from present m join placed p using (place) union all select g.n, ${contentOf('g')}::text from given g where g.n in (select n from stayed)) t`,
		[bytesOf(colony), rows],
	);
	const {digest, txid, first} = written!;
	if (first !== null) {
		await client.query('insert into colonies.moved_places (colony_id, txid, history_id, to_txid, to_row) values ($1, $2, $3, $4, $5) on conflict do nothing', [bytesOf(colony), upto.txid, upto.row, txid, first - 1]);
	}

	await client.query('update colonies.arrivals set txid = $2, rows = rows + $3, is_parked = false where colony_id = $1', [bytesOf(colony), upto.txid, count]);
	return {digest};
}

/** Closed processes of a colony by the hour in which they ended: how many, and a digest that does not depend on their order. */
export async function closedHours(client: Client, colony: Id): Promise<Map<string, string>> {
	const {rows} = await client.query<{hour: string; digest: string}>(
		`select to_char(date_trunc('hour', end_time at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:00:00"Z"') as hour, count(*) || ' ' || sum(hashtextextended((to_jsonb(c))::text, 0)::numeric) as digest
		from colonies.closed c where colony_id = $1 group by 1`,
		[bytesOf(colony)],
	);
	return new Map(rows.map(({hour, digest}) => [hour, digest]));
}

const inHour = 'colony_id = $1 and end_time >= $2::timestamptz and end_time < $2::timestamptz + interval \'1 hour\'';

/** Makes one hour of closed processes here what it is there. @returns how many there are */
export async function replaceHour({from, to, colony, hour}: {from: Client; to: Client; colony: Id; hour: string}): Promise<number> {
	const hourOf = [bytesOf(colony), hour];
	await to.query(`delete from colonies.closed where ${inHour}`, hourOf);
	let count = 0;

	for await (const rows of readPortions(from, `select to_jsonb(c) as row from colonies.closed c where ${inHour}`, hourOf)) {
		await to.query('insert into colonies.closed select r.* from jsonb_populate_recordset(null::colonies.closed, $1::jsonb) r', [`[${rows.join(',')}]`]);
		count += rows.length;
	}

	return count;
}

/** Rows that are fetched at once where nobody knows how large they are; then as many as fit. */
const fetched = 100;

/** Rows of a statement as JSON texts, in portions that fit into memory. */
async function * readPortions(client: Client, statement: string, values: readonly unknown[]): AsyncGenerator<string[]> {
	await client.query(`declare rows_to_move no scroll cursor for select row::text from (${statement}) r`, values);
	/* eslint-disable no-await-in-loop */
	for (let [more, some, bytes] = [true, [] as string[], 0]; more;) {
		const {rows} = await client.query<{row: string}>(`fetch forward ${fetched} from rows_to_move`);
		more = rows.length === fetched;
		some.push(...rows.map(({row}) => row));
		bytes += rows.reduce((sum, {row}) => sum + row.length, 0);
		if (some.length > 0 && (!more || some.length >= most.rows || bytes >= most.bytes)) {
			yield some;
			[some, bytes] = [[], 0];
		}
	}
	/* eslint-enable no-await-in-loop */

	await client.query('close rows_to_move');
}

/**
What goes with a colony besides its history and closed processes, in an order in which each finds what it points to. `which`: its rows, of the colony \`$1\`.
\`put\`: how they are put back from \`r.row\`; left out where the row is as it was.
*/
const parked: ReadonlyArray<{table: string; which: string; put?: string}> = [
	{table: 'colonies', which: 'colony_id = $1', put: 'insert into colonies.colonies select c.* from rows r cross join lateral jsonb_populate_record(null::colonies.colonies, r.row - \'leaving_until\') c'},
	{table: 'computers', which: 'colony_id = $1'},
	{table: 'seen', which: 'colony_id = $1'},
	{table: 'process_retention', which: 'colony_id = $1'},
	{
		table: 'demands', which: 'colony_id = $1',
		put: `insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus, created_at)
			select d.colony_id, d.fingerprint, d.target_computer_ids, d.computer_type, d.cores, d.mem, d.gpus, d.created_at from rows r cross join lateral jsonb_populate_record(null::colonies.demands, r.row) d`,
	},
	{
		// What it asks has another number here.
		table: 'live', which: 'colony_id = $1',
		put: `insert into colonies.live select l.* from rows r
			join lateral (select o.row->>'fingerprint' as print from colonies.arriving_rows a cross join lateral jsonb_array_elements(a.rows) o(row) where a.colony_id = $1 and a.table_name = 'demands' and o.row->>'demand_id' = r.row->>'demand_id') asked on true
			join colonies.demands d on d.colony_id = $1 and d.fingerprint = asked.print::bytea
			cross join lateral jsonb_populate_record(null::colonies.live, r.row || jsonb_build_object('demand_id', d.demand_id)) l`,
	},
	{table: 'outputs', which: 'process_id in (select l.process_id from colonies.live l where l.colony_id = $1)'},
	{table: 'idempotency_keys', which: 'signer = $1 or signer in (select c.computer_id from colonies.computers c where c.colony_id = $1)'},
	// What Pulse has counted of rows that are gone; the others are counted again.
	{table: 'pulse_rolled', which: 'colony_id = $1 and at + level * interval \'1 second\' <= coalesce((select h.at from colonies.history h where h.colony_id = $1 order by h.txid, h.history_id limit 1), \'-infinity\')'},
	// A request that was signed before is spent here, too.
	...[0, 1, 2, 3].map(slot => ({table: `nonces_${slot}`, which: '$1::bytea is not null'})),
];

/** Parks in the target what changes while a colony lives, in place of what was parked before. The colony stands still meanwhile. */
export async function park({from, target, colony, head}: {from: Client; target: Database; colony: Id; head: string | null}): Promise<void> {
	await target.query('delete from colonies.arriving_rows where colony_id = $1', [bytesOf(colony)]);
	let n = 0;
	/* eslint-disable no-await-in-loop */
	for (const {table, which} of parked) {
		for await (const rows of readPortions(from, `select to_jsonb(t) as row from colonies.${table} t where ${which}`, [bytesOf(colony)])) {
			await target.query('insert into colonies.arriving_rows (colony_id, n, table_name, rows) values ($1, $2, $3, $4::jsonb)', [bytesOf(colony), n, table, `[${rows.join(',')}]`]);
			n++;
		}
	}
	/* eslint-enable no-await-in-loop */

	await target.query('update colonies.arrivals set is_parked = true, head = $2 where colony_id = $1', [bytesOf(colony), head]);
}

/** The first table of which not as many rows are parked as there are, in words; undefined where all are. */
export async function difference(from: Client, target: Client, colony: Id): Promise<string | undefined> {
	const {rows} = await target.query<{table_name: string; count: number}>('select table_name, sum(jsonb_array_length(rows))::int as count from colonies.arriving_rows where colony_id = $1 group by table_name', [bytesOf(colony)]);
	const there = new Map(rows.map(({table_name: table, count}) => [table, count]));
	for (const {table, which} of parked) {
		const {rows: [row]} = await from.query<{count: number}>(`select count(*)::int as count from colonies.${table} where ${which}`, [bytesOf(colony)]); // eslint-disable-line no-await-in-loop
		// Nonces of other colonies are spent meanwhile, and computers are seen.
		if (!table.startsWith('nonces_') && table !== 'seen' && row!.count !== (there.get(table) ?? 0)) {
			return `${there.get(table) ?? 0} rows of the table ${table} for ${row!.count}`;
		}
	}

	return undefined;
}

/** Puts what is parked into its tables, and forgets the copy: the colony lives here from the commit on. */
export async function unpark(client: Client, colony: Id): Promise<void> {
	/* eslint-disable no-await-in-loop */
	for (const {table, put} of parked) {
		const rows = 'rows as materialized (select o.row from colonies.arriving_rows a cross join lateral jsonb_array_elements(a.rows) o(row) where a.colony_id = $1 and a.table_name = $2)';
		const insert = put ?? `insert into colonies.${table} select t.* from rows r cross join lateral jsonb_populate_record(null::colonies.${table}, r.row) t`;
		await client.query(`with ${rows} ${insert} on conflict do nothing`, [bytesOf(colony), table]);
	}

	for (const table of ['arrivals', 'arriving_rows', 'departures']) {
		await client.query(`delete from colonies.${table} where colony_id = $1`, [bytesOf(colony)]);
	}
	/* eslint-enable no-await-in-loop */
}

/** Takes a colony away that goes to another cell; what is closed of it is cleared away later. */
export async function leave(client: Client, colony: Id, to: string): Promise<void> {
	/* eslint-disable no-await-in-loop */
	for (const text of [
		'delete from colonies.outputs where process_id in (select l.process_id from colonies.live l where l.colony_id = $1)',
		...['live', 'demands', 'seen', 'process_retention', 'computers', 'colonies'].map(table => `delete from colonies.${table} where colony_id = $1`),
	]) {
		await client.query(text, [bytesOf(colony)]);
	}
	/* eslint-enable no-await-in-loop */

	await client.query('insert into colonies.departures (colony_id, to_cell) values ($1, $2)', [bytesOf(colony), to]);
}

/** Clears away a portion of what a colony has left. @returns whether there may be more */
export async function clearPortion(client: Client, colony: Id): Promise<boolean> {
	const {rows} = await client.query('select from colonies.departures where colony_id = $1 and not is_cleared for update', [bytesOf(colony)]);
	if (rows.length === 0) {
		return false;
	}

	const {rowCount} = await client.query('delete from colonies.closed where (process_id, end_time) in (select process_id, end_time from colonies.closed where colony_id = $1 limit $2)', [bytesOf(colony), most.rows]);
	if (rowCount > 0) {
		return true;
	}

	await client.query('delete from colonies.pulse_rolled where colony_id = $1', [bytesOf(colony)]);
	await client.query('update colonies.departures set is_cleared = true where colony_id = $1', [bytesOf(colony)]);
	return false;
}

/** Forgets a copy that was begun: its closed processes, and what is parked. Its rows of the history stay, as if the colony had been here. */
export async function forgetCopy(client: Client, colony: Id): Promise<void> {
	const {rowCount} = await client.query('delete from colonies.arrivals where colony_id = $1', [bytesOf(colony)]);
	await client.query('delete from colonies.arriving_rows where colony_id = $1', [bytesOf(colony)]);
	if (rowCount > 0) {
		await client.query('delete from colonies.closed where colony_id = $1', [bytesOf(colony)]);
		await client.query('insert into colonies.departures (colony_id, to_cell, is_cleared) values ($1, \'\', true) on conflict (colony_id) do nothing', [bytesOf(colony)]);
	}
}
