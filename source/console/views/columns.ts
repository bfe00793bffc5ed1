import {layoutOf} from '../layout.ts';
import {type Column, type Screen, screens} from '../screens/index.ts';
import {viewOf} from '../sorting.ts';
import type {Overlay, RowValue, State} from '../state.ts';
import {bold, dim, inverse} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import {box} from './box.ts';

/** A column with the cells that it gets. */
export type Placed = {column: Column<RowValue>; width: number};

/** Cells that the columns of the list on the screen have. */
export const roomOf = (state: State): number => layoutOf(state).list - 4;

const cellsOf = (columns: ReadonlyArray<Column<RowValue>>): number => columns.reduce((sum, {width}) => sum + width + 1, 0);

/** The columns that say something and that nobody has left out. */
const chosen = (screen: Screen, state: State): Array<Column<RowValue>> => {
	const {hidden = []} = viewOf(state, screen.name);
	return screen.columns.filter(({title, shown}) => !hidden.includes(title) && (shown?.(state) ?? true));
};

/** The columns that fit, the rest dropped in the order in which they yield. */
function unyielding(columns: Array<Column<RowValue>>, room: number): Array<Column<RowValue>> {
	let left = columns;
	while (cellsOf(left) > room) {
		const most = Math.max(...left.map(({yields}) => yields));
		if (most === 0) {
			break;
		}

		left = left.filter(({yields}) => yields !== most);
	}

	return left;
}

/** The first column, and those from an offset on that fit beside it, none left out between. */
function scrolled([first, ...others]: ReadonlyArray<Column<RowValue>>, offset: number, room: number): Array<Column<RowValue>> {
	const shown = first ? [first] : [];
	for (const column of others.slice(offset)) {
		if (cellsOf([...shown, column]) > room) {
			break;
		}

		shown.push(column);
	}

	return shown;
}

/** How far columns may be scrolled: until the last one is in sight. */
export function columnsEnd(screen: Screen, state: State, room: number): number {
	const columns = chosen(screen, state);
	if (cellsOf(columns) <= room) {
		return 0;
	}

	let offset = 1;
	while (offset < columns.length - 2 && scrolled(columns, offset, room).at(-1) !== columns.at(-1)) {
		offset++;
	}

	return offset;
}

/** The columns that are shown, with their widths; the one that grows takes what is left. */
export function placeColumns(screen: Screen, state: State, room: number): Placed[] {
	const offset = Math.min(viewOf(state, screen.name).offset ?? 0, columnsEnd(screen, state, room));
	const columns = offset === 0 ? unyielding(chosen(screen, state), room) : scrolled(chosen(screen, state), offset, room);
	const spare = Math.max(0, room - cellsOf(columns));
	const growing = columns.filter(({grows}) => grows).length;
	return columns.map(column => ({column, width: column.width + (column.grows ? Math.floor(spare / growing) : 0)}));
}

/** The columns of a list, to be left out and taken back in. */
export function columnsPage(overlay: Extract<Overlay, {kind: 'columns'}>, state: State): string[] {
	const {body: height} = layoutOf(state);
	const screen = screens[state.screen];
	const {hidden = []} = viewOf(state, state.screen);
	const first = Math.max(0, overlay.cursor + 1 - Math.max(1, height - 4));
	const lines = screen.columns.map(({title, shown}, index) => {
		const text = ` ${hidden.includes(title) ? '[ ]' : '[x]'}  ${fit(title, 14)}${shown?.(state) ?? true ? '' : dim(' not on this tab')}`;
		return index === overlay.cursor ? inverse(text) : text;
	});
	return box(`Columns of ${screen.title} `, ['', ...lines.slice(first, first + height - 4), '', ` ${bold('space')} shows and hides, ${bold('esc')} goes back; it is remembered.`], {width: state.columns, height});
}
