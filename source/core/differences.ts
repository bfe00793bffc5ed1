import {formatSpan, milliseconds} from './time.ts';
import {isSecretKey} from './text.ts';
import {
	type Attribute, type Computer, type Process, processStates, unsetTime,
} from './types.ts';

/** What the two processes of a comparison are, and on what they ran. */
export type Side = {process: Process; computer?: Computer};

export const parts = ['process', 'spec', 'in', 'computer', 'times', 'out', 'err'] as const;

/** Something that differs between a process and another one; null where one of them has it not. Values of secret keys are `***`. */
export type Difference = {part: (typeof parts)[number]; name: string; value: string | null; other: string | null};

/** Characters of a value that are told; of a longer one those around the first that differs. */
const longest = 4096;

function around(value: string, start: number): string {
	return `${start > 0 ? '…' : ''}${value.slice(start, start + longest)}${start + longest < value.length ? '…' : ''}`;
}

/** Both values cut to where they begin to differ. */
function cut(value: string | null, other: string | null): {value: string | null; other: string | null} {
	if (value === null || other === null) {
		return {value: value === null ? null : around(value, 0), other: other === null ? null : around(other, 0)};
	}

	let from = 0;
	while (from < value.length && value[from] === other[from]) {
		from++;
	}

	const start = Math.max(value.length, other.length) <= longest ? 0 : Math.max(0, from - (longest / 2));
	return {value: around(value, start), other: around(other, start)};
}

const byKey = (attributes: readonly Attribute[] | null): Map<string, string> => new Map((attributes ?? []).map(({key, value}) => [key, value]));

function ofAttributes(part: 'in' | 'out' | 'err', here: Side, there: Side): Difference[] {
	const [mine, theirs] = [byKey(here.process[part]), byKey(there.process[part])];
	return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap(key => {
		const [value, other] = [mine.get(key) ?? null, theirs.get(key) ?? null];
		if (value === other) {
			return [];
		}

		const shown = isSecretKey(key) ? {value: value === null ? null : '***', other: other === null ? null : '***'} : cut(value, other);
		return [{part, name: key, ...shown}];
	});
}

type Told = Record<string, string | null>;

const compared = (part: Difference['part'], mine: Told, theirs: Told): Difference[] => [...new Set([...Object.keys(mine), ...Object.keys(theirs)])]
	.map(name => ({part, name, value: mine[name] ?? null, other: theirs[name] ?? null}))
	.filter(({value, other}) => value !== other);

const specOf = ({process}: Side): Told => ({
	targetcomputerids: process.targetcomputerids.join(', '), computertype: process.computertype, timeout: String(process.timeout), maxretries: String(process.maxretries),
	mem: String(process.mem), cores: String(process.cores), gpus: String(process.gpus),
});

const computerOf = ({process, computer}: Side): Told => process.assignedcomputerid === ''
	? {}
	: {
		computerid: process.assignedcomputerid,
		...(computer ? {name: computer.name, computertype: computer.computertype ?? '', cpu: computer.cpu, cores: String(computer.cores), mem: String(computer.mem), gpu: computer.gpu, gpus: String(computer.gpus)} : {}),
	};

/** A span between two times, `830ms` or `12m04s`; null where one of them is not set. */
function between(from: string, to: string): string | null {
	if (from === unsetTime || to === unsetTime) {
		return null;
	}

	const span = milliseconds(to)! - milliseconds(from)!;
	return span < 1000 ? `${span}ms` : formatSpan(span);
}

const timesOf = ({process}: Side): Told => ({
	waited: between(process.submissiontime, process.starttime), ran: between(process.starttime, process.endtime), retries: String(process.retries),
});

/** What differs between a process and another one, in the order of `parts`. Which they are and how they ended is always told. */
export function differences(here: Side, there: Side): Difference[] {
	const which = ({process}: Side): Told => ({processid: process.processid, state: processStates[process.status]});
	const [mine, theirs] = [which(here), which(there)];
	return [
		...Object.keys(mine).map(name => ({part: 'process' as const, name, value: mine[name]!, other: theirs[name]!})),
		...compared('spec', specOf(here), specOf(there)),
		...ofAttributes('in', here, there),
		...compared('computer', computerOf(here), computerOf(there)),
		...compared('times', timesOf(here), timesOf(there)),
		...ofAttributes('out', here, there),
		...ofAttributes('err', here, there),
	];
}
