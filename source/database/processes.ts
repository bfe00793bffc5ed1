import {type ColoniesError, Conflict, NotFound} from '../core/errors.ts';
import {shifted} from '../core/moments.ts';
import {quoted, shortId} from '../core/text.ts';
import {statusOf} from '../core/states.ts';
import {type Id, type Process, type ProcessSpec, type ProcessState, type ProcessStatus, processStates, type Time, unsetTime} from '../core/types.ts';
import {readClock} from './clock.ts';
import {closeOwn} from './closing.ts';
import {demandIds} from './demands.ts';
import {type Change, type Done, imageOfRemoved} from './history.ts';
import {fromImage, fullImage, submissionImage} from './images.ts';
import {
	attemptOf, attributesOf, type Lists, processColumns, type ProcessRow, toProcess,
} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll, inColony} from './values.ts';

export const unknownProcess = (process: Id) => new NotFound(`There is no process ${quoted(process)} in this colony.`, {hint: 'It may have been removed, or belong to another colony.'});

export const complete = (row: ProcessRow): Process => toProcess(row, attributesOf(row.process_id, row.attributes));

/** A submission with the id made for it. */
export type Submission = {processid: Id; spec: ProcessSpec};

/** What goes in, as the row of a process keeps it; null where nothing does. */
export const given = ({in: values}: ProcessSpec): Lists | null => {
	const list = Object.entries(values).map(([key, value]) => ({[key]: value}));
	return list.length === 0 ? null : {in: list};
};

/** A row as it is now, from what was asked and the time of its submission. */
export const rowOf = (colony: Id, {processid, spec}: Submission, at: Time): ProcessRow => ({
	process_id: processid, colony_id: colony, target_computer_ids: spec.targetcomputerids, assigned_computer_id: null, status: 0, entered_at: at, computer_type: spec.computertype,
	submission_time: at, start_time: null, end_time: null, deadline: null, timeout: spec.timeout, retries: 0, max_retries: spec.maxretries, mem: spec.mem, cores: spec.cores, gpus: spec.gpus, traceparent: spec.traceparent, attributes: given(spec),
});

/** Adds waiting processes of the colony `$1`. Out of a table and with nothing that is not immutable, so that Citus hands it on as it is. */
export const adding = `insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, traceparent, attributes)
	select i.id, c.colony_id, i.demand, i.at, i.at, colonies.bytes_of_all(string_to_array(i.targets, ',')), i.type, i.timeout, i.retries, i.mem, i.cores, i.gpus, nullif(i.traceparent, ''), nullif(i.attributes, 'null')
	from unnest($2::bytea[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[], $8::integer[], $9::bigint[], $10::integer[], $11::integer[], $12::text[], $13::jsonb[])
		with ordinality as i(id, demand, at, targets, type, timeout, retries, mem, cores, gpus, traceparent, attributes, n) join colonies.colonies c on c.colony_id = $1 order by i.n`;

/** A submission with the row of `demands` that it belongs to, and its time. */
export type Timed = {submission: Submission; demand: number; at: Time};

export function addingValues(colony: Id, rows: readonly Timed[]): unknown[] {
	const specs = rows.map(({submission: {spec}}) => spec);
	return [
		bytesOf(colony),
		rows.map(({submission: {processid}}) => bytesOf(processid)),
		rows.map(({demand}) => demand),
		rows.map(({at}) => at),
		specs.map(spec => spec.targetcomputerids.join(',')),
		specs.map(spec => spec.computertype),
		specs.map(spec => spec.timeout),
		specs.map(spec => spec.maxretries),
		specs.map(spec => spec.mem),
		specs.map(spec => spec.cores),
		specs.map(spec => spec.gpus),
		specs.map(spec => spec.traceparent ?? ''),
		specs.map(spec => given(spec) ?? 'null'),
	];
}

