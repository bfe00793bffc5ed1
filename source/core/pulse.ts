import {InvalidInput} from './errors.ts';
import {formatSpan} from './time.ts';
import type {Id, Time} from './types.ts';

const [minute, hour, day] = [60, 3600, 86_400];

/** Lengths of the buckets that the history is counted in, finest first, and for how long they are kept at least; all in seconds. Each is a multiple of the one before. */
export const pulseLevels = [
	{level: 10, kept: 3 * hour},
	{level: minute, kept: 2 * day},
	{level: 15 * minute, kept: 10 * day},
	{level: 2 * hour, kept: 400 * day},
] as const;

export type PulseLevel = (typeof pulseLevels)[number]['level'];

/** Lengths that the buckets of an answer may have, by name, in seconds. */
export const pulseSteps = {
	'10s': 10, '1m': minute, '5m': 5 * minute, '15m': 15 * minute, '30m': 30 * minute, '1h': hour, '2h': 2 * hour, '6h': 6 * hour, '12h': 12 * hour, '1d': day,
} as const;

export type PulseStep = keyof typeof pulseSteps;
export const pulseStepNames = Object.keys(pulseSteps) as [PulseStep, ...PulseStep[]];

/** Spans that the console offers; any other from a minute to a year may be asked for. */
export const pulseSpans = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;

/** Seconds: the shortest and the longest span, and how many buckets an answer has at most. */
export const pulseLimits = {shortest: minute, longest: 366 * day, buckets: 500, wanted: 120} as const;

/** What is counted: how many processes were submitted, given to a computer, closed or cancelled, and went back to waiting. */
export const pulseCounts = ['submitted', 'assigned', 'successful', 'failed', 'requeued'] as const;
/** What is measured, in seconds: the wait of those that were assigned, since they were submitted or went back to waiting, and the run of those that were closed. */
export const pulsePercentiles = ['waitp50', 'waitp95', 'runp50', 'runp95'] as const;

export type PulseCount = (typeof pulseCounts)[number];
export type PulsePercentile = (typeof pulsePercentiles)[number];

/** Of all buckets together. A percentile is null where nothing was measured, and within `cellError` of the real one. */
export type PulseTotals = Record<PulseCount, number> & Record<PulsePercentile, number | null>;
/** The same bucket by bucket. */
export type PulseSeries = Record<PulseCount, number[]> & Record<PulsePercentile, Array<number | null>>;

/** What was counted of one type or one computer. `key`: a type, empty where none was asked for, or the id of a computer. `name`: of a computer that is still registered. */
export type PulseRow = {key: string; name?: string; totals: PulseTotals; series: PulseSeries};

export type Pulse = {
	colonyid: Id;
	by: 'none' | 'type' | 'computer';
	/** Begin of the first bucket and end of the last one, which has begun. */
	from: Time;
	to: Time;
	/** The database's clock. */
	now: Time;
	/** Seconds of a bucket. */
	step: number;
	/** How many waited and ran at the end of each bucket, now for the last; where more than 10,000 do now, at least so many. */
	waiting: number[];
	running: number[];
	totals: PulseTotals;
	series: PulseSeries;
	/** The types or computers of which most was counted. */
	rows: PulseRow[];
	/** The rest of them together; left out when there is none. */
	others?: {keys: number; totals: PulseTotals; series: PulseSeries};
};

/** The step for a span in seconds: the shortest that needs no more than some hundred buckets. */
export function stepFor(span: number): PulseStep {
	return pulseStepNames.find(name => Math.ceil(span / pulseSteps[name]) <= pulseLimits.wanted) ?? pulseStepNames.at(-1)!;
}

/** The coarsest level that a step is made of. @throws InvalidInput when that is not kept for so long, or there would be too many buckets */
export function levelFor(span: number, step: PulseStep): PulseLevel {
	const {level, kept} = pulseLevels.findLast(({level}) => pulseSteps[step] % level === 0)!;
	const buckets = Math.ceil(span / pulseSteps[step]);
	const hint = `Leave out the step, or take ${stepFor(span)}.`;
	if (buckets > pulseLimits.buckets) {
		throw new InvalidInput(`A span of ${formatSpan(span * 1000)} has ${buckets} steps of ${step}; an answer has at most ${pulseLimits.buckets}.`, {hint});
	}

	if (span > kept - hour) {
		throw new InvalidInput(`Steps of ${step} are kept for ${formatSpan((kept - hour) * 1000)}, not for ${formatSpan(span * 1000)}.`, {hint});
	}

	return level;
}
