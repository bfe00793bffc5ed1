import {Conflict} from '../core/errors.ts';
import type {ChangeForetold, Forecast} from '../core/forecast.ts';
import {quoted} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {unknownComputer} from './computers.ts';
import {kindsOfComputers, mayRunPredicate, somebodyMayRun} from './matching.ts';
import type {ComputerRow} from './rows.ts';
import type {Client} from './types.ts';

/** The computer as if it were approved, as values, so that the planner sees them. */
const asApproved = '(select $2::text as computer_id, 1 as status, $3::text as computer_type, $4::integer as cores, $5::bigint as mem, $6::integer as gpus) c';

/** Waiting processes that the computer may run when it is approved, and those of them that nobody else may: group by group of work, each counted to `$7`. */
const waitingStatement = `
	with ${kindsOfComputers('$2')}, fitting as materialized (
		select d.demand_id, not (${somebodyMayRun('$2')}) as alone from ${asApproved} join demands d on d.colony_id = $1 and ${mayRunPredicate}
	)
	select (select count(*)::int from (select from fitting f join processes p on p.demand_id = f.demand_id limit $7) q) as fitting,
		(select count(*)::int from (select from fitting f join processes p on p.demand_id = f.demand_id where f.alone limit $7) q) as alone`;

/** Processes that run on the computer, and those of them that nobody else may. */
const runningStatement = `
	with ${kindsOfComputers('$2')}, running as materialized (
		select d.* from processes d where d.colony_id = $1 and d.assigned_computer_id = $2 and d.status = 1 limit $3
	)
	select count(*)::int as requeued, (count(*) filter (where not (${somebodyMayRun('$2')})))::int as alone from running d`;

/**
What approving, disapproving or removing a computer would do now, counted to `limit`.
@throws NotFound, Conflict where the change itself would be refused
*/
export async function forecast(client: Client, {colony, computer, change, limit}: {colony: Id; computer: Id; change: ChangeForetold; limit: number}): Promise<Forecast> {
	const {rows: [row]} = await client.query<ComputerRow>('select * from computers where colony_id = $1 and computer_id = $2', [colony, computer]);
	if (!row) {
		throw unknownComputer(computer);
	}

	if ((change === 'approve' && row.status === 1) || (change === 'disapprove' && row.status === 2)) {
		throw new Conflict(`The computer ${quoted(row.name)} is ${change}d already.`);
	}

	const about = {computerid: computer, name: row.name, change};
	if (change !== 'approve' && row.status !== 1) {
		// It runs nothing and may run nothing.
		return {...about, fitting: 0, runnable: 0, stranded: 0, requeued: 0};
	}

	const {rows: [waiting]} = await client.query<{fitting: number; alone: number}>(waitingStatement, [colony, computer, row.computer_type, row.cores, row.mem, row.gpus, limit + 1]);
	if (change === 'approve') {
		return {...about, fitting: waiting!.fitting, runnable: waiting!.alone, stranded: 0, requeued: 0};
	}

	const {rows: [running]} = await client.query<{requeued: number; alone: number}>(runningStatement, [colony, computer, limit + 1]);
	return {...about, fitting: waiting!.fitting, runnable: 0, stranded: Math.min(limit + 1, waiting!.alone + running!.alone), requeued: running!.requeued};
}
