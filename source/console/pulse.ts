import {
	type Pulse, type PulseCount, type PulsePercentile, type PulseSeries, pulseSpans, type PulseTotals,
} from '../core/pulse.ts';
import {shortId, visible} from '../core/text.ts';
import type {Ask} from './answers.ts';
import {answerIn} from './asking.ts';
import type {PulseChoice, State} from './state.ts';

/** What can be looked at over time. */
export const measures = ['submitted', 'successful', 'failed', 'waitp50', 'waitp95', 'runp50', 'runp95'] as const;
export type Measure = (typeof measures)[number];

/** What people call it. */
export const measureTitles: Record<Measure, string> = {
	submitted: 'submitted', successful: 'done', failed: 'failed', waitp50: 'wait p50', waitp95: 'wait p95', runp50: 'run p50', runp95: 'run p95',
};

const counts: readonly string[] = ['submitted', 'successful', 'failed'] satisfies PulseCount[];

/** Whether it is a number of processes; else it is a time in seconds. */
export const isCount = (measure: Measure): measure is Exclude<Measure, PulsePercentile> => counts.includes(measure);

export type PulseSpan = (typeof pulseSpans)[number];

/** How often each span is asked for, in milliseconds: the longer, the less there is to see. */
const every: Record<PulseSpan, number> = {'15m': 2000, '1h': 5000, '6h': 10_000, '24h': 20_000, '7d': 30_000, '30d': 60_000};

/** The span that is shown: a tab of the screen. */
export const spanOf = ({lists}: State): PulseSpan => pulseSpans[lists.pulse.tab]!;

const keyOf = (state: State): string => `${state.colony?.colonyid ?? ''} ${spanOf(state)} ${state.pulse.by}`;
const slot = 'pulse';

/** What the screen asks for. */
export const askPulse = (state: State): Ask => ({
	slot, key: keyOf(state), operation: 'pulse.get', input: {colonyid: state.colony!.colonyid, span: spanOf(state), by: state.pulse.by}, every: every[spanOf(state)],
});

/** What came of it. */
export const pulseAnswer = (state: State) => answerIn(state, slot, keyOf(state), 'pulse.get');

/** A line of the screen: all together, one type or computer, or the rest of them. `id` stays the same when the order changes. */
export type PulseLine = {id: string; name: string; totals: PulseTotals; series: PulseSeries; key?: string};

/** The lines of an answer, all together first. */
export function pulseLines(pulse: Pulse): PulseLine[] {
	const nameOf = ({key, name}: {key: string; name?: string}) => pulse.by === 'type' ? visible(key) || '(any)' : (name === undefined ? shortId(key) : visible(name));
	return [
		{id: 'all', name: 'all', totals: pulse.totals, series: pulse.series},
		...pulse.rows.map(row => ({id: `=${row.key}`, name: nameOf(row), totals: row.totals, series: row.series, key: row.key})),
		...(pulse.others ? [{id: 'others', name: `${pulse.others.keys} others`, totals: pulse.others.totals, series: pulse.others.series}] : []),
	];
}

/** Where the cursor is among the lines; on the first where its own is not there. */
export const lineIndex = (lines: readonly PulseLine[], {row}: PulseChoice): number => Math.max(0, lines.findIndex(({id}) => id === row));

/** The bucket under the cursor; undefined where it is on the whole span, or its time has gone out of sight. */
export function bucketAt({from, step, series}: Pulse, {at}: PulseChoice): number | undefined {
	const bucket = at === undefined ? -1 : Math.floor((at - Date.parse(from)) / 1000 / step);
	return bucket >= 0 && bucket < series.submitted.length ? bucket : undefined;
}

/** When a bucket begins, in milliseconds since 1970. */
export const bucketTime = ({from, step}: Pulse, bucket: number): number => Date.parse(from) + (bucket * step * 1000);
