import type {Time} from '../core/types.ts';
import {engineBehind} from './citus.ts';
import type {Client, Load, NoChanges} from './types.ts';

/** How it stands with the database behind the operations. Bytes and seconds; null where this database, or the user that asks, cannot say. */
export type DatabaseStatus = {
	/** The database's clock. */
	clock: Time;
	/** Since when the database server runs. */
	started: Time | null;
	/** Of the whole database. */
	bytes: number | null;
	/** Of these tables with their indexes. */
	sizes: Array<{table: string; bytes: number}>;
	/** Connections of whatever program to this database, and how many are allowed to the server. */
	connections: number | null;
	most: number;
	/** Age of the oldest transaction that is still open: events and seals wait for it. */
	oldest: number | null;
	/** Why it takes no changes; null where it takes them. */
	readonly: NoChanges | null;
	/** Whether notifications arrive here; where they do not, changes and work are found by polling five times a second. */
	listening: boolean;
	/** Whether hot statements are prepared: not with `--dbprepare off`, nor behind a pooler that was found not to keep them. */
	prepared: boolean;
	/** Seconds by which a standby is behind its primary; null on a primary, and where a standby has not heard of it yet. */
	lag: number | null;
};

const tables = ['live', 'closed', 'history'] as const;

type Row = {clock: Time; started: Time | null; bytes: number | null; connections: number | null; most: number; oldest: number | null; lag: number | null; timescale: string | null};

/** A place in the write-ahead log that moves whenever anything is written: on a standby, whenever it has applied something. */
export async function writtenTo(client: Client): Promise<string> {
	const {rows: [row]} = await client.query<{place: string | null}>('select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text as place');
	return row!.place ?? '';
}

/** Bytes of the database on all nodes of Citus; null where one does not say. */
async function bytesOfAllNodes(client: Client): Promise<number | null> {
	const {rows: [row]} = await client.query<{bytes: number | null}>('select case when bool_and(success) then sum(case when success then result::bigint end) end::bigint as bytes from run_command_on_all_nodes(\'select pg_database_size(current_database())\')');
	return row!.bytes;
}

/** Reads how it stands with the database; what it shows costs a few milliseconds whatever the tables hold. */
export async function databaseStatus(client: Client, {listening, prepares, noChanges}: Load): Promise<DatabaseStatus> {
	const {rows: [row]} = await client.query<Row>(`
		select clock_timestamp() as clock, pg_postmaster_start_time() as started, pg_database_size(current_database()) as bytes,
			(select count(*)::int from pg_stat_activity where datname = current_database()) as connections,
			current_setting('max_connections')::int as most,
			(select max(extract(epoch from clock_timestamp() - xact_start))::float8 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()) as oldest,
			case when pg_is_in_recovery() then case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end end as lag,
			(select quote_ident(n.nspname) from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb') as timescale`);
	const {timescale, ...status} = row!;
	const isDistributed = await engineBehind(client) === 'citus';
	const size = isDistributed ? 'citus_total_relation_size' : 'pg_total_relation_size';
	// What lies in pieces is counted piece by piece; the chunks of TimescaleDB by its own function.
	const sizeOf = (table: string): string => timescale !== null && table !== 'live' ? `${timescale}.hypertable_size('colonies.${table}')` : `coalesce((select sum(${size}(relid)) from pg_partition_tree('colonies.${table}') where isleaf), ${size}('colonies.${table}'))`;
	const {rows: sizes} = await client.query<{table: string; bytes: number}>(tables.map(table => `select '${table}' as table, ${sizeOf(table)}::bigint as bytes`).join(' union all '));
	return {...status, bytes: isDistributed ? await bytesOfAllNodes(client) : status.bytes, sizes, readonly: noChanges ?? null, listening, prepared: prepares};
}
