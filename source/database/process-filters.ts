import {attributePlaces, type FilterTerm, lowered} from '../core/filter-language/index.ts';
import {attributeTypes, type AttributeKind, type Id, type ProcessState, processStates} from '../core/types.ts';
import {hasAttribute} from './attributes.ts';
import type {Client} from './types.ts';
import {bytesOf, rangeOfPrefix} from './values.ts';

/** One walk through the processes of a colony: of these types or computers, of none of those types, of ids that begin with a prefix. */
export type Walk = {types?: string[]; computers?: Id[]; except?: string[]; prefix?: string};

/**
Where the processes that a filter may find are looked for: more than it finds, never less. In these states, longer or shorter in them, on these walks,
or among these ids alone.
*/
export type Scope = {states: ProcessState[]; olderthan?: number; youngerthan?: number; walks: Walk[]; ids?: Id[]};

/** Terms by what must hold together, as `groupsOf` has them. */
export type Groups = ReadonlyArray<readonly FilterTerm[]>;

/** More types or computers are not walked one by one. */
const mostWalked = 100;

/** Up to so many processes that have an attribute are looked up one by one; where more have it, walks meet one of them soon. */
const rare = 1000;

/** Ids of the computers that one term may mean. */
const mostComputers = 1000;

/** The types of a colony: a walk from one distinct type to the next along the index, however many processes there are. */
export async function typesOf(client: Client, colony: Id): Promise<string[]> {
	const {rows} = await client.query<{type: string}>(
		`with recursive types as (
			(select computer_type as type from colonies.processes where colony_id = $1 order by computer_type limit 1)
			union all
			select (select p.computer_type from colonies.processes p where p.colony_id = $1 and p.computer_type > t.type order by p.computer_type limit 1) from types t where t.type is not null
		)
		select type from types where type is not null`,
		[bytesOf(colony)],
	);
	return rows.map(row => row.type);
}

/** The processes that have an attribute, of whatever type; undefined where they are many. */
export async function idsWith(client: Client, colony: Id, {key, value, type}: {key: string; value: string; type?: AttributeKind}): Promise<Id[] | undefined> {
	const values: unknown[] = [bytesOf(colony), rare + 1];
	const given = (value: unknown) => `$${values.push(value)}`;
	const lying = (table: string) => `(select process_id from colonies.${table} p where p.colony_id = $1 and ${hasAttribute('p', {kind: type, key, value}, given)} limit $2)`;
	const output = type === 'in' ? 'false' : `o.key = ${given(key)} and o.value = ${given(value)} ${type === undefined ? '' : `and o.attribute_type = ${attributeTypes.indexOf(type)}`}`;
	const {rows} = await client.query<{process_id: Id}>(
		`select distinct process_id from (${lying('live')} union all ${lying('closed')} union all (select o.process_id from colonies.live p join colonies.outputs o on o.process_id = p.process_id where p.colony_id = $1 and p.status = 1 and ${output} limit $2)) found limit $2`,
		values,
	);
	return rows.length > rare ? undefined : rows.map(row => row.process_id);
}

/** Computers that run or have closed processes, whose id begins with a prefix: a walk from one to the next along the index. */
async function assignedFrom(client: Client, colony: Id, prefix: string): Promise<Id[]> {
	const {rows} = await client.query<{id: Id}>(
		`with recursive assigned as (
			(select assigned_computer_id as id, 1 as place from colonies.processes where colony_id = $1 and assigned_computer_id between $2 and $3 order by assigned_computer_id limit 1)
			union all
			select (select p.assigned_computer_id from colonies.processes p where p.colony_id = $1 and p.assigned_computer_id > a.id and p.assigned_computer_id <= $3 order by p.assigned_computer_id limit 1), place + 1
			from assigned a where a.id is not null and place < $4
		)
		select id from assigned where id is not null`,
		[bytesOf(colony), ...rangeOfPrefix(prefix), mostComputers],
	);
	return rows.map(row => row.id);
}

