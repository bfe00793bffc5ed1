import type {Client} from './types.ts';

/** The versions of a server, for people: `PostgreSQL 15.18`, `TimescaleDB 2.23.0`. */
export async function describeServer(client: Client): Promise<{server: string; timescale: string | undefined}> {
	const {rows: [row]} = await client.query<{server: string; timescale: string}>(`
		select current_setting('server_version') as server,
			coalesce((select extversion from pg_catalog.pg_extension where extname = 'timescaledb'), '') as timescale`);
	const version = row!.server.split(' ')[0]!;
	return {server: `PostgreSQL ${version}`, timescale: row!.timescale === '' ? undefined : `TimescaleDB ${row!.timescale}`};
}
