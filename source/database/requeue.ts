import {groupBy} from '../core/group-by.ts';
import {afterDeadline} from '../core/states.ts';
import {type Id, processStates} from '../core/types.ts';
import {addedChange} from './attributes.ts';
import {readClock} from './clock.ts';
import {type ClosedRow, failAll} from './closing.ts';
import {demandIds} from './demands.ts';
import type {Change} from './history.ts';
import {listsOf} from './images.ts';
import {
	attemptOf, type Lists, type OutputRow, type ProcessRow, toAttribute,
} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll, inColony} from './values.ts';

/** What happens to the count of retries on the way back to waiting. */
type Retries = 'same' | 'one more';

const count: Record<Retries, string> = {same: 'retries', 'one more': 'retries + 1'};

/** A row of `live`. */
type LiveRow = ProcessRow & {demand_id: number};

type Way = {what: 'process.requeue' | 'process.retry'; demand: number; attempt: Lists};

/** What the history keeps of a process that waits again: its attempt, with what that had written. */
const changeOf = (row: ProcessRow, {what, demand, attempt}: Way): Change => ({
	kind: 'moved',
	noun: 'process',
	subject: row.process_id,
	colony: row.colony_id,
	what,
	demand,
	from: processStates[row.status],
	to: 'waiting',
	attempt: {...attemptOf(row), end: row.end_time ?? null, attributes: attempt},
});

/**
Puts running processes, locked by the caller, back to waiting (domain.md, "States"): the submission time stays; assignment, start and deadline go; the out and err attributes of the attempt move into its history.
*/
async function requeue(client: Client, rows: readonly LiveRow[], retries: Retries): Promise<Change[]> {
	if (rows.length === 0) {
		return [];
	}

	const ids = rows.map(row => row.process_id);
	const {rows: outputs} = await client.query<OutputRow>('delete from colonies.outputs where process_id = any ($1) returning *', [bytesOfAll(ids)]);
	await client.query(
		`update colonies.live set status = 0, entered_at = submission_time, returned_at = statement_timestamp(), retries = ${count[retries]}, assigned_computer_id = null, start_time = null, deadline = null
		where process_id = any ($1)`,
		[bytesOfAll(ids)],
	);
	const written = groupBy(outputs, row => row.process_id);
	return rows.map(row => changeOf(row, {
		what: 'process.requeue',
		demand: row.demand_id,
		attempt: listsOf((written.get(row.process_id) ?? []).map(({attribute_type: attributetype, key, value}) => ({attributetype, key, value}))),
	}));
}

const demandOf = (row: ProcessRow) => ({targetcomputerids: row.target_computer_ids, computertype: row.computer_type, mem: row.mem, cores: row.cores, gpus: row.gpus});

/** Brings closed processes of one colony, locked by the caller, back to waiting with no retries counted: what they had written moves into the history. */
export async function reopen(client: Client, colony: Id, rows: readonly ProcessRow[]): Promise<Change[]> {
	const demands = await demandIds(client, colony, rows.map(row => demandOf(row)));
	const [ids, ends, now] = [bytesOfAll(rows.map(row => row.process_id)), rows.map(row => row.end_time), await readClock(client)];
	await Promise.all([
		client.query(
			`insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, returned_at, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, traceparent, attributes)
			select g.process_id, g.colony_id, d.demand, g.submission_time, g.submission_time, $4, g.target_computer_ids, g.computer_type, g.timeout, g.max_retries, g.mem, g.cores, g.gpus, g.traceparent,
				nullif(g.attributes - '{out,err}'::text[], '{}')
			from unnest($1::bytea[], $2::timestamptz[], $3::bigint[]) as d(id, "end", demand) join colonies.closed g on g.process_id = d.id and g.end_time = d."end"`,
			[ids, ends, demands, now],
		),
		client.query('delete from colonies.closed p using unnest($1::bytea[], $2::timestamptz[]) as i(id, "end") where p.process_id = i.id and p.end_time = i."end"', [ids, ends]),
	]);
	return rows.map((row, index) => {
		const {in: _, ...attempt} = row.attributes ?? {};
		return changeOf(row, {what: 'process.retry', demand: demands[index]!, attempt});
	});
}

/** Takes its running processes away from a computer whose row the caller has locked or removed; no retry is counted. */
export async function requeueRunning(client: Client, colony: Id, computer: Id): Promise<Change[]> {
	const {rows} = await client.query<LiveRow>(
		'select * from colonies.live where colony_id = $1 and assigned_computer_id = $2 and status = 1 order by process_id for update',
		[bytesOf(colony), bytesOf(computer)],
	);
	return requeue(client, rows, 'same');
}

/** What the history keeps of live processes, locked by the caller, that are closed as failed for a reason; by process. */
export async function fail(client: Client, rows: readonly ProcessRow[], what: 'process.expire' | 'process.cancel', reason: string): Promise<Map<Id, {closed: ClosedRow; changes: Change[]}>> {
	const ended = rows.length === 0 ? new Map<Id, ClosedRow>() : await failAll(client, rows.map(row => row.process_id), reason);
	return new Map(rows.map(row => {
		const closed = ended.get(row.process_id)!;
		return [row.process_id, {closed, changes: [
			{
				kind: 'moved', noun: 'process', subject: row.process_id, colony: row.colony_id, what, from: processStates[row.status], to: 'failed',
				attempt: {...attemptOf(row), ...(what === 'process.expire' ? {deadline: row.deadline} : {}), run: closed.ran, ...(closed.ran === null ? {closed: closed.end_time} : {})},
			},
			addedChange(row.colony_id, toAttribute(row.process_id, 2, 'error', reason), closed.before),
		]}];
	}));
}

/**
Ends the attempts whose deadline has passed (domain.md, "Time limits"): back to waiting with a retry more, or failed when none is left.
At most `limit` at once, in one colony or all. Rows that somebody else is at are passed over, so that each is ended exactly once.
*/
export async function expire(client: Client, {colony, limit}: {colony?: Id; limit: number}): Promise<Change[]> {
	const {rows} = await client.query<LiveRow>(
		// The colony goes into no index there, or with the statistics of an empty table all that runs in it would be read.
		`select * from colonies.live p where status = 1 and deadline is not null and deadline <= statement_timestamp() ${colony === undefined ? '' : `and ${inColony('$2')}`}
		order by deadline limit $1 for update skip locked`,
		colony === undefined ? [limit] : [limit, bytesOf(colony)],
	);
	const fates = groupBy(rows, row => afterDeadline({retries: row.retries, maxretries: row.max_retries}));
	const changes = await requeue(client, fates.get('requeue') ?? [], 'one more');
	const failed = await fail(client, fates.get('expire') ?? [], 'process.expire', 'deadline exceeded');
	return [...changes, ...[...failed.values()].flatMap(({changes}) => changes)];
}
