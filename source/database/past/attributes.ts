import {type Attribute, type AttributeKind, attributeTypes, type Id, type Time} from '../../core/types.ts';
import {attemptAttributes, fromImage} from '../images.ts';
import {attributesOf, type ProcessRow} from '../rows.ts';
import type {Client} from '../types.ts';
import {bytesOfAll} from '../values.ts';

/** Of one process: the step after the moment that put its attempt away, with what was in it, and what was done to its attributes until then. */
type Since = {id: Id; colony: Id | null; what: string | null; image: unknown; attempt: unknown; first: Array<{type: AttributeKind; key: string; before: string | null}> | null};

/** As a process has its attributes: by list, then by key. */
export const compareAttributes = (one: Pick<Attribute, 'attributetype' | 'key'>, other: Pick<Attribute, 'attributetype' | 'key'>): number => one.attributetype - other.attributetype || Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));

async function since(client: Client, at: Time, ids: readonly Id[]): Promise<Since[]> {
	const {rows} = await client.query<Since>(
		`select i.id, e.colony_id as colony, e.what, case when e.what = 'process.remove' then e.detail end as image, case when e.what <> 'process.remove' then e.detail->'attributes' end as attempt, f.first
		from unnest($1::bytea[]) as i(id)
		left join lateral (
			select h.at, h.history_id, h.what, h.colony_id, h.detail from colonies.history h
			where h.subject_id = i.id and h.at > $2 and h.what in ('process.requeue', 'process.retry', 'process.remove') order by h.at, h.history_id limit 1
		) e on true
		cross join lateral (
			select jsonb_agg(jsonb_build_object('type', type, 'key', key, 'before', before)) as first from (
				select distinct on (h.detail->>'type', h.detail->>'key') h.detail->>'type' as type, h.detail->>'key' as key, h.detail->'before' as before from colonies.history h
				where h.subject_id = i.id and h.at > $2 and h.what = 'attribute.add' and (e.at is null or (h.at, h.history_id) < (e.at, e.history_id))
				order by h.detail->>'type', h.detail->>'key', h.at, h.history_id
			) firsts
		) f`,
		[bytesOfAll(ids), at],
	);
	return rows;
}

/** What went in, of processes that have been removed. */
async function imagesOf(client: Client, at: Time, ids: readonly Id[]): Promise<Map<Id, Attribute[]>> {
	const {rows} = await client.query<{id: Id; colony: Id; image: unknown}>(
		`select i.id, r.colony, r.image from unnest($1::bytea[]) as i(id) cross join lateral (
			select h.colony_id as colony, h.detail as image from colonies.history h where h.subject_id = i.id and h.what = 'process.remove' and h.at > $2 order by h.at desc limit 1
		) r`,
		[bytesOfAll(ids), at],
	);
	return new Map(rows.map(({id, colony, image}) => [id, fromImage(id, colony, image).in ?? []]));
}

/** The out and err attributes of an attempt as they were: what it had in the end or has now, without what was done since. */
function putBack(attempt: readonly Attribute[], {first}: Since): Attribute[] {
	const changed = new Map((first ?? []).map(({type, key, before}) => [`${type} ${key}`, before]));
	return attempt.flatMap(attribute => {
		const before = changed.get(`${attributeTypes[attribute.attributetype]} ${attribute.key}`);
		return before === undefined ? [attribute] : (before === null ? [] : [{...attribute, value: before}]);
	}).sort((one, other) => compareAttributes(one, other));
}

/** The attributes of processes, given as they were, at the moment. */
export async function attributesAt(client: Client, at: Time, processes: ReadonlyArray<Pick<ProcessRow, 'process_id' | 'status'>>): Promise<Map<Id, Attribute[]>> {
	if (processes.length === 0) {
		return new Map();
	}

	const ids = processes.map(row => row.process_id);
	// First what is there now, and then what was done: whatever comes in between stands in the history and is put back.
	const {rows} = await client.query<Pick<ProcessRow, 'process_id' | 'attributes'>>('select process_id, attributes from colonies.processes where process_id = any ($1)', [bytesOfAll(ids)]);
	const steps = new Map((await since(client, at, ids)).map(step => [step.id, step]));
	const images = await imagesOf(client, at, ids);
	const present = new Map(rows.map(row => [row.process_id, attributesOf(row.process_id, row.attributes)]));
	return new Map(processes.map(({process_id: id, status}) => {
		const [now, step] = [present.get(id) ?? [], steps.get(id)!];
		const given = images.get(id) ?? now.filter(({attributetype}) => attributetype === 0);
		const image = step.image ? fromImage(id, step.colony!, step.image) : undefined;
		const ended = image ? [...image.out ?? [], ...image.err ?? []] : (step.attempt ? attemptAttributes(id, step.attempt) : undefined);
		return [id, [...given, ...(status === 0 ? [] : putBack(ended ?? now.filter(({attributetype}) => attributetype !== 0), step))]];
	}));
}
