import {type Filter, type FilterTerm, groupsOf} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import type {Id, Process} from '../core/types.ts';
import {testsOf, type Given} from './filters.ts';
import {type Page, type PageRequest, encodePosition, readingOrder, toPage} from './pages.ts';
import {type Groups, looksIntoAttributes, looksIntoTexts, resolveComputers, type Scope, scopeOf} from './process-filters.ts';
import {isDescending, keyOf, listStatement, type ProcessFilter, toRow} from './process-statements.ts';
import {processColumns, type ProcessRow} from './rows.ts';
import type {Client} from './types.ts';

/** Everything that is asked for, as terms of the filter language; what stands beside the filter is not an alternative to what is in it. */
function groupsFor({filter = [], ...fields}: ProcessFilter): Groups {
	const term = (field: string, operator: FilterTerm['operator'], value: string | number | undefined, key?: string): FilterTerm[][] => value === undefined
		? []
		: [[{field, operator, value, not: false, ...(key === undefined ? {} : {key})}]];
	return [
		...groupsOf(filter),
		...term('state', 'is', fields.state),
		...term('type', 'is', fields.computertype),
		...term('computer', 'is', fields.computerid),
		...term('age', '>=', fields.olderthan),
		...term('age', '<', fields.youngerthan),
		...term('any', 'is', fields.attribute?.value, fields.attribute?.key),
		...term('word', 'has', fields.text),
	];
}

/** The conditions of a filter on a row `p`, for a `where`. `at`: as SQL, the moment that ages are told of, now unless given. */
export async function testsOfRows(client: Client, colony: Id, filter: Filter, {given, at}: {given: Given; at?: string}): Promise<string[]> {
	const groups = groupsOf(filter);
	return testsOf('processes', groups, given, {computers: await resolveComputers(client, colony, groups), at});
}

type Look = {groups: Groups; computers: Map<FilterTerm, Id[]>; scope: Scope; attributes: boolean};
type Looked = ProcessRow & {fits: boolean; size: number};

/** Looks at the next so many rows of a scope. @returns those that pass, as many as are wanted, and how many were looked at, with the last of them */
async function look(client: Client, colony: Id, {groups, computers, scope, attributes}: Look, {wanted, ...page}: PageRequest & {wanted: number}): Promise<{rows: ProcessRow[]; size: number; last: ProcessRow | undefined}> {
	const {text, values} = listStatement(colony, scope, {...page, count: page.count - 1, attributes: attributes || looksIntoAttributes(groups)}, scope);
	const given = (value: unknown) => `$${values.push(value)}`;
	const {order} = readingOrder(page, isDescending(scope.states));
	const {rows} = await client.query<Looked>(
		`with looked as materialized (${text}), judged as (
			select p.*, ${testsOf('processes', groups, given, {computers}).join(' and ')} as fits, row_number() over (order by entered_at ${order}, process_id ${order}) as place, count(*) over () as size from looked p
		), counted as (
			select j.*, sum(fits::int) over (order by place) as nth from judged j
		)
		select ${processColumns}${attributes ? ', case when r.fits then r.attributes end as attributes' : ''}, r.fits, r.size from counted r where (r.fits and r.nth <= ${given(wanted)}) or r.place = r.size order by r.place`,
		values,
	);
	const last = rows.at(-1);
	return {rows: rows.filter(({fits}) => fits).slice(0, wanted), size: last ? Number(last.size) : 0, last};
}

/**
A page of the processes that pass a filter: walks through those that may, as far as indexes tell, in ever larger steps, and looks at each.
It looks at a bounded number, and says so where the page is not full by then.
*/
export async function search(client: Client, colony: Id, filter: ProcessFilter, page: PageRequest & {attributes: boolean}): Promise<Page<Process>> {
	const groups = groupsFor(filter);
	const computers = await resolveComputers(client, colony, groups);
	const scope = await scopeOf(client, colony, groups, computers);
	if (scope.states.length === 0 || scope.walks.length === 0 || scope.ids?.length === 0) {
		return toPage([], page, () => []);
	}

	const most = looksIntoTexts(groups) ? limits.lookedInto : limits.looked;
	const {attributes, ...request} = page;
	const rows: ProcessRow[] = [];
	let next: PageRequest = request;
	let looked = 0;
	let cut: Page<Process>['looked'];
	for (let step = page.count + 1; ; step *= 4) {
		const count = Math.min(step, most - looked);
		// eslint-disable-next-line no-await-in-loop
		const found = await look(client, colony, {groups, computers, scope, attributes}, {...next, count, wanted: page.count + 1 - rows.length});
		rows.push(...found.rows);
		looked += found.size;
		if (found.size < count || rows.length > page.count) {
			break;
		}

		const position = encodePosition(keyOf(found.last!));
		if (looked >= most) {
			cut = {count: looked, position};
			break;
		}

		next = {...request, position, direction: request.direction === 'before' ? 'before' : 'after'};
	}

	const {rows: kept, ...rest} = toPage(rows, page, keyOf);
	return {...rest, rows: kept.map(row => toRow(row)), ...(cut ? {looked: cut} : {})};
}
