const blocks = ' ▁▂▃▄▅▆▇█';

/** Values over time; null where nothing was measured. */
export type Values = ReadonlyArray<number | null>;

/** How buckets lie in the columns of a chart: each column of `cells` cells stands for the buckets from `from` up to `to`. */
export type ChartColumn = {from: number; to: number};
export type Placement = {columns: readonly ChartColumn[]; cells: number};

/** A column is never wider than this. */
const widest = 3;

/**
Lays buckets out in so many cells: each in a column of its own, as wide as there is room, or several in one.
Which ones are together goes by `first`, the number of the first bucket since 1970, so that the columns stay the same while time goes on.
*/
export function placeBuckets(count: number, room: number, first: number): Placement {
	if (count <= 0 || room <= 0) {
		return {columns: [], cells: 1};
	}

	if (room === 1) {
		return {columns: [{from: 0, to: count}], cells: 1};
	}

	// Where the first bucket begins in the midst of a group there is one group more; there is room for it always, so that groups stay as large as they are.
	const group = count <= room ? 1 : Math.ceil((count - 1) / (room - 1));
	const columns: ChartColumn[] = [];
	for (let from = 0; from < count;) {
		const to = Math.min(count, (Math.floor((first + from) / group) * group) + group - first);
		columns.push({from, to});
		from = to;
	}

	return {columns, cells: Math.max(1, Math.min(widest, Math.floor(room / columns.length)))};
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The value of each column: the sum of its buckets, or the highest of them; null where none has any. */
export const valuesOf = (values: Values, {columns}: Placement, by: 'sum' | 'highest'): Array<number | null> => columns.map(({from, to}) => {
	const there = values.slice(from, to).filter(value => value !== null);
	return there.length === 0 ? null : (by === 'sum' ? sumOf(there) : Math.max(...there));
});

/** The greatest of values; 0 where there is none. */
export const highest = (values: Values): number => Math.max(0, ...values.map(value => value ?? 0));

/** The end of a scale that has this value in it: 1, 2 or 5 times a power of ten. */
export function niceTop(value: number): number {
	if (!(value > 0)) {
		return 1;
	}

	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 5, 10].map(step => step * power).find(top => top >= value * (1 - 1e-9)) ?? value;
}

/** How many eighths of a cell a value is high; one at least where it is more than nothing. */
const eighths = (value: number | null, top: number, height: number): number => value === null || value <= 0 || top <= 0 ? 0 : Math.max(1, Math.min(height * 8, Math.round(value / top * height * 8)));

/** Bars over time, `height` lines from the top down; the highest reaches the first line where it is `top`. */
export function barLines(values: Values, {height, top, cells}: {height: number; top: number; cells: number}): string[] {
	const heights = values.map(value => eighths(value, top, height));
	return Array.from({length: height}, (_, line) => heights.map(eighth => blocks[Math.max(0, Math.min(8, eighth - ((height - 1 - line) * 8)))]!.repeat(cells)).join(''));
}

/** The same in one line. */
export const barLine = (values: Values, cells: number, top = highest(values)): string => barLines(values, {height: 1, top, cells})[0]!;

/** Upper ends of the steps that a wait is told in, in seconds: 1 is below a tenth of a second, 9 an hour or more. */
export const heatSteps = [0.1, 1, 5, 15, 60, 300, 900, 3600] as const;

/** How long something took, as a digit from 1 to 9; a space for nothing. */
export const heatOf = (seconds: number | null): string => seconds === null ? ' ' : String(1 + heatSteps.filter(step => seconds >= step).length);

/** How much there was, as a digit from 1 to 9 of the greatest; a space for nothing, a point for none. */
export const shareOf = (value: number | null, most: number): string => value === null ? ' ' : (value <= 0 || most <= 0 ? '·' : String(Math.max(1, Math.min(9, Math.ceil(value / most * 9)))));

/** `38`, `1.2k`, `34k`, `1.2M`; never more than five characters up to a billion. */
export function formatCount(count: number): string {
	const units = ['', 'k', 'M', 'G', 'T'];
	let [value, unit] = [count, 0];
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}

	return `${unit === 0 ? Math.round(value) : (value < 9.95 ? Number(value.toFixed(1)) : Math.round(value))}${units[unit]}`;
}

/** Labels at places of a line, each where it begins; what would touch the one before or leave the line is left out. */
export function axisLine(labels: ReadonlyArray<{at: number; text: string}>, width: number): string {
	let line = '';
	for (const {at, text} of labels) {
		if ((line === '' || at > line.length) && at + text.length <= width) {
			line = line.padEnd(at) + text;
		}
	}

	return line;
}
