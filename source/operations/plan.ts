import {ColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {type Transition, transitions} from '../core/states.ts';
import {plural} from '../core/text.ts';
import {
	type Computer, type ComputerState, computerStates, type Id, type Process, type ProcessState, processStates, type Time,
} from '../core/types.ts';
import type {Page} from '../database/index.ts';
import type {Caller} from './broker.ts';
import type {Context} from './context.ts';

const closable = (transition: Transition): readonly ProcessState[] => transitions[transition].from;

/** What can be done to many by a plan: from which states, and what is said of one in another state. `past`: what it is afterwards, for reports. */
export const plannable = {
	'process.retry': {noun: 'process', from: closable('retry'), otherwise: 'only a closed process can be retried', verb: 'retry', past: 'retried'},
	'process.cancel': {noun: 'process', from: closable('cancel'), otherwise: 'only a waiting or running process can be cancelled', verb: 'cancel', past: 'cancelled'},
	'process.remove': {noun: 'process', from: processStates, otherwise: '', verb: 'remove', past: 'removed'},
	'computer.approve': {noun: 'computer', from: ['pending', 'disapproved'], otherwise: 'it is approved already', verb: 'approve', past: 'approved'},
	'computer.disapprove': {noun: 'computer', from: ['pending', 'approved'], otherwise: 'it is disapproved already', verb: 'disapprove', past: 'disapproved'},
	'computer.remove': {noun: 'computer', from: computerStates, otherwise: '', verb: 'remove', past: 'removed'},
} as const satisfies Record<string, {noun: 'process' | 'computer'; from: ReadonlyArray<ProcessState | ComputerState>; otherwise: string; verb: string; past: string}>;

export type PlannableName = keyof typeof plannable;

export const isPlannable = (name: string): name is PlannableName => Object.hasOwn(plannable, name);

/** One thing as it was seen: what must not have changed until it is its turn. `label`: its type or name. Of a process `since`, when it entered its state, and of one that was looked up its `version`. */
export type Seen = {id: Id; label: string; state: ProcessState | ComputerState; since?: Time; retries?: number; version?: string};

/** What is not part of a plan, and why. */
export type LeftOut = {id: Id; label: string; reason: string};

/** An action on many, frozen: what it is for, as it was then, and what is left out. `more`: whether there were more than a plan takes, which were not looked at. */
export type Plan = {name: PlannableName; colonyid: Id; entries: readonly Seen[]; leftOut: readonly LeftOut[]; more: boolean};

/** Whether a plan removes closed processes alone, which burdens no computer and leaves one row of the history for many. */
export const isOfClosed = ({name, entries}: Pick<Plan, 'name' | 'entries'>): boolean => name === 'process.remove' && entries.every(({state}) => closable('retry').includes(state as ProcessState));

/** Rows a second that a plan goes through unless somebody says otherwise. */
export const usualRate = 50;

/** The same, once it is known what it is for. */
export const usualRateOf = (plan: Pick<Plan, 'name' | 'entries'>): number => isOfClosed(plan) ? 1000 : usualRate;

/** What a plan is made of: what was seen by somebody, ids alone, or all that a list operation gives for some fields of its input. */
export type Selection = {seen: readonly Seen[]} | {ids: readonly Id[]} | {filter: Readonly<Record<string, unknown>>};

const enteredAt = ({status, submissiontime, starttime, endtime}: Process): Time => [submissiontime, starttime, endtime, endtime][status]!;

/** A process as it stands in a list. */
export const seenProcess = (process: Process): Seen => ({
	id: process.processid, label: process.computertype, state: processStates[process.status], since: enteredAt(process), retries: process.retries,
});

/** A computer as it stands in a list. */
export const seenComputer = ({computerid, name, status}: Computer): Seen => ({id: computerid, label: name, state: computerStates[status]});

const isSame = (one: Seen, other: Seen): boolean => one.state === other.state && one.since === other.since && one.retries === other.retries;

/**
Decides what an action applies to: `now` as it is, in the order of the plan, undefined for what is not there (any more); `before` as somebody saw it.
*/
export function decide(name: PlannableName, ids: readonly Id[], {before, now}: {before: ReadonlyMap<Id, Seen>; now: ReadonlyMap<Id, Seen>}): Pick<Plan, 'entries' | 'leftOut'> {
	const {from, otherwise, noun} = plannable[name];
	const entries: Seen[] = [];
	const leftOut: LeftOut[] = [];
	for (const id of new Set(ids)) {
		const [was, is] = [before.get(id), now.get(id)];
		if (is === undefined) {
			leftOut.push({id, label: was?.label ?? '', reason: `there is no such ${noun} (any more)`});
		} else if (was !== undefined && !isSame(was, is)) {
			leftOut.push({id, label: is.label, reason: `it has changed since it was seen: ${was.state}${was.state === is.state ? ' again' : `, now ${is.state}`}`});
		} else if ((from as readonly string[]).includes(is.state)) {
			entries.push(is);
		} else {
			leftOut.push({id, label: is.label, reason: `it is ${is.state}: ${otherwise}`.replace(/^it is (\w+): it is \1/, 'it is $1')});
		}
	}

	return {entries, leftOut};
}

/** Where a list goes on after a page; undefined at its end. Where a filter was not looked for any further, it is looked for from there on. */
export const goesOnAt = ({positions, more, looked}: Page<unknown>): string | undefined => looked?.position ?? (more.after ? positions.at(-1) : undefined);

type Making = {context: Pick<Context, 'run' | 'runMany'>; caller: Caller; name: PlannableName; colonyid: Id; /** Hears how many were found. */ tell?: (found: number) => void; signal?: AbortSignal; most?: number};

/** Everything that a list gives, page by page, up to as many as a plan takes. */
async function readAll({context, caller, name, colonyid, tell, signal, most = limits.planned}: Making, filter: Readonly<Record<string, unknown>>): Promise<{seen: Map<Id, Seen>; more: boolean}> {
	const seen = new Map<Id, Seen>();
	const isProcess = plannable[name].noun === 'process';
	for (let position: string | undefined; ;) {
		signal?.throwIfAborted();
		const page = {...filter, colonyid, count: limits.count, position};
		// eslint-disable-next-line no-await-in-loop
		const {rows, positions, more, looked} = await (isProcess ? context.run(caller, 'process.list', {...page, attributes: false}) : context.run(caller, 'computer.list', page));
		for (const row of rows) {
			const each = 'processid' in row ? seenProcess(row) : seenComputer(row);
			seen.set(each.id, each);
		}

		tell?.(Math.min(seen.size, most));
		position = goesOnAt({rows, positions, more, looked});
		if (seen.size > most || position === undefined) {
			return {seen: new Map([...seen].slice(0, most)), more: seen.size > most || (more.after && seen.size >= most)};
		}
	}
}

/** The processes as they are now, with their versions; those that are not there are left out. */
async function lookUp({context, caller, colonyid, signal}: Making, ids: readonly Id[]): Promise<Map<Id, Seen>> {
	const found = new Map<Id, Seen>();
	for (let start = 0; start < ids.length; start += limits.batch) {
		signal?.throwIfAborted();
		const some = ids.slice(start, start + limits.batch).map(processid => ({colonyid, processid}));
		const answers = await context.runMany(caller, 'process.version', some); // eslint-disable-line no-await-in-loop
		for (const answer of answers) {
			if (!(answer instanceof ColoniesError)) {
				const {processid: id, status, computertype: label, since, retries, version} = answer.result;
				found.set(id, {id, label, state: processStates[status], since, retries, version});
			}
		}
	}

	return found;
}

/**
Makes a plan: freezes what is selected with its expected states, and decides what the action applies to.
@throws ColoniesError; AbortError when the signal comes
*/
export async function makePlan(making: Making, selection: Selection): Promise<Plan> {
	const {name, colonyid, most = limits.planned} = making;
	const listed = 'filter' in selection ? await readAll(making, selection.filter) : undefined;
	const given = 'seen' in selection ? selection.seen : [];
	const before = listed?.seen ?? new Map(given.map(each => [each.id, each]));
	const all = 'ids' in selection ? [...new Set(selection.ids)] : [...before.keys()];
	const ids = all.slice(0, most);
	const now = plannable[name].noun === 'process'
		? await lookUp(making, ids)
		: (listed ?? await readAll({...making, tell: undefined}, {})).seen;
	return {name, colonyid, ...decide(name, ids, {before, now}), more: (listed?.more ?? false) || all.length > most};
}

/** How many are left out for each reason, the most frequent first. */
export function reasonsOf({leftOut}: Pick<Plan, 'leftOut'>): Array<{reason: string; count: number}> {
	const counts = new Map<string, number>();
	for (const {reason} of leftOut) {
		counts.set(reason, (counts.get(reason) ?? 0) + 1);
	}

	return [...counts].map(([reason, count]) => ({reason, count})).sort((one, other) => other.count - one.count);
}

/** A few of the entries, spread over all of them, in their order. */
export function sampleOf({entries}: Pick<Plan, 'entries'>, most: number): Seen[] {
	const count = Math.min(most, entries.length);
	return Array.from({length: count}, (_, index) => entries[Math.floor(index * entries.length / count)]!);
}

/** What a plan does, in a few words: `retry 12 processes`. */
export const titleOf = ({name, entries}: Pick<Plan, 'name' | 'entries'>): string => `${plannable[name].verb} ${plural(entries.length, plannable[name].noun)}`;

/** The input of one call of a plan: what was seen must still be so. */
export function inputFor({name, colonyid}: Pick<Plan, 'name' | 'colonyid'>, {id, state, version}: Seen): Record<string, unknown> {
	return plannable[name].noun === 'process'
		? {colonyid, processid: id, ifstate: state, ifversion: version}
		: {colonyid, computerid: id, ifstate: state};
}
