import type {State} from '../state.ts';
import type {Binding} from './binding.ts';
import {nothing} from './reasons.ts';

const whyNoMarks = ({past}: State): string | undefined => past ? 'What was is not marked: press esc on the list to come back to now.' : undefined;

/** Keys that mark rows, on the screens whose rows can be acted on together. */
export const markKeys = (mode: 'processes' | 'computers'): Binding[] => [
	{mode, chords: [' '], action: 'mark', label: 'Mark, or take the mark away', hint: 'mark', disabled: state => whyNoMarks(state) ?? nothing(state)},
	{mode, chords: ['v'], action: 'mark-range', label: 'Begin a range of marks, and end it', disabled: state => whyNoMarks(state) ?? (state.range?.screen === state.screen ? undefined : nothing(state))},
	{mode, chords: ['*'], action: 'mark-all', label: 'Mark all that the filter and the tab show', hint: 'mark all', disabled: state => whyNoMarks(state) ?? (state.lists[state.screen].rows.length === 0 ? 'There is nothing to mark.' : undefined)},
];
