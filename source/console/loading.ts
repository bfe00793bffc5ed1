import {askAll} from './asking.ts';
import {asksOf} from './asks.ts';
import {refreshQuery} from './lists.ts';
import {screens} from './screens/index.ts';
import {isReversible, orderingOf} from './sorting.ts';
import type {Effect, Going, ListState, PageQuery, ScreenName, State, Step} from './state.ts';

export const withList = (state: State, screen: ScreenName, list: Partial<ListState>): State => ({...state, lists: {...state.lists, [screen]: {...state.lists[screen], ...list}}});

/** Whether the list of a screen can be read now. */
function canLoad(state: State, screen: ScreenName): boolean {
	const {of} = screens[screen];
	return of === 'machine' || (state.context !== undefined && (of === 'store' || state.colony !== undefined));
}

/** Reads a page of a list. One at a time: what changes meanwhile is read when the page is there; another page wins over the one under way. */
export function load(state: State, screen: ScreenName, query: PageQuery = refreshQuery(state.lists[screen]), going?: Going): Step {
	if (!canLoad(state, screen)) {
		return [state, []];
	}

	const sequence = state.lists[screen].sequence + 1;
	return [withList(state, screen, {sequence, loading: true, going, stale: false}), [{type: 'load', screen, sequence, query: orderingOf(state, screen).reversed && isReversible(screen) ? {...query, reversed: true} : query}]];
}

/** Reads the visible list again because something may have changed. */
export function refresh(state: State, screen: ScreenName = state.screen): Step {
	return state.lists[screen].loading ? [withList(state, screen, {stale: true}), []] : load(state, screen);
}

/** Reads what belongs to the process under the cursor, for the side pane and the open overlay. */
export function loadDetail(state: State, {soon = false} = {}): Effect[] {
	if (!state.colony) {
		return [];
	}

	const overlay = state.overlays.find(each => each.kind === 'detail');
	if (overlay?.kind === 'detail') {
		return [{type: 'load-detail', id: overlay.id}];
	}

	const {cursor, gone} = state.lists.processes;
	return state.screen === 'processes' && cursor !== undefined && cursor !== gone ? [{type: 'load-detail', id: cursor, soon}] : [];
}

/** The list, the counts and what is open, read again. */
export function reread(state: State): Step {
	const [next, effects] = refresh(state);
	return [next, [...effects, ...(state.colony ? [{type: 'count'} as const] : []), ...loadDetail(state)]];
}

/** Everything that is visible, read again. */
export function refreshAll(state: State): Step {
	const [listed, effects] = reread(state);
	const [next, asked] = askAll(listed, asksOf(listed));
	return [next, [...effects, ...asked]];
}
