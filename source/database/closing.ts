import {groupBy} from '../core/group-by.ts';
import {microseconds} from '../core/time.ts';
import type {Id, ProcessStatus, Time} from '../core/types.ts';
import {readClock} from './clock.ts';
import {listsOf} from './images.ts';
import {compareAttributes} from './past/attributes.ts';
import type {Lists, OutputRow, ProcessRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll, inColony} from './values.ts';

/** What goes with a process when it is closed, besides its attributes and the time. */
const kept = 'process_id, colony_id, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, traceparent';

/** A list of what a process of `gone` has written, as the row of a closed one keeps it. `also`: an attribute of that list that replaces the one of its key. */
const written = (type: number, also?: {key: string; value: string}): string => `(
	select jsonb_agg(jsonb_build_object(w.key, w.value) order by w.key) from (
		select o.key, o.value from colonies.outputs o where o.process_id = g.process_id and o.attribute_type = ${type} ${also ? `and (${also.value} is null or o.key <> ${also.key})` : ''}
		${also ? `union all select ${also.key}, ${also.value} where ${also.value} is not null` : ''}
	) w
)`;

/** A row as it was closed. `ran`: microseconds from its start, null where it never ran; `before`: the value of the err attribute `error` that was replaced. */
export type ClosedRow = ProcessRow & {end_time: Time; attributes: Lists | null; ran: number | null; before: string | null};

/** How rows of `live` that are deleted as `gone` are put into `closed` with what they have written, as `moved`: in one statement, so that a process is always in one of the two and never in both. */
export const movedFrom = (status: string, error: string): string => `wrote as (
			select g.process_id, (select o.value from colonies.outputs o where o.process_id = g.process_id and o.attribute_type = 2 and o.key = 'error') as before,
				nullif(coalesce(g.attributes, '{}') || jsonb_strip_nulls(jsonb_build_object('out', ${written(1)}, 'err', ${written(2, {key: '\'error\'', value: `${error}::text`})})), '{}') as attributes
			from gone g
		), swept as (
			delete from colonies.outputs o using gone g cross join lateral (select w.ctid as row from colonies.outputs w where w.process_id = g.process_id offset 0) x where o.ctid = x.row
		), moved as (
			insert into colonies.closed (${kept}, status, end_time, attributes)
			select ${kept.replaceAll(/\w+/g, column => `g.${column}`)}, ${status}, statement_timestamp(), w.attributes from gone g join wrote w on w.process_id = g.process_id
			returning *
		)`;

type Closing = {
	processes: readonly Id[];
	/** The state that they get, and the text of their err attribute `error`, where they get one. */
	status: ProcessStatus;
	error?: string;
};

/** What a process has written, by kind and key. */
export const writtenBy = (outputs: readonly OutputRow[]): Lists => listsOf(outputs.map(({attribute_type: attributetype, key, value}) => ({attributetype, key, value})).sort((one, other) => compareAttributes(one, other)));

const isError = (row: OutputRow): boolean => row.attribute_type === 2 && row.key === 'error';

/** Puts some rows of `live` into `closed`, with what is added to their attributes: for Citus in statements that write to one table each, and of functions that are immutable. */
export const moving = `insert into colonies.closed (${kept}, status, end_time, attributes)
	select ${kept.replaceAll(/\w+/g, column => `g.${column}`)}, $1, $2, nullif(coalesce(g.attributes, '{}') || i.added, '{}')
	from unnest($3::bytea[], $4::jsonb[]) as i(id, added) join colonies.live g on g.process_id = i.id returning *`;

/** Closes rows that the caller has locked. A process is always in one of the two tables and never in both, as others see them. */
async function move(client: Client, {processes, status, error}: Closing): Promise<ClosedRow[]> {
	const ids = bytesOfAll(processes);
	const [now, {rows: outputs}] = await Promise.all([
		readClock(client),
		client.query<OutputRow>('delete from colonies.outputs where process_id = any ($1) returning *', [ids]),
	]);
	const written = groupBy(outputs, row => row.process_id);
	const lists = processes.map(id => {
		const rows = written.get(id) ?? [];
		return writtenBy(error === undefined ? rows : [...rows.filter(row => !isError(row)), {process_id: id, attribute_type: 2, key: 'error', value: error}]);
	});
	const [{rows}] = await Promise.all([
		client.query<ProcessRow & {end_time: Time; attributes: Lists | null}>(moving, [status, now, ids, lists]),
		client.query('delete from colonies.live where process_id = any ($1)', [ids]),
	]);
	return rows.map(row => ({...row, entered_at: row.end_time, ran: microsecondsOf(row), before: written.get(row.process_id)?.find(each => isError(each))?.value ?? null}));
}

/** How long a closed process ran, in microseconds and never below 0: the clocks of two statements may overlap. Null where it never ran. */
export const microsecondsOf = ({start_time: start, end_time: end}: {start_time: Time | null; end_time: Time}): number | null => start === null ? null : Math.max(0, Number(microseconds(end)! - microseconds(start)!));

/** That processes run on a computer of a colony, and their deadlines have not passed. */
const ownRunning = `p.process_id = any ($1) and ${inColony('$2')} and p.status + 0 = 1 and p.assigned_computer_id || ''::bytea = $3 and (p.deadline is null or p.deadline > statement_timestamp())`;

/** Closes those of some processes that run on a computer, before their deadlines. */
export async function closeOwn(client: Client, {colony, computer, processes, status}: {colony: Id; computer: Id; processes: readonly Id[]; status: ProcessStatus}): Promise<Map<Id, ClosedRow>> {
	// In a statement of its own: the next one then sees what was written to the processes until they were locked.
	const {rows: own} = await client.query<{process_id: Id}>(`select p.process_id from colonies.live p where ${ownRunning} order by p.process_id for update`, [bytesOfAll(processes), bytesOf(colony), bytesOf(computer)]);
	const rows = own.length === 0 ? [] : await move(client, {processes: own.map(row => row.process_id), status});
	return new Map(rows.map(row => [row.process_id, row]));
}

/** Closes live processes, which the caller has locked, as failed, for a reason that becomes their err attribute `error`. */
export async function failAll(client: Client, processes: readonly Id[], reason: string): Promise<Map<Id, ClosedRow>> {
	const rows = await move(client, {processes, status: 3, error: reason});
	return new Map(rows.map(row => [row.process_id, row]));
}