/** Adds waiting processes of one colony, all or none, in the order given; their submission times rise by at least a microsecond. */
export async function submit(client: Client, colony: Id, submissions: readonly Submission[]): Promise<Array<Done<Process>>> {
	const demands = await demandIds(client, colony, submissions.map(({spec}) => spec));
	const now = await readClock(client);
	const rows = submissions.map((submission, index) => ({submission, demand: demands[index]!, at: shifted(now, BigInt(index))}));
	await client.query(adding, addingValues(colony, rows));
	return rows.map(({submission, at}, index) => {
		const {processid} = submission;
		const row = rowOf(colony, submission, at);
		return {result: complete(row), changes: [{kind: 'created', noun: 'process', subject: processid, colony, what: 'process.submit', to: 'waiting', image: submissionImage(row), demand: demands[index]!}]};
	});
}

/** A process with its attributes. @throws NotFound when this colony has none of that id */
export async function get(client: Client, colony: Id, process: Id): Promise<Process> {
	const {rows} = await client.query<ProcessRow>(
		`select p.* from colonies.processes p where p.process_id = $2 and ${inColony('$1')}`,
		[bytesOf(colony), bytesOf(process)],
	);
	if (!rows[0]) {
		throw unknownProcess(process);
	}

	return complete(rows[0]);
}

type ToldEnd = {image: unknown; state: ProcessState; at: Time; detail: {computer?: Id | null; start?: Time | null; retries?: number} | null};

/** A closed process that was removed with many others, as far as the history tells of it: without what it had written. */
async function asTold(client: Client, colony: Id, process: Id): Promise<Process | undefined> {
	const {rows: [row]} = await client.query<ToldEnd>(
		`select s.detail as image, l.to_state as state, l.at, l.detail from colonies.history s cross join lateral (
			select to_state, at, detail from colonies.history h where h.subject_id = s.subject_id and h.noun = 'process' order by h.at desc, h.history_id desc limit 1
		) l where s.subject_id = $1 and s.colony_id = $2 and s.what = 'process.submit' and l.to_state in ('successful', 'failed')`,
		[bytesOf(process), bytesOf(colony)],
	);
	if (row === undefined) {
		return undefined;
	}

	const computer = row.detail?.computer ?? '';
	return {
		...fromImage(process, colony, row.image), status: statusOf(row.state), isassigned: computer !== '', assignedcomputerid: computer, starttime: row.detail?.start ?? unsetTime, endtime: row.at, retries: row.detail?.retries ?? 0,
	};
}

/** A process with its attributes, or as it was when it was removed. @throws NotFound when this colony never had it */
export async function getEvenRemoved(client: Client, colony: Id, process: Id): Promise<Process> {
	const found = await getMany(client, colony, [process]);
	const image = found.get(process) ?? await imageOfRemoved(client, {colony, subject: process, what: 'process.remove'});
	const told = image ? fromImage(process, colony, image) : await asTold(client, colony, process);
	if (!told) {
		throw unknownProcess(process);
	}

	return told;
}

/** The rows of processes with their attributes, by their ids; those that this colony has not are left out. */
export async function readRows(client: Client, colony: Id, ids: readonly Id[]): Promise<Map<Id, ProcessRow>> {
	const {rows} = await client.query<ProcessRow>(`select p.* from colonies.processes p where p.process_id = any ($2) and ${inColony('$1')}`, [bytesOf(colony), bytesOfAll(ids)]);
	return new Map(rows.map(row => [row.process_id, row]));
}

/** Processes with their attributes, by their ids; those that this colony has not are left out. */
export async function getMany(client: Client, colony: Id, ids: readonly Id[]): Promise<Map<Id, Process>> {
	return new Map([...await readRows(client, colony, ids)].map(([id, row]) => [id, complete(row)]));
}

/** What stands of a process beside its state for a look ahead of a change. `since`: when it entered that state; `version`: another one after every change of its record. */
export type ProcessVersion = {processid: Id; status: ProcessStatus; since: Time; retries: number; computertype: string; version: string};

/** The version of a row `p` of either table, as SQL. A closed one is never changed: it is told by its end from one that was closed again. */
export const versionOf = {live: 'p.xmin::text as version', closed: '(extract(epoch from p.end_time) * 1000000)::bigint::text as version'} as const;

