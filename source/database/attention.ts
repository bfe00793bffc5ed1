import type {Demand, Id, Time} from '../core/types.ts';
import {waitingIn} from './demands.ts';
import {approvableFor} from './explain.ts';
import {kindsOfComputers, somebodyMayRun} from './matching.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** A few of what was found, and how many there are in all, counted to a limit. */
export type Found<Row> = {rows: Row[]; total: number};

type Counted = {total: number};

async function find<Row>(client: Client, text: string, values: readonly unknown[]): Promise<Found<Row>> {
	const {rows} = await client.query<Row & Counted>(text, values);
	return {rows, total: rows[0]?.total ?? 0};
}

/** Rows are counted so far and no further. */
const far = 1000;

/** Seconds before a deadline within which it may be near. */
const soon = 300;
/** Seconds of a timeout from which on its last tenth is worth a look. */
const long = 100;

export type Due = {processid: Id; computertype: string; computer: string | null; timeout: number; deadline: Time; since: Time; passed: boolean};

/**
Running processes whose deadline passed ten seconds ago, for it is seen to within two while anything is up; and those of whose time less than a tenth is left, and at most five minutes, where that is ten seconds or more: what is gone before it is read helps nobody.
*/
export const due = async (client: Client, colony: Id, most: number): Promise<Found<Due>> => find(
	client,
	`with due as materialized (
		select p.*, p.deadline < statement_timestamp() - interval '10 seconds' as passed, case when p.deadline < statement_timestamp() - interval '10 seconds' then p.deadline else p.deadline - least(p.timeout * interval '0.1 seconds', interval '${soon} seconds') end as since
		from colonies.live p where p.status = 1 and p.deadline is not null and p.deadline <= statement_timestamp() + interval '${soon} seconds' and p.colony_id = $1
			and p.deadline - statement_timestamp() < case when p.timeout >= ${long} then p.timeout * interval '0.1 seconds' else interval '-10 seconds' end
		order by p.deadline limit ${far}
	)
	select d.process_id as processid, d.computer_type as computertype, c.name as computer, d.timeout, d.deadline, d.since, d.passed, (select count(*)::int from due) as total
	from due d left join colonies.computers c on c.colony_id = d.colony_id and c.computer_id = d.assigned_computer_id
	order by d.deadline, d.process_id limit $2`,
	[bytesOf(colony), most],
);

export type Slow = {processid: Id; computertype: string; computer: string | null; since: Time; usual: number};

/** Of the last so many successes of a type the run times are looked at, and from so many on they say something. */
const [samples, leastSamples] = [300, 100];

/** Running processes that have run for ten seconds longer than 99 of 100 of the latest successes of their type; the longest first. `usual`: that percentile in seconds. */
export const slow = async (client: Client, colony: Id, most: number): Promise<Found<Slow>> => find(
	client,
	`with recursive types as (
		(select computer_type as type from colonies.live where colony_id = $1 order by computer_type limit 1)
		union all
		select (select p.computer_type from colonies.live p where p.colony_id = $1 and p.computer_type > t.type order by p.computer_type limit 1) from types t where t.type is not null
	), busy as (
		select t.type from types t cross join lateral (select from colonies.live p where p.colony_id = $1 and p.computer_type = t.type and p.status = 1 limit 1) r where t.type is not null
	), usual as materialized (
		select b.type, u.usual from busy b cross join lateral (
			select count(*) as count, percentile_cont(0.99) within group (order by extract(epoch from s.end_time - s.start_time)) as usual from (
				select p.start_time, p.end_time from colonies.closed p where p.colony_id = $1 and p.computer_type = b.type and p.status = 2
				order by p.end_time desc, p.process_id desc limit ${samples}
			) s
		) u where u.count >= ${leastSamples}
	), slow as materialized (
		select r.*, u.usual from usual u cross join lateral (
			select p.* from colonies.live p where p.colony_id = $1 and p.computer_type = u.type and p.status = 1 and p.entered_at < statement_timestamp() - (u.usual + 10) * interval '1 second'
			order by p.entered_at, p.process_id limit ${far}
		) r
	)
	select s.process_id as processid, s.computer_type as computertype, c.name as computer, s.start_time + s.usual * interval '1 second' as since, s.usual::float8 as usual, (select count(*)::int from slow) as total
	from slow s left join colonies.computers c on c.colony_id = s.colony_id and c.computer_id = s.assigned_computer_id
	order by s.start_time, s.process_id limit $2`,
	[bytesOf(colony), most],
);

export type Silent = {computerid: Id; name: string; since: Time; running: number};

