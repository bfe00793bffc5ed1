import type {Database} from './types.ts';

/** Dead rows from which on the table of live processes is vacuumed; below it they slow nothing down. */
const many = 2000;

/**
Clears dead rows out of the tables that processes go through. The server's own vacuum comes once a minute at the soonest, and by then a claim would step over all that was claimed and closed in that minute.
The embedded database sees to it itself.
*/
export async function vacuumLive(database: Database): Promise<void> {
	if (database.kind === 'embedded') {
		return;
	}

	const {rows} = await database.query<{name: string}>(
		'select relname as name from pg_stat_user_tables where schemaname = \'colonies\' and relname in (\'live\', \'outputs\') and n_dead_tup >= $1',
		[many],
	);
	for (const {name} of rows) {
		// Where somebody else is at it, it is done.
		await database.query(`vacuum (skip_locked) colonies.${name}`); // eslint-disable-line no-await-in-loop
	}
}
