import {type ColoniesError, Conflict} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {type Transition, transitions} from '../core/states.ts';
import {quoted, shortId} from '../core/text.ts';
import {microseconds} from '../core/time.ts';
import type {Id, Process, ProcessState, Time} from '../core/types.ts';
import {dropOf, dropped} from './closed-drops.ts';
import {bringOut} from './compression.ts';
import type {Change, Done} from './history.ts';
import {
	complete, getMany, readRows, removal, removeRows, stateOfRow, unknownProcess, versionOf,
} from './processes.ts';
import {closedStates} from './process-retention.ts';
import {fail, reopen} from './requeue.ts';
import type {ProcessRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll, inColony} from './values.ts';

/** A process that is to be changed, and how it must be for that: what is left out is not looked at. `ifsince`: when it entered its state. */
export type Asked = {processid: Id; ifstate?: ProcessState; ifsince?: Time; ifretries?: number; ifversion?: string};

type Locked = ProcessRow & {version: string; demand_id?: number};
type Answers = Array<Done<Process> | ColoniesError>;

/** Which table a process is in, with the name by which its rows are selected. */
const tables = [
	{name: 'live', columns: `p.*, null::timestamptz as end_time, ${versionOf.live}`},
	{name: 'closed', columns: `p.*, p.end_time as entered_at, ${versionOf.closed}`},
] as const;

/** One that is in neither table may have gone from one to the other between two looks; it does so seldom, and hardly ever again at once. */
const looks = 5;

/** Locks the processes, in an order that is the same for everybody, so that two lists never wait for each other: first those that are live, then those that are closed, each by id. */
async function lockAll(client: Client, colony: Id, asked: readonly Asked[]): Promise<Map<Id, Locked>> {
	const locked = new Map<Id, Locked>();
	let missing = asked.map(({processid}) => processid);
	/* eslint-disable no-await-in-loop */
	for (let look = 1; look <= looks && missing.length > 0; look++) {
		for (const {name, columns} of tables) {
			if (missing.length === 0) {
				break;
			}

			const where = `p.process_id = any ($2) and ${inColony('$1')}`;
			const values = [bytesOf(colony), bytesOfAll(missing)];
			if (name === 'closed') {
				await bringOut(client, where, values);
			}

			const {rows} = await client.query<Locked>(`select ${columns} from colonies.${name} p where ${where} order by process_id for update`, values);
			for (const row of rows) {
				locked.set(row.process_id, row);
			}

			missing = missing.filter(id => !locked.has(id));
		}

		if (missing.length > 0 && (await client.query(`select from colonies.processes p where process_id = any ($2) and ${inColony('$1')} limit 1`, [bytesOf(colony), bytesOfAll(missing)])).rows.length === 0) {
			break;
		}
	}
	/* eslint-enable no-await-in-loop */

	return locked;
}

const isAsExpected = (row: Locked, {ifstate, ifsince, ifretries, ifversion}: Asked): boolean =>
	(ifstate === undefined || ifstate === stateOfRow(row))
	&& (ifsince === undefined || microseconds(ifsince) === microseconds(row.entered_at))
	&& (ifretries === undefined || ifretries === row.retries)
	&& (ifversion === undefined || ifversion === row.version);

const nameOf = (row: ProcessRow): string => `The process ${quoted(shortId(row.process_id))}`;

/** Why a locked process may not be changed as asked; undefined when it may. */
function whyNot(row: Locked, asked: Asked, transition?: Extract<Transition, 'cancel' | 'retry'>): ColoniesError | undefined {
	if (!isAsExpected(row, asked)) {
		return new Conflict(`${nameOf(row)} has changed since it was looked at: it is ${stateOfRow(row)} now, since ${row.entered_at}, with ${row.retries} retries. Nothing was changed.`, {hint: 'Look at it again, and ask for it anew.'});
	}

	if (transition === undefined || (transitions[transition].from as readonly ProcessState[]).includes(stateOfRow(row))) {
		return undefined;
	}

	return transition === 'retry'
		? new Conflict(`${nameOf(row)} is ${stateOfRow(row)}; only a ${transitions.retry.from.join(' or ')} one can be retried. Nothing was changed.`, {hint: 'Cancel it first to begin anew.'})
		: new Conflict(`${nameOf(row)} is ${stateOfRow(row)}; only a ${transitions.cancel.from.join(' or ')} one can be cancelled. Nothing was changed.`, {hint: 'A closed process can be retried or removed.'});
}

