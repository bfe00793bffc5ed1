import {conditions, type ConditionName} from '../core/matching.ts';
import {type Computer, type Demand, type Id, type ProcessState, type Time, processStates} from '../core/types.ts';
import {mayRunPredicate, predicateOf} from './matching.ts';
import {type ComputerRow, processColumns, type ProcessRow, toComputer} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll, inColony} from './values.ts';

/** A process about which somebody asks why it waits. */
export type Asked = {processid: Id; colonyid: Id; state: ProcessState; computerid: Id | undefined; demand: Demand};

const toDemand = (row: ProcessRow): Demand => ({targetcomputerids: row.target_computer_ids, computertype: row.computer_type, cores: row.cores, mem: row.mem, gpus: row.gpus});

/** Those of these processes that the colony has. */
export async function readAsked(client: Client, colony: Id, processes: readonly Id[]): Promise<Asked[]> {
	const {rows} = await client.query<ProcessRow>(`select ${processColumns} from colonies.processes p where process_id = any ($2) and ${inColony('$1')}`, [bytesOf(colony), bytesOfAll(processes)]);
	return rows.map(row => ({processid: row.process_id, colonyid: row.colony_id, state: processStates[row.status], computerid: row.assigned_computer_id ?? undefined, demand: toDemand(row)}));
}

const unmet = `array_remove(array[${conditions.map(condition => `case when not (${predicateOf(condition)}) then '${condition.name}' end`).join(', ')}]::text[], null)`;

/** The computers nearest to a process, and how many of all fail which conditions. */
export type Nearest = {computers: Computer[]; others: Array<{unmet: ConditionName[]; count: number}>};

type NearestRow = {process_id: Id; others: Nearest['others'] | null; computer_id: null} | (ComputerRow & {process_id: Id; others: Nearest['others']});

/**
For each of these processes the `count` computers of its colony that fail the fewest conditions, approved ones first, and all of them counted by what they fail.
One look at each computer of the colony, whatever waits there.
*/
export async function nearest(client: Client, processes: readonly Id[], count: number): Promise<Map<Id, Nearest>> {
	const {rows} = await client.query<NearestRow>(
		`with pairs as materialized (
			select d.process_id, c.*, ${unmet} as unmet from colonies.processes d join colonies.computers c on c.colony_id = d.colony_id where d.process_id = any ($1)
		), placed as (
			select pairs.*, row_number() over (partition by process_id order by cardinality(unmet), status <> 1, name, computer_id) as place from pairs
		), others as (
			select process_id, jsonb_agg(jsonb_build_object('unmet', unmet, 'count', count) order by cardinality(unmet), count desc, unmet) as others
			from (select process_id, unmet, count(*)::int as count from pairs group by process_id, unmet) counted group by process_id
		)
		select a.process_id as process_id, o.others, p.computer_id, p.name, p.colony_id, p.computer_type, p.cpu, p.cores, p.mem, p.gpu, p.gpus, p.status,
			(select s.seen_at from colonies.seen s where s.colony_id = p.colony_id and s.computer_id = p.computer_id) as seen_at
		from unnest($1::bytea[]) as a(process_id) left join others o on o.process_id = a.process_id left join placed p on p.process_id = a.process_id and p.place <= $2
		order by a.process_id, p.place`,
		[bytesOfAll(processes), count],
	);
	const found = new Map<Id, Nearest>();
	for (const row of rows) {
		const {computers} = found.get(row.process_id) ?? found.set(row.process_id, {computers: [], others: row.others ?? []}).get(row.process_id)!;
		if (row.computer_id !== null) {
			computers.push(toComputer(row));
		}
	}

	return found;
}

/** A computer on which a process waits, and how many older ones go before it there; at least so many where `more`. */
export type InFront = {computerid: Id; name: string; lastseen?: Time; silent: boolean; behind: number; more: boolean};

type FrontRow = {process_id: Id; computer_id: Id; name: string; seen_at: Time | null; silent: boolean; front: number; cut: boolean};

