import {type Id, type Process, type ProcessState, processStates} from '../core/types.ts';
import {attributesJson} from './attributes.ts';
import {candidates, candidateValues} from './claims.ts';
import {type Page, type PageRequest, decodePosition, readingOrder, toPage} from './pages.ts';
import {
	type AttributeRow, type ComputerRow, type ProcessRow, toAttribute, toProcess,
} from './rows.ts';
import type {Client} from './types.ts';

/** Which processes of a colony. Ages in seconds, since a process entered its state. */
export type ProcessFilter = {
	state?: ProcessState;
	computertype?: string;
	/** Assigned to this computer, now or when it was closed. */
	computerid?: Id;
	olderthan?: number;
	youngerthan?: number;
	/** Has this attribute, of whatever type. */
	attribute?: {key: string; value: string};
	/** Begins its id, or stands in its computer type. */
	text?: string;
};

type ListRow = ProcessRow & {attributes?: AttributeRow[] | null};

/** Waiting and running: the longest first, for that is who is next or stuck. Closed and all: the newest first. */
export const isDescending = (state: ProcessState | undefined): boolean => state === undefined || state === 'successful' || state === 'failed';

const keyOf = (row: ProcessRow): [string, string] => [row.entered_at, row.process_id];

/** The types of a colony that contain a text: a walk from one distinct type to the next along the index, however many processes there are. */
async function typesWith(client: Client, colony: Id, text: string): Promise<string[]> {
	const {rows} = await client.query<{type: string}>(
		`with recursive types as (
			(select computer_type as type from processes where colony_id = $1 order by computer_type limit 1)
			union all
			select (select p.computer_type from processes p where p.colony_id = $1 and p.computer_type > t.type order by p.computer_type limit 1) from types t where t.type is not null
		)
		select type from types where type is not null and position(lower($2 collate "C") in lower(type)) > 0`,
		[colony, text],
	);
	return rows.map(row => row.type);
}

/** One walk through the processes of a colony: of these types, of none of those, of ids that begin with a prefix. */
export type Walk = {types?: string[]; except?: string[]; prefix?: string};

/** The walks which together find what a filter says of types and ids; no process is on two of them. */
export async function walksOf(client: Client, colony: Id, {text, computertype}: ProcessFilter): Promise<Walk[]> {
	const types = computertype === undefined ? undefined : [computertype];
	if (text === undefined) {
		return [{types}];
	}

	const having = (await typesWith(client, colony, text)).filter(type => types?.includes(type) ?? true);
	const prefix = text.toLowerCase();
	return [
		...(having.length > 0 ? [{types: having}] : []),
		...(/^[\da-f]{1,64}$/.test(prefix) ? [{types, except: having, prefix}] : []),
	];
}

/** Up to so many processes that have an attribute are looked up one by one; where more have it, walks meet one of them soon. */
const rare = 1000;

/** The processes that have an attribute, of whatever type; undefined where they are many. */
async function idsWith(client: Client, colony: Id, {key, value}: {key: string; value: string}): Promise<Id[] | undefined> {
	const {rows} = await client.query<{process_id: Id}>(
		'select process_id from attributes where colony_id = $1 and key = $2 and left(value, 64) = left($3, 64) and value = $3 order by process_id limit $4',
		[colony, key, value, rare + 1],
	);
	return rows.length > rare ? undefined : rows.map(row => row.process_id);
}

type Statement = {text: string; values: unknown[]};

