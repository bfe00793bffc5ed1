import {Conflict, NotFound} from '../core/errors.ts';
import {type Filter, groupsOf} from '../core/filter-language/index.ts';
import {quoted} from '../core/text.ts';
import {type Colony, computerStates, type Id} from '../core/types.ts';
import {isElsewhere, registering} from './cells/directory.ts';
import {testsOf} from './filters.ts';
import {type Author, type Done, record} from './history.ts';
import {type Page, type PageRequest, decodePosition, readingOrder, toPage} from './pages.ts';
import * as processChanges from './process-changes.ts';
import * as processRetention from './process-retention.ts';
import {
	type ColonyRow, type ComputerRow, toColony, toComputer,
} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

export const unknownColony = (colony: Id) => Object.assign(new NotFound(`There is no colony ${quoted(colony)}.`, {hint: 'List them with `colonies colony ls`, which needs the root password.'}), {isAbsence: true});

/** Adds a colony. @throws Conflict when its id is registered already. */
export async function register(client: Client, colony: Id, name: string): Promise<Done<Colony>> {
	const [, {rows: [place]}] = await Promise.all([client.query(registering), client.query<{elsewhere: boolean}>(`select ${isElsewhere} as elsewhere`, [bytesOf(colony)])]);
	const {rows} = place!.elsewhere ? {rows: []} : await client.query<ColonyRow>('insert into colonies.colonies (colony_id, name) values ($1, $2) on conflict do nothing returning *', [bytesOf(colony), name]);
	if (!rows[0]) {
		throw new Conflict(`The colony ${quoted(colony)} is registered already.`);
	}

	const result = toColony(rows[0]);
	return {result, changes: [{kind: 'created', noun: 'colony', subject: colony, colony, what: 'colony.register', image: result}]};
}

/** @throws NotFound */
export async function get(client: Client, colony: Id): Promise<Colony> {
	const {rows} = await client.query<ColonyRow>('select * from colonies.colonies where colony_id = $1', [bytesOf(colony)]);
	if (!rows[0]) {
		throw unknownColony(colony);
	}

	return toColony(rows[0]);
}

/** Gives a colony another name. @throws NotFound; Conflict when it has that name already */
export async function rename(client: Client, colony: Id, name: string): Promise<Done<Colony>> {
	const {rows: [row]} = await client.query<ColonyRow>('select * from colonies.colonies where colony_id = $1 for no key update', [bytesOf(colony)]);
	if (!row) {
		throw unknownColony(colony);
	}

	if (row.name === name) {
		throw new Conflict(`The colony ${quoted(colony)} is named ${quoted(name)} already.`);
	}

	await client.query('update colonies.colonies set name = $2 where colony_id = $1', [bytesOf(colony), name]);
	return {
		result: toColony({...row, name}),
		changes: [{kind: 'edited', noun: 'colony', subject: colony, colony, what: 'colony.rename', before: {name: row.name}, after: {name}}],
	};
}

/** A position in a list of colonies, as parameters. */
export function colonyPosition(position: string): unknown[] {
	const [name, id] = decodePosition(position, ['name', 'id']);
	return [name, bytesOf(String(id))];
}

/** A page of all colonies that pass a filter, by name. */
export async function list(client: Client, filter: Filter | undefined, page: PageRequest): Promise<Page<Colony>> {
	const {comparison, order} = readingOrder(page, false);
	const values: unknown[] = [page.count + 1, ...(page.position === undefined ? [] : colonyPosition(page.position))];
	const where = [...(page.position === undefined ? [] : [`(name, colony_id) ${comparison} ($2, $3)`]), ...testsOf('colonies', groupsOf(filter ?? []), value => `$${values.push(value)}`)];
	const {rows} = await client.query<ColonyRow>(
		`select * from colonies.colonies c ${where.length > 0 ? `where ${where.join(' and ')}` : ''} order by name ${order}, colony_id ${order} limit $1`,
		values,
	);
	return toPage(rows.map(row => toColony(row)), page, colony => [colony.name, colony.colonyid]);
}

/** Processes whose images are held at once on the way into the history, and bytes of their attributes. */
const portion = {processes: 500, bytes: 33_554_432};

/** The ids of a portion of a colony's processes, at least one while it has any. */
async function nextProcesses(client: Client, colony: Id): Promise<Id[]> {
	const {rows} = await client.query<{process_id: Id; bytes: number}>(
		'select process_id, coalesce(octet_length(attributes::text), 0) as bytes from colonies.processes where colony_id = $1 limit $2',
		[bytesOf(colony), portion.processes],
	);
	let bytes = 0;
	const isWithin = (row: {bytes: number}, index: number): boolean => {
		bytes += row.bytes;
		return index === 0 || bytes <= portion.bytes;
	};

	return rows.filter((row, index) => isWithin(row, index)).map(row => row.process_id);
}

/** Removes all processes of a colony that takes no more, portion by portion, for there may be any number of them; each leaves its full image in the history. */
async function removeProcesses(client: Client, colony: Id, author: Author): Promise<void> {
	/* eslint-disable no-await-in-loop */
	for (let ids = await nextProcesses(client, colony); ids.length > 0; ids = await nextProcesses(client, colony)) {
		const answers = await processChanges.remove(client, colony, ids.map(processid => ({processid})), Number.POSITIVE_INFINITY);
		await record(client, author, answers.flatMap(answer => answer instanceof Error ? [] : answer.changes));
	}
	/* eslint-enable no-await-in-loop */
}

/**
Removes a colony with its computers, processes and attributes. Every computer and process leaves its full image in the history.
@throws NotFound
*/
export async function remove(client: Client, colony: Id, author: Author): Promise<Done<Colony>> {
	// First, so that nobody registers or submits into a colony on its way out.
	const {rows} = await client.query<ColonyRow>('select * from colonies.colonies where colony_id = $1 for update', [bytesOf(colony)]);
	if (!rows[0]) {
		throw unknownColony(colony);
	}

	await removeProcesses(client, colony, author);
	await processRetention.forget(client, colony);
	await client.query('delete from colonies.demands where colony_id = $1', [bytesOf(colony)]);
	const computers = await client.query<ComputerRow>('delete from colonies.computers where colony_id = $1 returning *', [bytesOf(colony)]);
	await client.query('delete from colonies.colonies where colony_id = $1', [bytesOf(colony)]);
	const result = toColony(rows[0]);
	return {
		result,
		changes: [
			{kind: 'removed', noun: 'colony', subject: colony, colony, what: 'colony.remove', image: result},
			...computers.rows.map(row => ({kind: 'removed' as const, noun: 'computer' as const, subject: row.computer_id, colony, what: 'computer.remove', from: computerStates[row.status], image: toComputer(row)})),
		],
	};
}
