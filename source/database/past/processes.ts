import {ColoniesError, InvalidInput, NotFound} from '../../core/errors.ts';
import {quoted} from '../../core/text.ts';
import {type Id, type Process, type ProcessState, processStates, type Time, unsetTime} from '../../core/types.ts';
import {type Page, type PageRequest, readingOrder, toPage} from '../pages.ts';
import {looksIntoAttributes} from '../process-filters.ts';
import {walksOf} from '../process-lists.ts';
import {testsOfRows} from '../process-search.ts';
import {type ProcessFilter, isDescending, keyOf, within} from '../process-statements.ts';
import {processColumns as columns, type ProcessRow, toProcess} from '../rows.ts';
import type {Client} from '../types.ts';
import {bytesOf, rangeOfPrefix, inColony} from '../values.ts';
import {attributesAt} from './attributes.ts';

/** Processes which have changed since the moment and are put back one by one; beyond it the answer is refused. */
const most = 200_000;

/** That a process (its id) has stayed as it is since `$2`. A scalar, so that it is asked of each row on a walk and not turned into a join. */
const unchanged = (id: string): string => `(select true from colonies.history x where x.subject_id = ${id} and x.noun = 'process' and x.at > $2 limit 1) is null`;

/** The most that a submission time may be after the row of the history that tells of it. */
const slack = 'interval \'1 millisecond\'';

/** The most that the row of the history may be after the change of the process that it tells of: a transaction changes processes first, and records it all in the end. */
const lateness = 'interval \'10 seconds\'';

/**
The first step of each process of the colony `$1` after the moment `$2`, as `steps (subject_id, at, history_id, from_state)`: it tells the state in which the process was then; `$3` of them.
Which may have changed since is told by where they are now: closed since, running or waiting again since, or so shortly before that the history tells of it since; and by what the removal of others left.
*/
const steps = (also: string): string => `changed as materialized (
	(select p.process_id as id from colonies.closed p where p.colony_id = $1 and p.status in (2, 3) and p.end_time > $2::timestamptz - ${lateness} and p.submission_time <= $2::timestamptz + ${slack} limit $3)
	union all (select p.process_id from colonies.live p where p.colony_id = $1 and p.status = 1 and p.entered_at > $2::timestamptz - ${lateness} and p.submission_time <= $2::timestamptz + ${slack} limit $3)
	union all (select p.process_id from colonies.live p where p.colony_id = $1 and p.status = 0 and p.returned_at > $2::timestamptz - ${lateness} and p.submission_time <= $2::timestamptz + ${slack} limit $3)
	union all (select h.subject_id from colonies.history h where h.colony_id = $1 and h.what = 'process.remove' and h.at > $2 and (h.detail->>'submissiontime')::timestamptz <= $2::timestamptz + ${slack} limit $3)
), steps as materialized (
	select s.* from (select distinct id from changed) c cross join lateral (
		select h.subject_id, h.at, h.history_id, h.from_state from colonies.history h
		where h.subject_id = c.id and h.noun = 'process' and h.at > $2 and h.colony_id = $1 order by h.at, h.history_id limit 1
	) s where s.from_state is not null ${also} limit $3
)`;

const stepOfOne = `steps as materialized (
	select h.subject_id, h.at, h.history_id, h.from_state from colonies.history h
	where h.subject_id = $3 and h.noun = 'process' and h.at > $2 and h.colony_id = $1 order by h.at, h.history_id limit 1
)`;

const time = (value: string): string => `nullif(${value}, '${unsetTime}')::timestamptz`;

