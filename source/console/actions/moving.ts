import {layoutOf, visibleRows} from '../layout.ts';
import {cursorIndex, furtherQuery, moveTo, windowSize} from '../lists.ts';
import {extendRange} from '../marks.ts';
import {load, loadDetail, refreshAll, withList} from '../loading.ts';
import {putPlanAway} from '../plans.ts';
import {screens} from '../screens/index.ts';
import {beyondSorted, orderingOf} from '../sorting.ts';
import {type KnownColony, type ScreenName, type State, type Step, emptied} from '../state.ts';
import {bodyEnd} from '../views/list.ts';
import {hasPast, toPresent} from '../past.ts';
import {type Action, quiet, scrolled} from './action.ts';

function move(state: State, to: (index: number, height: number) => number): Step {
	const list = state.lists[state.screen];
	const {idOf} = screens[state.screen];
	const height = visibleRows(state);
	// The first move of a cursor that is nowhere yet puts it on the first row that is seen.
	const target = list.cursor === undefined ? list.top : to(cursorIndex(list, idOf), height);
	if (orderingOf(state, state.screen).column) {
		const query = list.cursor === undefined || list.loading ? undefined : beyondSorted(list, cursorIndex(list, idOf), target);
		if (query) {
			return load(withList({...state, range: undefined}, state.screen, {cursor: undefined, gone: undefined, top: 0}), state.screen, query, query.direction === 'before' ? 'last' : 'first');
		}
	}

	const next = withList(state, state.screen, moveTo(list, target, {idOf, height}));
	const beyond = orderingOf(state, state.screen).column ? undefined : furtherQuery(next.lists[state.screen], target, height);
	if (beyond && !list.loading) {
		const [loading, effects] = load(extendRange(next, state), state.screen, beyond, 'further');
		return [loading, [...effects, ...loadDetail(loading, {soon: true})]];
	}

	return [extendRange(next, state), loadDetail(next, {soon: true})];
}

/** To the first or the last row of the whole list, wherever the window is. */
function jump(state: State, direction: 'after' | 'before'): Step {
	const {more, rows} = state.lists[state.screen];
	// One that is sorted by a column is sorted in its window.
	const isBeyond = !orderingOf(state, state.screen).column && (direction === 'after' ? more.before : more.after);
	if (!isBeyond) {
		return move(state, () => direction === 'after' ? 0 : rows.length - 1);
	}

	const cleared = withList(state, state.screen, {cursor: undefined, gone: undefined, top: 0});
	return load(cleared, state.screen, {count: windowSize, ...(direction === 'before' ? {direction} : {})}, direction === 'before' ? 'last' : 'first');
}

/** Shows another list; its rows are read anew, the ones it had are shown meanwhile. */
export function showScreen(before: State, screen: ScreenName): Step {
	const state = putPlanAway(before);
	if (screen === state.screen) {
		return quiet(state);
	}

	const there = {...state, screen, previous: state.screen};
	return state.past && !hasPast(state, screen) ? toPresent(there) : refreshAll(there);
}

/** Begins a list anew, for another tab, filter or colony. */
export function restart(state: State, screen: ScreenName, {tab, filter}: {tab: number; filter: string}): Step {
	return load({...state, lists: {...state.lists, [screen]: {...emptied(state.lists[screen], tab), filter}}}, screen);
}

/** Works in a colony from now on, as its owner when the keychain holds that key. */
export function chooseColony(state: State, colony: KnownColony): State {
	const lists = {...state.lists, processes: emptied(state.lists.processes), computers: emptied(state.lists.computers), attention: emptied(state.lists.attention)};
	// Where there is a colony nobody is asked what to begin with.
	const overlays = state.overlays.filter(overlay => !(overlay.kind === 'menu' && overlay.isWelcome));
	return {...state, past: undefined, overlays, marks: {}, range: undefined, marking: undefined, colony, acting: colony.as.find(({kind}) => kind !== 'root'), lists, side: undefined, answers: {}, counts: undefined, computerCounts: undefined};
}

/** Moves in a list, to another tab or to another screen. */
export const moving: Record<string, Action> = {
	screen: (state, name) => showScreen(state, name as ScreenName),
	'last-screen': state => showScreen(state, state.previous),
	down: state => move(state, index => index + 1),
	up: state => move(state, index => index - 1),
	'page-down': state => move(state, (index, height) => index + height),
	'page-up': state => move(state, (index, height) => index - height),
	first: state => jump(state, 'after'),
	last: state => jump(state, 'before'),
	'body-scroll'(state, by) {
		const {scroll} = state.lists[state.screen];
		return quiet(withList(state, state.screen, {scroll: scrolled(scroll, by, {end: bodyEnd(state), page: layoutOf(state).body})}));
	},
	tab(state, by) {
		const {tabs} = screens[state.screen];
		const {tab, filter} = state.lists[state.screen];
		return restart({...state, side: undefined}, state.screen, {tab: (tab + Number(by) + tabs.length) % tabs.length, filter});
	},
	back(state) {
		if (state.error) {
			return quiet({...state, error: undefined});
		}

		if (state.lists[state.screen].search) {
			return quiet(withList(state, state.screen, {search: undefined}));
		}

		// On Pulse, from one time back to the whole span.
		if (state.screen === 'pulse' && state.pulse.at !== undefined) {
			return quiet({...state, pulse: {...state.pulse, at: undefined}});
		}

		const {tab, filter} = state.lists[state.screen];
		return state.past ? toPresent(state) : (filter === '' ? quiet(state) : restart(state, state.screen, {tab, filter: ''}));
	},
};
