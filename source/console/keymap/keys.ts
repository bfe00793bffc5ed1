import {whyReadOnly} from '../deeds.ts';
import type {Binding} from './binding.ts';
import {nothing} from './reasons.ts';

/** Keys of 6 Keys. */
export const keyKeys: readonly Binding[] = [
	{mode: 'keys', chords: ['n'], action: 'form', value: 'add-key', label: 'Add a key', hint: 'add', disabled: whyReadOnly},
	{mode: 'keys', chords: ['X'], action: 'remove-key', label: 'Remove the key', hint: 'remove', changes: true, disabled: state => nothing(state) ?? whyReadOnly(state)},
];
