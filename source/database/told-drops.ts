import type {Id, Time} from '../core/types.ts';
import type {Place} from './events.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** A row of the history about closed processes that were removed together, as it stands there; nothing of it is checked. `by`: latest time at which it can have been written, by its seal. */
export type ToldDrop = {place: Place; at: Time; by: Time; actor: string; colony: Id | null; state: string | null; detail: unknown; request: string | null};

type DropRow = {txid: number; history_id: number; at: Time; made_at: Time; actor: string; colony_id: Id | null; from_state: string | null; detail: unknown; request: string | null};

const columns = `h.txid, h.history_id, h.at, colonies.text_of(h.actor) as actor, h.colony_id, h.from_state, h.detail, h.request,
	least(statement_timestamp(), (select s.made_at from colonies.seals s where (s.to_txid, s.to_row) >= (h.txid, h.history_id) order by s.to_txid, s.to_row limit 1)) as made_at`;
const isDrop = 'h.subject_id = $1 and h.noun = \'installation\' and h.what = \'process.drop\'';

const toDrop = (row: DropRow): ToldDrop => ({
	place: {txid: row.txid, row: row.history_id}, at: row.at, by: row.made_at, actor: row.actor, colony: row.colony_id, state: row.from_state, detail: row.detail, request: row.request,
});

/** A page of these rows after a time and row, oldest first. */
export async function list(client: Client, {after: [at, row], colony, limit}: {after: readonly string[]; colony: Id | undefined; limit: number}): Promise<ToldDrop[]> {
	const {rows} = await client.query<DropRow>(
		`select ${columns} from colonies.history h where ${isDrop} and (h.at, h.history_id) > ($2::timestamptz, $3::bigint) ${colony === undefined ? '' : 'and h.colony_id = $5'} order by h.at, h.history_id limit $4`,
		['closed', at ?? '-infinity', row ?? '0', limit, ...(colony === undefined ? [] : [bytesOf(colony)])],
	);
	return rows.map(row => toDrop(row));
}

/** The rows about processes of a colony whose time may have to do with a stretch of it, both ends included. */
export async function about(client: Client, colony: Id, {from, to}: {from: Time; to: Time}): Promise<ToldDrop[]> {
	const {rows} = await client.query<DropRow>(
		`select ${columns} from colonies.history h
		where ${isDrop} and h.colony_id = $2 and h.detail->>'from' collate "C" <= $4 and h.detail->>'before' collate "C" > $3 order by h.history_id`,
		['closed', bytesOf(colony), from, to],
	);
	return rows.map(row => toDrop(row));
}

/** How a process ended, by a row of the history. `start`, `run`, `closed`: what tells when that was, as it stands there. */
export type Closing = {id: Id; colony: Id | null; row: number; state: string; at: Time; start: unknown; run: unknown; closed: unknown};

const closing = 'h.subject_id as id, h.colony_id as colony, h.history_id as row, h.to_state as state, h.at, h.detail->\'start\' as start, h.detail->\'run\' as run, h.detail->\'closed\' as closed';

/** The rows at some places, as ends of processes. */
export async function closingsAt(client: Client, places: readonly Place[]): Promise<Closing[]> {
	const {rows} = await client.query<Closing>(
		`select ${closing} from unnest($1::bigint[], $2::bigint[]) as i(txid, row) join colonies.history h on h.txid = i.txid and h.history_id = i.row`,
		[places.map(({txid}) => txid), places.map(({row}) => row)],
	);
	return rows;
}

/** How long after its end the row of a process may be written, in seconds: the end of a transaction that does more besides. */
export const slack = 600;

/** The processes of a colony that had ended so before a row of the history, and whose end is told of in a stretch of time or shortly after; those that were removed by themselves or came back are none. */
export async function closingsBetween(client: Client, {colony, state, from, before, row, limit}: {colony: Id; state: string; from: Time; before: Time; row: number; limit: number}): Promise<Closing[]> {
	const {rows} = await client.query<Closing>(
		`select ${closing} from colonies.history h
		where h.at >= $1::timestamptz and h.at < $2::timestamptz + ${slack} * interval '1 second' and h.colony_id = $3 and h.noun = 'process' and h.to_state = $4 and h.history_id < $5::bigint
			and not exists (select from colonies.history x where x.subject_id = h.subject_id and x.noun = 'process' and x.history_id > h.history_id and x.history_id < $5::bigint)
		limit $6`,
		[from, before, bytesOf(colony), state, row, limit],
	);
	return rows;
}