/** Computers that are alike and may run a process, of which one stands for all: so many kinds at most, the smallest first, for less goes before it on a small one. */
const mostKinds = 50;
/** Where so many processes at most wait before the last of those that are asked about, only their groups are looked at. */
const nearby = 1001;
/** Groups of work at which one question looks, times the processes that it asks about; but all that are nearby. */
const [mostLooks, leastGroups] = [10_000, 1300];

/**
How many older waiting processes go before each of `$1`, on the approved computer where they are the fewest. `$2`: how far each group of work is counted between two of the processes, less far where so many groups would make more than `$5`; `$3`: how many groups are looked at.
Computers are taken together by all that the conditions look at, and alone where waiting work names them. What waits is counted group by group (`demands`), along the index, and never twice:
for each group, from one of the processes to the next.
*/
const frontStatement = `
	with asked as materialized (
		select p.process_id, p.colony_id, p.demand_id, p.submission_time, p.target_computer_ids, p.computer_type, p.cores, p.mem, p.gpus,
			lag(p.submission_time, 1, '-infinity'::timestamptz) over earlier as after_time, lag(p.process_id, 1, ''::bytea) over earlier as after_id
		from colonies.live p where p.process_id = any ($1) and p.status = 0
		window earlier as (partition by p.colony_id order by p.submission_time, p.process_id)
	), named as materialized (
		select distinct d.colony_id, t.computer_id from (select distinct colony_id from asked) a join colonies.demands d on d.colony_id = a.colony_id cross join lateral unnest(d.target_computer_ids) as t(computer_id)
	), kinds as materialized (
		select row_number() over () as kind, g.* from (
			select c.colony_id, c.status, c.computer_type, c.cores, c.mem, c.gpus, coalesce(n.computer_id, ''::bytea) as computer_id, (array_agg(c.computer_id order by s.seen_at desc nulls last, c.name, c.computer_id))[1] as example
			from colonies.computers c left join named n on n.colony_id = c.colony_id and n.computer_id = c.computer_id left join colonies.seen s on s.colony_id = c.colony_id and s.computer_id = c.computer_id
			where c.colony_id in (select colony_id from asked) and c.status = 1
			group by c.colony_id, c.status, c.computer_type, c.cores, c.mem, c.gpus, coalesce(n.computer_id, ''::bytea)
		) g
	), able as materialized (
		select d.demand_id, k.kind from (select distinct on (demand_id) * from asked order by demand_id) d cross join lateral (
			select c.kind from kinds c where c.colony_id = d.colony_id and ${mayRunPredicate}
			order by c.computer_type = '', c.cores, c.gpus, c.mem, c.example limit ${mostKinds}
		) k
	), near as materialized (
		select l.colony_id, n.demand_id from (select distinct on (colony_id) * from asked order by colony_id, submission_time desc, process_id desc) l cross join lateral (
			select p.demand_id from colonies.live p where p.colony_id = l.colony_id and p.status = 0 and (p.entered_at, p.process_id) < (l.submission_time, l.process_id)
			order by p.entered_at, p.process_id limit ${nearby}
		) n
	), deep as materialized (
		select colony_id from near group by colony_id having count(*) >= ${nearby}
	), fitting as materialized (
		select c.kind, c.colony_id, g.demand_id from kinds c cross join lateral (
			select d.demand_id from colonies.demands d where d.colony_id = c.colony_id and ${mayRunPredicate}
				and (d.demand_id in (select demand_id from near union all select demand_id from asked) or d.colony_id in (select colony_id from deep))
			limit $3
		) g
		where c.kind in (select kind from able)
	), many as materialized (
		select kind from fitting group by kind having count(*) >= $3
	), groups as materialized (
		select colony_id, demand_id, array_agg(kind) as kinds from fitting group by colony_id, demand_id
	), far as materialized (
		select least($2::bigint, greatest(2, $5::bigint / greatest(1, count(*)))) as far from groups
	), counted as (
		select g.demand_id, g.kinds, a.process_id, a.demand_id as own, a.submission_time, between_two.count from groups g join asked a on a.colony_id = g.colony_id cross join lateral (
			select count(*) as count from (
				select from colonies.live q where q.demand_id = g.demand_id and q.status = 0 and (q.submission_time, q.process_id) >= (a.after_time, a.after_id) and (q.submission_time, q.process_id) < (a.submission_time, a.process_id)
				limit (select far from far)
			) q
		) between_two
	), older as (
		select process_id, own, kinds, sum(count) over older as older, bool_or(count >= (select far from far)) over older as cut from counted
		window older as (partition by demand_id order by submission_time, process_id)
	), fronts as (
		select o.process_id, k.kind, sum(o.older)::int as front, bool_or(o.cut) or k.kind in (select kind from many) as cut
		from older o cross join lateral unnest(o.kinds) as k(kind)
		where (o.own, k.kind) in (select demand_id, kind from able)
		group by o.process_id, k.kind
	)
	select f.process_id, c.computer_id, c.name, s.seen_at, coalesce(s.seen_at < statement_timestamp() - $4::float8 * interval '1 second', true) as silent, f.front, f.cut
	from (
		select distinct on (f.process_id) f.*, k.colony_id, k.example from fronts f join kinds k on k.kind = f.kind
		order by f.process_id, f.front, f.cut, k.cores, k.gpus, k.mem, k.example
	) f join colonies.computers c on c.colony_id = f.colony_id and c.computer_id = f.example left join colonies.seen s on s.colony_id = c.colony_id and s.computer_id = c.computer_id`;

