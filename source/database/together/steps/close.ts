import {groupBy} from '../../../core/group-by.ts';
import {statusOf} from '../../../core/states.ts';
import type {Id, Process} from '../../../core/types.ts';
import {microsecondsOf, moving, writtenBy} from '../../closing.ts';
import {complete} from '../../processes.ts';
import {attemptOf, type OutputRow, type ProcessRow} from '../../rows.ts';
import type {Database} from '../../types.ts';
import {
	bytesOf, bytesOfAll, inColony, withId,
} from '../../values.ts';
import type {Answered, Slot} from '../calls.ts';
import type {CloseCall} from '../close.ts';
import {inSteps, noteAll, open} from './opening.ts';

const lock = `select p.*, (p.deadline is null or p.deadline > statement_timestamp()) as early from (select i.id from unnest($2::bytea[]) as i(id) order by i.id) i cross join lateral (
	select p.* from colonies.live p where ${inColony('$1')} and p.status + 0 = 1 and ${withId('i.id')} for update skip locked
) p`;

const outputs = 'select o.process_id, o.attribute_type, o.key, o.value from unnest($1::bytea[]) as i(id) join colonies.outputs o on o.process_id = i.id';

const sweep = 'delete from colonies.outputs o using unnest($1::bytea[]) as i(id) where o.process_id = i.id';
const leave = 'delete from colonies.live p using unnest($1::bytea[]) as i(id) where p.process_id = i.id';

type Locked = ProcessRow & {early: boolean};

/** As `closeTogether` does, in steps. */
export async function closeInSteps(database: Database, {colony, to}: {colony: Id; to: 'successful' | 'failed'}, slot: Slot, calls: readonly CloseCall[]): Promise<Array<Answered<Process>>> {
	const ids = calls.map(({processid}) => bytesOf(processid));
	return inSteps(database, async run => {
		const [{given, fresh, allowed}, {rows: locked}, {rows: written}] = await Promise.all([
			open(run, {colony, slot, calls, owner: false}),
			run<Locked>('lock', lock, [bytesOf(colony), ids]),
			// In a statement after the lock: it sees what was written to the processes until then.
			run<OutputRow>('outputs', outputs, [ids]),
		]);
		const rows = new Map(locked.map(row => [row.process_id, row]));
		const writtenTo = groupBy(written, row => row.process_id);
		const good = new Map(calls.flatMap((call, index) => {
			const row = rows.get(call.processid);
			return allowed[index] && row?.assigned_computer_id === call.signer && row.early ? [[call, closedOf(row, {to, now: given.now, written: writtenTo.get(call.processid) ?? []})] as const] : [];
		}));
		if (good.size > 0) {
			const closed = [...good.values()];
			const gone = bytesOfAll(closed.map(({row}) => row.process_id));
			await Promise.all([
				run('close', moving, [statusOf(to), given.now, gone, closed.map(({added}) => added)]),
				run('leave', leave, [gone]),
				...(closed.some(({row}) => writtenTo.has(row.process_id)) ? [run('sweep', sweep, [gone])] : []),
				noteAll(run, given, {colony, what: `process.${to}`, from: 'running', to}, closed.map(({row}) => ({actor: row.assigned_computer_id!, subject: row.process_id, detail: {...attemptOf(row), run: microsecondsOf(row)}}))),
			]);
		}

		return calls.map((call, index) => {
			const done = good.get(call);
			return done === undefined ? {isAlone: true, isSpent: fresh[index] === true} : {isAlone: false, result: complete(done.row)};
		});
	});
}

type Closing = {to: 'successful' | 'failed'; now: string; written: readonly OutputRow[]};

/** A row as it is when it is closed, and what is added to its attributes for that. */
function closedOf({early: _, ...row}: Locked, {to, now, written}: Closing) {
	const added = writtenBy(written);
	const attributes = {...row.attributes, ...added};
	return {added, row: {...row, status: statusOf(to), entered_at: now, end_time: now, attributes: Object.keys(attributes).length === 0 ? null : attributes}};
}
