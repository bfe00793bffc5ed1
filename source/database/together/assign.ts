import type {Id, Process} from '../../core/types.ts';
import {behind, type ClaimCursors, type Taken} from '../claim-cursors.ts';
import {
	audience, candidates, candidateValues, choosing, few, firstLook,
} from '../claims.ts';
import {waitingIn} from '../demands.ts';
import {lockOf} from '../idempotency.ts';
import {complete} from '../processes.ts';
import type {ComputerRow, ProcessRow} from '../rows.ts';
import {microsecondsBetween} from '../spans.ts';
import type {Database} from '../types.ts';
import {bytesOf, inColony} from '../values.ts';
import {
	admitting, type Answered, type Call, type CallRow, freshOf, noting, perSlot, type Slot, statementOf, timeText,
} from './calls.ts';

/** `waits`: it will ask again where there is nothing. */
export type AssignCall = Call & {waits: boolean};

/** Computers that may run the same, as long as it names no computer: what `computers` keeps of each for that. */
export type Kind = Pick<ComputerRow, 'computer_type' | 'cores' | 'mem' | 'gpus'>;

const first = 11;

/** In place of the id of a computer, where there are several: none has it. */
export const several = '00';

/** Whether the oldest may not be for any of several computers, whose ids are `signers` (as SQL): with the `candidates` and values of a claim. */
export const isForOthers = (signers: string): string => `(select many from many) or (select p.process_id from colonies.live p where p.status = 1 and p.deadline is not null and p.deadline <= statement_timestamp() and ${inColony('$1')} order by p.deadline limit 1) is not null
			or ($2 = '${bytesOf(several)}'::bytea and exists (select from colonies.demands d where d.colony_id = $1 and ${audience} = any ('*'::bytea || ${signers}::bytea[]) and (select count(*) from (${waitingIn('d', '1')}) w) = 1))`;

/**
As `claim` does, for computers that are alike: the oldest go to the callers in the order of the calls. `$2` names the computer where it is one alone; where there are several and something waits that names computers, nothing is given to any,
and so it is where an attempt is overdue, for that may be the oldest next, and where many kinds of work fit.
*/
const make = (type: string): ((slot: Slot) => string) => perSlot(slot => `with ${admitting({slot, first, columns: ['waits boolean'], owner: false, computers: 'c.computer_type = $4 and c.cores = $5 and c.mem = $6 and c.gpus = $7'})},
	${candidates({computer_type: type}, 'unnest($9::bigint[], $10::timestamptz[]) as a(demand_id, passed)')}, not_here as materialized (
		select ${isForOthers(`$${first}`)} as is_so
	), good as materialized (
		select a.*, row_number() over (order by a.n) as place from allowed a
		where not (select is_so from not_here) and (a.key is null or (pg_try_advisory_xact_lock(${lockOf('a.signer', 'a.key')}) and not exists (select from colonies.idempotency_keys k where k.signer = a.signer and k.key = a.key)))
	), chosen as materialized (
		${choosing} limit (select count(*) from good)
	), matched as materialized (
		select c.row, g.n, g.signer from (select row, row_number() over (order by submission_time, process_id) as place from chosen) c join good g on g.place = c.place
	), claimed as (
		update colonies.live p set status = 1, assigned_computer_id = m.signer, start_time = statement_timestamp(), entered_at = statement_timestamp(),
			deadline = case when p.timeout > 0 then statement_timestamp() + p.timeout * interval '1 second' end
		from matched m where p.ctid = m.row
		returning p.*, m.n, ${microsecondsBetween('coalesce(p.returned_at, p.submission_time)', 'statement_timestamp()')} as waited
	), kept as (
		insert into colonies.idempotency_keys (signer, key, fingerprint, subjects)
		select g.signer, g.key, g.fingerprint, case when c.process_id is null then '{}' else array[c.process_id] end from good g left join claimed c on c.n = g.n
		where g.key is not null and (c.process_id is not null or (not g.waits and (select count(*) from candidates) < $3 and (select count(*) from candidates) = (select count(*) from claimed)))
	), ${noting({
		actor: 'x.assigned_computer_id', what: '\'process.assign\'', states: ['\'waiting\'', '\'running\''],
		detail: `jsonb_build_object('computer', encode(x.assigned_computer_id, 'hex'), 'start', ${timeText('x.start_time')}, 'retries', x.retries, 'type', x.computer_type, 'deadline', ${timeText('x.deadline')}, 'wait', x.waited)`,
	}, 'claimed')}
	select ${freshOf(slot)} as fresh, g.n is not null and (select count(*) from candidates) < $3 and (select count(*) from candidates) = (select count(*) from claimed) as sure, c.*, null::timestamptz as end_time, c.submission_time - interval '${behind} milliseconds' as passed
	from input i left join good g on g.n = i.n left join claimed c on c.n = i.n order by i.n`);

const [textOfTyped, textOfUntyped] = [make('some'), make('')];

type Row = CallRow & {sure: boolean} & ({process_id: null} | (ProcessRow & Taken & {waited: number}));

/** A process that was given to a computer, and the microseconds that it had waited. */
export type Assigned = {process: Process; waited: number};

/**
Gives the oldest waiting processes to computers of one colony that are alike, in one transaction, one each.
@returns for each the process, or undefined where there is nothing for it
*/
export async function assignTogether(database: Database, {colony, kind, cursors}: {colony: Id; kind: Kind; cursors: ClaimCursors}, slot: Slot, calls: readonly AssignCall[]): Promise<Array<Answered<Assigned | undefined>>> {
	const places = cursors.get();
	const [computer] = new Set(calls.map(({signer}) => signer)).size === 1 ? [calls[0]!.signer] : [several];
	const before = [...candidateValues({...kind, colony_id: colony, computer_id: computer}, Math.max(firstLook, calls.length * 2), few), places.demands, places.times];
	const text = (kind.computer_type === '' ? textOfUntyped : textOfTyped)(slot);
	const name = kind.computer_type === '' ? 'assign_untyped' : 'assign';
	const [answer] = await database.flight([statementOf(name, slot, {text, before, calls, lists: [calls.map(({waits}) => waits)]})]);
	const rows = answer!.rows as Row[];
	cursors.pass(rows.filter((row): row is Row & ProcessRow & Taken & {waited: number} => row.process_id !== null), places);
	return rows.map(row => {
		if (row.process_id !== null) {
			return {isAlone: false, result: {process: complete(row), waited: row.waited}};
		}

		return row.sure ? {isAlone: false, result: undefined} : {isAlone: true, isSpent: row.fresh === true};
	});
}