/**
Where these waiting processes are nearest to the front, and behind how many, counted to `limit`. Those that no approved computer may run are not in it.
First each group of work is counted a hundred far, which mostly is enough to know. Where very many groups are before it, what is known may be less than there is, and `more` says so.
*/
export async function inFront(client: Client, processes: readonly Id[], {limit, silence}: {limit: number; silence: number}): Promise<Map<Id, InFront>> {
	const found = new Map<Id, InFront>();
	let open = [...processes];
	for (const [cap, most] of [[Math.min(101, limit + 1), 20_000], [limit + 1, 200_000]]) {
		if (open.length === 0) {
			break;
		}

		const {rows} = await client.query<FrontRow>(frontStatement, [bytesOfAll(open), cap, Math.max(leastGroups, Math.floor(mostLooks / open.length)), silence, most]); // eslint-disable-line no-await-in-loop
		for (const {process_id: process, computer_id: computerid, name, seen_at: seen, silent, front, cut} of rows) {
			const more = cut || front > limit;
			found.set(process, {
				computerid, name, ...(seen === null ? {} : {lastseen: seen}), silent, behind: Math.min(front, limit), more,
			});
		}

		open = rows.filter(({front, cut}) => cut && front <= limit).map(row => row.process_id);
	}

	return found;
}

const butApproved = conditions.filter(({kind}) => kind !== 'approved').map(condition => predicateOf(condition)).join(' and ');

/** The computer that could run `d` if only it were approved: a pending one before a disapproved one, the last seen first. */
export const approvableFor = `select c.computer_id, c.name from colonies.computers c left join colonies.seen s on s.colony_id = c.colony_id and s.computer_id = c.computer_id
	where c.colony_id = d.colony_id and c.status in (0, 2) and ${butApproved}
	order by c.status, s.seen_at desc nulls last, c.name, c.computer_id limit 1`;

/** For each of these waiting processes the computer that could run it if only it were approved: a pending one before a disapproved one, the last seen first. */
export async function approvable(client: Client, processes: readonly Id[]): Promise<Map<Id, {computerid: Id; name: string}>> {
	const {rows} = await client.query<{process_id: Id; computer_id: Id; name: string}>(
		`with asked as materialized (select * from colonies.live where process_id = any ($1) and status = 0),
		fixes as materialized (
			select d.demand_id, f.computer_id, f.name from (select distinct on (demand_id) * from asked order by demand_id) d cross join lateral (${approvableFor}) f
		)
		select a.process_id, f.computer_id, f.name from asked a join fixes f on f.demand_id = a.demand_id`,
		[bytesOfAll(processes)],
	);
	return new Map(rows.map(row => [row.process_id, {computerid: row.computer_id, name: row.name}]));
}
