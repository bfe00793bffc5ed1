import {type Filter, lowered} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import {type Id, type Process, type ProcessState, processStates} from '../core/types.ts';
import {candidates, candidateValues} from './claims.ts';
import {type Page, type PageRequest, toPage} from './pages.ts';
import {idsWith, typesOf, type Walk} from './process-filters.ts';
import {search, testsOfRows} from './process-search.ts';
import {
	countOf, keyOf, listStatement, type ProcessFilter, toRow,
} from './process-statements.ts';
import {type ComputerRow, processColumns, type ProcessRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** The walks which together find what a filter says of types and ids; no process is on two of them. */
export async function walksOf(client: Client, colony: Id, {text, computertype}: ProcessFilter): Promise<Walk[]> {
	const types = computertype === undefined ? undefined : [computertype];
	if (text === undefined) {
		return [{types}];
	}

	const having = (await typesOf(client, colony)).filter(type => lowered(type).includes(lowered(text)) && (types?.includes(type) ?? true));
	const prefix = text.toLowerCase();
	return [
		...(having.length > 0 ? [{types: having}] : []),
		...(/^[\da-f]{1,64}$/.test(prefix) ? [{types, except: having, prefix}] : []),
	];
}

/** A page of a colony's processes; without `attributes` their in, out and err are null, whatever they hold. */
export async function list(client: Client, colony: Id, filter: ProcessFilter, page: PageRequest & {attributes: boolean}): Promise<Page<Process>> {
	if (filter.filter !== undefined && filter.filter.length > 0) {
		return search(client, colony, filter, page);
	}

	const walks = await walksOf(client, colony, filter);
	const ids = filter.attribute && await idsWith(client, colony, filter.attribute);
	if (walks.length === 0 || ids?.length === 0) {
		return toPage([], page, () => []);
	}

	const states = filter.state === undefined ? processStates : [filter.state];
	const {text, values} = listStatement(colony, {...filter, states}, page, {walks, ids});
	const {rows} = await client.query<ProcessRow>(text, values);
	const {rows: found, ...rest} = toPage(rows, page, keyOf);
	return {...rest, rows: found.map(row => toRow(row))};
}

/**
What this computer may run, oldest first: the very order in which assign gives it out. Empty when it is not approved.
A filter is looked for among the first of them, as many as a page may have.
*/
export async function listRunnable(client: Client, colony: Id, computer: Id, {count, attributes, filter}: {count: number; attributes: boolean; filter?: Filter}): Promise<Page<Process>> {
	const computers = await client.query<ComputerRow>('select * from colonies.computers where colony_id = $1 and computer_id = $2 and status = 1', [bytesOf(colony), bytesOf(computer)]);
	if (!computers.rows[0]) {
		return toPage([], {count}, () => []);
	}

	const isFiltered = filter !== undefined && filter.length > 0;
	const read = isFiltered ? limits.count : count + 1;
	const candidatesOf = candidateValues(computers.rows[0], read);
	const tests = isFiltered ? await testsOfRows(client, colony, filter, {given: value => `$${candidatesOf.push(value)}`}) : ['true'];
	const {rows} = await client.query<ProcessRow & {fits: boolean}>(
		`with ${candidates(computers.rows[0])}
			select ${attributes ? 'p.*' : processColumns.replaceAll(/\w+/g, 'p.$&')}, ${tests.join(' and ')} as fits from candidates q join colonies.processes p on p.process_id = q.process_id where p.status + 0 = 0 order by p.submission_time, p.process_id`,
		candidatesOf,
	);
	const found = rows.filter(({fits}) => fits);
	const isCut = isFiltered && rows.length === read && found.length <= count;
	return {rows: found.slice(0, count).map(row => toRow(row)), positions: [], more: {before: false, after: found.length > count}, ...(isCut ? {looked: {count: read}} : {})};
}

/** How many processes are in each state, counted to `limit` and no further: a number above it means that there are more. */
export async function count(client: Client, colony: Id, limit: number): Promise<Record<ProcessState, number>> {
	const {rows: [counts]} = await client.query<Record<ProcessState, number>>(
		`select ${processStates.map(state => `${countOf(state, {colony: '$1', limit: '$2'})} as ${state}`).join(', ')}`,
		[bytesOf(colony), limit + 1],
	);
	return counts!;
}
