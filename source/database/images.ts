import {
	attributeTypes, type AttributeType, type Attribute, type Id, type Process, type Time,
} from '../core/types.ts';
import {
	attributesOf, type Lists, type ProcessRow, toAttribute, toProcess,
} from './rows.ts';

/**
A process as the history keeps it: without what its row says already, and attributes as in the row of a process (`Lists`). Before schema 7 it was kept as colonies.md prints it.
What was usual when it was submitted is left out of the image of that.
*/
type Image = Partial<Omit<Process, 'processid' | 'targetcolonyid' | 'isassigned' | 'in' | 'out' | 'err'>> & {submissiontime: Time; attributes?: Lists};

const usual = {targetcomputerids: [], computertype: '', timeout: 0, maxretries: 0, mem: 0, cores: 0, gpus: 0} as const;

const withAttributes = (attributes: Lists | null | undefined) => attributes ? {attributes} : {};

/** What the history keeps of a process that was submitted. */
export function submissionImage(row: ProcessRow): Image {
	const process = toProcess(row);
	const asked = Object.entries(usual).flatMap(([name, value]) => {
		const given: unknown = process[name as keyof typeof usual];
		return String(given) === String(value) ? [] : [[name, given] as const];
	});
	return {submissiontime: process.submissiontime, ...Object.fromEntries(asked), ...(row.traceparent ? {traceparent: row.traceparent} : {}), ...withAttributes(row.attributes)};
}

/** What the history keeps of a process that is removed. */
export function fullImage(row: ProcessRow): Image {
	const {processid: _, targetcolonyid: __, isassigned: ___, in: ____, out: _____, err: ______, ...image} = toProcess(row);
	return {...image, ...withAttributes(row.attributes)};
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The process of an image in the history. */
export function fromImage(processid: Id, targetcolonyid: Id, image: unknown): Process {
	if (!isObject(image) || 'processid' in image) {
		return image as Process;
	}

	const {attributes, ...told} = image as Image;
	return toProcess({
		process_id: processid,
		colony_id: targetcolonyid,
		target_computer_ids: [...(told.targetcomputerids ?? usual.targetcomputerids)],
		assigned_computer_id: told.assignedcomputerid || null, // eslint-disable-line @typescript-eslint/prefer-nullish-coalescing -- No computer is an empty text.
		status: told.status ?? 0,
		computer_type: told.computertype ?? usual.computertype,
		submission_time: told.submissiontime,
		start_time: told.starttime ?? null,
		end_time: told.endtime ?? null,
		deadline: told.deadline ?? null,
		timeout: told.timeout ?? usual.timeout,
		retries: told.retries ?? 0,
		max_retries: told.maxretries ?? usual.maxretries,
		mem: told.mem ?? usual.mem,
		cores: told.cores ?? usual.cores,
		gpus: told.gpus ?? usual.gpus,
		traceparent: told.traceparent,
	}, attributesOf(processid, attributes));
}

/** What an attempt had written, as the history keeps it where the process waits again. */
export const attemptAttributes = (processid: Id, kept: unknown): Attribute[] => Array.isArray(kept) ? kept as Attribute[] : attributesOf(processid, kept as Lists | null);

/** The lists of attributes, by kind. */
export function listsOf(attributes: ReadonlyArray<Pick<Attribute, 'attributetype' | 'key' | 'value'>>): Lists {
	const lists: Lists = {};
	for (const {attributetype, key, value} of attributes) {
		(lists[attributeTypes[attributetype]] ??= []).push({[key]: value});
	}

	return lists;
}

/** What belongs to a change of the history, as people see it: what the history keeps in short, in full. */
export function inFull({what, subject, colony}: {what: string; subject: Id; colony: Id | null}, detail: unknown): unknown {
	if (!isObject(detail)) {
		return detail;
	}

	switch (what) {
		case 'process.submit':
		case 'process.remove': {
			return typeof detail.submissiontime === 'string' ? fromImage(subject, colony ?? '', detail) : detail;
		}

		case 'process.requeue':
		case 'process.retry': {
			return isObject(detail.attributes) ? {...detail, attributes: attemptAttributes(subject, detail.attributes)} : detail;
		}

		case 'attribute.add': {
			const type = attributeTypes.indexOf(detail.type as 'out') as AttributeType;
			return 'attributeid' in detail || typeof detail.key !== 'string' ? detail : {attributeid: toAttribute(subject, type, detail.key, '').attributeid, ...detail};
		}

		default: {
			return detail;
		}
	}
}

/** The attributes of an attempt in \`kept\` (json, as the history has it), as rows `(type, key, value)`. */
export const attemptEntries = (kept: string): string => `(
	select t.type, a.key, a.value from (values ('out', 1), ('err', 2)) t(kind, type)
		cross join jsonb_array_elements(case when jsonb_typeof(${kept}) = 'object' then ${kept}->t.kind end) e cross join jsonb_each_text(case when jsonb_typeof(e) = 'object' then e else '{}' end) a
	union all
	select (e->>'attributetype')::integer, e->>'key', e->>'value' from jsonb_array_elements(case when jsonb_typeof(${kept}) = 'array' then ${kept} end) e
)`;
