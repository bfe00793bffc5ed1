import {widthOf, withoutStyle} from '../terminal/width.ts';
import type {Piece} from './wrap.ts';

/**
A part of a row that is a text of its own, or goes on with that of the same column in the row above; from one place to another in UTF-16 units of the row without its style.
`joint`: what stood between it and the row above, where the text was wrapped; undefined where a text begins.
*/
export type Cell = {from: number; to: number; joint?: string};

/** A row of a page as it is drawn, with SGR. Which texts stand in it is said where a text is wrapped over rows, or the row has columns; else it is one text. */
export type Row = string | {drawn: string; cells: readonly Cell[]};

/** What is drawn of a row. */
export const drawnOf = (row: Row): string => typeof row === 'string' ? row : row.drawn;

/** The texts that stand in a row. */
export const cellsOf = (row: Row): readonly Cell[] => typeof row === 'string' ? [{from: 0, to: withoutStyle(row).length}] : row.cells;

type Beside = {style?: (text: string) => string; /** What stands at the left of the first row. */ first?: string; /** At the left of the others; blanks unless given. */ rest?: string};

/** The rows of a wrapped text, with what stands at their left. */
export function rowsOf(pieces: readonly Piece[], {style = text => text, first = '', rest = ' '.repeat(widthOf(first))}: Beside = {}): Row[] {
	const before = withoutStyle(rest).length;
	return pieces.map(({text, joint, indent}, index) => {
		const drawn = (index === 0 ? first : rest) + style(text);
		return joint === undefined ? drawn : {drawn, cells: [{from: before + indent, to: before + withoutStyle(text).length, joint}]};
	});
}

/** A row further right, by so many blanks. */
export const shifted = (row: Row, by: number): Row => typeof row === 'string'
	? ' '.repeat(by) + row
	: {drawn: ' '.repeat(by) + row.drawn, cells: row.cells.map(cell => ({...cell, from: cell.from + by, to: cell.to + by}))};