/** The versions of processes by their ids, in the order given; of those that this colony has not, that it is so. */
export async function versions(client: Client, colony: Id, ids: readonly Id[]): Promise<Array<ProcessVersion | ColoniesError>> {
	const {rows} = await client.query<ProcessRow & {version: string}>(
		`select process_id, status, entered_at, retries, computer_type, ${versionOf.live} from colonies.live p where process_id = any ($2) and ${inColony('$1')}
		union all select process_id, status, end_time, retries, computer_type, ${versionOf.closed} from colonies.closed p where process_id = any ($2) and ${inColony('$1')}`,
		[bytesOf(colony), bytesOfAll(ids)],
	);
	const found = new Map(rows.map(row => [row.process_id, row]));
	return ids.map(id => {
		const row = found.get(id);
		return row
			? {processid: id, status: row.status, since: row.entered_at, retries: row.retries, computertype: row.computer_type, version: row.version}
			: unknownProcess(id);
	});
}

export const stateOfRow = (row: ProcessRow): ProcessState => processStates[row.status];

/** Why a computer could not close a process, from its row as it is now. */
function whyNotClosed(row: ProcessRow, computer: Id): ColoniesError {
	const name = `The process ${quoted(shortId(row.process_id))}`;
	if (row.status === 0) {
		return new Conflict(`${name} is waiting, not running; nothing was changed.`, {hint: 'Its deadline may have passed, or its computer was disapproved: another attempt follows.'});
	}

	if (row.status !== 1) {
		return new Conflict(`${name} is ${stateOfRow(row)} already; a closed process stays as it is.`);
	}

	return row.assigned_computer_id === computer
		? new Conflict(`The deadline of ${name.replace('The', 'the')} has passed; nothing was changed.`)
		: new Conflict(`${name} runs on another computer; nothing was changed.`);
}

/**
Closes running processes of this computer before their deadlines, each for itself, in the order given. A refusal is a Conflict where it is not running there (any more), or NotFound.
*/
export async function close(client: Client, {colony, computer, processes, to}: {colony: Id; computer: Id; processes: readonly Id[]; to: 'successful' | 'failed'}): Promise<Array<Done<Process> | ColoniesError>> {
	const closed = await closeOwn(client, {colony, computer, processes, status: statusOf(to)});
	const done = new Set<Id>();
	const isDone = (id: Id) => closed.has(id) && !done.has(id) && Boolean(done.add(id));
	const taken = processes.map(id => isDone(id));
	const refused = processes.filter((_, index) => !taken[index]);
	const {rows: found} = refused.length === 0
		? {rows: []}
		: await client.query<ProcessRow>(`select ${processColumns} from colonies.processes p where process_id = any ($2) and ${inColony('$1')}`, [bytesOf(colony), bytesOfAll(refused)]);
	return processes.map((id, index) => {
		const row = closed.get(id)!;
		if (taken[index]) {
			return {result: complete(row), changes: [{kind: 'moved', noun: 'process', subject: id, colony, what: `process.${to}`, from: 'running', to, attempt: {...attemptOf(row), run: row.ran}}]};
		}

		const other = found.find(({process_id: each}) => each === id);
		return other ? whyNotClosed(other, computer) : unknownProcess(id);
	});
}

/** What the history keeps of a process that is removed: its full image. */
export const removal = (row: ProcessRow): Change => ({kind: 'removed', noun: 'process', subject: row.process_id, colony: row.colony_id, what: 'process.remove', from: stateOfRow(row), image: fullImage(row)});

/** Deletes processes that the caller has locked, and whose colony needs them no more. */
export async function removeRows(client: Client, rows: readonly ProcessRow[]): Promise<void> {
	const live = rows.filter(({status}) => status < 2).map(row => row.process_id);
	const closed = rows.filter(({status}) => status > 1);
	if (live.length > 0) {
		await Promise.all([
			client.query('delete from colonies.outputs where process_id = any ($1)', [bytesOfAll(live)]),
			client.query('delete from colonies.live where process_id = any ($1)', [bytesOfAll(live)]),
		]);
	}

	if (closed.length > 0) {
		await client.query(
			'delete from colonies.closed p using unnest($1::bytea[], $2::timestamptz[]) as i(id, "end") where p.process_id = i.id and p.end_time = i."end"',
			[bytesOfAll(closed.map(row => row.process_id)), closed.map(row => row.end_time)],
		);
	}
}
