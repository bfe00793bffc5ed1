import type {Process} from '../core/types.ts';
import {behind, ClaimCursors, type Taken} from './claim-cursors.ts';
import type {Done} from './history.ts';
import {mayRunPredicate} from './matching.ts';
import {
	attemptOf, attributesOf, type ComputerRow, type ProcessRow, toProcess,
} from './rows.ts';
import {microsecondsBetween} from './spans.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** For whom a group is, in short: the one computer that it names, `*` for several, or nothing for all. As in the index of `demands`. */
export const audience = '(case cardinality(d.target_computer_ids) when 0 then \'\' when 1 then d.target_computer_ids[1] else \'*\' end)';

/** The oldest of a group, whose row is `group`: those from where claims have come to, and those that were put back. */
const waitingOf = (group: string, limit: string): string => `
	select * from (
		(select p.submission_time, p.process_id, p.ctid as row from colonies.live p where p.demand_id = ${group}.demand_id and p.status = 0 and p.submission_time >= coalesce(${group}.passed, '-infinity')
			order by p.submission_time, p.process_id limit ${limit})
		union all
		(select p.submission_time, p.process_id, p.ctid as row from colonies.live p where p.demand_id + 0 = ${group}.demand_id and p.status = 0 and p.returned_at is not null and p.submission_time < ${group}.passed
			order by p.submission_time, p.process_id limit ${limit})
	) w order by submission_time, process_id limit ${limit}`;

/**
The oldest waiting processes that may run on one approved computer, as `candidates (process_id, submission_time, row)`: `$3` of them, exact and in order.
Waiting work is grouped by what it asks (`demands`): only the heads of the groups that fit (`kinds`) are looked at, so whatever does not fit in front costs nothing.
Of the groups, the `$3` with the oldest heads hold the `$3` oldest processes between them.
The computer comes as values, not as a row, so that the planner sees them. Groups are found by whom they name and by type, each of the few that fit: what is for others is not even read.
Where `$8` is a number and that many groups fit, there are no candidates, and `many` is true: their heads would be too many to look at.
`places`: a relation `(demand_id, passed)` of times before which a group has nothing that waits, but for what was put back; none is left out.
*/
export const candidates = ({computer_type: type}: Pick<ComputerRow, 'computer_type'>, places?: string): string => `
	kinds as materialized (
		select d.demand_id, ${places === undefined ? 'null::timestamptz' : 'a.passed'} as passed
		from (select $2::bytea as computer_id, 1 as status, $4::text as computer_type, $5::integer as cores, $6::bigint as mem, $7::integer as gpus) c
		cross join ${type === '' ? 'unnest(array[\'\', \'*\', $2::bytea]) as k(audience)' : 'unnest(array[\'\', \'*\', $2::bytea, \'\', \'*\', $2], array[\'\', \'\', \'\', $4::text, $4, $4]) as k(audience, type)'}
		join colonies.demands d on d.colony_id = $1 and ${audience} = k.audience ${type === '' ? '' : 'and d.computer_type = k.type'} and ${mayRunPredicate}
		${places === undefined ? '' : `left join ${places} on a.demand_id = d.demand_id`}
		limit $8::bigint
	), many as materialized (
		select count(*) >= coalesce($8::bigint, count(*) + 1) as many from kinds
	), heads as (
		select kinds.demand_id, kinds.passed, h.submission_time, h.process_id from kinds cross join lateral (${waitingOf('kinds', '1')}) h
		where not (select many from many)
		order by h.submission_time, h.process_id limit $3
	), candidates as (
		select q.process_id, q.submission_time, q.row from heads cross join lateral (${waitingOf('heads', '$3')}) q
		order by q.submission_time, q.process_id limit $3
	)`;

/** How many groups may fit for their heads to be looked at first, and else how many of the longest waiting processes are. */
export const few = 64;

/** As `candidates`: which of the longest waiting processes may run on the computer, whatever their groups. */
const nearCandidates = `
	candidates as (
		select d.process_id, d.submission_time, d.row
		from (select $2::bytea as computer_id, 1 as status, $4::text as computer_type, $5::integer as cores, $6::bigint as mem, $7::integer as gpus) c
		join (select p.*, p.ctid as row from colonies.live p where p.colony_id = $1 and p.status = 0 order by p.entered_at, p.process_id limit $3) d on ${mayRunPredicate}
	)`;

/** `$1` to `$8` of `candidates`: so many of them, when fewer than `most` groups fit. */
export const candidateValues = (computer: Pick<ComputerRow, 'colony_id' | 'computer_id' | 'computer_type' | 'cores' | 'mem' | 'gpus'>, count: number, most?: number): unknown[] => [
	bytesOf(computer.colony_id), bytesOf(computer.computer_id), count, computer.computer_type, computer.cores, computer.mem, computer.gpus, most,
];

/**
The first of the candidates that nobody holds, in their order; no more are locked than are taken. They are looked up where they lie (`row`):
with an id any index that has ids in it would do, and where the statistics know of little, one would be read from end to end with all that is dead in it.
*/
export const choosing = `select x.* from candidates q cross join lateral (
			select p.ctid as row, p.process_id, p.submission_time from colonies.live p where p.ctid = q.row and p.status + 0 = 0 for update skip locked
		) x`;

