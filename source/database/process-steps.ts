import type {Attribute, AttributeType, Computer, Id, ProcessState, Time} from '../core/types.ts';
import {attemptEntries} from './images.ts';
import {compareAttributes} from './past/attributes.ts';
import {type Page, type PageRequest, decodePosition, readingOrder, toPage} from './pages.ts';
import {type ComputerRow, toAttribute, toComputer} from './rows.ts';
import {unknownProcess} from './processes.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/** A step of a process, as the history has it. */
export type Step = {
	at: Time;
	/** The operation's name, or `process.requeue` and `process.expire`. */
	what: string;
	from: ProcessState | null;
	to: ProcessState | null;
	/** An id, or `system`. */
	actor: string;
	/** Name of the computer that did it; null where it was none. */
	actorname: string | null;
	/** The computer of the attempt; null where there was none. */
	computerid: Id | null;
	/** Its name, also when it has been removed. */
	computername: string | null;
	/** Of the attempt that this step begins or ends: when it started and ended. */
	starttime: Time | null;
	endtime: Time | null;
	/** Why it went back to waiting or failed, where nobody asked for it. */
	why: 'deadline exceeded' | 'computer disapproved' | 'computer removed' | null;
	/** What the attempt had written, where this step put it away. */
	attributes: Attribute[] | null;
};

type StepRow = Omit<Step, 'why' | 'attributes'> & {history_id: number; cause: string | null; attributes: Array<{type: AttributeType; key: string; value: string}> | null};

/** The name of a computer of the colony `$1`, also when it has been removed. */
const nameOf = (id: string): string => `coalesce((select c.name from colonies.computers c where c.colony_id = $1 and c.computer_id = ${id}), (
	select r.detail->>'name' from colonies.history r where r.subject_id = ${id} and r.colony_id = $1 and r.what in ('computer.register', 'computer.remove') order by r.at desc limit 1))`;

function whyOf({what, actor, cause}: StepRow): Step['why'] {
	if (what === 'process.expire' || (what === 'process.requeue' && actor === 'system')) {
		return 'deadline exceeded';
	}

	return cause === 'computer.disapprove' ? 'computer disapproved' : (cause === 'computer.remove' ? 'computer removed' : null);
}

function toStep(process: Id, row: StepRow): Step {
	const {history_id: _, cause: __, attributes, ...step} = row;
	return {...step, why: whyOf(row), attributes: attributes?.map(({type, key, value}) => toAttribute(process, type, key, value)).sort((one, other) => compareAttributes(one, other)) ?? null};
}

/** A page of the steps of a process, oldest first, be it removed since. @throws NotFound when this colony never had one of that id, as far as the history goes back */
export async function steps(client: Client, colony: Id, process: Id, page: PageRequest & {attributes: boolean; longest?: number}): Promise<Page<Step>> {
	const {comparison, order} = readingOrder(page, false);
	const key = page.position === undefined ? [] : decodePosition(page.position, ['time', 'row']);
	const {rows} = await client.query<StepRow>(
		`select s.at, s.history_id, s.what, s.from_state as "from", s.to_state as "to", colonies.text_of(s.actor) as actor, ${nameOf('s.actor')} as actorname, s.computer as computerid, ${nameOf('s.computer')} as computername,
			s.start as starttime, case when s.from_state = 'running' then coalesce(s.ended, s.at) else s.ended end as endtime, s.attributes,
			case when s.what = 'process.requeue' then (select c.what from colonies.history c where c.subject_id = s.computer and c.at = s.at and c.txid = s.txid and c.noun = 'computer' limit 1) end as cause
		from (
			select h.*, case when h.what <> 'process.submit' then colonies.bytes_of(coalesce(h.detail->>'computer', h.detail->>'assignedcomputerid')) end as computer,
				(h.detail->>'start')::timestamptz as start, (h.detail->>'end')::timestamptz as ended, case when $4 and h.what in ('process.requeue', 'process.retry') then (
					select coalesce(jsonb_agg(jsonb_build_object('type', a.type, 'key', a.key, 'value', case when $5::integer is null then a.value else left(a.value, $5::integer) end)), '[]')
					from ${attemptEntries('(h.detail->\'attributes\')')} a
				) end as attributes
			from colonies.history h where h.subject_id = $2 and h.colony_id = $1 and h.noun = 'process' ${comparison && `and (h.at, h.history_id) ${comparison} ($6::timestamptz, $7::bigint)`}
			order by h.at ${order}, h.history_id ${order} limit $3
		) s order by s.at ${order}, s.history_id ${order}`,
		[bytesOf(colony), bytesOf(process), page.count + 1, page.attributes, page.longest, ...key],
	);
	if (rows.length === 0 && page.position === undefined) {
		throw unknownProcess(process);
	}

	const {rows: found, ...rest} = toPage(rows, page, row => [row.at, row.history_id]);
	return {...rest, rows: found.map(row => toStep(process, row))};
}

/** The process of a type that was successful last, but this one; undefined where there is none. */
export async function lastSuccessful(client: Client, colony: Id, {processid, computertype}: {processid: Id; computertype: string}): Promise<Id | undefined> {
	const {rows} = await client.query<{process_id: Id}>(
		'select process_id from colonies.processes where colony_id = $1 and computer_type = $2 and status = 2 order by entered_at desc, process_id desc limit 2',
		[bytesOf(colony), computertype],
	);
	return rows.find(row => row.process_id !== processid)?.process_id;
}

/** Computers of a colony by their ids, also those that have been removed, as they were in the end. */
export async function computersOf(client: Client, colony: Id, ids: readonly Id[]): Promise<Map<Id, Computer>> {
	const {rows} = await client.query<ComputerRow>('select * from colonies.computers where colony_id = $1 and computer_id = any ($2)', [bytesOf(colony), bytesOfAll(ids)]);
	const gone = await client.query<{id: Id; image: Computer}>(
		`select i.id, r.image from unnest($2::bytea[]) as i(id) cross join lateral (
			select h.detail as image from colonies.history h where h.subject_id = i.id and h.colony_id = $1 and h.what = 'computer.remove' order by h.at desc limit 1
		) r`,
		[bytesOf(colony), bytesOfAll(ids)],
	);
	return new Map([...gone.rows.map(({id, image}) => [id, image] as const), ...rows.map(row => [row.computer_id, toComputer(row)] as const)]);
}
