import type {Binding} from './binding.ts';
import {searchKeys} from './searching.ts';

/** Keys of 8 Server: they search it, and scroll it where the terminal is low. */
export const serverKeys: readonly Binding[] = [
	...searchKeys('server'),
	{mode: 'server', chords: ['j', 'down'], action: 'body-scroll', value: '1', label: 'Down'},
	{mode: 'server', chords: ['k', 'up'], action: 'body-scroll', value: '-1', label: 'Up'},
	{mode: 'server', chords: ['pgdn', ' '], action: 'body-scroll', value: 'page', label: 'A page down'},
	{mode: 'server', chords: ['pgup'], action: 'body-scroll', value: '-page', label: 'A page up'},
	{mode: 'server', chords: ['g', 'home'], action: 'body-scroll', value: 'first', label: 'To the top'},
	{mode: 'server', chords: ['G', 'end'], action: 'body-scroll', value: 'last', label: 'To the end'},
];
