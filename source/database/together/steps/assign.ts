import type {Id, Process} from '../../../core/types.ts';
import {behind, type ClaimCursors, type Taken} from '../../claim-cursors.ts';
import {
	candidates, candidateValues, choosing, deadlineOf, few, firstLook,
} from '../../claims.ts';
import {complete} from '../../processes.ts';
import {attemptOf, type ProcessRow} from '../../rows.ts';
import {microsecondsBetween} from '../../spans.ts';
import type {Database} from '../../types.ts';
import {bytesOf, bytesOfAll} from '../../values.ts';
import {
	type AssignCall, type Assigned, isForOthers, type Kind, several,
} from '../assign.ts';
import type {Answered, Slot} from '../calls.ts';
import {
	inSteps, keepAll, noteAll, open, takeKeys,
} from './opening.ts';

/** As the statement of `assignTogether`: the oldest go to the signers in `$12`, in their order. */
const textOf = (type: string): string => `with ${candidates({computer_type: type}, 'unnest($9::bigint[], $10::timestamptz[]) as a(demand_id, passed)')}, not_here as materialized (
		select ${isForOthers('$11')} as is_so
	), chosen as materialized (
		${choosing} where not (select is_so from not_here) limit cardinality($12::bytea[])
	), matched as materialized (
		select c.row, g.signer, g.place from (select row, row_number() over (order by submission_time, process_id) as place from chosen) c join unnest($12::bytea[]) with ordinality as g(signer, place) on g.place = c.place
	), claimed as (
		update colonies.live p set status = 1, assigned_computer_id = m.signer, start_time = statement_timestamp(), entered_at = statement_timestamp(), deadline = ${deadlineOf('p.timeout')}
		from matched m where p.ctid = m.row
		returning p.*, m.place
	)
	select (select count(*)::int from candidates) as seen, (select is_so from not_here) as stopped, c.*, null::timestamptz as end_time,
		${microsecondsBetween('coalesce(c.returned_at, c.submission_time)', 'c.start_time')} as waited, c.submission_time - interval '${behind} milliseconds' as passed
	from (select) as always left join claimed c on true order by c.place`;

const [typed, untyped] = [textOf('some'), textOf('')];

const alike = {name: '_alike', condition: 'c.computer_type = $3 and c.cores = $4 and c.mem = $5 and c.gpus = $6'};

type Claimed = ProcessRow & Taken & {waited: number; place: number};
type Head = {seen: number; stopped: boolean};
type Row = Head & ({process_id: null} | Claimed);

/** As `assignTogether` does, in steps. */
export async function assignInSteps(database: Database, {colony, kind, cursors}: {colony: Id; kind: Kind; cursors: ClaimCursors}, slot: Slot, calls: readonly AssignCall[]): Promise<Array<Answered<Assigned | undefined>>> {
	const places = cursors.get();
	const {answers, taken} = await inSteps(database, async run => {
		const [{given, fresh, allowed}, isTaken] = await Promise.all([
			open(run, {colony, slot, calls, owner: false, computers: {...alike, values: [kind.computer_type, kind.cores, kind.mem, kind.gpus]}}),
			takeKeys(run, calls),
		]);
		const good = calls.filter((call, index) => allowed[index] && isTaken(call));
		const [computer] = new Set(calls.map(({signer}) => signer)).size === 1 ? [calls[0]!.signer] : [several];
		const look = Math.max(firstLook, calls.length * 2);
		const {rows}: {rows: Row[]} = good.length === 0
			? {rows: []}
			: await run<Row>(
				kind.computer_type === '' ? 'claim_untyped' : 'claim',
				kind.computer_type === '' ? untyped : typed,
				[...candidateValues({...kind, colony_id: colony, computer_id: computer}, look, few), places.demands, places.times, bytesOfAll([...new Set(calls.map(({signer}) => signer))]), bytesOfAll(good.map(({signer}) => signer))],
			);
		const claimed = rows.filter((row): row is Head & Claimed => row.process_id !== null);
		const byCall = new Map(claimed.map(row => [good[row.place - 1]!, row]));
		// Nothing else waits that they may run.
		const isSure = rows.length > 0 && !rows[0]!.stopped && rows[0]!.seen < look && rows[0]!.seen === claimed.length;
		const answered = good.filter(call => byCall.has(call) || (isSure && !call.waits));
		await Promise.all([
			noteAll(run, given, {colony, what: 'process.assign', from: 'waiting', to: 'running'}, claimed.map(row => ({
				actor: row.assigned_computer_id!, subject: row.process_id, detail: {...attemptOf(row), deadline: row.deadline, wait: row.waited},
			}))),
			keepAll(run, answered.map(call => ({call, subject: byCall.get(call)?.process_id}))),
		]);
		return {taken: claimed, answers: calls.map((call, index): Answered<Assigned | undefined> => {
			const row = byCall.get(call);
			if (row !== undefined) {
				return {isAlone: false, result: {process: complete(row), waited: row.waited}};
			}

			return isSure && good.includes(call) ? {isAlone: false, result: undefined} : {isAlone: true, isSpent: fresh[index] === true};
		})};
	});
	cursors.pass(taken, places);
	return answers;
}
