import {formatSpan, milliseconds} from '../core/time.ts';
import type {Time} from '../core/types.ts';
import {screens} from './screens/index.ts';
import {
	emptied, type ScreenName, screenNames, type State, type Step,
} from './state.ts';
import {refreshAll} from './loading.ts';

/** How far one step between moments may go, in seconds. */
export const stepSizes = [1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400] as const;

/** Whether a screen can be shown as it was: the colonies that there were only by root. */
export const hasPast = ({rootUnlocked}: Pick<State, 'rootUnlocked'>, screen: ScreenName): boolean => screens[screen].past === true && (screens[screen].of === 'colony' || rootUnlocked);

/** The lists that can be shown as they were, without what they held of another moment. What is on the screen stays there until it is read: its header says of when it is. */
const withoutRest = (state: State): State => ({
	...state, side: undefined, counts: undefined, computerCounts: undefined, marks: {}, range: undefined, marking: undefined,
	lists: {
		...state.lists,
		...Object.fromEntries(screenNames.filter(name => screens[name].past && name !== state.screen).map(name => [name, {...emptied(state.lists[name], state.lists[name].tab), filter: state.lists[name].filter}])),
	},
});

/** Reads the visible list anew, at whatever moment is shown now. Between two moments that have been its rows stay until the others are there; what is and what was never stand for each other. */
function readAnew(state: State): Step {
	const {screen, lists} = state;
	const {cursor, tab, filter, at} = lists[screen];
	const keeps = at !== undefined && state.past !== undefined;
	// One that is under way is of another moment.
	const list = keeps ? {...lists[screen], loading: false, sequence: lists[screen].sequence + 1, error: undefined} : {...emptied(lists[screen], tab), filter, cursor};
	const next = withoutRest(state);
	return refreshAll({...next, lists: {...next.lists, [screen]: list}});
}

/** Shows the lists as they were at a moment. */
export const toMoment = (state: State, at: Time): Step => readAnew({...state, past: {at}});

/** Shows the lists as they are. */
export const toPresent = (state: State): Step => readAnew({...state, past: undefined});

/** A moment as the operator reads a clock; the day only where it is another one. `now`: milliseconds since 1970. */
export function momentText(at: Time, {now, utc}: {now: number; utc: boolean}): string {
	const date = new Date(milliseconds(at)!);
	const two = (value: number) => String(value).padStart(2, '0');
	const dayOf = (date: Date) => utc ? date.toISOString().slice(0, 10) : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
	const time = utc ? `${date.toISOString().slice(11, 19)}Z` : [date.getHours(), date.getMinutes(), date.getSeconds()].map(value => two(value)).join(':');
	return dayOf(date) === dayOf(new Date(now)) ? time : `${dayOf(date)} ${time}`;
}

/** A step as it is shown, `1m`, `6h`. */
export const stepText = (seconds: number): string => formatSpan(seconds * 1000).replace(/(?<=[a-z])00[a-z]$/, '');
