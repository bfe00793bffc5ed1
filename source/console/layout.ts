import {screens} from './screens/index.ts';
import type {State} from './state.ts';

/** The smallest terminal that the console draws itself in; below it a notice asks for room. */
export const smallest = {columns: 60, rows: 15} as const;
/** From this width on the side pane stands beside the list. */
const sideFrom = 100;

export type Layout = {
	/** Rows above the body: title, counts, screens, tabs. */
	header: number;
	/** Rows of the body, borders included. */
	body: number;
	/** Rows below it: keys, and what happened. */
	footer: number;
	/** Cells of the list and of the side pane; the pane has 0 where it is not shown. */
	list: number;
	side: number;
};

/** How the terminal is divided. */
export function layoutOf({columns, rows, wide, screen}: Pick<State, 'columns' | 'rows' | 'wide' | 'screen'>): Layout {
	const header = 4;
	const footer = 2;
	const side = columns >= sideFrom && !wide && !screens[screen].body ? Math.min(56, Math.floor(columns * 0.38)) : 0;
	return {header, footer, body: rows - header - footer, list: columns - side, side};
}

/** Rows of a list that are visible at once. */
export const visibleRows = (state: Pick<State, 'columns' | 'rows' | 'wide' | 'screen'>): number => Math.max(1, layoutOf(state).body - 2);

/** Whether the terminal is too small to draw in. */
export const isTooSmall = ({columns, rows}: Pick<State, 'columns' | 'rows'>): boolean => columns < smallest.columns || rows < smallest.rows;
