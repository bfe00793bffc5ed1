import {hasPast} from '../past.ts';
import {screens} from '../screens/index.ts';
import type {State} from '../state.ts';
import type {Binding} from './binding.ts';
import {noColony} from './reasons.ts';

/** Why a list cannot be shown as it was. */
function noPast(state: State): string | undefined {
	const {past, of} = screens[state.screen];
	if (!past) {
		return 'Processes, computers and colonies are what can be shown as they were: press 2, 3 or 4.';
	}

	return of === 'colony' ? noColony(state) : (state.rootUnlocked ? undefined : 'Only root sees which colonies there were: press u to unlock it.');
}

const isPast = ({past}: State): boolean => past !== undefined;

/** Keys that show a list as it was. */
export const pastKeys: readonly Binding[] = [
	{mode: 'list', chords: ['t'], action: 'moment', label: 'Show the list as it was at a moment', hint: 'as it was', offered: state => hasPast(state, state.screen), disabled: noPast},
	{mode: 'list', chords: [','], action: 'step-moment', value: 'back', label: 'As it was a step before', hint: 'before', offered: isPast, disabled: noPast},
	{mode: 'list', chords: ['.'], action: 'step-moment', value: 'on', label: 'As it was a step later', hint: 'later', offered: isPast, disabled: state => noPast(state) ?? (state.past ? undefined : 'This is now; , goes a step back.')},
	{mode: 'list', chords: ['<'], action: 'size-step', value: '-1', label: 'A shorter step', disabled: noPast},
	{mode: 'list', chords: ['>'], action: 'size-step', value: '1', label: 'A longer step', disabled: noPast},
];
