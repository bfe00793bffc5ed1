import type {Binding} from './binding.ts';

/** Keys of 8 Server: they scroll where the terminal is low. */
export const serverKeys: readonly Binding[] = [
	{mode: 'server', chords: ['j', 'down'], action: 'body-scroll', value: '1', label: 'Down'},
	{mode: 'server', chords: ['k', 'up'], action: 'body-scroll', value: '-1', label: 'Up'},
	{mode: 'server', chords: ['pgdn', ' '], action: 'body-scroll', value: '10', label: 'A page down'},
	{mode: 'server', chords: ['pgup'], action: 'body-scroll', value: '-10', label: 'A page up'},
];
