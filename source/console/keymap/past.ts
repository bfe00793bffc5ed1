import {screens} from '../screens/index.ts';
import type {State} from '../state.ts';
import type {Binding} from './binding.ts';
import {noColony} from './reasons.ts';

/** Why a list cannot be shown as it was. */
const noPast = (state: State): string | undefined => screens[state.screen].past ? noColony(state) : 'Processes and computers are what can be shown as they were: press 2 or 3.';

/** Keys that show a list as it was. */
export const pastKeys: readonly Binding[] = [
	{mode: 'list', chords: ['t'], action: 'moment', label: 'Show the list as it was at a moment', hint: 'as it was', disabled: noPast},
	{mode: 'list', chords: [','], action: 'step-moment', value: 'back', label: 'As it was a step before', disabled: noPast},
	{mode: 'list', chords: ['.'], action: 'step-moment', value: 'on', label: 'As it was a step later', disabled: state => noPast(state) ?? (state.past ? undefined : 'This is now; , goes a step back.')},
	{mode: 'list', chords: ['<'], action: 'size-step', value: '-1', label: 'A shorter step', disabled: noPast},
	{mode: 'list', chords: ['>'], action: 'size-step', value: '1', label: 'A longer step', disabled: noPast},
];
