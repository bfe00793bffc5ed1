import {type Line, anchor, prepareLine} from './line.ts';
import {padAnsi, sliceCells} from './width.ts';

/** Strings over a region of the frame. Cells and rows, from 0. */
export type Paint = {
	top: number;
	left: number;
	width: number;
	lines: readonly string[];
	/** What is painted over what; 0 unless given. Among equals the later one wins. */
	layer?: number;
};

/** A stretch of one row: the frame's own line, or a paint over it. */
type Stretch = Line & {left: number; room: number};

/** One row of the terminal, from the bottom stretch to the top one. */
export type Row = readonly Stretch[];

export type Size = {columns: number; rows: number};

const stretch = (raw: string, {left, room}: {left: number; room: number}, colour: boolean, before: Stretch | undefined): Stretch =>
	before?.raw === raw && before.left === left && before.room === room ? before : {...prepareLine(raw, room, colour), left, room};

/** A row of a terminal that was just cleared. */
export const blankRow = (columns: number): Row => [{
	raw: '', text: '', width: 0, uneven: false, left: 0, room: columns,
}];

/** Lays the paints over the frame. A stretch that equals the one in `before` is that very object, so that comparing rows is cheap. */
export function composeRows(frame: readonly string[], paints: Iterable<Paint>, {columns, rows}: Size, {before, colour}: {before: readonly Row[]; colour: boolean}): Row[] {
	const layout: Array<Array<{raw: string; left: number; room: number}>> = Array.from({length: rows}, (_, index) => [{raw: frame[index] ?? '', left: 0, room: columns}]);
	for (const {top, left, width, lines} of [...paints].sort((a, b) => (a.layer ?? 0) - (b.layer ?? 0))) {
		const room = Math.min(width, columns - left);
		if (room <= 0 || left < 0) {
			continue;
		}

		for (const [index, raw] of lines.entries()) {
			const row = layout[top + index];
			if (row) {
				// A paint of the whole width hides everything below it; no slicing is needed.
				row.splice(0, room === columns ? row.length : 0);
				row.push({raw, left, room});
			}
		}
	}

	return layout.map((row, top) => row.map((part, index) => stretch(part.raw, part, colour, before[top]?.[index])));
}

const at = (top: number, left: number): string => `\u001B[${top + 1};${left + 1}H`;

function drawStretch({text, width, left, room, uneven}: Stretch, top: number, columns: number): string {
	const reset = text.includes('\u001B') ? '\u001B[0m' : '';
	// What a terminal draws narrower than expected must not leave an old cell behind.
	const drawn = uneven ? `\u001B[${room}X${anchor(text, left)}${reset}` : text + reset;
	if (width === room) {
		return at(top, left) + drawn;
	}

	const end = left + room === columns ? '\u001B[K' : ' '.repeat(room - width);
	return at(top, left) + drawn + (uneven ? `\u001B[${left + width + 1}G` : '') + end;
}

const sameLayout = (a: Row, b: Row | undefined): boolean =>
	b?.length === a.length && a.every((part, index) => part.left === b[index]!.left && part.room === b[index]!.room);

/** What to write so that the terminal's row `before` becomes `row`; empty where nothing changed. Everything is drawn where `before` is undefined. */
export function drawRow(row: Row, before: Row | undefined, top: number, columns: number): string {
	const afresh = !sameLayout(row, before);
	const touched: Array<{left: number; room: number}> = [];
	let drawn = '';
	for (const [index, part] of row.entries()) {
		const under = touched.some(other => other.left < part.left + part.room && part.left < other.left + other.room);
		if (afresh || under || part.raw !== before![index]!.raw) {
			drawn += drawStretch(part, top, columns);
			// A terminal that draws it wider than expected has written over what stands to its right.
			touched.push({left: part.left, room: part.uneven || before?.[index]?.uneven ? columns : part.room});
		}
	}

	return drawn;
}

/** The row as one string, for tests and snapshots. */
export function flattenRow([base, ...paints]: Row): string {
	let text = base?.text ?? '';
	for (const part of paints) {
		const before = padAnsi(sliceCells(text, 0, part.left), part.left);
		const reset = (text + part.text).includes('\u001B') ? '\u001B[0m' : '';
		text = before + reset + padAnsi(part.text, part.room) + reset + sliceCells(text, part.left + part.room, Number.POSITIVE_INFINITY);
	}

	return text;
}
