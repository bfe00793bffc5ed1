import {Conflict, NotFound} from '../core/errors.ts';
import {type Filter, groupsOf} from '../core/filter-language/index.ts';
import {quoted} from '../core/text.ts';
import {type Computer, type ComputerState, type Id, computerStates} from '../core/types.ts';
import {testsOf} from './filters.ts';
import {type Done, imageOfRemoved} from './history.ts';
import {type Page, type PageRequest, decodePosition, readingOrder, toPage} from './pages.ts';
import {type ComputerRow, keyOf, toComputer} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

export type ComputerSpec = {name: string; computertype: string; cpu: string; cores: number; mem: number; gpu: string; gpus: number};

export const unknownComputer = (computer: Id) => new NotFound(`There is no computer ${quoted(computer)} in this colony.`, {hint: 'List them with `colonies computer ls --colonyid …`.'});

const keyTaken = (key: Id, name: string) => new Conflict(`The key ${quoted(key)} is that of the computer ${quoted(name)} of this colony.`, {hint: 'Make a new key for each computer.'});

/** Keeps the ids of a colony apart: of two who give one id away, as a computer's or as its key's, the second sees what the first has done. */
const lockId = async (client: Client, colony: Id, id: Id): Promise<unknown> => client.query('select pg_advisory_xact_lock(hashtextextended(\'colonies.computers \' || encode($1::bytea, \'hex\') || \' \' || encode($2::bytea, \'hex\'), 0))', [bytesOf(colony), bytesOf(id)]);

/** Adds a computer, pending. @throws Conflict when its id is registered in this colony already. */
export async function register(client: Client, colony: Id, computer: Id, spec: ComputerSpec): Promise<Done<Computer>> {
	await lockId(client, colony, computer);
	const {rows: [other]} = await client.query<{name: string}>('select name from colonies.computers where colony_id = $1 and key_id = $2', [bytesOf(colony), bytesOf(computer)]);
	if (other) {
		throw keyTaken(computer, other.name);
	}

	const {rows} = await client.query<ComputerRow>(
		`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning *`,
		[bytesOf(colony), bytesOf(computer), spec.name, spec.computertype, spec.cpu, spec.cores, spec.mem, spec.gpu, spec.gpus],
	);
	if (!rows[0]) {
		throw new Conflict(`The computer ${quoted(computer)} is registered in this colony already.`);
	}

	const result = toComputer(rows[0]);
	return {result, changes: [{kind: 'created', noun: 'computer', subject: computer, colony, what: 'computer.register', to: 'pending', image: result}]};
}

/** A row of `computers c`, with when it was last seen. */
const withSeen = 'c.*, (select s.seen_at from colonies.seen s where s.colony_id = c.colony_id and s.computer_id = c.computer_id) as seen_at';

/** @throws NotFound */
export async function get(client: Client, colony: Id, computer: Id): Promise<Computer> {
	const {rows} = await client.query<ComputerRow>(`select ${withSeen} from colonies.computers c where colony_id = $1 and computer_id = $2`, [bytesOf(colony), bytesOf(computer)]);
	if (!rows[0]) {
		throw unknownComputer(computer);
	}

	return toComputer(rows[0]);
}

/** The approved computers whose present keys prove some ids, the owner left out. */
export async function approved(client: Client, colony: Id, ids: readonly Id[]): Promise<ComputerRow[]> {
	const {rows} = await client.query<ComputerRow>(
		'select * from colonies.computers where colony_id = $1 and (computer_id = any ($2) and key_id is null or key_id = any ($2)) and computer_id <> $1 and status + 0 = 1',
		[bytesOf(colony), bytesOfAll(ids)],
	);
	return rows;
}

/** A computer, or as it was when it was removed. @throws NotFound when this colony never had it */
export async function getEvenRemoved(client: Client, colony: Id, computer: Id): Promise<Computer> {
	const {rows} = await client.query<ComputerRow>(`select ${withSeen} from colonies.computers c where colony_id = $1 and computer_id = $2`, [bytesOf(colony), bytesOf(computer)]);
	const image = rows[0] ? toComputer(rows[0]) : await imageOfRemoved<Computer>(client, {colony, subject: computer, what: 'computer.remove'});
	if (!image) {
		throw unknownComputer(computer);
	}

	return image;
}

/** Gives a computer another name. @throws NotFound; Conflict when it has that name already */
export async function rename(client: Client, colony: Id, computer: Id, name: string): Promise<Done<Computer>> {
	const {rows: [row]} = await client.query<ComputerRow>('select * from colonies.computers where colony_id = $1 and computer_id = $2 for update', [bytesOf(colony), bytesOf(computer)]);
	if (!row) {
		throw unknownComputer(computer);
	}

	if (row.name === name) {
		throw new Conflict(`The computer ${quoted(computer)} is named ${quoted(name)} already.`);
	}

	await client.query('update colonies.computers set name = $3 where colony_id = $1 and computer_id = $2', [bytesOf(colony), bytesOf(computer), name]);
	return {
		result: await get(client, colony, computer),
		changes: [{kind: 'edited', noun: 'computer', subject: computer, colony, what: 'computer.rename', before: {name: row.name}, after: {name}}],
	};
}

