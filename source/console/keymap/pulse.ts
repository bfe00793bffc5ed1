import {whyNotOpened} from '../actions/pulse.ts';
import type {Binding} from './binding.ts';

/** Keys of 1 Pulse. */
export const pulseKeys: readonly Binding[] = [
	{mode: 'pulse', chords: ['['], action: 'tab', value: '-1', label: 'A shorter span'},
	{mode: 'pulse', chords: [']', 'tab'], action: 'tab', value: '1', label: 'A longer span', hint: 'span'},
	{mode: 'pulse', chords: ['m'], action: 'pulse-measure', value: '1', label: 'What is shown: submitted, done, failed, waits, runs', hint: 'measure'},
	{mode: 'pulse', chords: ['b'], action: 'pulse-by', label: 'By type or by computer', hint: 'type/computer'},
	{mode: 'pulse', chords: ['v'], action: 'pulse-digits', label: 'Bars, or digits as a heat map', hint: 'heat'},
	{mode: 'pulse', chords: ['j', 'down'], action: 'pulse-line', value: '1', label: 'Down'},
	{mode: 'pulse', chords: ['k', 'up'], action: 'pulse-line', value: '-1', label: 'Up'},
	{mode: 'pulse', chords: ['g'], action: 'pulse-line', value: '-1000', label: 'First'},
	{mode: 'pulse', chords: ['G'], action: 'pulse-line', value: '1000', label: 'Last'},
	{mode: 'pulse', chords: ['h', 'left'], action: 'pulse-time', value: '-1', label: 'Back in time'},
	{mode: 'pulse', chords: ['l', 'right'], action: 'pulse-time', value: '1', label: 'On in time'},
	{mode: 'pulse', chords: ['home'], action: 'pulse-time', value: '-1000', label: 'To the earliest time'},
	{mode: 'pulse', chords: ['end'], action: 'pulse-time', value: '1000', label: 'To the latest time'},
	{mode: 'pulse', chords: ['enter'], action: 'pulse-open', label: 'The processes that it counts', hint: 'processes', disabled: whyNotOpened},
];
