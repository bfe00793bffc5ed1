import {findEngine} from './citus.ts';
import type {Database} from './types.ts';

/** Dead rows from which on the table of live processes is vacuumed; below it they slow nothing down. */
const many = 2000;

const tables = ['live', 'outputs'];

/** The tables that have many dead rows, as the statistics have it. Those of Citus are kept where the rows lie. */
async function fullOfDead(database: Database): Promise<string[]> {
	if (await findEngine(database) === 'citus') {
		const statement = 'select n_dead_tup from pg_catalog.pg_stat_user_tables where relid = \'\'%s\'\'::regclass';
		const {rows} = await database.query<{name: string; dead: number}>(tables.map(name => `select '${name}' as name, coalesce(sum(result::bigint), 0)::bigint as dead from run_command_on_shards('colonies.${name}', '${statement}') where success`).join(' union all '));
		return rows.filter(({dead}) => dead >= many).map(({name}) => name);
	}

	const {rows} = await database.query<{name: string}>('select relname as name from pg_stat_user_tables where schemaname = \'colonies\' and relname = any ($2) and n_dead_tup >= $1', [many, tables]);
	return rows.map(({name}) => name);
}

/**
Clears dead rows out of the tables that processes go through. The server's own vacuum comes once a minute at the soonest, and by then a claim would step over all that was claimed and closed in that minute.
The embedded database sees to it itself.
*/
export async function vacuumLive(database: Database): Promise<void> {
	if (database.kind === 'embedded') {
		return;
	}

	for (const name of await fullOfDead(database)) {
		// Where somebody else is at it, it is done.
		await database.query(`vacuum (skip_locked) colonies.${name}`); // eslint-disable-line no-await-in-loop
	}
}
