/** 64 lowercase hex digits: the SHA3-256 of a public key's hex text. */
export type Id = string;

/** RFC 3339 in UTC with six digits of microseconds, `2021-12-21T21:04:07.807378Z`. Never a Date: it would lose the microseconds. */
export type Time = string;

/** How a time that is not set stands on the wire (colonies.md). */
export const unsetTime: Time = '0001-01-01T00:00:00Z';

export const computerStates = ['pending', 'approved', 'disapproved'] as const;
export type ComputerState = (typeof computerStates)[number];
/** Index into `computerStates`: 0 pending, 1 approved, 2 disapproved. */
export type ComputerStatus = 0 | 1 | 2;

export const processStates = ['waiting', 'running', 'successful', 'failed'] as const;
export type ProcessState = (typeof processStates)[number];
/** Index into `processStates`: 0 waiting, 1 running, 2 successful, 3 failed. */
export type ProcessStatus = 0 | 1 | 2 | 3;

export const attributeTypes = ['in', 'out', 'err'] as const;
export type AttributeKind = (typeof attributeTypes)[number];
/** Index into `attributeTypes`: 0 in, 1 out, 2 err. */
export type AttributeType = 0 | 1 | 2;

/** A group that owns work; its id is the identity of its owner. Fields and order as in colonies.md, here and below. */
export type Colony = {
	colonyid: Id;
	name: string;
	/** The cell where it lives, where there are several and root asks. */
	cell?: string;
};

/** A worker registered in one colony. `mem` in MB. */
export type Computer = {
	computerid: Id;
	name: string;
	colonyid: Id;
	/** Left out when the computer takes any type. */
	computertype?: string;
	cpu: string;
	cores: number;
	mem: number;
	gpu: string;
	gpus: number;
	status: ComputerStatus;
	/** Id that its key proves; left out while that is the computer's own id. */
	keyid?: Id;
	/** When it last asked for work or told of it, to some seconds; left out before the first time. */
	lastseen?: Time;
};

/** A key and value on a process. */
export type Attribute = {
	attributeid: Id;
	targetid: Id;
	attributetype: AttributeType;
	key: string;
	value: string;
};

/** What a process asks of the computer that runs it. `mem` in MB; an empty list or type means any. */
export type Demand = {
	targetcomputerids: Id[];
	computertype: string;
	mem: number;
	cores: number;
	gpus: number;
};

/** What somebody submits. `timeout` in seconds, -1 or 0 for none; `maxretries` 0 for never. */
export type ProcessSpec = Demand & {
	targetcolonyid: Id;
	timeout: number;
	maxretries: number;
	/** The trace that it belongs to (W3C Trace Context). */
	traceparent?: string | undefined;
	in: Record<string, string>;
};

/** One unit of work. */
export type Process = {
	processid: Id;
	targetcolonyid: Id;
	targetcomputerids: Id[];
	assignedcomputerid: Id | '';
	status: ProcessStatus;
	isassigned: boolean;
	computertype: string;
	submissiontime: Time;
	starttime: Time;
	endtime: Time;
	deadline: Time;
	/** Seconds from start to deadline; -1 or 0 for none. */
	timeout: number;
	retries: number;
	maxretries: number;
	/** MB. */
	mem: number;
	cores: number;
	gpus: number;
	/** The trace context of its submission (W3C Trace Context); left out where none was given. */
	traceparent?: string;
	in: Attribute[] | null;
	out: Attribute[] | null;
	err: Attribute[] | null;
};

/** What the console and other watchers can be told has changed. */
export const topics = ['colonies', 'computers', 'processes', 'attributes'] as const;
export type Topic = (typeof topics)[number];
