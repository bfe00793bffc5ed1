import type {Computer, Id, Process} from '../core/types.ts';
import {type Seen, seenComputer, seenProcess} from '../operations/plan.ts';
import type {RowValue, ScreenName, State} from './state.ts';

const none: ReadonlyMap<Id, Seen> = new Map();

/** How a row is remembered when it is marked, on the screens whose rows can be. */
const seeing: Partial<Record<ScreenName, (row: RowValue) => Seen>> = {
	processes: row => seenProcess(row as Process),
	computers: row => seenComputer(row as Computer),
};

export const isMarkable = (screen: ScreenName): boolean => seeing[screen] !== undefined;

/** A row as a mark remembers it. */
export const seenOf = (screen: ScreenName, row: RowValue): Seen => seeing[screen]!(row);

/** What is marked on a screen. */
export const marksOf = (state: Pick<State, 'marks'>, screen: ScreenName): ReadonlyMap<Id, Seen> => state.marks[screen] ?? none;

/** What is marked on the screen that is shown, when a key is about it and not about what is open over the list. */
export const marksHere = (state: State): ReadonlyMap<Id, Seen> => state.overlays.every(({kind}) => kind === 'menu') ? marksOf(state, state.screen) : none;

export const withMarks = (state: State, screen: ScreenName, marks: ReadonlyMap<Id, Seen>): State => ({...state, marks: {...state.marks, [screen]: marks}});

/** These are not marked any more. */
export const unmark = (state: State, screen: ScreenName, ids: ReadonlySet<Id>): State => withMarks(state, screen, new Map([...marksOf(state, screen)].filter(([id]) => !ids.has(id))));

/** Nothing is marked on a screen, and nothing is being marked. */
export function withoutMarks(state: State, screen: ScreenName): State {
	const {[screen]: _, ...marks} = state.marks;
	return {...state, marks, range: state.range?.screen === screen ? undefined : state.range, marking: state.marking?.screen === screen ? undefined : state.marking};
}

/** Marks the rows between two ids, both of them too. */
function between(screen: ScreenName, rows: readonly RowValue[], [one, other]: readonly [Id, Id]): Array<[Id, Seen]> {
	const seen = rows.map(row => seenOf(screen, row));
	const [from, to] = [one, other].map(id => seen.findIndex(each => each.id === id)).sort((a, b) => a - b) as [number, number];
	return seen.slice(Math.max(0, from), to + 1).map(each => [each.id, each]);
}

/** The cursor has moved while a range is open: the range goes from where it began to the cursor. Where its beginning is not loaded any more, what is marked stays, and what was passed is added. */
export function extendRange(state: State, before: State): State {
	const {range} = state;
	if (range?.screen !== state.screen) {
		return state;
	}

	const {rows, cursor, gone} = state.lists[state.screen];
	if (cursor === undefined || cursor === gone) {
		return state;
	}

	const ids = new Set(rows.map(row => seenOf(state.screen, row).id));
	const isWhole = ids.has(range.anchor);
	const from = isWhole ? range.anchor : before.lists[state.screen].cursor ?? cursor;
	const base = isWhole ? range.base : marksOf(state, state.screen);
	return withMarks(state, state.screen, new Map([...base, ...between(state.screen, rows, [ids.has(from) ? from : cursor, cursor])]));
}