/** The computers that a term means, those too that are gone and have closed processes. */
async function computersOf(client: Client, colony: Id, {operator, value}: FilterTerm): Promise<Id[]> {
	const text = lowered(String(value));
	const isPrefix = operator === 'is' && /^[\da-f]{1,64}$/.test(text);
	const {rows} = await client.query<{computer_id: Id}>(
		operator === 'has'
			? 'select computer_id from colonies.computers where colony_id = $1 and position($2 in lower(name)) > 0 limit $3'
			: `select computer_id from colonies.computers where colony_id = $1 and (lower(name) = $2 ${isPrefix ? 'or left(encode(computer_id, \'hex\'), length($2)) = $2' : ''}) limit $3`,
		[bytesOf(colony), text, mostComputers],
	);
	const assigned = isPrefix ? await assignedFrom(client, colony, text) : [];
	return [...new Set([...rows.map(row => row.computer_id), ...assigned])];
}

/** Of each term about computers the ids that it means. */
export async function resolveComputers(client: Client, colony: Id, groups: Groups): Promise<Map<FilterTerm, Id[]>> {
	const found = new Map<FilterTerm, Id[]>();
	for (const term of groups.flat().filter(({field}) => field === 'computer' || field === 'target')) {
		found.set(term, await computersOf(client, colony, term)); // eslint-disable-line no-await-in-loop
	}

	return found;
}

const closed: readonly ProcessState[] = ['successful', 'failed'];

/** States in which a process can have what a field asks for. */
const statesWith: Readonly<Record<string, readonly ProcessState[]>> = {ended: closed, started: ['running', ...closed], ran: ['running', ...closed], deadline: ['running']};

/** The states in which there may be processes that pass. */
const statesOf = (groups: Groups): ProcessState[] => processStates.filter(state => groups.every(group => {
	const {field, not} = group[0]!;
	return field === 'state'
		? group.some(({value}) => value === state) !== not
		: not || !Object.hasOwn(statesWith, field) || statesWith[field]!.includes(state);
}));

const isMore = ({operator}: FilterTerm): boolean => operator === '>' || operator === '>=';

/** Whether a span of this field, in these states, is the time that a process is in its state. */
function isAge(field: string, states: readonly ProcessState[]): boolean {
	const [only, ...others] = states;
	return field === 'age' || field === 'ended'
		|| (others.length === 0 && ((only === 'waiting' && (field === 'wait' || field === 'submitted')) || (only === 'running' && (field === 'ran' || field === 'started'))));
}

/** What came less than a span ago entered its state less than it ago, or was before it in no state at all. */
const isEarlier = new Set(['submitted', 'started', 'ended', 'age']);

function agesOf(groups: Groups, states: readonly ProcessState[]): Pick<Scope, 'olderthan' | 'youngerthan'> {
	const terms = groups.filter(group => group.length === 1).map(group => group[0]!).filter(({not, value}) => !not && typeof value === 'number');
	const older = terms.filter(term => isMore(term) && isAge(term.field, states)).map(({value}) => value as number);
	const younger = terms.filter(term => !isMore(term) && (isEarlier.has(term.field) || isAge(term.field, states))).map(({value}) => value as number);
	return {
		...(older.length > 0 ? {olderthan: Math.max(...older)} : {}),
		// A microsecond more, for what is as old as the span is found by `<=`.
		...(younger.length > 0 ? {youngerthan: Math.min(...younger) + 1e-6} : {}),
	};
}

/** Which of these types a filter may find; by words, those that have them all. */
function typesAmong(types: readonly string[], groups: Groups): string[] {
	return types.filter(type => groups.filter(([term]) => term!.field === 'type').every(group => group.some(({operator, value, not}) => (operator === 'is' ? type === value : lowered(type).includes(lowered(String(value)))) !== not)));
}

