import {visible} from '../../core/text.ts';
import {dataAt, type Screen, screens} from '../screens/index.ts';
import {layoutOf, visibleRows} from '../layout.ts';
import {marksOf} from '../marks.ts';
import {viewOf} from '../sorting.ts';
import {type RowValue, type State, storeNow} from '../state.ts';
import {
	bold, dim, inverse, warning,
} from '../terminal/style.ts';
import {fit, fitAnsi, withoutStyle} from '../terminal/width.ts';
import {box} from './box.ts';
import {type Placed, placeColumns, roomOf} from './columns.ts';
import {markedRows} from './found.ts';
import {noDataLines} from './unreached.ts';
import {fewLines, wrapWords} from './wrap.ts';

const drawRow = (row: RowValue, placed: readonly Placed[], state: State): string => placed.map(({column, width}) => {
	const text = fit(column.value(row, storeNow(state), state), width, column.align);
	return column.style ? column.style(text, row) : text;
}).join(' ');

// A row is drawn again only when it, the columns, the second or what stands beside it has changed.
const drawn = new WeakMap<RowValue, {placed: readonly Placed[]; second: number; beside: unknown; text: string}>();
let lastPlaced: {key: string; placed: Placed[]} | undefined;

function placedFor(screen: Screen, state: State, room: number): Placed[] {
	const placed = placeColumns(screen, state, room);
	const key = `${screen.name} ${room} ${placed.map(({column, width}) => `${column.title}${width}`).join(' ')}`;
	if (lastPlaced?.key !== key) {
		lastPlaced = {key, placed};
	}

	return lastPlaced.placed;
}

function rowText(row: RowValue, placed: readonly Placed[], state: State): string {
	const second = Math.floor(storeNow(state) / 1000);
	const beside = screens[state.screen].beside?.(state);
	const known = drawn.get(row);
	if (known?.placed === placed && known.second === second && known.beside === beside) {
		return known.text;
	}

	const text = drawRow(row, placed, state);
	drawn.set(row, {placed, second, beside, text});
	return text;
}

/** The titles of the columns; while it is chosen by which to sort, each behind its letter. */
function headingOf(placed: readonly Placed[], state: State): string {
	const isSorting = state.overlays.at(-1)?.kind === 'sort';
	return placed.map(({column, width}, index) => isSorting ? fit(`${String.fromCodePoint(97 + index)}:${column.title}`, width) : fit(column.title, width, column.align)).join(' ');
}

/** Beside a row that is kept only because the cursor is on it. */
const leftNote = ' (left this list)';

/** The list in its box: a mark at the cursor, and a row that has left the list struck out of it in words. */
export function listLines(state: State): string[] {
	const {list: width, body: height} = layoutOf(state);
	const screen = screens[state.screen];
	const list = state.lists[state.screen];
	const placed = placedFor(screen, state, roomOf(state));
	const heading = `${(viewOf(state, state.screen).offset ?? 0) > 0 ? '‹' : ' '}${headingOf(placed, state)}`;
	if (list.rows.length === 0) {
		return box(heading, emptyLines(state, screen), {width, height});
	}

	const marks = marksOf(state, state.screen);
	const lines = list.rows.slice(list.top, list.top + visibleRows(state)).map(row => {
		const id = screen.idOf(row);
		const isCursor = id === list.cursor;
		const text = rowText(row, placed, state);
		if (id === list.gone) {
			return inverse(dim(fit(`> ${fit(withoutStyle(text), width - 4 - leftNote.length)}${leftNote}`, width - 2)));
		}

		const mark = marks.has(id) ? '*' : ' ';
		return isCursor ? inverse(fit(`>${mark}${withoutStyle(text)}`, width - 2)) : ` ${mark === ' ' ? mark : warning(bold(mark))}${text}`;
	});
	return box(dim(heading), lines, {width, height});
}

/** Whether there is nothing to show for the store cannot be worked with; the keychain is there whatever becomes of it. */
const isUnreached = (state: State, screen: Screen): boolean => state.context !== undefined && !state.reach.reachable && dataAt(state) === undefined && screen.of !== 'machine';

function emptyLines(state: State, screen: Screen): string[] {
	return isUnreached(state, screen) ? noDataLines(state, layoutOf(state).list) : nothingLines(state, screen);
}

function nothingLines(state: State, screen: Screen): string[] {
	if (state.opening.error && !state.knownLoaded) {
		const {message, hint} = state.opening.error;
		const {list: width} = layoutOf(state);
		const lines = [message, ...(hint ? [hint] : [])].flatMap(text => fewLines(visible(text), width - 6, 4));
		return ['', ...lines.map(line => `  ${line}`), '', '  It is tried again by itself. q quits.'];
	}

	const {loadedAt, error} = state.lists[state.screen];
	// The keychain is there whatever becomes of the database.
	const isRead = screen.of === 'machine' && loadedAt !== undefined;
	if (!state.context && !isRead) {
		return ['', `  ${state.opening.text}`];
	}

	if (!state.knownLoaded && screen.of !== 'machine') {
		return ['', '  Loading …'];
	}

	if (loadedAt === undefined && !error && (state.colony !== undefined || screen.of !== 'colony')) {
		return ['', '  Loading …'];
	}

	if (loadedAt === undefined && error) {
		return ['', '  It could not be read; the reason stands below.'];
	}

	if (state.past && state.lists[state.screen].filter === '') {
		return ['', '  There was nothing here at this moment.'];
	}

	const {list: width} = layoutOf(state);
	return ['', ...screen.empty(state).flatMap(line => wrapWords(line, width - 6)).map(line => `  ${line}`)];
}

/** All lines of a screen that is drawn whole; undefined for a list. */
export function wholeLines(state: State): string[] | undefined {
	const {list: width, body: height} = layoutOf(state);
	const screen = screens[state.screen];
	return screen.body && (state.lists[state.screen].rows.length === 0 ? emptyLines(state, screen) : screen.body(state, {width, height}));
}

/** How far the page of a screen that is drawn whole may be scrolled. */
export const bodyEnd = (state: State): number => Math.max(0, (wholeLines(state)?.length ?? 0) - layoutOf(state).body);

/** The body of a screen: its list, or what it draws in place of one. */
export function bodyLines(state: State): string[] {
	const {list: width, body: height} = layoutOf(state);
	const lines = wholeLines(state);
	if (!lines) {
		return listLines(state);
	}

	// A page that is longer than the body is scrolled.
	const {scroll, search} = state.lists[state.screen];
	const first = Math.min(scroll, Math.max(0, lines.length - height));
	const shown = markedRows(lines, search, {first, room: height});
	return Array.from({length: height}, (_, index) => fitAnsi(shown[first + index] ?? '', width));
}