/** Changes locked processes that may be changed. */
type ChangeAll = (rows: readonly Locked[]) => Promise<Map<Id, Done<Process>>>;

/** Locks, decides for each by itself, and lets `change` do those that may be done, each once. */
async function changeEach(client: Client, colony: Id, asked: readonly Asked[], transition: Extract<Transition, 'cancel' | 'retry'> | undefined, change: ChangeAll): Promise<Answers> {
	const locked = await lockAll(client, colony, asked);
	const chosen = new Map<Id, Locked>();
	const refusals = asked.map(each => {
		const row = locked.get(each.processid);
		if (row === undefined) {
			return unknownProcess(each.processid);
		}

		if (chosen.has(each.processid)) {
			return new Conflict(`${nameOf(row)} stands in this list twice; it is done once.`);
		}

		const reason = whyNot(row, each, transition);
		if (reason === undefined) {
			chosen.set(each.processid, row);
		}

		return reason;
	});
	const done = chosen.size === 0 ? new Map<Id, Done<Process>>() : await change([...chosen.values()]);
	return refusals.map((refusal, index) => refusal ?? done.get(asked[index]!.processid)!);
}

const idsOf = (rows: readonly ProcessRow[]): Id[] => rows.map(row => row.process_id);

/** Cancels waiting and running processes, each for itself: they fail, with err attribute `error` = `cancelled`. A refusal is a Conflict or NotFound. */
export async function cancel(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, 'cancel', async rows => {
		const failed = await fail(client, rows, 'process.cancel', 'cancelled');
		return new Map([...failed].map(([id, {closed, changes}]) => [id, {result: complete(closed), changes}]));
	});
}

/** Puts closed processes back to waiting with no retries counted, each for itself. A refusal is a Conflict or NotFound. */
export async function retry(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, 'retry', async rows => {
		const changes = new Map((await reopen(client, colony, rows)).map(change => [change.subject, [change]]));
		const processes = await getMany(client, colony, idsOf(rows));
		return new Map([...processes].map(([id, result]) => [id, {result, changes: changes.get(id)!}]));
	});
}

/** One row of the history for all the closed ones that end alike, each with the first of them. */
function removalsTogether(colony: Id, asked: readonly Asked[], rows: readonly ProcessRow[]): Map<Id, Change> {
	return new Map(closedStates.flatMap(state => {
		const ours = rows.filter(row => stateOfRow(row) === state);
		const ids = new Set(idsOf(ours));
		// A process that is named twice is removed once.
		const which = asked.map(({processid}) => ids.delete(processid) ? '1' : '0').join('');
		return ours.length === 0 ? [] : [[ours[0]!.process_id, dropped(colony, state, dropOf(ours.map(row => ({process_id: row.process_id, end_time: row.end_time!})), which.includes('0') ? {which} : {}))] as const];
	}));
}

/**
Removes processes, whatever their state, with their attributes, each for itself. A refusal is a Conflict or NotFound.
The history keeps a full image of each; of more closed ones than `imaged` only how many, when they ended, and a hash of their ids.
*/
export async function remove(client: Client, colony: Id, asked: readonly Asked[], imaged: number = limits.imaged): Promise<Answers> {
	return changeEach(client, colony, asked, undefined, async rows => {
		const found = await readRows(client, colony, idsOf(rows));
		await removeRows(client, rows);
		const closed = rows.filter(({status}) => status > 1);
		const together = closed.length > imaged ? removalsTogether(colony, asked, closed) : undefined;
		const changesOf = (row: ProcessRow): Change[] => together === undefined || row.status < 2 ? [removal(row)] : [together.get(row.process_id) ?? []].flat();
		return new Map([...found].map(([id, row]) => [id, {result: complete(row), changes: changesOf(row)}]));
	});
}
