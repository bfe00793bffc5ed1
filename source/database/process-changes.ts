import {type ColoniesError, Conflict} from '../core/errors.ts';
import {type Transition, transitions} from '../core/states.ts';
import {quoted, shortId} from '../core/text.ts';
import {microseconds} from '../core/time.ts';
import type {Id, Process, ProcessState, Time} from '../core/types.ts';
import type {Change, Done} from './history.ts';
import {getMany, stateOfRow, unknownProcess} from './processes.ts';
import {type AttributeIdOf, backToWaiting, setError} from './requeue.ts';
import {attemptOf, type ProcessRow} from './rows.ts';
import {microsecondsBetween} from './spans.ts';
import type {Client} from './types.ts';

/** A process that is to be changed, and how it must be for that: what is left out is not looked at. `ifsince`: when it entered its state. */
export type Asked = {processid: Id; ifstate?: ProcessState; ifsince?: Time; ifretries?: number; ifversion?: string};

type Locked = ProcessRow & {version: string};
type Answers = Array<Done<Process> | ColoniesError>;

/** Locks the processes, in an order that is the same for everybody, so that two lists never wait for each other. */
async function lockAll(client: Client, colony: Id, asked: readonly Asked[]): Promise<Map<Id, Locked>> {
	const {rows} = await client.query<Locked>(
		'select p.*, p.xmin::text as version from processes p where process_id = any ($2) and colony_id = $1 order by process_id for update',
		[colony, asked.map(({processid}) => processid)],
	);
	return new Map(rows.map(row => [row.process_id, row]));
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

const answersOf = (processes: ReadonlyMap<Id, Process>, changes: ReadonlyMap<Id, Change[]>): Map<Id, Done<Process>> => new Map([...processes].map(([id, result]) => [id, {result, changes: changes.get(id)!}]));

/** Cancels waiting and running processes, each for itself: they fail, with err attribute `error` = `cancelled`. A refusal is a Conflict or NotFound. */
export async function cancel(client: Client, colony: Id, asked: readonly Asked[], idOf: AttributeIdOf): Promise<Answers> {
	return changeEach(client, colony, asked, 'cancel', async rows => {
		const {rows: ended} = await client.query<{process_id: Id; ran: number | null}>(
			`update processes set status = 3, demand_id = null, end_time = statement_timestamp(), entered_at = statement_timestamp() where process_id = any ($1) returning process_id, ${microsecondsBetween('start_time', 'end_time')} as ran`,
			[idsOf(rows)],
		);
		const ran = new Map(ended.map(row => [row.process_id, row.ran]));
		const changes = new Map<Id, Change[]>();
		for (const row of rows) {
			const error = await setError(client, row, 'cancelled', idOf); // eslint-disable-line no-await-in-loop
			changes.set(row.process_id, [{noun: 'process', subject: row.process_id, colony, what: 'process.cancel', from: stateOfRow(row), to: 'failed', since: row.entered_at, detail: {...attemptOf(row), run: ran.get(row.process_id)}}, error]);
		}

		return answersOf(await getMany(client, colony, idsOf(rows)), changes);
	});
}

/** Puts closed processes back to waiting with no retries counted, each for itself. A refusal is a Conflict or NotFound. */
export async function retry(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, 'retry', async rows => {
		const changes = await backToWaiting(client, colony, rows, 'process.retry', 'none');
		return answersOf(await getMany(client, colony, idsOf(rows)), new Map(changes.map(change => [change.subject, [change]])));
	});
}

/** Removes processes, whatever their state, with their attributes, each for itself; the history keeps the full images. A refusal is a Conflict or NotFound. */
export async function remove(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, undefined, async rows => {
		const images = await getMany(client, colony, idsOf(rows));
		await client.query('delete from processes where process_id = any ($1)', [idsOf(rows)]);
		return answersOf(images, new Map(rows.map(row => [row.process_id, [{noun: 'process', subject: row.process_id, colony, what: 'process.remove', from: stateOfRow(row), since: row.entered_at, detail: images.get(row.process_id)}]])));
	});
}
