import {type ColoniesError, Conflict, NotFound} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import {type Id, type Process, type ProcessSpec, type ProcessState, type ProcessStatus, processStates, type Time, unsetTime} from '../core/types.ts';
import {attributesJson, wireAttributes} from './attributes.ts';
import {demandIds} from './demands.ts';
import {type Done, imageOfRemoved} from './history.ts';
import {type AttributeRow, attemptOf, type ProcessRow, toAttribute, toProcess} from './rows.ts';
import {microsecondsBetween} from './spans.ts';
import type {Client} from './types.ts';

export const unknownProcess = (process: Id) => new NotFound(`There is no process ${quoted(process)} in this colony.`, {hint: 'It may have been removed, or belong to another colony.'});

type WithAttributes = ProcessRow & {attributes: AttributeRow[] | null};

const complete = (row: WithAttributes): Process => toProcess(row, (row.attributes ?? []).map(attribute => toAttribute(attribute)));

const wireTime = (column: string): string => `coalesce(to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '${unsetTime}')`;

/** The image of the process in `row`, with the names and times that it has on the wire: what `toProcess` makes, made where the rows are, for a colony may have any number of them. */
export const wireProcess = (row: string): string => `jsonb_build_object(
	'processid', ${row}.process_id, 'targetcolonyid', ${row}.colony_id, 'targetcomputerids', ${row}.target_computer_ids, 'assignedcomputerid', coalesce(${row}.assigned_computer_id, ''),
	'status', ${row}.status, 'isassigned', ${row}.assigned_computer_id is not null, 'computertype', ${row}.computer_type,
	'submissiontime', ${wireTime(`${row}.submission_time`)}, 'starttime', ${wireTime(`${row}.start_time`)}, 'endtime', ${wireTime(`${row}.end_time`)}, 'deadline', ${wireTime(`${row}.deadline`)},
	'timeout', ${row}.timeout, 'retries', ${row}.retries, 'maxretries', ${row}.max_retries, 'mem', ${row}.mem, 'cores', ${row}.cores, 'gpus', ${row}.gpus,
	'in', ${wireAttributes(`${row}.process_id`, 0)}, 'out', ${wireAttributes(`${row}.process_id`, 1)}, 'err', ${wireAttributes(`${row}.process_id`, 2)}
)`;

/** A submission with the ids made for it. */
export type Submission = {processid: Id; spec: ProcessSpec; attributes: Array<{attributeid: Id; key: string; value: string}>};

/** Adds waiting processes of one colony, all or none, in the order given; their submission times rise by at least a microsecond. */
export async function submit(client: Client, colony: Id, submissions: readonly Submission[]): Promise<Array<Done<Process>>> {
	const demands = await demandIds(client, colony, submissions.map(({spec}) => spec));
	const {rows} = await client.query<ProcessRow>(
		`with input as (
			select * from jsonb_to_recordset($2::jsonb) as i(n integer, id text, demand bigint, targets jsonb, type text, timeout integer, retries integer, mem bigint, cores integer, gpus integer, attributes jsonb)
		), added as (
			insert into processes (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus)
			select id, $1, demand, t.at, t.at, array(select jsonb_array_elements_text(targets)), type, timeout, retries, mem, cores, gpus
			from input cross join lateral (select statement_timestamp() + n * interval '1 microsecond' as at) t order by n
			returning *
		), attached as (
			insert into attributes (attribute_id, colony_id, process_id, attribute_type, position, key, value)
			select a.id, $1, i.id, 0, a.n, a.key, a.value from input i cross join lateral jsonb_to_recordset(i.attributes) as a(id text, n integer, key text, value text)
		)
		select * from added order by submission_time`,
		[colony, JSON.stringify(submissions.map(({processid, spec, attributes}, n) => ({
			n, id: processid, demand: demands[n], targets: spec.targetcomputerids, type: spec.computertype, timeout: spec.timeout, retries: spec.maxretries,
			mem: spec.mem, cores: spec.cores, gpus: spec.gpus, attributes: attributes.map(({attributeid, key, value}, index) => ({id: attributeid, n: index, key, value})),
		})))],
	);
	return rows.map((row, index) => {
		const attributes = submissions[index]!.attributes.map(({attributeid, key, value}) => ({attributeid, targetid: row.process_id, attributetype: 0 as const, key, value}));
		const result = toProcess(row, attributes);
		return {result, changes: [{noun: 'process', subject: row.process_id, colony, what: 'process.submit', to: 'waiting', detail: result, demand: demands[index]!}]};
	});
}

