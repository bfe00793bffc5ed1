import {Conflict, NotFound, TooLarge} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted} from '../core/text.ts';
import {type Attribute, type AttributeType, attributeTypes, type Id} from '../core/types.ts';
import type {Change, Done} from './history.ts';
import {type Lists, attributesOf, toAttribute} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, inColony} from './values.ts';

/** The rows of a list of attributes (json, as the row of a process keeps them), as `a (key, value)`. */
const entriesOf = (list: string): string => `jsonb_array_elements(${list}) e cross join jsonb_each_text(e) a`;

/** The attributes in `row`, as rows `t (kind, list)` and `a (key, value)`: of one kind, or of every kind. */
export const entriesIn = (row: string, kind?: string): string => kind === undefined
	? `jsonb_each(${row}.attributes) t(kind, list) cross join ${entriesOf('t.list')}`
	: `(select '${kind}' as kind, ${row}.attributes->'${kind}' as list) t cross join ${entriesOf('t.list')}`;

/** A condition that a row has an attribute with this key and value, which an index answers. `given`: hands a value to the statement. */
export const hasAttribute = (row: string, {kind, key, value}: {kind?: string | undefined; key: string; value: string}, given: (value: unknown) => string): string => {
	const kinds = kind === undefined ? attributeTypes : [kind];
	const tests = kinds.map(name => `${row}.attributes @> ${given(JSON.stringify({[name]: [{[key]: value}]}))}::jsonb`);
	return tests.length === 1 ? tests[0]! : `(${tests.join(' or ')})`;
};

/** The attributes of a process of this colony; none of one that it has not. */
export async function list(client: Client, colony: Id, process: Id): Promise<Attribute[]> {
	const {rows} = await client.query<{attributes: Lists | null}>(`select attributes from colonies.processes p where process_id = $2 and ${inColony('$1')}`, [bytesOf(colony), bytesOf(process)]);
	return attributesOf(process, rows[0]?.attributes);
}

/** @throws NotFound when the process has no such attribute. */
export async function get(client: Client, colony: Id, process: Id, attribute: Id): Promise<Attribute> {
	const found = (await list(client, colony, process)).find(({attributeid}) => attributeid === attribute);
	if (!found) {
		throw new NotFound(`There is no attribute ${quoted(attribute)} on the process ${quoted(process)}.`, {hint: 'List them with `colonies attribute ls --processid …`.'});
	}

	return found;
}

export type NewAttribute = {attributetype: Exclude<AttributeType, 0>; key: string; value: string};

/** What the history keeps of an attribute that was written; `before`: the value that it replaced, null where there was none. */
export const addedChange = (colony: Id, {targetid, attributetype, key, value}: Attribute, before: string | null): Change => ({
	kind: 'written',
	noun: 'attribute',
	subject: targetid,
	colony,
	what: 'attribute.add',
	attribute: {type: attributeTypes[attributetype], key, value},
	before,
});

/** Writes an attribute of a running process whose row the caller has locked; the same key again replaces the value, and the history keeps the old one. */
async function write(client: Client, colony: Id, process: Id, {attributetype, key, value}: NewAttribute): Promise<Done<Attribute>> {
	const where = [bytesOf(process), attributetype, key];
	const [{rows: [old]}] = await Promise.all([
		client.query<{value: string}>('select value from colonies.outputs where process_id = $1 and attribute_type = $2 and key = $3', where),
		client.query(
			`insert into colonies.outputs (process_id, attribute_type, key, value) values ($1, $2, $3, $4)
			on conflict (process_id, attribute_type, key) do update set value = excluded.value`,
			[...where, value],
		),
	]);
	const result = toAttribute(process, attributetype, key, value);
	return {result, changes: [addedChange(colony, result, old?.value ?? null)]};
}

/**
Adds an out or err attribute to a running process of this computer.
@throws Conflict when the computer is not running the process now, TooLarge when the attempt holds too much already, NotFound when the colony has no such process
*/
export async function put(client: Client, colony: Id, computer: Id, process: Id, attribute: NewAttribute): Promise<Done<Attribute>> {
	// The process row first, so that a close or a deadline cannot slip in between.
	const {rows} = await client.query<{running: boolean; count: number; bytes: number}>(
		`select p.status = 1 and p.assigned_computer_id = $3 and (p.deadline is null or p.deadline > statement_timestamp()) as running, o.count, o.bytes
		from colonies.live p cross join lateral (
			select count(*)::int as count, coalesce(sum(octet_length(a.value)), 0)::float8 as bytes
			from colonies.outputs a where a.process_id = p.process_id and (a.attribute_type, a.key) <> ($4, $5)
		) o where p.process_id = $1 and ${inColony('$2')} for update of p`,
		[bytesOf(process), bytesOf(colony), bytesOf(computer), attribute.attributetype, attribute.key],
	);
	if (!rows[0]?.running) {
		const isThere = rows.length > 0 || (await client.query(`select from colonies.processes p where process_id = $1 and ${inColony('$2')}`, [bytesOf(process), bytesOf(colony)])).rows.length > 0;
		throw isThere
			? new Conflict(`The process ${quoted(process)} is not running on this computer; nothing was added.`, {hint: 'See its state with `colonies process get --processid …`.'})
			: new NotFound(`There is no process ${quoted(process)} in this colony; nothing was added.`, {hint: 'It may have been removed, or belong to another colony.'});
	}

	const {count, bytes} = rows[0];
	if (count >= limits.attributes || bytes + Buffer.byteLength(attribute.value) > limits.values) {
		throw new TooLarge(`The process ${quoted(process)} has ${count} attributes of ${(bytes / 1_048_576).toFixed(1)} MiB from this attempt; at most ${limits.attributes} of 32 MiB together are kept. Nothing was added.`, {hint: 'Keep large data elsewhere and pass its address.'});
	}

	return write(client, colony, process, attribute);
}
