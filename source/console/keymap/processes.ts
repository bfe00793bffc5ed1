import {whyNoChange} from '../deeds.ts';
import type {Binding} from './binding.ts';
import {noColony, nothing, noProcess, processIs} from './reasons.ts';

/** What explains or changes a process, on the list and where it is open. */
export const processActions = (mode: 'processes' | 'detail'): Binding[] => [
	{mode, chords: ['e'], action: 'explain', label: 'Why it waits', hint: 'explain', disabled: noProcess},
	{mode, chords: ['R'], action: 'retry', label: 'Put a closed process back to waiting', hint: 'retry', changes: true, disabled: processIs([2, 3], 'Only a closed process can be retried.')},
	{mode, chords: ['X'], action: 'remove', label: 'Remove the process', hint: 'remove', changes: true, disabled: processIs([0, 1, 2, 3], '')},
	{mode, chords: ['x'], action: 'process-menu', label: 'Menu of actions', hint: 'actions', disabled: noProcess},
];

/** Keys of 2 Processes. */
export const processKeys: readonly Binding[] = [
	{mode: 'processes', chords: ['['], action: 'tab', value: '-1', label: 'Previous state'},
	{mode: 'processes', chords: [']', 'tab'], action: 'tab', value: '1', label: 'Next state', hint: 'state'},
	{mode: 'processes', chords: ['enter', 'd'], action: 'open', value: 'detail', label: 'Open', hint: 'open', disabled: nothing},
	{mode: 'processes', chords: ['a'], action: 'open', value: 'attributes', label: 'Attributes', hint: 'attributes', disabled: nothing},
	{mode: 'processes', chords: ['y'], action: 'open', value: 'json', label: 'JSON', hint: 'json', disabled: nothing},
	{mode: 'processes', chords: ['n'], action: 'form', value: 'submit-process', label: 'Submit a process', hint: 'submit', disabled: state => noColony(state) ?? whyNoChange(state)},
	...processActions('processes'),
];
