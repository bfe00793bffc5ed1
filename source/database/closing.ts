import type {Id, ProcessStatus, Time} from '../core/types.ts';
import type {Lists, ProcessRow} from './rows.ts';
import {microsecondsBetween} from './spans.ts';
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

type Closing = {
	/** Which rows `p` of `live`, as a condition. */
	where: string;
	/** The status that they get, and the text of the err attribute `error` or null, as SQL. */
	status: string;
	error: string;
	values: readonly unknown[];
};

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

async function move(client: Client, {where, status, error, values}: Closing): Promise<ClosedRow[]> {
	const {rows} = await client.query<ClosedRow>(
		`with gone as (
			delete from colonies.live p where ${where} returning p.*
		), ${movedFrom(status, error)}
		select m.*, m.end_time as entered_at, ${microsecondsBetween('m.start_time', 'm.end_time')} as ran, w.before from moved m join wrote w on w.process_id = m.process_id`,
		values,
	);
	return rows;
}

/** That processes run on a computer of a colony, and their deadlines have not passed. */
const ownRunning = `p.process_id = any ($1) and ${inColony('$2')} and p.status + 0 = 1 and p.assigned_computer_id || ''::bytea = $3 and (p.deadline is null or p.deadline > statement_timestamp())`;

/** Closes those of some processes that run on a computer, before their deadlines. */
export async function closeOwn(client: Client, {colony, computer, processes, status}: {colony: Id; computer: Id; processes: readonly Id[]; status: ProcessStatus}): Promise<Map<Id, ClosedRow>> {
	// In a statement of its own: the next one then sees what was written to the processes until they were locked.
	const {rows: own} = await client.query<{process_id: Id}>(`select p.process_id from colonies.live p where ${ownRunning} order by p.process_id for update`, [bytesOfAll(processes), bytesOf(colony), bytesOf(computer)]);
	const rows = own.length === 0 ? [] : await move(client, {where: 'p.process_id = any ($1)', status: '$2::smallint', error: 'null', values: [bytesOfAll(own.map(row => row.process_id)), status]});
	return new Map(rows.map(row => [row.process_id, row]));
}

/** Closes live processes, which the caller has locked, as failed, for a reason that becomes their err attribute `error`. */
export async function failAll(client: Client, processes: readonly Id[], reason: string): Promise<Map<Id, ClosedRow>> {
	const rows = await move(client, {where: 'p.process_id = any ($1)', status: '3', error: '$2', values: [bytesOfAll(processes), reason]});
	return new Map(rows.map(row => [row.process_id, row]));
}
