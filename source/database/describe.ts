import {engineBehind} from './citus.ts';
import type {Client} from './types.ts';

/** The versions of a server, for people: `PostgreSQL 15.18`, `TimescaleDB 2.23.0`; `PostgreSQL 15.18 with Citus 13.2-1` where that has distributed the schema. */
export async function describeServer(client: Client): Promise<{server: string; timescale: string | undefined}> {
	const {rows: [row]} = await client.query<{server: string; timescale: string; citus: string}>(`
		select current_setting('server_version') as server,
			coalesce((select extversion from pg_catalog.pg_extension where extname = 'timescaledb'), '') as timescale,
			coalesce((select extversion from pg_catalog.pg_extension where extname = 'citus'), '') as citus`);
	const version = row!.server.split(' ')[0]!;
	const citus = row!.citus !== '' && await engineBehind(client) === 'citus' ? ` with Citus ${row!.citus}` : '';
	return {server: `PostgreSQL ${version}${citus}`, timescale: row!.timescale === '' ? undefined : `TimescaleDB ${row!.timescale}`};
}
