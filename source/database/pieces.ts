import type {Time} from '../core/types.ts';
import {timescaleSchema} from './timescale.ts';
import type {Client} from './types.ts';

/** Tables that lie in pieces, and the time by which. */
export const timeOfPieces = {closed: 'end_time', history: 'at'} as const;

/** Makes the pieces of the tables of closed processes and of the history for the time that comes, where they are not there yet; TimescaleDB makes its own. What belongs to none goes to a piece for all that is so. */
export async function makePieces(client: Client): Promise<void> {
	// Somebody who reads the table for long is not waited for; then it is for the next time.
	await client.query('set local lock_timeout = \'200ms\'');
	await client.query(`select colonies.make_piece('closed', '${timeOfPieces.closed}', ((statement_timestamp() at time zone 'UTC') + months * interval '1 month')::date, false) from generate_series(0, 1) months`);
	// Days only where they are few, for the planner looks at every piece.
	// Apart from the look at a table: with Citus that runs on another server, which makes none.
	const {rows: [kept]} = await client.query<{byday: boolean | null}>('select days <= 31 as byday from colonies.retention');
	await client.query(`select colonies.make_piece('history', '${timeOfPieces.history}', (statement_timestamp() at time zone 'UTC')::date + days, $1::boolean) from generate_series(0, 2) days`, [kept?.byday ?? false]);
}

/** A piece of a table, with what is from `begins` to before `ends`. `functions`: the schema of TimescaleDB's functions, where that made it; `isPast`: whether nothing can come into it any more. */
export type Piece = {name: string; begins: Time; ends: Time; isPast: boolean; isCompressed: boolean; functions: string | undefined};

/** The pieces of a table, the oldest first, but for the one that holds what belongs to none. */
export async function piecesOf(client: Client, table: keyof typeof timeOfPieces): Promise<Piece[]> {
	const {rows: [kind]} = await client.query<{isPlain: boolean}>(`select exists (select from pg_catalog.pg_partitioned_table where partrelid = to_regclass('colonies.${table}')) as "isPlain"`);
	const functions = kind!.isPlain ? undefined : await timescaleSchema(client);
	const pieces = kind!.isPlain
		? `select format('%I.%I', n.nspname, c.relname) as name, coalesce(substring(b.bound from 'FROM \\(''([^'']+)''\\)')::timestamptz, '-infinity') as begins, substring(b.bound from 'TO \\(''([^'']+)''\\)')::timestamptz as ends, false as compressed
			from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
			where i.inhparent = to_regclass('colonies.${table}')`
		: `select format('%I.%I', chunk_schema, chunk_name) as name, range_start as begins, range_end as ends, is_compressed as compressed
			from timescaledb_information.chunks where hypertable_schema = 'colonies' and hypertable_name = '${table}'`;
	const {rows} = await client.query<Omit<Piece, 'functions'>>(`select name, begins, ends, ends <= statement_timestamp() as "isPast", compressed as "isCompressed" from (${pieces}) p where ends is not null order by ends`);
	return rows.map(row => ({...row, functions}));
}
