import type {Binding} from './binding.ts';
import {nothing} from './reasons.ts';

/** Keys of every list. */
export const listKeys: readonly Binding[] = [
	{mode: 'list', chords: ['j', 'down'], action: 'down', label: 'Down'},
	{mode: 'list', chords: ['k', 'up'], action: 'up', label: 'Up'},
	{mode: 'list', chords: ['g', 'home'], action: 'first', label: 'First'},
	{mode: 'list', chords: ['G', 'end'], action: 'last', label: 'Last'},
	{mode: 'list', chords: ['pgdn', 'ctrl-f'], action: 'page-down', label: 'A page down'},
	{mode: 'list', chords: ['pgup', 'ctrl-b'], action: 'page-up', label: 'A page up'},
	{mode: 'list', chords: ['/'], action: 'filter', label: 'Filter', hint: 'filter'},
	{mode: 'list', chords: ['f'], action: 'freeze', label: 'Freeze the order of the rows'},
	{mode: 'list', chords: ['o'], action: 'sort', label: 'Sort by a column, chosen by its letter', hint: 'sort'},
	{mode: 'list', chords: ['O'], action: 'sort-invert', label: 'The other way round'},
	{mode: 'list', chords: ['|'], action: 'columns', label: 'Choose columns'},
	{mode: 'list', chords: ['left'], action: 'scroll-columns', value: '-1', label: 'Columns further left'},
	{mode: 'list', chords: ['right'], action: 'scroll-columns', value: '1', label: 'Columns further right'},
	{mode: 'list', chords: ['w'], action: 'wide', label: 'With and without the side pane'},
	{mode: 'list', chords: ['c'], action: 'copy-id', label: 'Copy the id', disabled: nothing},
	{mode: 'list', chords: ['C'], action: 'copy-json', label: 'Copy as JSON', disabled: nothing},
];
