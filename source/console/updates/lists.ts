import type {Topic} from '../../core/types.ts';
import {quiet} from '../actions/action.ts';
import {askChanged, askDue} from '../asking.ts';
import {asksOf} from '../asks.ts';
import {visibleRows} from '../layout.ts';
import {fitTop, takePage} from '../lists.ts';
import {load, loadDetail, refresh, reread, withList} from '../loading.ts';
import {screens} from '../screens/index.ts';
import {type Message, type State, type Step, forScreens} from '../state.ts';
import {inOrder} from '../sorting.ts';
import {newestFirst} from '../tabs.ts';

/** How long a notice stands, in milliseconds, when no key is pressed. */
const noticeTime = 8000;
/** The visible page is read again after this, in milliseconds, for what nobody announced. */
const rereadTime = 2000;

/** Whether what is shown stays as it is. */
const isStill = ({paused, past}: State): boolean => paused || past !== undefined;

/** The clock went on: what is old is read again. */
export function ticked(before: State, {now}: {now: number}): Step {
	const state = {...before, now, notice: before.notice && now - before.notice.at < noticeTime ? before.notice : undefined};
	if (state.context && state.reach.reachable && !state.knownLoaded && state.opening.error) {
		return [{...state, opening: {text: state.opening.text}}, [{type: 'load-known'}]];
	}

	// Without a colony nobody tells what changes: the keys of one may come in another process.
	if (state.context && state.reach.reachable && state.knownLoaded && !state.colony && !state.paused && now - (state.lists.colonies.loadedAt ?? now) >= rereadTime) {
		return [state, [{type: 'load-known'}]];
	}

	// What was does not change any more.
	if (isStill(state) || !state.context || !state.reach.reachable) {
		return quiet(state);
	}

	const {loadedAt, loading} = state.lists[state.screen];
	const isFresh = loading || (loadedAt !== undefined && now - loadedAt < rereadTime);
	const [next, effects] = isFresh ? quiet(state) : reread(state);
	const [asked, more] = askDue(next, asksOf(next));
	return [asked, [...effects, ...more]];
}

/** The terminal has another size: the row under the cursor stays in sight. */
export function resized(state: State, {columns, rows}: {columns: number; rows: number}): Step {
	const next = {...state, columns, rows};
	return quiet({...next, lists: forScreens(name => fitTop(state.lists[name], {idOf: screens[name].idOf, height: visibleRows({...next, screen: name})}))});
}

/** Something has changed in the store: what is in sight and is about it is read again. */
export function changed(state: State, {topics}: {topics: ReadonlySet<string>}): Step {
	// What changes before the store is open is read then.
	if (isStill(state) || !state.context) {
		return quiet(state);
	}

	const has = (topic: Topic) => topics.has(topic);
	let [next, effects]: Step = screens[state.screen].topics.some(topic => has(topic)) ? refresh(state) : quiet(state);
	if (has('colonies')) {
		effects = [...effects, {type: 'load-known'}];
	}

	if (state.colony && (has('processes') || has('computers'))) {
		effects = [...effects, {type: 'count'}];
	}

	const [asked, more] = askChanged(next, asksOf(next), topics);
	return [asked, [...effects, ...more, ...(has('processes') || has('attributes') ? loadDetail(asked, {soon: true}) : [])]];
}

/** A page of a list is there. */
export function loaded(state: State, {screen, sequence, page, at}: Extract<Message, {type: 'loaded'}>): Step {
	const list = state.lists[screen];
	if (sequence !== list.sequence) {
		return quiet(state);
	}

	const {cursor, going} = list;
	if (going && cursor !== undefined && !page.rows.some(row => screens[screen].idOf(row) === cursor)) {
		// The operator has turned back meanwhile: the row under the cursor is in the window that is shown.
		return load(state, screen);
	}

	const taken = takePage(list, page, {idOf: screens[screen].idOf, height: visibleRows(state), at, frozen: state.frozen, pinsFirst: !screens[screen].body && !newestFirst(state, screen), sorted: read => inOrder(read, state, screen)});
	const next = withList(state, screen, taken);
	const moved = screen === 'processes' && screen === state.screen && state.side?.processid !== taken.cursor ? loadDetail(next) : [];
	const [again, effects] = list.stale ? load(next, screen) : quiet(next);
	return [again, [...effects, ...moved]];
}
