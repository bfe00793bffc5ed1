import {runningPlan} from '../plans.ts';
import type {Binding} from './binding.ts';

/** Keys that hold everywhere but in a text field. */
export const anywhereKeys: readonly Binding[] = [
	{mode: 'anywhere', chords: ['?'], action: 'help', label: 'Help for this screen', hint: 'help'},
	{mode: 'anywhere', chords: ['P'], action: 'plan-show', label: 'The plan that is under way, or has just ended', hint: 'plan', offered: ({plan}) => plan !== undefined, disabled: state => state.plan ? undefined : (runningPlan(state) ? 'The plan is open already.' : 'No plan is under way.')},
	{mode: 'anywhere', chords: ['q', 'ctrl-c'], action: 'quit', label: 'Quit', hint: 'quit'},
	{mode: 'anywhere', chords: ['ctrl-z'], action: 'suspend', label: 'To the shell and back with fg'},
	{mode: 'anywhere', chords: [':'], action: 'palette', label: 'Palette: every command, screen, colony and context by name', hint: 'command'},
	{mode: 'anywhere', chords: ['!'], action: 'command-line', label: 'The command line that does the same; c copies it'},
	{mode: 'anywhere', chords: ['ctrl-l'], action: 'repaint', label: 'Draw anew'},
];
