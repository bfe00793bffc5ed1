import type {Pulse} from '../../core/pulse.ts';
import {formatClock, formatSeconds, formatTime} from '../../core/time.ts';
import {visible} from '../../core/text.ts';
import {
	bucketAt, bucketTime, isCount, lineIndex, type Measure, measures, measureTitles, pulseAnswer, type PulseLine, pulseLines, spanOf,
} from '../pulse.ts';
import type {State} from '../state.ts';
import {accent, bold, danger, dim, inverse, success, warning} from '../terminal/style.ts';
import {fit, fitAnsi} from '../terminal/width.ts';
import {
	axisLine, barLine, barLines, formatCount, heatOf, highest, niceTop, type Placement, placeBuckets, shareOf, type Values, valuesOf,
} from './chart.ts';
import {noDataLines} from './unreached.ts';
import {wrapWords} from './wrap.ts';

type Size = {width: number; height: number};

/** What a page is drawn from. */
type Page = {state: State; pulse: Pulse; lines: readonly PulseLine[]; cursor: number; measure: Measure; placement: Placement; /** Cells left of the time axis, and in all. */ gutter: number; width: number; /** Column under the cursor. */ column: number | undefined};

const format = (measure: Measure, value: number | null): string => value === null ? '-' : (isCount(measure) ? formatCount(value) : formatSeconds(value));

const styleOf = (measure: Measure): (text: string) => string => ({
	submitted: accent, successful: success, failed: danger, waitp50: warning, waitp95: warning, runp50: accent, runp95: accent,
})[measure];

/** From this width on a line has its numbers of waits beside its total. */
const roomyFrom = 100;

/** The shortest gutter, and the most that it grows by where the time axis leaves room. */
const gutterOf = (width: number): number => width >= roomyFrom ? 29 : 19;
const growth = 16;

function pageOf(state: State, pulse: Pulse, width: number): Page {
	const lines = pulseLines(pulse);
	const buckets = pulse.series.submitted.length;
	const least = gutterOf(width);
	const placement = placeBuckets(buckets, width - least - 1, Math.round(Date.parse(pulse.from) / 1000 / pulse.step));
	const spare = width - least - 1 - (placement.columns.length * placement.cells);
	const bucket = bucketAt(pulse, state.pulse);
	return {
		state, pulse, lines, cursor: lineIndex(lines, state.pulse), measure: state.pulse.measure, placement, width,
		gutter: least + Math.max(0, Math.min(growth, spare)),
		column: bucket === undefined ? undefined : placement.columns.findIndex(({from, to}) => bucket >= from && bucket < to),
	};
}

const valuesFor = ({measure, placement}: Page, {series}: PulseLine): Values => valuesOf(series[measure], placement, isCount(measure) ? 'sum' : 'highest');

/** The measures, the one that is shown in brackets. */
function measureLine({measure, width, lines, cursor, placement, pulse}: Page): string {
	const names = measures.map(name => name === measure ? bold(`[${measureTitles[name]}]`) : measureTitles[name]).join(' ');
	const {from, to} = placement.columns[Math.floor(placement.columns.length / 2)] ?? {from: 0, to: 1};
	const each = `${isCount(measure) ? 'per' : 'highest of each'} ${formatSeconds((to - from) * pulse.step)}`;
	return fitAnsi(` ${names}  ${dim(`of ${lines[cursor]!.name}, ${each}`)}`, width);
}

/** The chart of the line under the cursor: bars over the time axis, with what the highest and the middle of it mean. */
function chartLines(page: Page, height: number): string[] {
	const {gutter, measure, placement, lines, cursor} = page;
	const values = valuesFor(page, lines[cursor]!);
	const top = niceTop(highest(values));
	// Half of it is told where there is a line for it.
	const middle = height >= 6 && height % 2 === 0 ? height / 2 : -1;
	return barLines(values, {height, top, cells: placement.cells}).map((bars, index) => {
		const value = index === 0 ? top : (index === middle ? top / 2 : undefined);
		const label = value === undefined ? '' : format(measure, isCount(measure) && value !== Math.round(value) ? null : value).replace('-', '');
		return `${fit(label, gutter - 2, 'right')} ${label === '' ? '│' : '┤'}${styleOf(measure)(bars)}`;
	});
}

/** The times under the chart: of day, or days where it is about several; a mark where the cursor is. */
function timeLine({state, pulse, placement, gutter, width, column}: Page): string {
	const {columns, cells} = placement;
	const span = columns.length * cells;
	const isLong = pulse.step >= 3600;
	const text = (at: number): string => isLong ? formatTime(new Date(at).toISOString(), state.utc).slice(5, 10) : formatClock(at, state.utc).slice(0, 5);
	const labels: Array<{at: number; text: string}> = [];
	for (const [index, {from}] of columns.entries()) {
		const label = text(bucketTime(pulse, from));
		if (index * cells >= (labels.at(-1)?.at ?? -12) + 12 && label !== labels.at(-1)?.text) {
			labels.push({at: index * cells, text: label});
		}
	}

	const zone = state.utc ? 'UTC' : '';
	const line = axisLine(labels, span).padEnd(span);
	const marked = column === undefined ? dim(line) : `${dim(line.slice(0, column * cells))}${bold('^'.repeat(cells))}${dim(line.slice((column + 1) * cells))}`;
	return fitAnsi(`${fit(zone, gutter - 2, 'right')} └${marked}`, width);
}

