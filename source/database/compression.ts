import {InvalidInput} from '../core/errors.ts';
import {timescaleSchema} from './timescale.ts';
import type {Client} from './types.ts';

/** Tables of which TimescaleDB compresses what is old: rows that are found together lie together, in the order in which they are read. */
const layouts = {
	// By what was done, so that operators' changes are found without the others; within, in the order in which they are sealed.
	history: {segments: 'what', order: 'txid, history_id, at'},
	closed: {segments: 'colony_id, status', order: 'end_time, process_id'},
} as const;
type Compressed = keyof typeof layouts;
const tables = Object.keys(layouts) as Compressed[];

/** Whether a table lies in chunks of TimescaleDB, in which schema its functions are, and whether the chunks can be compressed. */
export async function chunksOf(client: Client, table: Compressed): Promise<{functions: string; compressible: boolean} | undefined> {
	const functions = await timescaleSchema(client);
	if (functions === undefined) {
		return undefined;
	}

	const {rows: [found]} = await client.query<{compressible: boolean}>(`select compression_enabled as compressible from timescaledb_information.hypertables where hypertable_schema = 'colonies' and hypertable_name = '${table}'`);
	return found && {...found, functions};
}

/** Has TimescaleDB compress what is older than so many days; with null it compresses nothing more. @throws InvalidInput where there are no chunks to compress */
export async function setCompression(client: Client, days: number | null): Promise<void> {
	/* eslint-disable no-await-in-loop */
	for (const table of tables) {
		const found = await chunksOf(client, table);
		if (found === undefined) {
			if (days !== null) {
				throw new InvalidInput('This database cannot compress the history: it does not lie in chunks of TimescaleDB.', {hint: 'Leave --compressafter out, or use a database with TimescaleDB.'});
			}

			continue;
		}

		if (!found.compressible && days !== null) {
			const {segments, order} = layouts[table];
			await client.query(`alter table colonies.${table} set (timescaledb.compress, timescaledb.compress_segmentby = '${segments}', timescaledb.compress_orderby = '${order}')`);
		}

		if (found.compressible || days !== null) {
			await client.query(`select ${found.functions}.remove_compression_policy('colonies.${table}', if_exists => true)`);
		}

		if (days !== null) {
			await client.query(`select ${found.functions}.add_compression_policy('colonies.${table}', compress_after => make_interval(days => $1::int))`, [days]);
		}
	}
	/* eslint-enable no-await-in-loop */
}

/** Compresses one chunk of what is older than so many days, where TimescaleDB has nobody of its own who does. @returns whether there was one */
export async function compressOne(client: Client, days: number): Promise<boolean> {
	const functions = await timescaleSchema(client);
	if (functions === undefined) {
		return false;
	}

	const {rows} = await client.query(
		`select ${functions}.compress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass) from (
			select chunk_schema, chunk_name from timescaledb_information.chunks
			where hypertable_schema = 'colonies' and hypertable_name = any ($2::text[]) and not is_compressed and range_end < statement_timestamp() - make_interval(days => $1::int)
				and not exists (select from pg_stat_activity where backend_type like 'TimescaleDB%' and datname = current_database())
			order by range_end limit 1
		) due`,
		[days, tables],
	);
	return rows.length > 0;
}

/**
Brings closed processes out of compressed chunks, for rows there cannot be locked: an update brings out the batches that they lie in, and locks them.
Nothing where nothing was ever compressed. `where`: of rows `p`, with `values`.
*/
export async function bringOut(client: Client, where: string, values: readonly unknown[]): Promise<void> {
	if ((await chunksOf(client, 'closed'))?.compressible) {
		// Each row may lie in a batch of a thousand: so many are never too many.
		await client.query('set local timescaledb.max_tuples_decompressed_per_dml_transaction = 0');
		await client.query(`update colonies.closed p set status = p.status where ${where}`, [...values]);
	}
}
