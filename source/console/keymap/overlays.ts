import {whyNoFix} from '../fixes.ts';
import type {Binding, KeyedOverlay} from './binding.ts';
import {processActions} from './processes.ts';
import {noProcess, notVerified} from './reasons.ts';
import {searchKeys} from './searching.ts';

/** Keys of a page that is longer than the terminal. */
export const scrollKeys = (mode: KeyedOverlay): Binding[] => [
	{mode, chords: ['j', 'down'], action: 'scroll', value: '1', label: 'Down'},
	{mode, chords: ['k', 'up'], action: 'scroll', value: '-1', label: 'Up'},
	{mode, chords: ['pgdn', ' '], action: 'scroll', value: 'page', label: 'A page down'},
	{mode, chords: ['pgup'], action: 'scroll', value: '-page', label: 'A page up'},
	{mode, chords: ['g', 'home'], action: 'scroll', value: 'first', label: 'To the top'},
	{mode, chords: ['G', 'end'], action: 'scroll', value: 'last', label: 'To the end'},
	{mode, chords: ['esc', 'left'], action: 'close', label: 'Drop the search, or go back', hint: 'back'},
];

/** Keys of what is open over a screen. */
export const overlayKeys: readonly Binding[] = [
	{mode: 'detail', chords: ['d'], action: 'view', value: 'detail', label: 'Detail', hint: 'detail'},
	{mode: 'detail', chords: ['a'], action: 'view', value: 'attributes', label: 'Attributes', hint: 'attributes'},
	{mode: 'detail', chords: ['y'], action: 'view', value: 'json', label: 'JSON', hint: 'json'},
	{mode: 'detail', chords: ['s'], action: 'reveal', label: 'Show and hide masked values', hint: 'secrets'},
	...searchKeys('detail'),
	{mode: 'detail', chords: ['c'], action: 'copy-id', label: 'Copy the id'},
	{mode: 'detail', chords: ['C'], action: 'copy-json', label: 'Copy as JSON', disabled: noProcess},
	...processActions('detail'),
	{mode: 'explain', chords: ['F'], action: 'fix', label: 'Do what mends it', hint: 'fix', changes: true, disabled: whyNoFix},
	...searchKeys('explain'),
	...scrollKeys('explain'),
	...searchKeys('entry'),
	...scrollKeys('entry'),
	{mode: 'verify', chords: ['p'], action: 'compare-present', label: 'Compare colonies, computers, processes and attributes as they are now with the history', hint: 'compare the present', disabled: notVerified},
	...searchKeys('verify'),
	...scrollKeys('verify'),
	{mode: 'detail', chords: ['tab'], action: 'choose-attribute', value: '1', label: 'The next attribute', disabled: noProcess},
	{mode: 'detail', chords: ['shift-tab'], action: 'choose-attribute', value: '-1', label: 'The attribute before', disabled: noProcess},
	{mode: 'detail', chords: ['enter'], action: 'open-attribute', label: 'Show the whole value of the chosen attribute, also when it is masked', disabled: noProcess},
	...scrollKeys('detail'),
	...searchKeys('difference'),
	...scrollKeys('difference'),
	...searchKeys('help'),
	...scrollKeys('help'),
	{mode: 'columns', chords: ['j', 'down'], action: 'columns-move', value: '1', label: 'Down'},
	{mode: 'columns', chords: ['k', 'up'], action: 'columns-move', value: '-1', label: 'Up'},
	{mode: 'columns', chords: [' ', 'enter'], action: 'columns-toggle', label: 'Show or hide the column', hint: 'show or hide'},
	{mode: 'columns', chords: ['esc'], action: 'close', label: 'Back', hint: 'back'},
	{mode: 'command-line', chords: ['c'], action: 'copy-command-line', label: 'Copy it', hint: 'copy'},
	...searchKeys('command-line'),
	...scrollKeys('command-line'),
	{mode: 'result', chords: ['c', 'C'], action: 'copy-result', label: 'Copy as JSON', hint: 'copy'},
	...searchKeys('result'),
	...scrollKeys('result'),
	{mode: 'menu', chords: ['j', 'down'], action: 'menu-move', value: '1', label: 'Down'},
	{mode: 'menu', chords: ['k', 'up'], action: 'menu-move', value: '-1', label: 'Up'},
	{mode: 'menu', chords: ['enter'], action: 'menu-choose', label: 'Choose', hint: 'choose'},
	{mode: 'menu', chords: ['esc'], action: 'close', label: 'Back', hint: 'back'},
];
