import type {Client} from './types.ts';

/** The schema of TimescaleDB's functions, as a statement names it; undefined where TimescaleDB is not. */
export async function timescaleSchema(client: Client): Promise<string | undefined> {
	const {rows: [row]} = await client.query<{schema: string}>('select quote_ident(n.nspname) as schema from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = \'timescaledb\'');
	return row?.schema;
}
