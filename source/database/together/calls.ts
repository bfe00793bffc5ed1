import type {Id} from '../../core/types.ts';
import type {Keyed} from '../idempotency.ts';
import {
	isGood, nonceTable, proofOf, type Spent,
} from '../nonces.ts';
import type {Statement} from '../types.ts';
import {bytesOf} from '../values.ts';

/**
One of several calls of an operation about one colony that are carried out together. `signer`: who acts, the colony or a computer; `proved`: what the key proves, mostly the same.
`spent`: the nonce of its request, which is spent with it.
*/
export type Call = {signer: Id; proved: Id; spent?: Spent | undefined; keyed?: Keyed | undefined};

/** What came of a call: it was done, or is to be carried out alone, where it is refused or does what none of a group can. `isSpent`: its nonce is spent. */
export type Answered<Result> = {isAlone: false; result: Result} | {isAlone: true; isSpent: boolean};

/** What calls of a group have in common: of those whose nonces lie in one table (`slotOf`), and of those without. */
export type Slot = number | undefined;

/** A row for each call of a group, in their order. */
export type CallRow = {fresh: boolean | null};

/** A time as the history writes it. */
export const timeText = (time: string): string => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** The common parameters of a group, and the columns that they become. */
const common = ['signer bytea', 'proved bytea', 'proof bytea', 'created bigint', 'key text', 'fingerprint bytea'] as const;

const valuesOf = (calls: readonly Call[]): unknown[][] => [
	calls.map(({signer}) => bytesOf(signer)),
	calls.map(({proved}) => bytesOf(proved)),
	calls.map(({spent}) => spent === undefined ? null : bytesOf(proofOf(spent))),
	calls.map(({spent}) => spent?.created ?? null),
	calls.map(({keyed}) => keyed?.key ?? null),
	calls.map(({keyed}) => keyed === undefined ? null : bytesOf(keyed.fingerprint)),
];

type Group = {
	slot: Slot;
	/** Number of the first parameter that is a list with an entry for each call. */
	first: number;
	/** Columns of the calls beside the common ones, with their types. */
	columns: readonly string[];
	/** What else is asked of a computer `c`. */
	computers?: string;
	/** Whether the owner may. */
	owner: boolean;
};

/**
The first CTEs of a statement for a group about the colony `$1`: `input`, one row per call; `fresh`, the nonces that it spends; `allowed`, the calls that pass authorization;
and `base`, the number for rows of the history; empty if the transaction counter is behind.
The rows that grant access are locked until the commit, as in `standingOf`. Rows that another transaction is changing are skipped: calls that need them run alone, and wait.
*/
export const admitting = ({slot, first, columns, computers = 'true', owner}: Group): string => {
	const all = [...common, ...columns].map(column => column.split(' ') as [string, string]);
	return `input as materialized (
		select * from unnest(${all.map(([, type], index) => `$${first + index}::${type}[]`).join(', ')}) with ordinality as i(${all.map(([name]) => name).join(', ')}, n)
	), ${slot === undefined
		? ''
		: `fresh as (
		insert into ${nonceTable(slot)} (proof) select i.proof from input i where i.proof is not null and ${isGood('i.created')} order by i.proof on conflict do nothing returning proof
	), `}owner as materialized (
		select c.colony_id from colonies.colonies c where c.colony_id = $1 and coalesce(c.leaving_until < statement_timestamp(), true) for key share skip locked
	), member as materialized (
		select c.computer_id, coalesce(c.key_id, c.computer_id) as proved from colonies.computers c
		where c.colony_id = $1 and c.computer_id = any ($${first}) and c.computer_id <> $1 and c.status + 0 = 1 and ${computers}
		order by c.computer_id for share skip locked
	), base as materialized (
		select txid_current() + b.base as txid from colonies.txid_base b where txid_current() + b.base > b.sealed
	), allowed as materialized (
		select i.* from input i
		where exists (select from owner) and exists (select from base) and (${owner ? 'i.proved = $1 or ' : ''}(i.signer, i.proved) in (select m.computer_id, m.proved from member m)) ${slot === undefined ? '' : 'and i.proof in (select f.proof from fresh f)'}
	)`;
};

/** Whether the nonce of a call `i` is spent now; null where it has none. */
export const freshOf = (slot: Slot): string => slot === undefined ? 'null::boolean' : 'i.proof in (select f.proof from fresh f)';

/** Writes rows of the history about processes. `from`: a relation, and what of it is told. */
export const noting = ({actor, what, states: [from, to], detail}: {actor: string; what: string; states: [from: string, to: string]; detail: string}, relation: string): string => `noted as (
		insert into colonies.history (txid, actor, noun, subject_id, colony_id, what, from_state, to_state, detail)
		select b.txid, ${actor}, 'process', x.process_id, $1, ${what}, ${from}, ${to}, ${detail} from ${relation} x cross join base b order by x.n
	)`;

/** A statement for a group, prepared under a name. `before`: values of the parameters before the lists; `lists`: one for each of `columns`. */
export const statementOf = (name: string, slot: Slot, {text, before, calls, lists}: {text: string; before: readonly unknown[]; calls: readonly Call[]; lists: readonly unknown[][]}): Statement => ({
	name: `colonies_${name}_${slot ?? 'unsigned'}`, text, values: [...before, ...valuesOf(calls), ...lists],
});

/** A text that is made once for each slot. */
export function perSlot(make: (slot: Slot) => string): (slot: Slot) => string {
	const made = new Map<Slot, string>();
	return slot => {
		const text = made.get(slot) ?? make(slot);
		made.set(slot, text);
		return text;
	};
}
