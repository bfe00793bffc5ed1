import {Conflict, NotFound, TooLarge} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted} from '../core/text.ts';
import {type Attribute, type AttributeType, type Id, attributeTypes} from '../core/types.ts';
import type {Change, Done} from './history.ts';
import {type AttributeRow, toAttribute} from './rows.ts';
import type {Client} from './types.ts';

/** The attributes of a process as one json array, `in` as submitted, then out and err by key; null when it has none. */
export const attributesJson = (process: string): string => `(
	select json_agg(json_build_object('attribute_id', a.attribute_id, 'process_id', a.process_id, 'attribute_type', a.attribute_type, 'key', a.key, 'value', a.value)
		order by a.attribute_type, a.position, a.key)
	from attributes a where a.process_id = ${process}
)`;

/** A list of attributes as a process has it on the wire; null when it is empty. */
export const wireAttributes = (process: string, type: AttributeType): string => `(
	select jsonb_agg(jsonb_build_object('attributeid', a.attribute_id, 'targetid', a.process_id, 'attributetype', a.attribute_type, 'key', a.key, 'value', a.value)
		order by a.position, a.key)
	from attributes a where a.process_id = ${process} and a.attribute_type = ${type}
)`;

/** The attributes of a process of this colony. */
export async function list(client: Client, colony: Id, process: Id): Promise<Attribute[]> {
	const {rows} = await client.query<AttributeRow>('select * from attributes where process_id = $2 and colony_id = $1 order by attribute_type, position, key', [colony, process]);
	return rows.map(row => toAttribute(row));
}

/** @throws NotFound when the process has no such attribute. */
export async function get(client: Client, colony: Id, process: Id, attribute: Id): Promise<Attribute> {
	const {rows} = await client.query<AttributeRow>('select * from attributes where attribute_id = $3 and process_id = $2 and colony_id = $1', [colony, process, attribute]);
	if (!rows[0]) {
		throw new NotFound(`There is no attribute ${quoted(attribute)} on the process ${quoted(process)}.`, {hint: 'List them with `colonies attribute ls --processid …`.'});
	}

	return toAttribute(rows[0]);
}

export type NewAttribute = {attributeid: Id; attributetype: Exclude<AttributeType, 0>; key: string; value: string};

/** Writes an attribute of a process whose row the caller has locked; the same key again replaces the value, and the history keeps the old one. */
export async function write(client: Client, colony: Id, process: Id, attribute: NewAttribute): Promise<{result: Attribute; change: Change}> {
	const {rows} = await client.query<AttributeRow & {before: string | null}>(
		`with old as (select value from attributes where attribute_id = $1)
		insert into attributes (attribute_id, colony_id, process_id, attribute_type, key, value) values ($1, $2, $3, $4, $5, $6)
		on conflict (attribute_id) do update set value = excluded.value
		returning *, (select value from old) as before`,
		[attribute.attributeid, colony, process, attribute.attributetype, attribute.key, attribute.value],
	);
	const {before, ...row} = rows[0]!;
	return {
		result: toAttribute(row),
		change: {
			noun: 'attribute',
			subject: process,
			colony,
			what: 'attribute.add',
			detail: {attributeid: attribute.attributeid, type: attributeTypes[attribute.attributetype], key: attribute.key, value: attribute.value, ...(before === null ? {} : {before})},
		},
	};
}

/**
Adds an out or err attribute to a running process of this computer.
@throws Conflict when the computer is not running the process now, TooLarge when the attempt holds too much already, NotFound when the colony has no such process
*/
export async function put(client: Client, colony: Id, computer: Id, process: Id, attribute: NewAttribute): Promise<Done<Attribute>> {
	// The process row first, so that a close or a deadline cannot slip in between.
	const {rows} = await client.query<{running: boolean; count: number; bytes: number}>(
		`select p.status = 1 and p.assigned_computer_id = $3 and (p.deadline is null or p.deadline > statement_timestamp()) as running, o.count, o.bytes
		from processes p cross join lateral (
			select count(*)::int as count, coalesce(sum(octet_length(a.value)), 0)::float8 as bytes
			from attributes a where a.process_id = p.process_id and a.attribute_type in (1, 2) and a.attribute_id <> $4
		) o where p.process_id = $1 and p.colony_id = $2 for update of p`,
		[process, colony, computer, attribute.attributeid],
	);
	if (!rows[0]) {
		throw new NotFound(`There is no process ${quoted(process)} in this colony; nothing was added.`, {hint: 'It may have been removed, or belong to another colony.'});
	}

	if (!rows[0].running) {
		throw new Conflict(`The process ${quoted(process)} is not running on this computer; nothing was added.`, {hint: 'See its state with `colonies process get --processid …`.'});
	}

	const {count, bytes} = rows[0];
	if (count >= limits.attributes || bytes + Buffer.byteLength(attribute.value) > limits.values) {
		throw new TooLarge(`The process ${quoted(process)} has ${count} attributes of ${(bytes / 1_048_576).toFixed(1)} MiB from this attempt; at most ${limits.attributes} of 32 MiB together are kept. Nothing was added.`, {hint: 'Keep large data elsewhere and pass its address.'});
	}

	const {result, change} = await write(client, colony, process, attribute);
	return {result, changes: [change]};
}
