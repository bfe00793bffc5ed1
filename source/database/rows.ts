import {
	type Attribute, type AttributeKind, type AttributeType, attributeTypes, type Colony, type Computer, type ComputerStatus, type Id, type Process, type ProcessStatus, type Time, unsetTime,
} from '../core/types.ts';
import {attributeId} from '../identity/index.ts';

export type ColonyRow = {colony_id: Id; name: string};

export type ComputerRow = {
	computer_id: Id;
	name: string;
	colony_id: Id;
	computer_type: string;
	cpu: string;
	cores: number;
	mem: number;
	gpu: string;
	gpus: number;
	status: ComputerStatus;
	/** What its present key proves; null where that is its own id, and undefined where it is not read. */
	key_id?: Id | null;
	seen_at?: Time | null;
};

/** The attributes of a process as its row keeps them: of each kind a list, of each attribute its key with its value. */
export type Lists = Partial<Record<AttributeKind, Array<Record<string, string>>>>;

/** A row of `outputs`. */
export type OutputRow = {process_id: Id; attribute_type: Exclude<AttributeType, 0>; key: string; value: string};

export type ProcessRow = {
	process_id: Id;
	colony_id: Id;
	target_computer_ids: Id[];
	assigned_computer_id: Id | null;
	status: ProcessStatus;
	entered_at: Time;
	computer_type: string;
	submission_time: Time;
	start_time: Time | null;
	end_time: Time | null;
	deadline: Time | null;
	timeout: number;
	retries: number;
	max_retries: number;
	mem: number;
	cores: number;
	gpus: number;
	/** The trace context of its submission (W3C Trace Context). */
	traceparent?: string | null;
	attributes?: Lists | null;
};

/** What a list of processes reads of each; the attributes, which may be large, only where they are asked for. */
export const processColumns = 'process_id, colony_id, status, entered_at, submission_time, start_time, end_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, traceparent';

export const toColony = (row: ColonyRow): Colony => ({colonyid: row.colony_id, name: row.name});

export const toComputer = (row: ComputerRow): Computer => ({
	computerid: row.computer_id,
	name: row.name,
	colonyid: row.colony_id,
	...(row.computer_type === '' ? {} : {computertype: row.computer_type}),
	cpu: row.cpu,
	cores: row.cores,
	mem: row.mem,
	gpu: row.gpu,
	gpus: row.gpus,
	status: row.status,
	...(row.key_id ? {keyid: row.key_id} : {}),
	...(row.seen_at ? {lastseen: row.seen_at} : {}),
});

/** The id that the present key of a computer proves. */
export const keyOf = ({computer_id: computer, key_id: key}: Pick<ComputerRow, 'computer_id' | 'key_id'>): Id => key ?? computer;

export const toAttribute = (process: Id, type: AttributeType, key: string, value: string): Attribute => ({
	attributeid: attributeId(process, key, type),
	targetid: process,
	attributetype: type,
	key,
	value,
});

/** The attributes in the row of a process: `in` as submitted, then out and err by key. */
export const attributesOf = (process: Id, lists: Lists | null | undefined): Attribute[] => attributeTypes.flatMap((kind, type) =>
	(lists?.[kind] ?? []).flatMap(entry => Object.entries(entry).map(([key, value]) => toAttribute(process, type as AttributeType, key, value))));

/** What the history needs of an attempt to tell it again later: where and when it ran, how many were counted before it, and of what type the process is. */
export type Attempt = {computer: Id | null; start: Time | null; retries: number; type: string};

export const attemptOf = (row: ProcessRow): Attempt => ({computer: row.assigned_computer_id, start: row.start_time, retries: row.retries, type: row.computer_type});

const ofType = (attributes: readonly Attribute[], type: AttributeType): Attribute[] | null => {
	const found = attributes.filter(({attributetype}) => attributetype === type);
	return found.length === 0 ? null : found;
};

/** A process as colonies.md prints it, field for field and in its order. */
export const toProcess = (row: Omit<ProcessRow, 'entered_at'>, attributes: readonly Attribute[] = []): Process => ({
	processid: row.process_id,
	targetcolonyid: row.colony_id,
	targetcomputerids: row.target_computer_ids,
	assignedcomputerid: row.assigned_computer_id ?? '',
	status: row.status,
	isassigned: row.assigned_computer_id !== null,
	computertype: row.computer_type,
	submissiontime: row.submission_time,
	starttime: row.start_time ?? unsetTime,
	endtime: row.end_time ?? unsetTime,
	deadline: row.deadline ?? unsetTime,
	timeout: row.timeout,
	retries: row.retries,
	maxretries: row.max_retries,
	mem: row.mem,
	cores: row.cores,
	gpus: row.gpus,
	...(row.traceparent ? {traceparent: row.traceparent} : {}),
	in: ofType(attributes, 0),
	out: ofType(attributes, 1),
	err: ofType(attributes, 2),
});
