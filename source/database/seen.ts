import {shifted} from '../core/moments.ts';
import type {Id} from '../core/types.ts';
import {readClock} from './clock.ts';
import type {Client} from './types.ts';
import {bytesOfAll} from './values.ts';

/** That a computer did something. `ago`: milliseconds before now. */
export type Sighting = {colony: Id; computer: Id; ago: number};

/** Keeps when computers were last seen: many at once, now and then. Always in the same order, so that servers which do so together never wait in a circle. */
export async function keepSeen(client: Client, sightings: readonly Sighting[]): Promise<void> {
	const sorted = [...sightings].sort((one, other) => `${one.colony}${one.computer}` < `${other.colony}${other.computer}` ? -1 : 1);
	const now = await readClock(client);
	await client.query(
		`insert into colonies.seen (colony_id, computer_id, seen_at)
		select s.colony, s.computer, s.at
		from unnest($1::bytea[], $2::bytea[], $3::timestamptz[]) as s(colony, computer, at)
		where exists (select from colonies.computers c where c.colony_id = s.colony and c.computer_id = s.computer)
		on conflict (colony_id, computer_id) do update set seen_at = greatest(seen.seen_at, excluded.seen_at)`,
		[bytesOfAll(sorted.map(({colony}) => colony)), bytesOfAll(sorted.map(({computer}) => computer)), sorted.map(({ago}) => shifted(now, BigInt(Math.round(ago * -1000))))],
	);
}
