import {
	type Pulse, pulseCounts, pulsePercentiles, type PulseSeries, type PulseTotals,
} from '../../source/core/pulse.ts';

type Options = {
	by?: Pulse['by'];
	/** How many buckets, and how many seconds of each. */
	buckets?: number;
	step?: number;
	/** Types, or ids of computers; with the names of these. */
	keys?: readonly string[];
	name?: string;
	others?: number;
	/** A number for a bucket of a line; null for nothing. */
	value?: (line: number, bucket: number) => number | null;
	/** Milliseconds since 1970 of the end. */
	to?: number;
};

const wave = (line: number, bucket: number): number | null => (bucket + line) % 7 === 3 ? null : ((bucket * (line + 3)) % 11) * (line + 1);

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '000Z');

/** An answer of `pulse.get`, in which each line has its own wave. */
export function pulseOf({by = 'type', buckets = 90, step = 10, keys = ['gpu', 'cpu', ''], name, others = 0, value = wave, to = Date.UTC(2026, 0, 1)}: Options = {}): Pulse {
	const part = (line: number): {totals: PulseTotals; series: PulseSeries} => {
		const values = Array.from({length: buckets}, (_, bucket) => value(line, bucket));
		const numbers = values.map(each => each ?? 0);
		const total = numbers.reduce((sum, each) => sum + each, 0);
		return {
			totals: {...Object.fromEntries(pulseCounts.map(each => [each, total])), ...Object.fromEntries(pulsePercentiles.map(each => [each, total === 0 ? null : Math.max(...numbers)]))} as unknown as PulseTotals,
			series: {...Object.fromEntries(pulseCounts.map(each => [each, numbers])), ...Object.fromEntries(pulsePercentiles.map(each => [each, values]))} as unknown as PulseSeries,
		};
	};

	return {
		colonyid: 'c'.repeat(64),
		by,
		from: timeOf(to - (buckets * step * 1000)),
		to: timeOf(to),
		now: timeOf(to - 1000),
		step,
		waiting: Array.from({length: buckets}, (_, bucket) => value(0, bucket) ?? 0),
		running: Array.from({length: buckets}, () => 1),
		...part(0),
		rows: keys.map((key, index) => ({key, ...(name === undefined ? {} : {name}), ...part(index + 1)})),
		...(others > 0 ? {others: {keys: others, ...part(99)}} : {}),
	};
}
