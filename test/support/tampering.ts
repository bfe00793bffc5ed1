import {isDeepStrictEqual} from 'node:util';
import type {Id} from '../../source/core/types.ts';
import {inFull} from '../../source/database/images.ts';
import type {Client, Database} from '../../source/database/types.ts';
import {verify, type Verified} from '../../source/operations/verify.ts';
import {seals} from '../../source/database/index.ts';

class Undone extends Error {}

/** Does something to the tables as somebody who may do anything, triggers aside, and undoes it. */
export async function tampering<Result>(database: Database, work: (client: Client) => Promise<Result>): Promise<Result> {
	let result: Result;
	try {
		await database.transaction(async client => {
			await client.query('set local session_replication_role = replica');
			result = await work(client);
			throw new Undone();
		});
	} catch (error) {
		if (!(error instanceof Undone)) {
			throw error;
		}
	}

	return result!;
}

/** The columns of a process that both of its tables have. */
const common = 'process_id, colony_id, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, attributes';

/** The statement that moves a waiting or running process past the operations to those that are closed, as if it had ended now. What it has written stays behind. */
export const closingByHand = (process: Id, status: 2 | 3): string =>
	`with gone as (delete from colonies.live where process_id = colonies.bytes_of('${process}') returning *) insert into colonies.closed (${common}, status, end_time) select ${common}, ${status}, now() from gone`;

/** The statement that moves all closed processes back in time. */
export const agingClosed = (interval: string): string => {
	const aged = common.replaceAll(/\w+_time/g, time => `${time} - interval '${interval}'`);
	return `with gone as (delete from colonies.closed returning *) insert into colonies.closed (${common}, status, end_time) select ${aged}, status, end_time - interval '${interval}' from gone`;
};

/** The statement that moves what the history tells of processes back in time; they are moved by `agingClosed`. */
export const agingHistory = (interval: string): string => {
	const aged = ['start', 'closed', 'submissiontime'].map(name => `case when h.detail->>'${name}' ~ '^[1-9]' then jsonb_build_object('${name}', to_char(((h.detail->>'${name}')::timestamptz - interval '${interval}') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) else '{}' end`);
	const columns = 'history_id, txid, actor, colony_id, noun, subject_id, what, from_state, to_state, request, signature';
	return `with h as (delete from colonies.history where noun in ('process', 'attribute') returning *)
		insert into colonies.history (${columns}, at, since, detail) overriding system value select ${columns}, at - interval '${interval}', since - interval '${interval}', detail || ${aged.join(' || ')} from h`;
};

/** Keeps every second row of the history as rows were before schema 7: what they have in short, in full. @returns how many are told otherwise now */
export async function keepInFull(client: Client): Promise<number> {
	type Row = {row: number; what: string; subject: Id; colony: Id | null; detail: unknown};
	const {rows} = await client.query<Row>('select history_id as row, what, colonies.text_of(subject_id) as subject, colony_id as colony, detail from colonies.history where history_id % 2 = 0');
	const changed = rows.flatMap(({row, detail, ...of}) => {
		const full = inFull(of, detail);
		return isDeepStrictEqual(full, detail) ? [] : [{row, detail: full}];
	});
	const {rowCount} = await client.query('update colonies.history h set detail = i.detail from jsonb_to_recordset($1::jsonb) as i(row bigint, detail jsonb) where h.history_id = i.row', [JSON.stringify(changed)]);
	return rowCount;
}

/** Verifies to the end, or to the first fault. */
export async function verified(client: Client, head?: string): Promise<Verified & {steps: number}> {
	let [after, steps] = [0, 0];
	const sums = {rows: 0, requests: 0, dropped: 0};
	for (;;) {
		const {verified: step} = await verify(client, {after, head});
		steps++;
		sums.rows += step.rows ?? 0;
		sums.requests += step.requests ?? 0;
		sums.dropped += step.dropped;
		if (!step.more) {
			return {...step, ...sums, from: 1, steps};
		}

		after = step.to;
	}
}

/** Seals all that can be sealed now. @returns rows */
export async function sealAll(database: Database): Promise<number> {
	for (let rows = 0; ;) {
		const sealed = await database.transaction(async client => seals.seal(client));
		rows += sealed.rows;
		if (sealed.rows === 0) {
			return rows;
		}
	}
}