/**
The rows of \`steps\` put back as they were at the moment, as `past`, with the columns of `processes`. What never changes comes from the process, or from the image that its removal left;
what the state had comes from the step that ended it.
*/
const past = `images as (
	select s.subject_id, h.detail as step, (array_position(array['waiting', 'running', 'successful', 'failed'], s.from_state) - 1)::smallint as status, p.process_id is not null as stands,
		coalesce(p.submission_time, ${time('r.image->>\'submissiontime\'')}) as submission_time,
		case when p.process_id is null then array(select colonies.bytes_of(t) from jsonb_array_elements_text(r.image->'targetcomputerids') t) else p.target_computer_ids end as target_computer_ids,
		coalesce(p.computer_type, r.image->>'computertype') as computer_type, coalesce(p.timeout, (r.image->>'timeout')::integer) as timeout,
		coalesce(p.max_retries, (r.image->>'maxretries')::integer) as max_retries, coalesce(p.mem, (r.image->>'mem')::bigint) as mem,
		coalesce(p.cores, (r.image->>'cores')::integer) as cores, coalesce(p.gpus, (r.image->>'gpus')::integer) as gpus, coalesce(p.traceparent, r.image->>'traceparent') as traceparent
	from steps s join colonies.history h on h.at = s.at and h.history_id = s.history_id
	left join colonies.processes p on p.process_id = s.subject_id
	left join lateral (
		select h.detail as image from colonies.history h where p.process_id is null and h.subject_id = s.subject_id and h.what = 'process.remove' and h.at > $2 order by h.at desc limit 1
	) r on true
	where s.from_state is not null
), attempts as (
	select i.*, case when status > 0 then colonies.bytes_of(coalesce(step->>'computer', step->>'assignedcomputerid')) end as assigned_computer_id,
		case when status > 0 then ${time('coalesce(step->>\'start\', step->>\'starttime\')')} end as start_time,
		case when status > 1 then ${time('coalesce(step->>\'end\', step->>\'endtime\')')} end as end_time,
		(step->>'retries')::integer as retries
	from images i
), past as (
	select subject_id as process_id, $1::bytea as colony_id, status, case status when 0 then submission_time when 1 then start_time else end_time end as entered_at, submission_time, start_time, end_time,
		case when timeout > 0 then start_time + timeout * interval '1 second' end as deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, traceparent
	from attempts
)`;

const tooMuch = (at: Time): ColoniesError => new ColoniesError('too-large', `More than ${most} processes have left since ${at} the state in which they were; how this list was then is not told.`, {hint: 'Ask for a later moment, or for one process.'});

/** Ids and types that a text means, as a condition on a row `p`. */
const hasText = (text: string): string => `(left(encode(p.process_id, 'hex'), length(${text})) = lower(${text}) or position(lower(${text} collate "C") in lower(p.computer_type)) > 0)`;

function refuseUnknowable({attribute, filter = []}: ProcessFilter): void {
	if (attribute !== undefined || looksIntoAttributes([filter])) {
		throw new InvalidInput('What attributes processes had is not looked for in the past.', {hint: 'Leave the attribute out of the filter, or ask for the present list.'});
	}
}

type Statement = {text: string; values: unknown[]};

/** The list as it was: the processes that have stayed as they are, on the walks of the list as it is, and those that were put back. */
async function listStatement(client: Client, colony: Id, filter: ProcessFilter, page: PageRequest & {at: Time}): Promise<Statement> {
	const {comparison, order} = readingOrder(page, isDescending(filter.state === undefined ? [] : [filter.state]));
	const states = filter.state === undefined ? [0, 1, 2, 3] : [processStates.indexOf(filter.state)];
	const values: unknown[] = [bytesOf(colony), page.at, most + 1, page.count + 1, states];
	const given = (value: unknown) => `$${values.push(value)}`;
	const where = ['p.colony_id = $1'];
	if (filter.computerid !== undefined) {
		where.push(`p.assigned_computer_id = ${given(bytesOf(filter.computerid))}`);
	}

	const before = (seconds: number) => `$2::timestamptz - ${given(seconds)}::float8 * interval '1 second'`;
	const older = filter.olderthan === undefined ? undefined : before(filter.olderthan);
	const younger = filter.youngerthan === undefined ? undefined : before(filter.youngerthan);
	where.push(...await testsOfRows(client, colony, filter.filter ?? [], {given, at: '$2::timestamptz'}));
	const sorted = `order by entered_at ${order}, process_id ${order} limit $4`;
	const walks = (await walksOf(client, colony, filter)).map(({types, except = [], prefix}) => {
		const conditions = [
			...where,
			'p.status = s.status',
			...within(page, comparison, {older: older ?? `$2::timestamptz + ${slack}`, younger}, given),
			...(types ? ['p.computer_type = t.type'] : []),
			...(except.length > 0 ? [`p.computer_type <> all (${given(except)}::text[])`] : []),
			...(prefix === undefined ? [] : [`p.process_id between ${rangeOfPrefix(prefix).map(end => given(end)).join(' and ')}`]),
			unchanged('p.process_id'),
		];
		return `select w.* from unnest($5::smallint[]) as s(status) ${types ? `cross join unnest(${given(types)}::text[]) as t(type)` : ''} cross join lateral (
			select ${columns} from colonies.processes p where ${conditions.join(' and ')} ${sorted}
		) w`;
	});
	const put = [
		...where,
		...within(page, comparison, {older, younger}, given),
		'p.status = any ($5::smallint[])',
		...(filter.computertype === undefined ? [] : [`p.computer_type = ${given(filter.computertype)}`]),
		...(filter.text === undefined ? [] : [hasText(`${given(filter.text)}::text`)]),
	];
	const text = `with ${steps(filter.state === undefined ? '' : `and s.from_state = ${given(filter.state)}`)}, ${past}, found as (
			select * from (${[...walks, `(select ${columns} from past p where ${put.join(' and ')} ${sorted})`].join(' union all ')}) found ${sorted}
		)
		select c.steps, found.* from (select count(*)::int as steps from changed) c left join found on true order by entered_at ${order}, process_id ${order}`;
	return {text, values};
}

