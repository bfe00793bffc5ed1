import {
	type Line, anchor, differenceOf, differencesOf, prepareLine,
} from './line.ts';
import {isNarrow, pad, sliceCells} from './width.ts';

/** Strings over a region of the frame. Cells and rows, from 0. */
export type Paint = {
	top: number;
	left: number;
	width: number;
	lines: readonly string[];
	/** What is painted over what; 0 unless given. Among equals the later one wins. */
	layer?: number | undefined;
};

/** A piece of one row: the frame's own line, or a paint over it. */
type Piece = Line & {left: number; room: number};

/** One row of the terminal, from the bottom piece to the top one. */
export type Row = readonly Piece[];

export type Size = {columns: number; rows: number};

/** How lines are shown: with colours, and in ASCII only. */
export type Manner = {colour: boolean; ascii?: boolean};

const prepare = (raw: string, {left, room}: {left: number; room: number}, manner: Manner, before: Piece | undefined): Piece =>
	before?.raw === raw && before.left === left && before.room === room ? before : {...prepareLine(raw, room, manner), left, room};

/** A row of a terminal that was just cleared. */
export const blankRow = (columns: number): Row => [{
	raw: '', text: '', width: 0, uneven: false, wide: false, left: 0, room: columns,
}];

/** Lays the paints over the frame. A line that stands in `before` is not prepared again. */
export function composeRows(frame: readonly string[], paints: Iterable<Paint>, {columns, rows}: Size, {before, ...manner}: Manner & {before: readonly Row[]}): Row[] {
	const layout: Array<Array<{raw: string; left: number; room: number}>> = Array.from({length: rows}, (_, index) => [{raw: frame[index] ?? '', left: 0, room: columns}]);
	for (const {top, left, width, lines} of [...paints].sort((a, b) => (a.layer ?? 0) - (b.layer ?? 0))) {
		const room = Math.min(width, columns - left);
		if (room <= 0 || left < 0) {
			continue;
		}

		for (const [index, raw] of lines.entries()) {
			const row = layout[top + index];
			if (row) {
				// A paint of the whole width hides everything below it; nothing needs slicing.
				row.splice(0, room === columns ? row.length : 0);
				row.push({raw, left, room});
			}
		}
	}

	return layout.map((row, top) => row.map((piece, index) => prepare(piece.raw, piece, manner, before[top]?.[index])));
}

const at = (top: number, left: number): string => `\u001B[${top + 1};${left + 1}H`;

const reset = (text: string): string => text.includes('\u001B') ? `${text}\u001B[0m` : text;

/** Blanks what is left of a piece behind its text. */
const blank = (cells: number, toEdge: boolean): string => cells === 0 ? '' : (toEdge ? '\u001B[K' : ' '.repeat(cells));

/** Draws a piece whole. */
const drawPiece = ({text, width, left, room}: Piece, top: number, columns: number): string =>
	at(top, left) + reset(text) + blank(room - width, left + room === columns);

/** From this length on it is worth looking whether a row can be written in parts. */
const longEnough = 48;

/** Draws what changed in a piece. */
function drawChange(piece: Piece, before: Piece, top: number, columns: number): string {
	const {column, text, width, toEnd} = differenceOf(piece, before);
	const cells = toEnd && piece.width < before.width ? piece.room - column - width : 0;
	if (text === '' && cells === 0) {
		return '';
	}

	const whole = at(top, piece.left + column) + reset(text) + blank(cells, piece.left + piece.room === columns);
	if (whole.length < longEnough || !isNarrow(piece.text) || !isNarrow(before.text)) {
		return whole;
	}

	const parts = differencesOf(piece, before).map(({column, text}) => at(top, piece.left + column) + reset(text)).join('');
	return parts.length < whole.length ? parts : whole;
}

const overlap = (one: Piece, other: Piece): boolean => one.left < other.left + other.room && other.left < one.left + one.room;

/** Whether a piece lies over one with characters of two cells. Its edge may cut one, and terminals differ in what they leave of that. */
const mayCut = (row: Row): boolean => row.some((piece, index) => piece.wide && row.slice(index + 1).some(over => overlap(piece, over)));

/**
Draws a row in which the terminal may see other widths: blank first, for what comes out narrower, and then as one text over the whole width, for what comes out wider.
*/
const drawUneven = (row: Row, top: number, columns: number): string => `${at(top, 0)}\u001B[2K${anchor(pad(reset(sliceCells(flattenRow(row), 0, columns)), columns), 0)}`;

const sameLayout = (a: Row, b: Row): boolean => b.length === a.length && a.every((piece, index) => piece.left === b[index]!.left && piece.room === b[index]!.room);

/** What to write so that the terminal's row `before` becomes `row`; empty where nothing changed. */
export function drawRow(row: Row, before: Row, top: number, columns: number): string {
	const afresh = !sameLayout(row, before);
	if (!afresh && row.every((piece, index) => piece.raw === before[index]!.raw)) {
		return '';
	}

	if ([...row, ...before].some(({uneven}) => uneven) || mayCut(row) || mayCut(before)) {
		return drawUneven(row, top, columns);
	}

	const touched: Piece[] = [];
	let drawn = '';
	for (const [index, piece] of row.entries()) {
		const covered = touched.some(each => overlap(each, piece));
		if (!afresh && !covered && piece.raw === before[index]!.raw) {
			continue;
		}

		drawn += afresh || covered ? drawPiece(piece, top, columns) : drawChange(piece, before[index]!, top, columns);
		touched.push(piece);
	}

	return drawn;
}

/** The row as one string, for tests and snapshots. */
export function flattenRow([base, ...paints]: Row): string {
	let text = base?.text ?? '';
	for (const {left, room, text: paint} of paints) {
		const before = pad(reset(sliceCells(text, 0, left)), left);
		const after = sliceCells(text, left + room, Number.POSITIVE_INFINITY);
		text = before + pad(reset(paint), room) + after;
	}

	return text;
}
