import type {AttentionLine} from '../../core/attention.ts';
import {whyNoFix} from '../fixes.ts';
import {selectedRow} from '../screens/index.ts';
import type {Binding} from './binding.ts';
import {nothing} from './reasons.ts';

/** Keys of 5 Attention. */
export const attentionKeys: readonly Binding[] = [
	{mode: 'attention', chords: ['enter'], action: 'open-line', label: 'Open what it is about', hint: 'open', disabled: nothing},
	{mode: 'attention', chords: ['F'], action: 'fix', label: 'Do what mends it', hint: 'fix', changes: true, disabled: state => nothing(state) ?? whyNoFix(state)},
	{mode: 'attention', chords: ['e'], action: 'explain', label: 'Why it waits', hint: 'explain', disabled: state => nothing(state) ?? ((selectedRow(state) as AttentionLine).noun === 'process' && (selectedRow(state) as AttentionLine).id !== '' ? undefined : 'Only of a process can be said why it waits.')},
];