/** A page of the processes of a colony as they were. @throws ColoniesError `too-large`; InvalidInput for a filter that only the present can answer */
export async function list(client: Client, colony: Id, filter: ProcessFilter, page: PageRequest & {attributes: boolean; at: Time}): Promise<Page<Process>> {
	refuseUnknowable(filter);
	const {text, values} = await listStatement(client, colony, filter, page);
	const {rows} = await client.query<{steps: number} & (ProcessRow | {process_id: null})>(text, values);
	if (rows[0]!.steps > most) {
		throw tooMuch(page.at);
	}

	const {rows: found, ...rest} = toPage(rows.filter((row): row is typeof row & ProcessRow => row.process_id !== null), page, keyOf);
	const attributes = page.attributes ? await attributesAt(client, page.at, found) : undefined;
	return {...rest, rows: found.map(row => toProcess(row, attributes?.get(row.process_id))), at: page.at};
}

/** How many processes were in each state, counted to `limit` and no further. @throws ColoniesError `too-large` */
export async function count(client: Client, colony: Id, {at, limit}: {at: Time; limit: number}): Promise<Record<ProcessState, number>> {
	const {rows} = await client.query<{state: ProcessState; count: number; steps: number}>(
		`with ${steps('')}
		select n.state, (select count(*)::int from changed) as steps, (select count(*)::int from steps where from_state = n.state)
			+ (select count(*)::int from (select from colonies.processes p where p.colony_id = $1 and p.status = (n.status - 1)::smallint and p.entered_at <= $2::timestamptz + ${slack} and ${unchanged('p.process_id')} order by p.entered_at desc limit $4) found) as count
		from unnest($5::text[]) with ordinality as n(state, status)`,
		[bytesOf(colony), at, most + 1, limit + 1, processStates],
	);
	if (rows[0]!.steps > most) {
		throw tooMuch(at);
	}

	const counts = new Map(rows.map(row => [row.state, Math.min(row.count, limit + 1)]));
	return Object.fromEntries(processStates.map(state => [state, counts.get(state)!])) as Record<ProcessState, number>;
}

/** A process with its attributes, as it was. @throws NotFound when this colony had none of that id then */
export async function get(client: Client, colony: Id, process: Id, at: Time): Promise<Process> {
	const {rows: [row]} = await client.query<ProcessRow>(
		`with ${stepOfOne}, ${past}
		select ${columns} from colonies.processes p where p.process_id = $3 and ${inColony('$1')} and ${unchanged('p.process_id')}
		union all select ${columns} from past`,
		[bytesOf(colony), at, bytesOf(process)],
	);
	if (!row) {
		throw new NotFound(`There was no process ${quoted(process)} in this colony at ${at}.`, {hint: 'It was submitted later, had been removed, or belongs to another colony.'});
	}

	const attributes = await attributesAt(client, at, [row]);
	return toProcess(row, attributes.get(process));
}
