import type {Binding} from './binding.ts';
import {noColony, nothing} from './reasons.ts';

/** Keys of 7 Audit. */
export const auditKeys: readonly Binding[] = [
	{mode: 'audit', chords: ['enter'], action: 'open-entry', label: 'Open the change: what was signed, its image and its seal', hint: 'open', disabled: nothing},
	{mode: 'audit', chords: ['v'], action: 'verify', label: 'Verify the history: seals, rows and signatures', hint: 'verify', disabled: noColony},
	{mode: 'audit', chords: [']', 'tab'], action: 'tab', value: '1', label: 'Next tab', hint: 'changes or all'},
	{mode: 'audit', chords: ['['], action: 'tab', value: '-1', label: 'Previous tab'},
];
