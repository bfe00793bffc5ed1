import {needsOwner} from '../deeds.ts';
import type {Binding} from './binding.ts';
import {markKeys} from './marks.ts';
import {
	computerIsNot, noColony, nothing, unlessMarked,
} from './reasons.ts';

/** Keys of 3 Computers. */
export const computerKeys: readonly Binding[] = [
	{mode: 'computers', chords: ['A'], action: 'approve', label: 'Approve the computer', hint: 'approve', changes: true, disabled: unlessMarked(computerIsNot(1, 'It is approved already.'))},
	{mode: 'computers', chords: ['V'], action: 'disapprove', label: 'Disapprove the computer', hint: 'disapprove', changes: true, disabled: unlessMarked(computerIsNot(2, 'It is disapproved already.'))},
	{mode: 'computers', chords: ['X'], action: 'remove-computer', label: 'Remove the computer', hint: 'remove', changes: true, disabled: unlessMarked(state => nothing(state) ?? needsOwner(state))},
	{mode: 'computers', chords: ['n'], action: 'form', value: 'register-computer', label: 'Register a computer', hint: 'register', disabled: state => noColony(state) ?? needsOwner(state)},
	...markKeys('computers'),
];
