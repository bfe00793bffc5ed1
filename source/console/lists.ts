import type {Page} from '../operations/index.ts';
import type {ListState, PageQuery, RowValue} from './state.ts';

/** Rows that are loaded at once: some screenfuls, so that moving needs no loading. */
export const windowSize = 200;

type IdOf = (row: RowValue) => string;

/** Where the cursor is among the rows; 0 before there is one. */
export const cursorIndex = (list: ListState, idOf: IdOf): number => Math.max(0, list.rows.findIndex(row => idOf(row) === list.cursor));

const clampTop = (top: number, index: number, {length}: readonly unknown[], height: number): number => {
	const last = Math.max(0, length - height);
	return Math.max(0, Math.min(Math.max(Math.min(top, index), index - height + 1), last));
};

/**
Takes a page that was read. The cursor stays on its id, and on its line where it can; a row that has left the list is kept in its place for as long as the cursor is on it,
so that no other row comes under the cursor by itself; it goes to what the operator has just made. `pinsFirst`: the cursor begins on the first row; where new rows come in at the head it begins nowhere, so that the head stays in sight.
The operator who went to an end of the list is there now.
*/
export function takePage(list: ListState, page: Page<RowValue>, {idOf, height, at, frozen, pinsFirst, sorted = page => page}: {idOf: IdOf; height: number; at: number; frozen: boolean; pinsFirst: boolean; /** Puts a page in the order in which it is shown. */ sorted?: (page: Page<RowValue>) => Page<RowValue>}): ListState {
	const before = cursorIndex(list, idOf);
	const made = page.rows.some(row => idOf(row) === list.made) ? list.made : undefined;
	// Another window has an order of its own.
	let {rows, positions} = frozen && list.going === undefined ? keepOrder(list.rows, page, idOf) : sorted(page);
	// A row of another moment is not kept beside these.
	const held = list.cursor === undefined || list.at !== page.at || made !== undefined ? undefined : list.rows[before];
	let gone: string | undefined;
	if (held && idOf(held) === list.cursor && !page.rows.some(row => idOf(row) === list.cursor)) {
		gone = list.cursor;
		rows = [...rows.slice(0, before), held, ...rows.slice(before)];
		positions = [...positions.slice(0, before), list.positions[before] ?? '', ...positions.slice(before)];
	}

	const begins = list.going === 'last' ? rows.at(-1) : (pinsFirst || list.going === 'first' ? rows[0] : undefined);
	const cursor = made ?? (rows.some(row => idOf(row) === list.cursor) ? list.cursor : (begins && idOf(begins)));
	const edges = page.positions.length === 0 ? undefined : {first: page.positions[0]!, last: page.positions.at(-1)!};
	const next = {...list, rows, cursor, gone, positions, edges, made: list.stale && made === undefined ? list.made : undefined, more: page.more, looked: page.looked?.count, at: page.at, loading: false, going: undefined, loadedAt: at, error: undefined};
	const index = cursor === undefined ? 0 : cursorIndex(next, idOf);
	// At the head of a list what is new is to be seen; anywhere else the line under the eye stays.
	const top = list.top === 0 && index < height ? 0 : index - (before - list.top);
	return {...next, top: clampTop(top, index, rows, height)};
}

/** The rows of a page in the order that they had, with what is new at the end. */
function keepOrder(old: readonly RowValue[], page: Page<RowValue>, idOf: IdOf): Pick<Page<RowValue>, 'rows' | 'positions'> {
	const places = new Map(page.rows.map((row, index) => [idOf(row), index]));
	const kept = old.map(row => places.get(idOf(row))).filter(index => index !== undefined);
	const known = new Set(kept);
	const order = [...kept, ...[...places.values()].filter(index => !known.has(index))];
	return {rows: order.map(index => page.rows[index]!), positions: order.map(index => page.positions[index] ?? '')};
}

/** Puts the cursor on a row; a row that had left the list goes when the cursor leaves it. */
export function moveTo(list: ListState, index: number, {idOf, height}: {idOf: IdOf; height: number}): ListState {
	const target = list.rows[Math.max(0, Math.min(index, list.rows.length - 1))];
	if (!target) {
		return list;
	}

	const cursor = idOf(target);
	if (cursor === list.gone && list.rows.length === 1) {
		// There is no other row to go to, and this one is not there either.
		return {...list, rows: [], positions: [], cursor: undefined, gone: undefined, top: 0};
	}

	const leaving = list.gone !== undefined && list.gone !== cursor;
	const rows = leaving ? list.rows.filter(row => idOf(row) !== list.gone) : list.rows;
	const positions = leaving ? list.positions.filter((_, index) => idOf(list.rows[index]!) !== list.gone) : list.positions;
	const next = {...list, rows, positions, cursor, gone: leaving ? undefined : list.gone, made: undefined};
	return {...next, top: clampTop(list.top, cursorIndex(next, idOf), rows, height)};
}

/** The list on a screen of another height: the cursor's row stays in sight. */
export function fitTop(list: ListState, {idOf, height}: {idOf: IdOf; height: number}): ListState {
	const index = list.cursor === undefined ? list.top : cursorIndex(list, idOf);
	return {...list, top: clampTop(list.top, index, list.rows, height)};
}

/** How to read the window that is shown anew: from its first row on, or from the start where it begins there. */
export const refreshQuery = ({more, edges}: ListState): PageQuery => more.before && edges
	? {count: windowSize, position: edges.first, direction: 'from'}
	: {count: windowSize};

/** The page to read when the cursor comes to an edge of the window behind which there is more; it holds what is on the screen now. */
export function furtherQuery({rows, positions, more, top}: ListState, target: number, height: number): PageQuery | undefined {
	if (target >= rows.length - 1 && more.after && positions[top]) {
		return {count: windowSize, position: positions[top], direction: 'from'};
	}

	const below = positions[Math.min(top + height, positions.length - 1)];
	return target <= 0 && more.before && below ? {count: windowSize, position: below, direction: 'before'} : undefined;
}
