import {type Column, screens} from './screens/index.ts';
import {type ListState, type PageQuery, type RowValue, type ScreenName, type State, storeNow, type View} from './state.ts';
import {windowSize} from './lists.ts';

/** In which order a list is shown: that of the store or its reverse, which holds for all of it; or by a column, which holds for what is loaded. */
export type Ordering = {reversed: boolean; column?: Column<RowValue>; descending: boolean};

/** The lists that the store gives the other way round, too. */
const reversible: ReadonlySet<ScreenName> = new Set(['processes', 'computers']);

export const isReversible = (screen: ScreenName): boolean => reversible.has(screen);

export const viewOf = (state: Pick<State, 'views'>, screen: ScreenName): View => state.views[screen] ?? {};

export function orderingOf(state: State, screen: ScreenName): Ordering {
	const {sort, reversed = false} = viewOf(state, screen);
	const column = sort && screens[screen].columns.find(({title, shown}) => title === sort.title && (shown?.(state) ?? true));
	if (!column || !sort) {
		return {reversed, descending: false};
	}

	const stored = column.stored?.(state);
	return stored === undefined
		? {reversed: false, column, descending: sort.descending}
		: {reversed: (stored === 'descending') !== sort.descending, descending: sort.descending};
}

const collator = new Intl.Collator('en', {numeric: true});

const compare = (one: number | string, other: number | string): number => typeof one === 'number' && typeof other === 'number' ? one - other : collator.compare(String(one), String(other));

/** Puts rows that were read in the order in which they are shown; what is equal stays as the store has it. */
export function inOrder<Some extends {rows: readonly RowValue[]; positions: readonly string[]}>(some: Some, state: State, screen: ScreenName): Some {
	const {column, descending} = orderingOf(state, screen);
	if (!column) {
		return some;
	}

	const now = storeNow(state);
	const keys = some.rows.map(row => column.sort?.(row, now) ?? column.value(row, now, state));
	const order = [...keys.keys()].sort((one, other) => (descending ? -1 : 1) * compare(keys[one]!, keys[other]!) || one - other);
	return {...some, rows: order.map(index => some.rows[index]!), positions: order.map(index => some.positions[index] ?? '')};
}

/** The window to read when the cursor goes beyond the last or first row of one that is sorted by a column: the next one of the store, sorted for itself. */
export function beyondSorted({rows, more, edges}: ListState, from: number, target: number): PageQuery | undefined {
	if (from === rows.length - 1 && target > from && more.after && edges) {
		return {count: windowSize, position: edges.last, direction: 'after'};
	}

	return from === 0 && target < 0 && more.before && edges ? {count: windowSize, position: edges.first, direction: 'before'} : undefined;
}

/** The order in words, and of how much it holds; empty where it is the store's own. */
export function orderText(state: State): string {
	const {sort, reversed} = viewOf(state, state.screen);
	const ordering = orderingOf(state, state.screen);
	const {more, rows} = state.lists[state.screen];
	if (ordering.column) {
		return `sort ${ordering.column.title} ${ordering.descending ? 'desc' : 'asc'}${more.before || more.after ? `, of the ${rows.length} loaded` : ''}`;
	}

	const isStored = sort && screens[state.screen].columns.some(({title, stored}) => title === sort.title && stored?.(state) !== undefined);
	return isStored ? `sort ${sort.title} ${sort.descending ? 'desc' : 'asc'}` : (reversed && ordering.reversed ? 'reversed' : '');
}

/** A view as it was remembered; undefined for what is none. */
export function readView(value: unknown): View | undefined {
	if (typeof value !== 'object' || value === null) {
		return undefined;
	}

	const {sort, reversed, hidden} = value as Record<string, unknown>;
	const {title, descending} = (typeof sort === 'object' && sort !== null ? sort : {}) as Record<string, unknown>;
	return {
		...(typeof title === 'string' && typeof descending === 'boolean' ? {sort: {title, descending}} : {}),
		...(reversed === true ? {reversed} : {}),
		...(Array.isArray(hidden) ? {hidden: hidden.filter(each => typeof each === 'string')} : {}),
	};
}
