import type {Filter} from '../core/filter-language/index.ts';
import {type Id, type Process, type ProcessState, processStates} from '../core/types.ts';
import {hasAttribute} from './attributes.ts';
import {type PageRequest, decodePosition, readingOrder} from './pages.ts';
import type {Walk} from './process-filters.ts';
import {
	attributesOf, processColumns, type ProcessRow, toProcess,
} from './rows.ts';
import {bytesOf, bytesOfAll, rangeOfPrefix, inColony} from './values.ts';

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
	/** What the filter language says. */
	filter?: Filter;
};

/** Which rows a statement walks through: those of a filter, or more. */
type Walked = Pick<ProcessFilter, 'computerid' | 'olderthan' | 'youngerthan' | 'attribute'> & {states: readonly ProcessState[]};

/** Waiting and running: the longest first, for that is who is next or stuck. Closed and all: the newest first. */
export const isDescending = (states: readonly ProcessState[]): boolean => states.length === 0 || states.includes('successful') || states.includes('failed');

/** What orders a list, and makes the position of a row. */
export const keyOf = (row: ProcessRow): [string, string] => [row.entered_at, row.process_id];

/** Moments, as SQL: what a list has entered its state at the one or before, and after the other. */
type Bounds = {older: string | undefined; younger: string | undefined};

const withinBounds = ({older, younger}: Bounds): string[] => [...(older ? [`p.entered_at <= ${older}`] : []), ...(younger ? [`p.entered_at > ${younger}`] : [])];

/**
That a row comes after a position, in the direction of a comparison, and within bounds.
A bound on the same side as the position goes into the one comparison with it: the planner takes two of them for independent and few rows for what passes both, and sorts what it could have read in order.
*/
function beyond(comparison: string, [at, id]: [at: string, id: string], {older, younger}: Bounds): string[] {
	const isRising = comparison.startsWith('>');
	const bound = isRising ? younger : older;
	const rest = withinBounds(isRising ? {older, younger: undefined} : {older: undefined, younger});
	const time = `${at}::timestamptz`;
	return bound === undefined
		? [`(p.entered_at, p.process_id) ${comparison} (${time}, ${id})`, ...rest]
		: [`(p.entered_at, p.process_id) ${comparison} (${isRising ? 'greatest' : 'least'}(${time}, ${bound}), case when ${time} ${isRising ? '<=' : '>'} ${bound} then ${afterAll} else ${id} end)`, ...rest];
}

/** No id comes after this. */
const afterAll = `'${bytesOf('f'.repeat(66))}'::bytea`;

const positionOf = (position: string): [string, string] => {
	const [at, id] = decodePosition(position, ['time', 'id']) as [string, string];
	return [at, bytesOf(id)];
};

/** That a row comes after the position of a page, where it has one, and within bounds. `given`: hands a value to the statement. */
export const within = ({position}: PageRequest, comparison: string, bounds: Bounds, given: (value: unknown) => string): string[] =>
	position === undefined ? withinBounds(bounds) : beyond(comparison, positionOf(position).map(value => given(value)) as [string, string], bounds);

export type Statement = {text: string; values: unknown[]};

type Counting = {/** The colony, as SQL. */ colony: string; /** As SQL. */ limit: string; /** Of one computer type alone; as SQL. */ type?: string | undefined};

/**
How many processes of a colony are in a state, as SQL, counted to `limit` and no further.
The state is a constant and the rows are asked for in the order of an index: with many rows in one state, looking for those of another is otherwise taken for a matter of few pages of the table, and reads all of it.
*/
export function countOf(state: ProcessState, {colony, limit, type}: Counting): string {
	const status = processStates.indexOf(state);
	const [table, at] = status < 2 ? ['live', 'entered_at'] : ['closed', 'end_time'];
	return `(select count(*)::int from (select from colonies.${table} p where p.colony_id = ${colony} and p.status = ${status}${type === undefined ? '' : ` and p.computer_type = ${type}`} order by p.${at} limit ${limit}) found)`;
}

/**
The statement of a list: for each state, and each type that is asked for, one walk along an index from the position on; the walks are merged.
With `ids`, the processes that have the attribute of the filter, these are looked up instead.
*/
export function listStatement(colony: Id, filter: Walked, page: PageRequest & {attributes: boolean}, {walks, ids}: {walks: readonly Walk[]; ids?: readonly Id[] | undefined}): Statement {
	const {comparison, order} = readingOrder(page, isDescending(filter.states));
	const columns = page.attributes ? `${processColumns}, attributes` : processColumns;
	const values: unknown[] = [bytesOf(colony), page.count + 1, filter.states.map(state => processStates.indexOf(state))];
	const given = (value: unknown) => `$${values.push(value)}`;
	const ago = (seconds: number) => `statement_timestamp() - ${given(seconds)}::float8 * interval '1 second'`;
	// Few ids are looked up one by one; the colony goes into no index there, for it would be read from end to end beside them.
	const where = ids ? [inColony('$1'), `p.process_id = any (${given(bytesOfAll(ids))}) and p.status = any ($3::smallint[])`] : ['p.colony_id = $1', 'p.status = s.status'];
	const bounds: Bounds = {older: filter.olderthan === undefined ? undefined : ago(filter.olderthan), younger: filter.youngerthan === undefined ? undefined : ago(filter.youngerthan)};
	where.push(...within(page, comparison, bounds, given));

	if (filter.computerid !== undefined) {
		where.push(`p.assigned_computer_id = ${given(bytesOf(filter.computerid))}`);
	}

	if (filter.attribute !== undefined && !ids) {
		where.push(hasAttribute('p', filter.attribute, given));
	}

	const sorted = `order by entered_at ${order}, process_id ${order} limit $2`;
	const texts = walks.map(({types, computers, except = [], prefix}) => {
		const conditions = [
			...where,
			...(types ? [ids ? `p.computer_type = any (${given(types)}::text[])` : 'p.computer_type = t.type'] : []),
			...(computers ? ['p.assigned_computer_id = m.id'] : []),
			...(except.length > 0 ? [`p.computer_type <> all (${given(except)}::text[])`] : []),
			...(prefix === undefined ? [] : [`p.process_id between ${rangeOfPrefix(prefix).map(end => given(end)).join(' and ')}`]),
		];
		return ids
			? `(select ${columns} from colonies.processes p where ${conditions.join(' and ')} ${sorted})`
			: `select w.* from unnest($3::smallint[]) as s(status) ${types ? `cross join unnest(${given(types)}::text[]) as t(type)` : ''} ${computers ? `cross join unnest(${given(bytesOfAll(computers))}::bytea[]) as m(id)` : ''} cross join lateral (
			select ${columns} from colonies.processes p where ${conditions.join(' and ')} ${sorted}
		) w`;
	});
	return {text: `select * from (${texts.join(' union all ')}) found ${sorted}`, values};
}

export const toRow = (row: ProcessRow): Process => toProcess(row, attributesOf(row.process_id, row.attributes));

