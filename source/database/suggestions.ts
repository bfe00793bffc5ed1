import {lowered} from '../core/filter-language/index.ts';
import {isSecretKey} from '../core/text.ts';
import {computerStates, type ComputerStatus, type Id} from '../core/types.ts';
import {entriesIn} from './attributes.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** A value that somebody may mean, and what it is. */
export type Suggestion = {value: string; summary: string};

/** Steps of a walk from one distinct value to the next, of which those are kept that begin with what is asked for. */
const steps = 200;

/** The statement of a walk through the distinct values of an expression that an index has in order, from a value on: one look into the index a step. */
const distinctFrom = (table: string, expression: string, where: string): string => `with recursive found as (
		(select ${expression} as value, 1 as step from ${table} where ${where} and ${expression} >= $2 order by ${expression} limit 1)
		union all
		select (select ${expression} from ${table} where ${where} and ${expression} > f.value order by ${expression} limit 1), step + 1 from found f where f.value is not null and f.step < ${steps}
	)
	select value from found where value is not null and left(value, length($2)) = $2 limit $3`;

const named = (rows: ReadonlyArray<{value: string}>): Suggestion[] => rows.map(({value}) => ({value, summary: ''}));

/** Computer types that processes of a colony ask for, those that begin with a prefix. */
export async function processTypes(client: Client, colony: Id, prefix: string, count: number): Promise<Suggestion[]> {
	const {rows} = await client.query<{value: string}>(distinctFrom('colonies.processes', 'computer_type', 'colony_id = $1'), [bytesOf(colony), prefix, count]);
	return named(rows);
}

/** Types of the computers of a colony. */
export async function computerTypes(client: Client, colony: Id, prefix: string, count: number): Promise<Suggestion[]> {
	const {rows} = await client.query<{value: string}>(
		'select distinct computer_type as value from colonies.computers where colony_id = $1 and left(computer_type, length($2)) = $2 order by 1 limit $3',
		[bytesOf(colony), prefix, count],
	);
	return named(rows);
}

/** Computers of a colony whose name has a text, or whose id begins with it: by name, those that begin with it first. */
export async function computers(client: Client, colony: Id, text: string, count: number): Promise<Suggestion[]> {
	const {rows} = await client.query<{name: string; computer_id: Id; status: ComputerStatus}>(
		`select name, computer_id, status from colonies.computers where colony_id = $1 and (position($2 in lower(name)) > 0 or left(encode(computer_id, 'hex'), length($2)) = $2)
		order by left(lower(name), length($2)) <> $2, name, computer_id limit $3`,
		[bytesOf(colony), lowered(text), count],
	);
	// A text that stands in no name is the beginning of an id.
	return rows.map(({name, computer_id: id, status}) => ({value: lowered(name).includes(lowered(text)) ? name : id, summary: `${computerStates[status]} ${id.slice(0, 8)}`}));
}

/** The latest processes of each state, but for those with much in them, in whose attributes is looked for what may be meant. */
const latest = `latest as materialized (
	select p.attributes from unnest(array[0, 1, 2, 3]::smallint[]) as s(status) cross join lateral (
		select attributes from colonies.processes p where p.colony_id = $1 and p.status = s.status order by p.entered_at desc, p.process_id desc limit 250
	) p where pg_column_size(p.attributes) < 65536
)`;

/** Keys of attributes in a colony. */
export async function attributeKeys(client: Client, colony: Id, prefix: string, count: number): Promise<Suggestion[]> {
	const {rows} = await client.query<{value: string}>(
		`with ${latest} select distinct a.key as value from latest p cross join ${entriesIn('p')} where left(a.key, length($2)) = $2 order by 1 limit $3`,
		[bytesOf(colony), prefix, count],
	);
	return named(rows);
}

/** Short values that attributes of one key have in a colony; none of a key that has a secret. */
export async function attributeValues(client: Client, colony: Id, {key, prefix, count}: {key: string; prefix: string; count: number}): Promise<Suggestion[]> {
	if (isSecretKey(key)) {
		return [];
	}

	const {rows} = await client.query<{value: string}>(
		`with ${latest} select distinct a.value as value from latest p cross join ${entriesIn('p')} where a.key = $4 and length(a.value) < 64 and left(a.value, length($2)) = $2 order by 1 limit $3`,
		[bytesOf(colony), prefix, count, key],
	);
	return named(rows);
}
