import {Conflict} from '../core/errors.ts';
import type {ChangeForetold, Forecast, ForecastOfMany} from '../core/forecast.ts';
import {quoted} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {unknownComputer} from './computers.ts';
import {waitingIn} from './demands.ts';
import {kindsOfComputers, mayRunPredicate, somebodyMayRun} from './matching.ts';
import type {ComputerRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/** The computers that the change does something to, as if they were approved: for approving those that are not, else those that are. */
const chosen = `chosen as materialized (
		select computer_id, 1 as status, computer_type, cores, mem, gpus from colonies.computers where colony_id = $1 and computer_id = any ($2::bytea[]) and (status = 1) = ($3::text <> 'approve')
	)`;

/** Waiting processes that the computers may run when they are approved, and those of them that nobody else may: group by group of work, each counted to `$4`. `$5`: those of them that are approved and will not be, which are nobody then. */
const waitingStatement = `
	with ${kindsOfComputers('$5')}, ${chosen}, fitting as materialized (
		select d.demand_id, not (${somebodyMayRun('$5')}) as alone from colonies.demands d where d.colony_id = $1 and exists (select from chosen c where ${mayRunPredicate})
	)
	select (select count(*)::int from (select from fitting f cross join lateral (${waitingIn('f', '$4')}) p limit $4) q) as fitting,
		(select count(*)::int from (select from fitting f cross join lateral (${waitingIn('f', '$4')}) p where f.alone limit $4) q) as alone`;

/** Processes that run on the computers, and those of them that nobody else may. */
const runningStatement = `
	with ${kindsOfComputers('$2')}, running as materialized (
		select d.* from colonies.live d where d.colony_id = $1 and d.assigned_computer_id = any ($2::bytea[]) and d.status = 1 limit $3
	)
	select count(*)::int as requeued, (count(*) filter (where not (${somebodyMayRun('$2')})))::int as alone from running d`;

type About = {colony: Id; change: ChangeForetold; limit: number};

/** What approving, disapproving or removing computers would do now, all of them together, counted to `limit`. Those that are not there, or are so already, change nothing. */
export async function forecastMany(client: Client, {colony, computers, change, limit}: About & {computers: readonly Id[]}): Promise<ForecastOfMany> {
	const {rows: [waiting]} = await client.query<{fitting: number; alone: number}>(waitingStatement, [bytesOf(colony), bytesOfAll(computers), change, limit + 1, change === 'approve' ? [] : bytesOfAll(computers)]);
	const about = {change, computers: computers.length, fitting: waiting!.fitting};
	if (change === 'approve') {
		return {...about, runnable: waiting!.alone, stranded: 0, requeued: 0};
	}

	const {rows: [running]} = await client.query<{requeued: number; alone: number}>(runningStatement, [bytesOf(colony), bytesOfAll(computers), limit + 1]);
	return {...about, runnable: 0, stranded: Math.min(limit + 1, waiting!.alone + running!.alone), requeued: running!.requeued};
}

/**
The same of one computer.
@throws NotFound, Conflict where the change itself would be refused
*/
export async function forecast(client: Client, {computer, ...about}: About & {computer: Id}): Promise<Forecast> {
	const {colony, change} = about;
	const {rows: [row]} = await client.query<ComputerRow>('select * from colonies.computers where colony_id = $1 and computer_id = $2', [bytesOf(colony), bytesOf(computer)]);
	if (!row) {
		throw unknownComputer(computer);
	}

	if ((change === 'approve' && row.status === 1) || (change === 'disapprove' && row.status === 2)) {
		throw new Conflict(`The computer ${quoted(row.name)} is ${change}d already.`);
	}

	const {computers: _, ...forecast} = await forecastMany(client, {...about, computers: [computer]});
	return {computerid: computer, name: row.name, ...forecast};
}