/** Approved computers that were not seen for `silence` seconds while they run something. */
export const silent = async (client: Client, colony: Id, most: number, silence: number): Promise<Found<Silent>> => find(
	client,
	`with silent as materialized (
		select c.computer_id, c.name, greatest(s.seen_at, r.last) as since, r.running from colonies.computers c
		left join colonies.seen s on s.colony_id = c.colony_id and s.computer_id = c.computer_id
		cross join lateral (
			select count(*)::int as running, max(q.entered_at) as last from (
				select p.entered_at from colonies.live p where p.colony_id = c.colony_id and p.assigned_computer_id = c.computer_id and p.status = 1
				order by p.entered_at desc, p.process_id desc limit ${far}
			) q
		) r
		where c.colony_id = $1 and c.status = 1 and (s.seen_at is null or s.seen_at < statement_timestamp() - $3::float8 * interval '1 second')
			and r.last < statement_timestamp() - $3::float8 * interval '1 second'
	)
	select computer_id as computerid, name, since, running, (select count(*)::int from silent) as total from silent order by since, computer_id limit $2`,
	[bytesOf(colony), most, silence],
);

export type Spent = {processid: Id; computertype: string; since: Time; retries: number; maxretries: number};

/** Processes that failed in the last seven days for their deadline was exceeded and no retry was left, the latest first. */
export const spent = async (client: Client, colony: Id, most: number): Promise<Found<Spent>> => find(
	client,
	`with spent as materialized (
		select p.* from colonies.closed p where p.colony_id = $1 and p.status = 3 and p.end_time >= p.deadline and p.end_time > statement_timestamp() - interval '7 days'
			and coalesce(p.attributes @> '{"err": [{"error": "deadline exceeded"}]}', false)
		order by p.end_time desc, p.process_id desc limit ${far}
	)
	select process_id as processid, computer_type as computertype, end_time as since, retries, max_retries as maxretries, (select count(*)::int from spent) as total
	from spent order by end_time desc, process_id desc limit $2`,
	[bytesOf(colony), most],
);

export type LastTry = Spent & {computer: string | null};

/** Running processes that have no retry left, the latest first. */
export const lastTries = async (client: Client, colony: Id, most: number): Promise<Found<LastTry>> => find(
	client,
	`with tries as materialized (
		select p.* from colonies.live p where p.colony_id = $1 and p.status = 1 and p.max_retries > 0 and p.retries >= p.max_retries order by p.start_time desc, p.process_id desc limit ${far}
	)
	select t.process_id as processid, t.computer_type as computertype, c.name as computer, t.start_time as since, t.retries, t.max_retries as maxretries, (select count(*)::int from tries) as total
	from tries t left join colonies.computers c on c.colony_id = t.colony_id and c.computer_id = t.assigned_computer_id
	order by t.start_time desc, t.process_id desc limit $2`,
	[bytesOf(colony), most],
);

export type Stuck = Demand & {processid: Id; since: Time; waiting: number; computerid: Id | null; name: string | null};

/** Kinds of work at which one question looks. */
const mostKinds = 10_000;

/**
Kinds of work that wait and that no approved computer may run, the oldest first, with the oldest process of each and how many there are, counted to `limit`.
Where an approval is all that is missing, the computer that lacks it.
*/
export const stuck = async (client: Client, colony: Id, most: number, limit: number): Promise<Found<Stuck>> => find(
	client,
	`with ${kindsOfComputers()}, stuck as materialized (
		select d.*, h.process_id, h.submission_time from (select * from colonies.demands where colony_id = $1 limit ${mostKinds}) d cross join lateral (
			select p.process_id, p.submission_time from colonies.live p where p.demand_id = d.demand_id and p.status = 0 order by p.submission_time, p.process_id limit 1
		) h
		where not (${somebodyMayRun()})
	)
	select d.process_id as processid, d.submission_time as since, d.target_computer_ids as targetcomputerids, d.computer_type as computertype, d.cores, d.mem, d.gpus,
		(select count(*)::int from (${waitingIn('d', '$3')}) q) as waiting, f.computer_id as computerid, f.name, (select count(*)::int from stuck) as total
	from (select * from stuck order by submission_time, process_id limit $2) d left join lateral (${approvableFor}) f on true
	order by d.submission_time, d.process_id`,
	[bytesOf(colony), most, limit + 1],
);

export type Pending = {computerid: Id; name: string; since: Time};

/** Computers that wait for approval, by name. */
export const pending = async (client: Client, colony: Id, most: number): Promise<Found<Pending>> => find(
	client,
	`with pending as materialized (select * from colonies.computers where colony_id = $1 and status = 0 order by name, computer_id limit ${far})
	select computer_id as computerid, name, registered_at as since, (select count(*)::int from pending) as total from pending order by name, computer_id limit $2`,
	[bytesOf(colony), most],
);
