import {windowSize} from '../lists.ts';
import {load, withList} from '../loading.ts';
import {screens} from '../screens/index.ts';
import {inOrder, isReversible, orderingOf, viewOf} from '../sorting.ts';
import {closeTop, over} from '../stack.ts';
import type {Overlay, State, Step, View} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {columnsEnd, placeColumns, roomOf} from '../views/columns.ts';
import {type Action, quiet, say} from './action.ts';
import {leave} from './leaving.ts';

/** Shows the list in another way, and keeps that in mind. */
function show(state: State, view: View): Step {
	const {screen} = state;
	const before = orderingOf(state, screen);
	const next = {...state, views: {...state.views, [screen]: view}};
	const after = orderingOf(next, screen);
	const {offset: _, ...kept} = view;
	const remember = {type: 'remember', key: `view:${screen}`, value: kept} as const;
	if (before.reversed === after.reversed && before.column === after.column && before.descending === after.descending) {
		return [next, [remember]];
	}

	// What is loaded is put in order at once, and its head shown; the store's order is read from its beginning.
	const list = next.lists[screen];
	const {rows, positions} = inOrder(list, next, screen);
	const cursor = list.cursor === undefined || !rows[0] ? undefined : screens[screen].idOf(rows[0]);
	const sorted = withList(next, screen, {rows, positions, cursor, gone: undefined, top: 0});
	if (before.reversed === after.reversed && after.column) {
		return [sorted, [remember]];
	}

	const [loading, effects] = load(withList(sorted, screen, {cursor: undefined}), screen, {count: windowSize}, cursor === undefined ? undefined : 'first');
	return [loading, [remember, ...effects]];
}

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** A letter while it is chosen by which column to sort. */
export function inSort(state: State, _: Extract<Overlay, {kind: 'sort'}>, {key}: Chord): Step {
	if (key === 'ctrl-c') {
		return leave(closeTop(state));
	}

	const below = closeTop(state);
	const view = viewOf(state, state.screen);
	if (key === 'backspace' || key === 'delete') {
		return show(below, {...view, sort: undefined, reversed: false});
	}

	const column = key.length === 1 ? placeColumns(screens[state.screen], state, roomOf(state))[letters.indexOf(key)]?.column : undefined;
	if (!column) {
		return quiet(key === 'esc' || key === 'enter' ? below : say(state, 'No column has this letter; esc leaves.'));
	}

	// Numbers begin with the largest, names with the first.
	const descending = view.sort?.title === column.title ? !view.sort.descending : column.align === 'right';
	return show(below, {...view, sort: {title: column.title, descending}, reversed: false});
}

function invert(state: State): Step {
	const view = viewOf(state, state.screen);
	if (view.sort) {
		return show(state, {...view, sort: {...view.sort, descending: !view.sort.descending}});
	}

	return isReversible(state.screen) ? show(state, {...view, reversed: !view.reversed}) : quiet(say(state, 'This list has one order: o sorts it by a column.'));
}

function scroll(state: State, by: string | undefined): Step {
	const view = viewOf(state, state.screen);
	const offset = Math.max(0, Math.min(columnsEnd(screens[state.screen], state, roomOf(state)), (view.offset ?? 0) + Number(by)));
	return quiet(offset === (view.offset ?? 0)
		? say(state, Number(by) < 0 ? 'The first column is in sight.' : 'The last column is in sight.')
		: {...state, views: {...state.views, [state.screen]: {...view, offset}}});
}

/** Takes the column under the cursor out of the list, or back into it. */
function toggleColumn(state: State): Step {
	const top = state.overlays.at(-1)!;
	const column = top.kind === 'columns' ? screens[state.screen].columns[top.cursor] : undefined;
	if (!column) {
		return quiet(state);
	}

	const view = viewOf(state, state.screen);
	const hidden = view.hidden ?? [];
	const next = hidden.includes(column.title) ? hidden.filter(title => title !== column.title) : [...hidden, column.title];
	return next.length === screens[state.screen].columns.length ? quiet(say(state, 'One column stays.')) : show(state, {...view, hidden: next});
}

/** How lists are shown: their order and their columns. */
export const viewing: Record<string, Action> = {
	sort: state => quiet(over(state, {kind: 'sort'})),
	'sort-invert': invert,
	'scroll-columns': scroll,
	columns: state => quiet(over(state, {kind: 'columns', cursor: 0})),
	'columns-move': (state, by) => quiet({...state, overlays: state.overlays.map(overlay => overlay.kind === 'columns' ? {...overlay, cursor: Math.max(0, Math.min(screens[state.screen].columns.length - 1, overlay.cursor + Number(by)))} : overlay)}),
	'columns-toggle': toggleColumn,
};
