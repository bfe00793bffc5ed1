import {InvalidInput} from '../../core/errors.ts';
import {readAgo} from '../../core/moments.ts';
import type {Time} from '../../core/types.ts';
import type {Client} from '../types.ts';

type Row = {now: Time; moment: Time; begins: Time; open: Time | null};

/**
The moment that `at` means, a time or a span before now (core/moments.ts). What a transaction that is open now has done stands in the history from its own time on, though nobody sees it yet;
so the newest moment that is told is the one before the oldest such transaction began, and whoever asks for it again hears the same. One that stays open for minutes holds nothing up.
@throws InvalidInput for what is still to come, and for what was before the history begins
*/
export async function resolveMoment(client: Client, at: string): Promise<Time> {
	const ago = readAgo(at);
	const {rows} = await client.query<Row>(
		`select n.now, least(m.moment, o.open - interval '1 microsecond') as moment, greatest((select b.at from colonies.migrations b where b.name = 'past'), (select r.dropped_before from colonies.retention r)) as begins
		from (select statement_timestamp() as now) n
		cross join lateral (select ${ago === undefined ? '$1::timestamptz' : 'n.now - $1::float8 * interval \'1 second\''} as moment) m
		cross join (select min(a.xact_start) as open from pg_stat_activity a
			where a.datname = current_database() and a.backend_xid is not null and a.pid <> pg_backend_pid() and a.backend_type = 'client backend' and a.xact_start > statement_timestamp() - interval '1 minute') o`,
		[ago ?? at],
	);
	const {now, moment, begins} = rows[0]!;
	if (ago === undefined && at > now) {
		throw new InvalidInput(`${at} is still to come: on the clock of the database it is ${now}.`, {hint: 'Ask for a moment that has been, or for -5m.'});
	}

	if (moment < begins) {
		throw new InvalidInput(`The history begins at ${begins}; how it was at ${moment} cannot be told.`, {hint: 'Ask for a later moment.'});
	}

	return moment;
}
