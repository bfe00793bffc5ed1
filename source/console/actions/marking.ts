import {isMarkable, marksOf, seenOf, withMarks, withoutMarks} from '../marks.ts';
import {selectedRow} from '../screens/index.ts';
import type {State, Step} from '../state.ts';
import {type Action, quiet, say} from './action.ts';
import {moving} from './moving.ts';

/** Marks the row under the cursor, or takes its mark away, and goes on to the next. */
function mark(state: State): Step {
	const seen = seenOf(state.screen, selectedRow(state)!);
	const marks = new Map(marksOf(state, state.screen));
	if (!marks.delete(seen.id)) {
		marks.set(seen.id, seen);
	}

	return moving.down!({...withMarks(state, state.screen, marks), range: undefined}, undefined);
}

/** Begins a range at the cursor, or ends the one that is open; its rows stay marked. */
function range(state: State): Step {
	if (state.range?.screen === state.screen) {
		return quiet({...state, range: undefined});
	}

	const seen = seenOf(state.screen, selectedRow(state)!);
	const base = marksOf(state, state.screen);
	return quiet({...withMarks(say(state, 'Move to mark a range; v ends it, esc clears.'), state.screen, new Map([...base, [seen.id, seen]])), range: {screen: state.screen, anchor: seen.id, base}});
}

/** Marks all that the list has, wherever its window is. */
function markAll(state: State): Step {
	const number = state.numbers + 1;
	return [{...state, numbers: number, range: undefined, marking: {screen: state.screen, number}}, [{type: 'mark-all', screen: state.screen, number}]];
}

/** Takes all marks of the screen away. */
export const clearMarks = (state: State): Step => [withoutMarks(state, state.screen), state.marking?.screen === state.screen ? [{type: 'stop-marking'}] : []];

/** Whether esc has marks to clear. */
export const hasMarks = (state: State): boolean => isMarkable(state.screen) && (marksOf(state, state.screen).size > 0 || state.marking?.screen === state.screen);

/** Marks rows, for actions on many. */
export const marking: Record<string, Action> = {
	mark,
	'mark-range': range,
	'mark-all': markAll,
	back: state => !state.error && hasMarks(state) ? clearMarks(state) : moving.back!(state, undefined),
};
