import {type Explanation, type Reason, type Verdict, obstacles} from '../core/explanation.ts';
import {visible} from '../core/text.ts';
import type {Id, Process} from '../core/types.ts';
import {answerIn} from './asking.ts';
import type {Ask} from './answers.ts';
import type {State} from './state.ts';
import {danger, dim, success, warning} from './terminal/style.ts';

const reasonsSlot = 'reasons';
/** Under which slot it is asked why one process waits: the one that is open, or the one under the cursor. */
export const whySlot = 'why';

const about = ({colony, lists: {processes: {tab, filter}}}: State): string => `${colony?.colonyid} ${tab} ${filter}`;

const made = new WeakMap<readonly Reason[], Map<Id, Reason>>();

/** The reasons that are known, by process. */
function reasonsIn(state: State): Map<Id, Reason> | undefined {
	const {result} = answerIn(state, reasonsSlot, about(state), 'process.reasons');
	if (!result) {
		return undefined;
	}

	const known = made.get(result) ?? new Map(result.map(reason => [reason.processid, reason]));
	made.set(result, known);
	return known;
}

/** Why a process of the waiting list waits, in short; undefined while it is not known. */
export const reasonOf = (state: State, {processid}: Process): Reason | undefined => reasonsIn(state)?.get(processid);

/** What the column of reasons is drawn from. */
export const reasons = (state: State): unknown => reasonsIn(state);

/** Rows beyond the screen whose reasons are asked for too, so that the next move finds them there. */
const margin = 20;
const most = 200;

/** Asks for the reasons of the rows in sight; sooner where some are not known yet. */
export function askReasons(state: State): readonly Ask[] {
	const {rows, top, gone} = state.lists.processes;
	const near = (rows as readonly Process[]).slice(Math.max(0, top - margin), top + state.rows + margin).filter(({status, processid}) => status === 0 && processid !== gone).slice(0, most);
	if (near.length === 0) {
		return [];
	}

	const known = reasonsIn(state);
	return [{
		slot: reasonsSlot, key: about(state), operation: 'process.reasons', input: {colonyid: state.colony!.colonyid, processids: near.map(({processid}) => processid)},
		topics: ['processes', 'computers'], every: known && near.some(({processid}) => !known.has(processid)) ? 500 : 2000,
	}];
}

const styles: Partial<Record<Verdict, (text: string) => string>> = {'nobody-can': danger, 'one-fix-away': warning, 'being-taken': success};

/** A verdict coloured by what it means. */
export const verdictStyle = (verdict: Verdict | undefined): (text: string) => string => (verdict && styles[verdict]) ?? dim;

/** What is known of why this process waits. */
export const explanationOf = (state: State, id: Id): {result?: Explanation; error?: {message: string}} => answerIn(state, whySlot, id, 'process.explain');

/** Why it waits, as pairs for the side pane and an open process: the verdict, and the nearest computers with what keeps them. */
export function whyPairs(state: State, {processid, status}: Process): ReadonlyArray<readonly [label: string, text: string]> {
	// Of a moment that has been it is not told.
	if (status !== 0 || state.past) {
		return [];
	}

	const {result, error} = explanationOf(state, processid);
	if (!result) {
		return [['why', error?.message ?? '…']];
	}

	return [
		['why', `${result.says}${result.fix ? ` e F: ${result.fix.says}.` : ''}`],
		...result.computers.slice(0, 3).map(computer => [visible(computer.name), computer.mayrun ? 'may run it' : obstacles(computer)] as const),
	];
}
