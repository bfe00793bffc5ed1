import {groupBy} from '../core/group-by.ts';
import {afterDeadline} from '../core/states.ts';
import {type AttributeType, type Id, processStates} from '../core/types.ts';
import {write} from './attributes.ts';
import {demandIds} from './demands.ts';
import type {Change} from './history.ts';
import {type AttributeRow, attemptOf, type ProcessRow, toAttribute} from './rows.ts';
import {microsecondsBetween} from './spans.ts';
import type {Client} from './types.ts';

/** What happens to the count of retries on the way back to waiting. */
export type Retries = 'same' | 'one more' | 'none';

const count: Record<Retries, string> = {same: 'retries', 'one more': 'retries + 1', none: '0'};

/** How the id of an attribute is made; handed in, for hashing is the business of identity. */
export type AttributeIdOf = (targetid: Id, key: string, type: AttributeType) => Id;

const demandOf = (row: ProcessRow) => ({targetcomputerids: row.target_computer_ids, computertype: row.computer_type, mem: row.mem, cores: row.cores, gpus: row.gpus});

/**
Puts processes of one colony, locked by the caller, back to waiting (domain.md, "States"): the submission time stays; assignment, start, end and deadline go;
the out and err attributes of the attempt move into its history.
*/
export async function backToWaiting(client: Client, colony: Id, rows: readonly ProcessRow[], what: string, retries: Retries): Promise<Change[]> {
	if (rows.length === 0) {
		return [];
	}

	const ids = rows.map(row => row.process_id);
	const demands = await demandIds(client, colony, rows.map(row => demandOf(row)));
	const attempts = await client.query<AttributeRow>('delete from attributes where process_id = any ($1) and attribute_type in (1, 2) returning *', [ids]);
	await client.query(
		`update processes p set status = 0, demand_id = d.demand_id, entered_at = p.submission_time, returned_at = statement_timestamp(), retries = ${count[retries]},
			assigned_computer_id = null, start_time = null, end_time = null, deadline = null
		from unnest($1::text[], $2::bigint[]) as d(process_id, demand_id) where p.process_id = d.process_id`,
		[ids, demands],
	);
	const attributesOf = groupBy(attempts.rows, row => row.process_id);
	return rows.map((row, index) => ({
		noun: 'process',
		subject: row.process_id,
		colony,
		what,
		demand: demands[index]!,
		from: processStates[row.status],
		to: 'waiting',
		since: row.entered_at,
		detail: {
			...attemptOf(row),
			end: row.end_time,
			attributes: (attributesOf.get(row.process_id) ?? []).map(attribute => toAttribute(attribute)),
		},
	}));
}

/** Takes its running processes away from a computer whose row the caller has locked or removed; no retry is counted. */
export async function requeueRunning(client: Client, colony: Id, computer: Id): Promise<Change[]> {
	const {rows} = await client.query<ProcessRow>(
		'select * from processes where colony_id = $1 and assigned_computer_id = $2 and status = 1 order by process_id for update',
		[colony, computer],
	);
	return backToWaiting(client, colony, rows, 'process.requeue', 'same');
}

async function fail(client: Client, rows: readonly ProcessRow[], idOf: AttributeIdOf): Promise<Change[]> {
	const {rows: ended} = await client.query<{process_id: Id; ran: number}>(
		`update processes set status = 3, end_time = statement_timestamp(), entered_at = statement_timestamp() where process_id = any ($1) returning process_id, ${microsecondsBetween('start_time', 'end_time')} as ran`,
		[rows.map(row => row.process_id)],
	);
	const ran = new Map(ended.map(({process_id: id, ran}) => [id, ran]));
	const changes: Change[] = [];
	for (const row of rows) {
		changes.push(
			{noun: 'process', subject: row.process_id, colony: row.colony_id, what: 'process.expire', from: 'running', to: 'failed', since: row.entered_at, detail: {...attemptOf(row), deadline: row.deadline, run: ran.get(row.process_id)}},
			await setError(client, row, 'deadline exceeded', idOf), // eslint-disable-line no-await-in-loop
		);
	}

	return changes;
}

/** Says why a process failed: its err attribute `error`. */
export async function setError(client: Client, row: ProcessRow, reason: string, idOf: AttributeIdOf): Promise<Change> {
	const {change} = await write(client, row.colony_id, row.process_id, {
		attributeid: idOf(row.process_id, 'error', 2), attributetype: 2, key: 'error', value: reason,
	});
	return change;
}

/**
Ends the attempts whose deadline has passed (domain.md, "Time limits"): back to waiting with a retry more, or failed when none is left.
At most `limit` at once, in one colony or all. Rows that somebody else is at are passed over, so that each is ended exactly once.
*/
export async function expire(client: Client, {colony, limit, idOf}: {colony?: Id; limit: number; idOf: AttributeIdOf}): Promise<Change[]> {
	const {rows} = await client.query<ProcessRow>(
		`select * from processes where status = 1 and deadline is not null and deadline <= statement_timestamp() ${colony === undefined ? '' : 'and colony_id = $2'}
		order by deadline limit $1 for update skip locked`,
		colony === undefined ? [limit] : [limit, colony],
	);
	const changes: Change[] = [];
	const fates = groupBy(rows, row => afterDeadline({retries: row.retries, maxretries: row.max_retries}));
	for (const [owner, again] of groupBy(fates.get('requeue') ?? [], row => row.colony_id)) {
		changes.push(...await backToWaiting(client, owner, again, 'process.requeue', 'one more')); // eslint-disable-line no-await-in-loop
	}

	const spent = fates.get('expire') ?? [];
	if (spent.length > 0) {
		changes.push(...await fail(client, spent, idOf));
	}

	return changes;
}
