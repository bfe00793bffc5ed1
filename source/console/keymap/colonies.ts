import {whyNoChange} from '../deeds.ts';
import type {Binding} from './binding.ts';
import {nothing, whyNoContext} from './reasons.ts';

/** Keys of 4 Colonies. */
export const colonyKeys: readonly Binding[] = [
	{mode: 'colonies', chords: ['enter'], action: 'choose-colony', label: 'Work in this colony', hint: 'choose', disabled: nothing},
	{mode: 'colonies', chords: ['n'], action: 'form', value: 'register-colony', label: 'Register a colony', hint: 'register', disabled: whyNoChange},
	{mode: 'colonies', chords: ['u'], action: 'form', value: 'unlock-root', label: 'Unlock root', hint: 'unlock root', disabled: state => state.rootUnlocked ? 'Root is unlocked already.' : whyNoContext(state)},
	{mode: 'colonies', chords: ['X'], action: 'remove-colony', label: 'Remove the colony', hint: 'remove', changes: true, disabled: state => nothing(state) ?? (state.rootUnlocked ? whyNoChange(state) : 'Only root may do this: press u to unlock it.')},
];