/**
When an attempt ends that begins now, as SQL; null where its timeout is none. Of functions that are immutable but for the time itself: Citus takes nothing else in an update,
and no CASE around the time.
*/
export const deadlineOf = (timeout: string): string => `((statement_timestamp() at time zone 'UTC') + nullif(greatest(${timeout}, 0), 0) * interval '1 second') at time zone 'UTC'`;

/** Takes the first candidates that nobody holds. */
const claiming = (candidates: string, limit: string, counts: string): string => `
	with ${candidates}, chosen as (
		${choosing} limit ${limit}
	), claimed as (
		update colonies.live p set status = 1, assigned_computer_id = $2,
			start_time = statement_timestamp(), entered_at = statement_timestamp(), deadline = ${deadlineOf('p.timeout')}
		from chosen where p.ctid = chosen.row
		returning p.*, null::timestamptz as end_time
	)
	select ${counts}, claimed.*, ${microsecondsBetween('coalesce(claimed.returned_at, claimed.submission_time)', 'claimed.start_time')} as waited, claimed.submission_time - interval '${behind} milliseconds' as passed
	from (select) as always left join claimed on true
	order by claimed.submission_time, claimed.process_id`;

const claimStatement = (computer: ComputerRow): string => claiming(candidates(computer, 'unnest($10::bigint[], $11::timestamptz[]) as a(demand_id, passed)'), '$9', '(select count(*)::int from candidates) as seen, (select many from many) as many');
const claimNearStatement = claiming(nearCandidates, '$8', '(select count(*)::int from candidates) as seen');

type Row = {seen: number; many?: boolean} & ({process_id: null} | (ProcessRow & Taken & {waited: number}));
type Claimed = Exclude<Row, {process_id: null}>;

const claimedOf = (rows: readonly Row[]): Claimed[] => rows.filter((row): row is Claimed => row.process_id !== null);

export const firstLook = 16;

/** `isHeld`: there was nothing but what others hold, who may yet let go of it. */
type Taking = Claimed[] & {isHeld?: boolean};

type Asking = {count: number; places: ReturnType<ClaimCursors['get']>};

/**
Takes the oldest of the groups. Rows that other claims hold are passed over; only when all that was looked at is held does it look further.
Undefined: `most` groups fit, or more, and nothing was taken.
*/
async function takeFromGroups(client: Client, computer: ComputerRow, {count, places}: Asking, most: number | undefined): Promise<Taking | undefined> {
	for (let look = Math.max(firstLook, count * 2); ; look *= 8) {
		const {rows} = await client.query<Row>(claimStatement(computer), [...candidateValues(computer, look, most), count, places.demands, places.times]); // eslint-disable-line no-await-in-loop
		const claimed = claimedOf(rows);
		if (rows[0]!.many) {
			return undefined;
		}

		if (claimed.length > 0 || rows[0]!.seen < look) {
			return Object.assign(claimed, {isHeld: claimed.length === 0 && rows[0]!.seen > 0});
		}
	}
}

/** Takes the oldest where many groups fit: one of them mostly is among the longest waiting, so these are looked at before the heads of all groups. */
async function takeFromMany(client: Client, computer: ComputerRow, {count, places}: Asking): Promise<Taking> {
	const {rows} = await client.query<Row>(claimNearStatement, [...candidateValues(computer, few).slice(0, 7), count]);
	const near = claimedOf(rows);
	if (near.length >= count) {
		return near;
	}

	const rest = (await takeFromGroups(client, computer, {count: count - near.length, places}, undefined))!;
	return Object.assign([...near, ...rest], {isHeld: near.length === 0 && rest.isHeld});
}

const take = async (client: Client, computer: ComputerRow, asking: Asking): Promise<Taking> => await takeFromGroups(client, computer, asking, few) ?? takeFromMany(client, computer, asking);

/**
Gives the oldest waiting processes that may run on this computer to it, up to `count`, oldest first; none when there is nothing for it.
The computer is approved, and its row held by this transaction, so that no disapproval or removal comes before the claim (domain.md, "Which process next").
@param cursors how far the claims of this server have come
@returns `isHeld`: there was nothing but what others hold; it may be worth looking again in a moment
*/
export async function claim(client: Client, computer: ComputerRow, count: number, cursors = new ClaimCursors()): Promise<Done<Process[]> & {isHeld: boolean}> {
	const places = cursors.get();
	const claimed = await take(client, computer, {count, places});
	cursors.pass(claimed, places);
	return {
		isHeld: claimed.isHeld === true,
		result: claimed.map(row => toProcess(row, attributesOf(row.process_id, row.attributes))),
		changes: claimed.map(row => ({
			kind: 'moved', noun: 'process', subject: row.process_id, colony: computer.colony_id, what: 'process.assign', from: 'waiting', to: 'running',
			attempt: {...attemptOf(row), deadline: row.deadline, wait: row.waited},
		})),
	};
}