/** Walks for words: through the types that have them all, and through the ids that begin with those which a type does not have. */
function walksForWords(types: readonly string[], words: readonly string[]): Walk[] {
	const byPrefix = new Map<string, string[]>();
	for (const type of types) {
		const missing = words.filter(word => !lowered(type).includes(word)).sort((one, other) => other.length - one.length);
		const [longest = ''] = missing;
		if (/^[\da-f]{0,64}$/.test(longest) && missing.every(word => longest.startsWith(word))) {
			byPrefix.set(longest, [...byPrefix.get(longest) ?? [], type]);
		}
	}

	const full = byPrefix.get('') ?? [];
	const prefixes = [...byPrefix].filter(([prefix]) => prefix !== '');
	if (full.length > mostWalked || prefixes.length > 1) {
		return [{}];
	}

	return [
		...(full.length > 0 ? [{types: full}] : []),
		...prefixes.map(([prefix, having]) => having.length > mostWalked ? {prefix, except: full} : {prefix, types: having}),
	];
}

async function walksOf(client: Client, colony: Id, groups: Groups, computers: ReadonlyMap<FilterTerm, readonly Id[]>): Promise<Walk[]> {
	const positive = (field: string): readonly FilterTerm[] | undefined => groups.find(([term]) => term!.field === field && !term!.not);
	const prefixes = positive('id')?.map(({value}) => String(value));
	if (prefixes) {
		return [...new Set(prefixes)].filter(prefix => !prefixes.some(other => other !== prefix && prefix.startsWith(other))).map(prefix => ({prefix}));
	}

	const machines = positive('computer')?.flatMap(term => computers.get(term) ?? []);
	if (machines && machines.length <= mostWalked) {
		return machines.length > 0 ? [{computers: [...new Set(machines)]}] : [];
	}

	const words = groups.flat().filter(({field, not}) => field === 'word' && !not).map(({value}) => lowered(String(value)));
	const named = groups.filter(([term]) => term!.field === 'type');
	if (named.length === 0 && words.length === 0) {
		return [{}];
	}

	const exact = named.find(([term]) => term!.operator === 'is' && !term!.not)?.map(({value}) => String(value));
	const types = typesAmong(exact ? [...new Set(exact)] : await typesOf(client, colony), groups);
	if (words.length > 0) {
		return walksForWords(types, words);
	}

	return types.length > mostWalked ? [{}] : (types.length > 0 ? [{types}] : []);
}

/** The processes that have one of these attributes; undefined where they are many. */
async function withAny(client: Client, colony: Id, terms: readonly FilterTerm[]): Promise<Id[] | undefined> {
	const found = new Set<Id>();
	for (const {field, key, value} of terms) {
		const type = field === 'any' ? undefined : field as AttributeKind;
		const some = await idsWith(client, colony, {key: key!, value: String(value), type}); // eslint-disable-line no-await-in-loop
		if (some === undefined) {
			return undefined;
		}

		for (const id of some) {
			found.add(id);
		}
	}

	return [...found];
}

/** The processes of an attribute that few have, if the filter asks for one. */
async function fewOf(client: Client, colony: Id, groups: Groups): Promise<Id[] | undefined> {
	for (const group of groups.filter(([term]) => term!.key !== undefined && term!.operator === 'is' && !term!.not)) {
		const found = await withAny(client, colony, group); // eslint-disable-line no-await-in-loop
		if (found) {
			return found;
		}
	}

	return undefined;
}

/** Where to look for what a filter finds. */
export async function scopeOf(client: Client, colony: Id, groups: Groups, computers: ReadonlyMap<FilterTerm, readonly Id[]>): Promise<Scope> {
	const states = statesOf(groups);
	const ids = await fewOf(client, colony, groups);
	return {
		states, ...agesOf(groups, states), walks: ids ? [{}] : await walksOf(client, colony, groups, computers), ...(ids ? {ids} : {}),
	};
}

const places: readonly string[] = attributePlaces;

/** Whether a filter is about attributes. */
export const looksIntoAttributes = (groups: Groups): boolean => groups.flat().some(({field}) => places.includes(field));

/** Whether telling if a process passes means to look through the texts of its attributes. */
export const looksIntoTexts = (groups: Groups): boolean => groups.flat().some(({field, operator}) => operator === 'has' && places.includes(field));
