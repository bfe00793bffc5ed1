import {searchOf} from '../searching.ts';
import type {State} from '../state.ts';
import type {Binding, Mode} from './binding.ts';
import {notSearched} from './reasons.ts';

const isSearched = (state: State): boolean => searchOf(state) !== undefined;

/** Keys that search in a page of text. */
export const searchKeys = (mode: Mode): Binding[] => [
	{mode, chords: ['/'], action: 'search', label: 'Search this page', hint: 'search'},
	{mode, chords: ['n'], action: 'search-next', value: '1', label: 'Next match', hint: 'next', offered: isSearched, disabled: notSearched},
	{mode, chords: ['N'], action: 'search-next', value: '-1', label: 'Previous match', hint: 'previous', offered: isSearched, disabled: notSearched},
];
