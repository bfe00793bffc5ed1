import type {Binding} from './binding.ts';
import {nothing} from './reasons.ts';

/** Keys that mark rows, on the screens whose rows can be acted on together. */
export const markKeys = (mode: 'processes' | 'computers'): Binding[] => [
	{mode, chords: [' '], action: 'mark', label: 'Mark, or take the mark away', hint: 'mark', disabled: nothing},
	{mode, chords: ['v'], action: 'mark-range', label: 'Begin a range of marks, and end it', disabled: state => state.range ? undefined : nothing(state)},
	{mode, chords: ['*'], action: 'mark-all', label: 'Mark all that the filter and the tab show', hint: 'mark all', disabled: state => state.lists[state.screen].rows.length === 0 ? 'There is nothing to mark.' : undefined},
];