/**
The statement of a list: for each state, and each type that is asked for, one walk along an index from the position on; the walks are merged.
With `ids`, the processes that have the attribute of the filter, these are looked up instead.
*/
export function listStatement(colony: Id, filter: ProcessFilter, page: PageRequest, {walks, ids}: {walks: readonly Walk[]; ids?: readonly Id[]}): Statement {
	const {comparison, order} = readingOrder(page, isDescending(filter.state));
	const values: unknown[] = [colony, page.count + 1, filter.state === undefined ? [0, 1, 2, 3] : [processStates.indexOf(filter.state)]];
	const given = (value: unknown) => `$${values.push(value)}`;
	const where = ['p.colony_id = $1', ids ? `p.process_id = any (${given(ids)}) and p.status = any ($3::smallint[])` : 'p.status = s.status'];
	if (page.position !== undefined) {
		const [at, id] = decodePosition(page.position, 2);
		where.push(`(p.entered_at, p.process_id) ${comparison} (${given(at)}::timestamptz, ${given(id)})`);
	}

	if (filter.computerid !== undefined) {
		where.push(`p.assigned_computer_id = ${given(filter.computerid)}`);
	}

	if (filter.olderthan !== undefined) {
		where.push(`p.entered_at <= statement_timestamp() - ${given(filter.olderthan)}::float8 * interval '1 second'`);
	}

	if (filter.youngerthan !== undefined) {
		where.push(`p.entered_at > statement_timestamp() - ${given(filter.youngerthan)}::float8 * interval '1 second'`);
	}

	if (filter.attribute !== undefined && !ids) {
		const {key, value} = filter.attribute;
		// A scalar, so that it is asked of each process on the walk and not turned into a join.
		where.push(`(select true from attributes a where a.process_id = p.process_id and a.key = ${given(key)} and a.value = ${given(value)} limit 1)`);
	}

	const sorted = `order by entered_at ${order}, process_id ${order} limit $2`;
	const texts = walks.map(({types, except = [], prefix}) => {
		const conditions = [
			...where,
			...(types ? [ids ? `p.computer_type = any (${given(types)}::text[])` : 'p.computer_type = t.type'] : []),
			...(except.length > 0 ? [`p.computer_type <> all (${given(except)}::text[])`] : []),
			...(prefix === undefined ? [] : [`p.process_id >= ${given(prefix)} and p.process_id < ${given(`${prefix}~`)}`]),
		];
		return ids
			? `(select p.* from processes p where ${conditions.join(' and ')} ${sorted})`
			: `select w.* from unnest($3::smallint[]) as s(status) ${types ? `cross join unnest(${given(types)}::text[]) as t(type)` : ''} cross join lateral (
			select p.* from processes p where ${conditions.join(' and ')} ${sorted}
		) w`;
	});
	return {text: `select * from (${texts.join(' union all ')}) found ${sorted}`, values};
}

const withAttributes = ({text, values}: Statement, order: string): Statement => ({
	text: `select r.*, ${attributesJson('r.process_id')} as attributes from (${text}) r order by ${order}`,
	values,
});

const toRow = (row: ListRow): Process => toProcess(row, (row.attributes ?? []).map(attribute => toAttribute(attribute)));

/** A page of a colony's processes; without `attributes` their in, out and err are null, whatever they hold. */
export async function list(client: Client, colony: Id, filter: ProcessFilter, page: PageRequest & {attributes: boolean}): Promise<Page<Process>> {
	const walks = await walksOf(client, colony, filter);
	const ids = filter.attribute && await idsWith(client, colony, filter.attribute);
	if (walks.length === 0 || ids?.length === 0) {
		return toPage([], page, () => []);
	}

	const statement = listStatement(colony, filter, page, {walks, ids});
	const {order} = readingOrder(page, isDescending(filter.state));
	const {text, values} = page.attributes ? withAttributes(statement, `r.entered_at ${order}, r.process_id ${order}`) : statement;
	const {rows} = await client.query<ListRow>(text, values);
	const {rows: found, ...rest} = toPage(rows, page, keyOf);
	return {...rest, rows: found.map(row => toRow(row))};
}

/** What this computer may run, oldest first: the very order in which assign gives it out. Empty when it is not approved. */
export async function listRunnable(client: Client, colony: Id, computer: Id, {count, attributes}: {count: number; attributes: boolean}): Promise<Page<Process>> {
	const computers = await client.query<ComputerRow>('select * from computers where colony_id = $1 and computer_id = $2 and status = 1', [colony, computer]);
	if (!computers.rows[0]) {
		return toPage([], {count}, () => []);
	}

	const statement = {
		text: `with ${candidates(computers.rows[0])}
			select p.* from candidates q join processes p on p.process_id = q.process_id order by p.submission_time, p.process_id`,
		values: candidateValues(computers.rows[0], count + 1),
	};
	const {text, values} = attributes ? withAttributes(statement, 'r.submission_time, r.process_id') : statement;
	const {rows} = await client.query<ListRow>(text, values);
	return {rows: rows.slice(0, count).map(row => toRow(row)), positions: [], more: {before: false, after: rows.length > count}};
}

/** How many processes are in each state, counted to `limit` and no further: a number above it means that there are more. */
export async function count(client: Client, colony: Id, limit: number): Promise<Record<ProcessState, number>> {
	const {rows} = await client.query<{status: number; count: number}>(
		`select s.status, (select count(*)::int from (select from processes p where p.colony_id = $1 and p.status = s.status limit $2) found) as count
		from unnest(array[0, 1, 2, 3]::smallint[]) as s(status)`,
		[colony, limit + 1],
	);
	const counts = new Map(rows.map(row => [row.status, row.count]));
	return Object.fromEntries(processStates.map((state, status) => [state, counts.get(status) ?? 0])) as Record<ProcessState, number>;
}
