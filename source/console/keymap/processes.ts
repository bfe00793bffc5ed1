import {whyNoChange} from '../deeds.ts';
import {marksHere} from '../marks.ts';
import type {Binding} from './binding.ts';
import {markKeys} from './marks.ts';
import {
	noColony, nothing, noProcess, processIs, unlessMarked,
} from './reasons.ts';

/** What explains or changes a process, on the list and where it is open. */
export const processActions = (mode: 'processes' | 'detail'): Binding[] => [
	{mode, chords: ['e'], action: 'explain', label: 'Why it waits', hint: 'explain', disabled: state => state.past ? 'Why a process waits is told of now: esc on the list comes back to it.' : noProcess(state)},
	{mode, chords: ['D'], action: 'difference', label: 'What differs from the last successful one of its type', hint: 'differs', disabled: state => state.past ? 'Processes are compared as they are now: esc on the list comes back to it.' : noProcess(state)},
	{mode, chords: ['R'], action: 'retry', label: 'Put a closed process back to waiting', hint: 'retry', changes: true, disabled: unlessMarked(processIs([2, 3], 'Only a closed process can be retried.'))},
	{mode, chords: ['X'], action: 'remove', label: 'Remove the process', hint: 'remove', changes: true, disabled: unlessMarked(processIs([0, 1, 2, 3], ''))},
	{mode, chords: ['x'], action: 'process-menu', label: 'Menu of actions', hint: 'actions', disabled: state => marksHere(state).size > 0 ? undefined : noProcess(state)},
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
	...markKeys('processes'),
];
