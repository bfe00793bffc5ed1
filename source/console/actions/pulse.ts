import {type FilterTerm, printFilter} from '../../core/filter-language/index.ts';
import {parseSpan} from '../../core/spans.ts';
import type {ProcessState} from '../../core/types.ts';
import {layoutOf} from '../layout.ts';
import {
	bucketAt, bucketTime, lineIndex, type Measure, measures, pulseAnswer, pulseLines, spanOf,
} from '../pulse.ts';
import {screens} from '../screens/index.ts';
import {type PulseChoice, type State, type Step, storeNow} from '../state.ts';
import {placementOf} from '../views/pulse.ts';
import {type Action, quiet} from './action.ts';
import {restart, showScreen} from './moving.ts';

const choose = (state: State, choice: Partial<PulseChoice>): Step => quiet({...state, pulse: {...state.pulse, ...choice}});

function moveLine(state: State, by: number): Step {
	const {result} = pulseAnswer(state);
	if (!result) {
		return quiet(state);
	}

	const lines = pulseLines(result);
	return choose(state, {row: lines[Math.max(0, Math.min(lines.length - 1, lineIndex(lines, state.pulse) + by))]!.id});
}

/** From the whole span one comes to the latest column. */
function moveTime(state: State, by: number): Step {
	const {result} = pulseAnswer(state);
	const columns = result ? placementOf(state, result, layoutOf(state).list).columns : [];
	if (!result || columns.length === 0) {
		return quiet(state);
	}

	const bucket = bucketAt(result, state.pulse);
	const before = bucket === undefined ? (by < -1 ? 0 : columns.length - (by > 0 ? 1 : 0)) : columns.findIndex(({from, to}) => bucket >= from && bucket < to);
	const {from} = columns[Math.max(0, Math.min(columns.length - 1, before + by))]!;
	return choose(state, {at: bucketTime(result, from)});
}

/** Of what a process in the list must be so that a measure counts it: the state that it is in, and by which of its times it is counted. */
const counted: Record<Measure, {tab?: ProcessState; time: 'submitted' | 'started' | 'ended'}> = {
	submitted: {time: 'submitted'},
	successful: {tab: 'successful', time: 'ended'},
	failed: {tab: 'failed', time: 'ended'},
	waitp50: {time: 'started'},
	waitp95: {time: 'started'},
	runp50: {time: 'ended'},
	runp95: {time: 'ended'},
};

/** The filter for the processes under the cursor. Times are told as ages, in whole seconds: of a bucket that is long ago they are as good as its bounds. */
export function filterHere(state: State): string {
	const {result} = pulseAnswer(state);
	if (!result) {
		return '';
	}

	const lines = pulseLines(result);
	const {key} = lines[lineIndex(lines, state.pulse)]!;
	const {time} = counted[state.pulse.measure];
	const bucket = bucketAt(result, state.pulse);
	const column = bucket === undefined ? undefined : placementOf(state, result, layoutOf(state).list).columns.find(({from, to}) => bucket >= from && bucket < to);
	const ago = (at: number): number => Math.max(0, Math.round((storeNow(state) - at) / 1000));
	const ages: Array<[operator: FilterTerm['operator'], value: number]> = column === undefined
		? [['<=', parseSpan(spanOf(state))]]
		: [['<=', ago(bucketTime(result, column.from))], ['>', ago(bucketTime(result, column.to))]];
	const terms: FilterTerm[] = [
		...(key === undefined ? [] : [{field: state.pulse.by, operator: 'is' as const, value: key, not: false}]),
		...ages.filter(([operator, value]) => operator === '<=' || value > 0).map(([operator, value]) => ({field: time, operator, value, not: false})),
	];
	return printFilter('processes', terms);
}

/** Why the processes under the cursor cannot be listed. */
export function whyNotOpened(state: State): string | undefined {
	const {result} = pulseAnswer(state);
	if (!result) {
		return 'Nothing is counted yet.';
	}

	return pulseLines(result)[lineIndex(pulseLines(result), state.pulse)]!.id === 'others' ? 'No filter tells the others apart; choose a line above, or all.' : undefined;
}

/** Looks at 1 Pulse in another way, moves over it, and opens what is under the cursor. */
export const pulseActions: Record<string, Action> = {
	'pulse-measure': (state, by) => choose(state, {measure: measures[(measures.indexOf(state.pulse.measure) + Number(by) + measures.length) % measures.length]}),
	'pulse-by': state => choose(state, {by: state.pulse.by === 'type' ? 'computer' : 'type', row: undefined}),
	'pulse-digits': state => choose(state, {digits: !state.pulse.digits}),
	'pulse-line': (state, by) => moveLine(state, Number(by)),
	'pulse-time': (state, by) => moveTime(state, Number(by)),
	'pulse-open'(state) {
		const filter = filterHere(state);
		const tab = screens.processes.tabs.indexOf(counted[state.pulse.measure].tab ?? 'all');
		const [shown, effects] = showScreen(state, 'processes');
		const [next, more] = restart({...shown, side: undefined}, 'processes', {tab, filter});
		return [next, [...effects.filter(({type}) => type !== 'load'), ...more]];
	},
};