const headingOf = ({state, gutter, width, measure}: Page): string => dim(fit(`  ${fit(state.pulse.by === 'type' ? 'TYPE' : 'COMPUTER', nameWidth(gutter, width))}${fit(isCount(measure) ? 'TOTAL' : 'ALL', 6, 'right')}${width >= roomyFrom ? ` ${fit('WAIT95', 6, 'right')}` : ''}`, gutter));

const nameWidth = (gutter: number, width: number): number => gutter - (width >= roomyFrom ? 16 : 9);

const heatStyle = (digit: string): (text: string) => string => digit >= '7' ? danger : (digit >= '4' ? warning : success);

/** The cells of a line over the time axis: a bar for each, or a digit. Digits of waits and runs mean the same everywhere; those of counts, shares of the highest in sight. */
function cellsOf(page: Page, line: PulseLine, most: number): Array<readonly [text: string, style: (text: string) => string]> {
	const {measure, placement: {cells}, state} = page;
	const values = valuesFor(page, line);
	const own = highest(values);
	return values.map(value => {
		if (!state.pulse.digits) {
			return [barLine([value], cells, own), styleOf(measure)];
		}

		const digit = isCount(measure) ? shareOf(value, most) : heatOf(value);
		return [digit.repeat(cells), isCount(measure) ? styleOf(measure) : heatStyle(digit)];
	});
}

function rowLine(page: Page, index: number, most: number): string {
	const {lines, cursor, gutter, width, measure, column} = page;
	const line = lines[index]!;
	const isCursor = index === cursor;
	const numbers = `${fit(format(measure, line.totals[measure]), 6, 'right')}${width >= roomyFrom ? ` ${fit(format('waitp95', line.totals.waitp95), 6, 'right')}` : ''}`;
	const label = fit(`${isCursor ? '>' : ' '} ${fit(line.name, nameWidth(gutter, width))}${numbers}`, gutter);
	const cells = cellsOf(page, line, most).map(([text, style], at) => isCursor && at === column ? inverse(text) : style(text)).join('');
	return fitAnsi(`${isCursor ? bold(label) : label}${cells}`, width);
}

/** Which rows are in sight: the one under the cursor is. */
const windowOf = (count: number, cursor: number, height: number): number => Math.max(0, Math.min(cursor - Math.floor(height / 2), count - height));

/** What is under the cursor, in words. */
function detailLine({state, pulse, lines, cursor, placement, column, width}: Page): string {
	const {name, totals, series} = lines[cursor]!;
	const {from, to} = column === undefined ? {from: 0, to: series.submitted.length} : placement.columns[column]!;
	const clock = (bucket: number): string => formatTime(new Date(bucketTime(pulse, bucket)).toISOString(), state.utc).slice(5, pulse.step < 60 ? 19 : 16);
	const sum = (values: readonly number[]) => values.slice(from, to).reduce((all, value) => all + value, 0);
	const most = (values: Values) => valuesOf(values, {columns: [{from, to}], cells: 1}, 'highest')[0]!;
	const {waitp50, waitp95, runp50, runp95} = column === undefined
		? totals
		: {waitp50: most(series.waitp50), waitp95: most(series.waitp95), runp50: most(series.runp50), runp95: most(series.runp95)};
	const parts = [
		`${name}${column === undefined ? `, ${spanOf(state)}` : ` ${clock(from)}-${clock(to).slice(6)}`}:`,
		`${sum(series.submitted)} submitted, ${sum(series.successful)} done, ${sum(series.failed)} failed`,
		`wait p50 ${format('waitp50', waitp50)} p95 ${format('waitp95', waitp95)}`,
		`run p50 ${format('runp50', runp50)} p95 ${format('runp95', runp95)}`,
		...(sum(series.requeued) > 0 ? [`${sum(series.requeued)} requeued`] : []),
	];
	return fitAnsi(` ${parts.join('  ')}`, width);
}

/** Lines of the chart at most. */
const tallest = 18;

const legend = ' 1 <0.1s  2 <1s  3 <5s  4 <15s  5 <1m  6 <5m  7 <15m  8 <1h  9 more';

function drawPage(page: Page, height: number): string[] {
	const {lines, cursor, state, measure, width} = page;
	// What is measured in time has its digits explained where there is room.
	const explains = state.pulse.digits && !isCount(measure) && height >= 14;
	const room = Math.max(3, height - 4 - (explains ? 1 : 0));
	const rows = Math.min(lines.length, Math.max(1, Math.floor(room / 2), room - tallest));
	const chart = Math.min(tallest, room - rows);
	const even = chart >= 6 ? chart - (chart % 2) : chart;
	const first = windowOf(lines.length, cursor, rows);
	const most = highest(lines.slice(1).flatMap(line => valuesFor(page, line)));
	return [
		measureLine(page),
		...chartLines(page, even),
		timeLine(page),
		headingOf(page),
		...Array.from({length: rows}, (_, index) => rowLine(page, first + index, most)),
		...(explains ? [dim(fit(legend, width))] : []),
		detailLine(page),
	].slice(0, height);
}

/** The body of 1 Pulse. */
export function drawPulse(state: State, {width, height}: Size): string[] {
	const {result, error} = pulseAnswer(state);
	if (!result && !state.reach.reachable) {
		return noDataLines(state, width).slice(0, height);
	}

	if (!result) {
		const texts = error ? [error.message, ...(error.hint ? [error.hint] : [])] : ['Counting …'];
		return ['', ...texts.flatMap(text => wrapWords(visible(text), width - 4)).map(line => `  ${line}`)].slice(0, height);
	}

	return drawPage(pageOf(state, result, width), height);
}

/** How the time axis is divided now: for moving along it. */
export function placementOf(state: State, pulse: Pulse, width: number): Placement {
	return pageOf(state, pulse, width).placement;
}
