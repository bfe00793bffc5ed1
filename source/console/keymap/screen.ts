import {screens} from '../screens/index.ts';
import {screenNames} from '../state.ts';
import type {Binding} from './binding.ts';

/** Keys of every screen, be it a list or drawn whole. */
export const screenKeys: readonly Binding[] = [
	...screenNames.map(name => ({mode: 'screen' as const, chords: [screens[name].digit], action: 'screen', value: name, label: screens[name].title})),
	{mode: 'screen', chords: ['-'], action: 'last-screen', label: 'The screen before'},
	{mode: 'screen', chords: ['p'], action: 'pause', label: 'Pause and go on', hint: 'pause'},
	{mode: 'screen', chords: ['r'], action: 'refresh', label: 'Read again'},
	{mode: 'screen', chords: ['i'], action: 'identity', label: 'Who am I acting as', hint: 'identity'},
	{mode: 'screen', chords: ['esc'], action: 'back', label: 'Clear the error, the marks or the search, come back to now, or clear the filter'},
	{mode: 'screen', chords: ['z'], action: 'utc', label: 'Times in UTC or of this time zone'},
];