/**
Gives a computer another key: from the commit on, who proves `key` is this computer, and who proves what it was before is a stranger. The computer's own id takes its first key back.
@throws NotFound; Conflict for the key that it has, one of another computer of this colony, the colony's, and for a computer that is the owner
*/
export async function rekey(client: Client, colony: Id, computer: Id, key: Id): Promise<Done<Computer>> {
	const {rows: [row]} = await client.query<ComputerRow>('select * from colonies.computers where colony_id = $1 and computer_id = $2 for update', [bytesOf(colony), bytesOf(computer)]);
	if (!row) {
		throw unknownComputer(computer);
	}

	if (computer === colony || key === colony) {
		throw new Conflict(computer === colony
			? `The computer ${quoted(row.name)} is the colony itself: its key is the owner's, which stays.`
			: `The key ${quoted(key)} is the colony's; a computer needs one of its own.`);
	}

	if (keyOf(row) === key) {
		throw new Conflict(`The computer ${quoted(row.name)} has the key ${quoted(key)} already.`);
	}

	await lockId(client, colony, key);
	const {rows: [other]} = await client.query<{name: string}>('select name from colonies.computers where colony_id = $1 and computer_id <> $2 and (computer_id = $3 or key_id = $3) limit 1', [bytesOf(colony), bytesOf(computer), bytesOf(key)]);
	if (other) {
		throw keyTaken(key, other.name);
	}

	await client.query('update colonies.computers set key_id = nullif($3::bytea, computer_id) where colony_id = $1 and computer_id = $2', [bytesOf(colony), bytesOf(computer), bytesOf(key)]);
	return {
		result: await get(client, colony, computer),
		changes: [{kind: 'edited', noun: 'computer', subject: computer, colony, what: 'computer.rekey', before: {keyid: keyOf(row)}, after: {keyid: key}}],
	};
}

/** Which computers: in a state, of a type, with a text in the name or at the start of the id, or one alone; and what the filter language says. */
export type ComputerFilter = {state?: ComputerState; computertype?: string; text?: string; filter?: Filter; only?: Id};

/** A page of a colony's computers: pending first, then approved, then disapproved, each by name. */
export async function list(client: Client, colony: Id, filter: ComputerFilter, page: PageRequest): Promise<Page<Computer>> {
	const {comparison, order} = readingOrder(page, false);
	const values: unknown[] = [bytesOf(colony), page.count + 1];
	const where: string[] = ['colony_id = $1'];
	const given = (value: unknown) => `$${values.push(value)}`;
	if (page.position !== undefined) {
		const [status, name, id] = decodePosition(page.position, ['state', 'name', 'id']);
		where.push(`(status, name, computer_id) ${comparison} (${given(status)}::smallint, ${given(name)}, ${given(bytesOf(String(id)))})`);
	}

	if (filter.state !== undefined) {
		where.push(`status = ${given(computerStates.indexOf(filter.state))}::smallint`);
	}

	if (filter.computertype !== undefined) {
		where.push(`computer_type = ${given(filter.computertype)}`);
	}

	if (filter.only !== undefined) {
		where.push(`computer_id = ${given(bytesOf(filter.only))}`);
	}

	if (filter.text !== undefined) {
		const text = `lower(${given(filter.text)} collate "C")`;
		where.push(`(position(${text} in lower(name)) > 0 or left(encode(computer_id, 'hex'), length(${text})) = ${text})`);
	}

	where.push(...testsOf('computers', groupsOf(filter.filter ?? []), given));
	const {rows} = await client.query<ComputerRow>(
		`select ${withSeen} from colonies.computers c where ${where.join(' and ')} order by status ${order}, name ${order}, computer_id ${order} limit $2`,
		values,
	);
	return toPage(rows.map(row => toComputer(row)), page, computer => [computer.status, computer.name, computer.computerid]);
}

/** How many computers are in each state, counted to `limit` and no further. */
export async function count(client: Client, colony: Id, limit: number): Promise<Record<ComputerState, number>> {
	const {rows} = await client.query<{status: number; count: number}>(
		`select s.status, (select count(*)::int from (select from colonies.computers c where c.colony_id = $1 and c.status = s.status limit $2) found) as count
		from unnest(array[0, 1, 2]::smallint[]) as s(status)`,
		[bytesOf(colony), limit + 1],
	);
	const counts = new Map(rows.map(row => [row.status, row.count]));
	return Object.fromEntries(computerStates.map((state, status) => [state, counts.get(status) ?? 0])) as Record<ComputerState, number>;
}
