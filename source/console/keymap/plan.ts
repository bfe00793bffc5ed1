import type {PlanOverlay, State} from '../state.ts';
import type {Binding} from './binding.ts';
import {searchKeys} from './searching.ts';

const stageOf = (state: State) => {
	const top = state.overlays.at(-1);
	return top?.kind === 'plan' ? top.stage : undefined;
};

/** Keys that are no text while the count of a plan is typed. */
const heard: ReadonlySet<string> = new Set(['left', 'right', 'up', 'down', 'pgup', 'pgdn', 'esc', 'ctrl-c', 'ctrl-z', 'ctrl-l']);

/** Whether the count of a plan is what is typed now. */
export const typesCount = ({stage, plan}: PlanOverlay): boolean => stage === 'ready' && (plan?.entries.length ?? 0) > 0;

/** Whether a key is heard by the key map: on a plan whose count is typed few are. */
export function isHeard(state: State, chord: string): boolean {
	const top = state.overlays.at(-1);
	return top?.kind !== 'plan' || !typesCount(top) || heard.has(chord);
}

/** Keys of a plan. While its count is typed, every character is text. */
export const planKeys: readonly Binding[] = [
	{mode: 'plan', chords: ['s'], action: 'plan-stop', label: 'Stop before the next list', hint: 'stop', disabled: state => stageOf(state) === 'running' ? undefined : 'It is not under way.'},
	{mode: 'plan', chords: ['left'], action: 'plan-rate', value: '-1', label: 'Slower', hint: 'slower'},
	{mode: 'plan', chords: ['right'], action: 'plan-rate', value: '1', label: 'Faster', hint: 'faster'},
	{mode: 'plan', chords: ['c'], action: 'plan-copy', label: 'Copy the report', hint: 'copy', disabled: state => stageOf(state) === 'ended' ? undefined : 'The report is not complete yet.'},
	...searchKeys('plan'),
	{mode: 'plan', chords: ['j', 'down'], action: 'scroll', value: '1', label: 'Down'},
	{mode: 'plan', chords: ['k', 'up'], action: 'scroll', value: '-1', label: 'Up'},
	{mode: 'plan', chords: ['pgdn', ' '], action: 'scroll', value: 'page', label: 'A page down'},
	{mode: 'plan', chords: ['pgup'], action: 'scroll', value: '-page', label: 'A page up'},
	{mode: 'plan', chords: ['g', 'home'], action: 'scroll', value: 'first', label: 'To the top'},
	{mode: 'plan', chords: ['G', 'end'], action: 'scroll', value: 'last', label: 'To the end'},
	{mode: 'plan', chords: ['esc'], action: 'plan-close', label: 'Drop the search, or go back; a plan under way goes on', hint: 'back'},
];