/** A process with its attributes. @throws NotFound when this colony has none of that id */
export async function get(client: Client, colony: Id, process: Id): Promise<Process> {
	const {rows} = await client.query<WithAttributes>(
		`select p.*, ${attributesJson('p.process_id')} as attributes from processes p where p.process_id = $2 and p.colony_id = $1`,
		[colony, process],
	);
	if (!rows[0]) {
		throw unknownProcess(process);
	}

	return complete(rows[0]);
}

/** A process with its attributes, or as it was when it was removed. @throws NotFound when this colony never had it */
export async function getEvenRemoved(client: Client, colony: Id, process: Id): Promise<Process> {
	const found = await getMany(client, colony, [process]);
	const image = found.get(process) ?? await imageOfRemoved<Process>(client, {colony, subject: process, what: 'process.remove'});
	if (!image) {
		throw unknownProcess(process);
	}

	return image;
}

/** Processes with their attributes, by their ids; those that this colony has not are left out. */
export async function getMany(client: Client, colony: Id, ids: readonly Id[]): Promise<Map<Id, Process>> {
	const {rows} = await client.query<WithAttributes>(
		`select p.*, ${attributesJson('p.process_id')} as attributes from processes p where p.process_id = any ($2) and p.colony_id = $1`,
		[colony, ids],
	);
	return new Map(rows.map(row => [row.process_id, complete(row)]));
}

/** What stands of a process beside its state for a look ahead of a change. `since`: when it entered that state; `version`: another one after every change of its record. */
export type ProcessVersion = {processid: Id; status: ProcessStatus; since: Time; retries: number; computertype: string; version: string};

/** The versions of processes by their ids, in the order given; of those that this colony has not, that it is so. */
export async function versions(client: Client, colony: Id, ids: readonly Id[]): Promise<Array<ProcessVersion | ColoniesError>> {
	const {rows} = await client.query<ProcessRow & {version: string}>(
		'select process_id, status, entered_at, retries, computer_type, xmin::text as version from processes where process_id = any ($2) and colony_id = $1',
		[colony, ids],
	);
	const found = new Map(rows.map(row => [row.process_id, row]));
	return ids.map(id => {
		const row = found.get(id);
		return row
			? {processid: id, status: row.status, since: row.entered_at, retries: row.retries, computertype: row.computer_type, version: row.version}
			: unknownProcess(id);
	});
}

async function lock(client: Client, colony: Id, process: Id): Promise<ProcessRow> {
	const {rows} = await client.query<ProcessRow>('select * from processes where process_id = $2 and colony_id = $1 for update', [colony, process]);
	if (!rows[0]) {
		throw unknownProcess(process);
	}

	return rows[0];
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
Closes a running process of this computer before its deadline.
@throws Conflict when it is not running there (any more), NotFound
*/
export async function close(client: Client, {colony, computer, process, to}: {colony: Id; computer: Id; process: Id; to: 'successful' | 'failed'}): Promise<Done<Process>> {
	const {rows} = await client.query<WithAttributes & {ran: number}>(
		`update processes p set status = $4, end_time = statement_timestamp(), entered_at = statement_timestamp()
		where process_id = $1 and colony_id = $2 and status = 1 and assigned_computer_id = $3 and (deadline is null or deadline > statement_timestamp())
		returning *, ${microsecondsBetween('start_time', 'end_time')} as ran, ${attributesJson('p.process_id')} as attributes`,
		[process, colony, computer, processStates.indexOf(to)],
	);
	if (!rows[0]) {
		throw whyNotClosed(await lock(client, colony, process), computer);
	}

	const {start_time: since, ran: run} = rows[0];
	return {result: complete(rows[0]), changes: [{noun: 'process', subject: process, colony, what: `process.${to}`, from: 'running', to, since: since!, detail: {...attemptOf(rows[0]), run}}]};
}
