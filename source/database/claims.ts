import {NotAllowed} from '../core/errors.ts';
import type {Id, Process} from '../core/types.ts';
import {attributesJson} from './attributes.ts';
import type {Done} from './history.ts';
import {mayRunPredicate} from './matching.ts';
import {type AttributeRow, type ProcessRow, toAttribute, toProcess} from './rows.ts';
import type {Client} from './types.ts';

/**
The oldest waiting processes that may run on one computer `c`, as `candidates (process_id, submission_time)`: `$3` of them, exact and in order.
Waiting work is grouped by what it asks (`demands`): only the heads of the groups that fit are looked at, so whatever does not fit in front costs nothing.
Of the groups, the `$3` with the oldest heads hold the `$3` oldest processes between them.
*/
export const candidates = `
	heads as (
		select d.demand_id, h.submission_time, h.process_id
		from c join demands d on d.colony_id = c.colony_id and ${mayRunPredicate}
		cross join lateral (
			select p.submission_time, p.process_id from processes p where p.demand_id = d.demand_id
			order by p.submission_time, p.process_id limit 1
		) h
		order by h.submission_time, h.process_id limit $3
	), candidates as (
		select q.process_id, q.submission_time from heads cross join lateral (
			select p.submission_time, p.process_id from processes p where p.demand_id = heads.demand_id
			order by p.submission_time, p.process_id limit $3
		) q
		order by q.submission_time, q.process_id limit $3
	)`;

// The computer's row first and for share: a disapproval that has not committed yet is waited for, and then seen (domain.md, "Which process next").
export const claimStatement = `
	with c as materialized (
		select * from computers where colony_id = $1 and computer_id = $2 and status = 1 for share
	), ${candidates}, chosen as (
		select p.process_id from processes p join candidates q on q.process_id = p.process_id
		where p.status = 0 order by p.submission_time, p.process_id limit $4 for update of p skip locked
	), claimed as (
		update processes p set status = 1, demand_id = null, assigned_computer_id = $2,
			start_time = statement_timestamp(), entered_at = statement_timestamp(),
			deadline = case when p.timeout > 0 then statement_timestamp() + p.timeout * interval '1 second' end
		from chosen where p.process_id = chosen.process_id
		returning p.*
	)
	select (select count(*)::int from c) as approved, (select count(*)::int from candidates) as seen, claimed.*, ${attributesJson('claimed.process_id')} as attributes
	from (select) as always left join claimed on true
	order by claimed.submission_time, claimed.process_id`;

type ClaimRow = {approved: number; seen: number; attributes?: AttributeRow[]} & ({process_id: null} | ProcessRow);

const firstLook = 16;

/**
Gives the oldest waiting processes that may run on this computer to it, up to `count`, oldest first; none when there is nothing for it.
Rows that other claims hold are passed over; only when all that was looked at is held does it look further.
@throws NotAllowed when the computer is not approved
*/
export async function claim(client: Client, colony: Id, computer: Id, count: number): Promise<Done<Process[]>> {
	for (let look = Math.max(firstLook, count * 2); ; look *= 8) {
		const {rows} = await client.query<ClaimRow>(claimStatement, [colony, computer, look, count]); // eslint-disable-line no-await-in-loop
		const {approved, seen} = rows[0]!;
		if (approved === 0) {
			throw new NotAllowed('This computer is not approved.', {hint: 'The colony owner lets it receive processes with `colonies computer approve`.'});
		}

		const claimed = rows.filter((row): row is ClaimRow & ProcessRow => row.process_id !== null);
		if (claimed.length > 0 || seen < look) {
			return {
				result: claimed.map(row => toProcess(row, (row.attributes ?? []).map(attribute => toAttribute(attribute)))),
				changes: claimed.map(row => ({noun: 'process', subject: row.process_id, colony, what: 'process.assign', from: 'waiting', to: 'running', detail: {computer, deadline: row.deadline}})),
			};
		}
	}
}
