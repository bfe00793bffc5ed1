import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import {horizonOf} from './numbering.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** Something that happened, as the history has it, without what was in it. `id`: where it stands in the history; a reader goes on from there. */
export type Event = {
	id: string;
	at: Time;
	actor: string;
	colonyid: Id | null;
	noun: string;
	subject: string;
	what: string;
	from: string | null;
	to: string | null;
};

/**
A place in the history: a transaction and a row. Commit order is not insert order, so readers go by both, and only below the oldest transaction that is still open (domain.md, "History").
*/
export type Place = {txid: number; row: number};

export const placeText = ({txid, row}: Place): string => `${txid}.${row}`;

/** @throws InvalidInput when it is no id of an event */
export function readPlace(text: string): Place {
	const [, txid, row] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
	if (txid === undefined || row === undefined) {
		throw new InvalidInput(`${quoted(text)} is no id of an event.`, {hint: 'Give the id of the last one that you have seen.'});
	}

	return {txid: Number(txid), row: Number(row)};
}

type EventRow = {history_id: number; txid: number; at: Time; actor: string; colony_id: Id | null; noun: string; subject_id: string; what: string; from_state: string | null; to_state: string | null};

const toEvent = (row: EventRow): Event => ({
	id: placeText({txid: row.txid, row: row.history_id}), at: row.at, actor: row.actor, colonyid: row.colony_id, noun: row.noun, subject: row.subject_id, what: row.what, from: row.from_state, to: row.to_state,
});

/** What happened after a place, oldest first: in one colony, or everywhere. */
export async function eventsAfter(client: Client, {after, colony, limit}: {after: Place; colony?: Id; limit: number}): Promise<Event[]> {
	const horizon = await horizonOf(client);
	// What was seen in another cell, before the colony came here, is somewhere in the portion that it came with.
	const from = colony === undefined
		? '$1::bigint, $2::bigint'
		: `select coalesce(m.to_txid, $1::bigint), coalesce(m.to_row, $2::bigint) from (select) always
			left join lateral (select to_txid, to_row from colonies.moved_places where colony_id = $5 and (txid, history_id) >= ($1::bigint, $2::bigint) order by txid, history_id limit 1) m on true`;
	const {rows} = await client.query<EventRow>(
		`select history_id, txid, at, colonies.text_of(actor) as actor, colony_id, noun, colonies.text_of(subject_id) as subject_id, what, from_state, to_state from colonies.history
		where (txid, history_id) > (${from}) and txid < $4::bigint ${colony === undefined ? '' : 'and colony_id = $5'}
		order by txid, history_id limit $3`,
		[after.txid, after.row, limit, horizon, ...(colony === undefined ? [] : [bytesOf(colony)])],
	);
	return rows.map(row => toEvent(row));
}

/** The end of what can be read of the history now. All that commits later comes after it. */
export async function endOfHistory(client: Client): Promise<Place> {
	return {txid: await horizonOf(client) - 1, row: 999_999_999_999_999};
}
