import {pulseSpans} from '../../core/pulse.ts';
import {formatClock} from '../../core/time.ts';
import {askPulse, pulseAnswer} from '../pulse.ts';
import type {PulseView} from '../state.ts';
import {drawPulse} from '../views/pulse.ts';
import type {Screen} from './screen.ts';
import {whole} from './whole.ts';

/** 1 Pulse: how the colony does over time. Its tabs are spans of time. */
export const pulseScreen: Screen<PulseView> = {
	name: 'pulse',
	digit: '1',
	title: 'Pulse',
	topics: [],
	of: 'colony',
	// What it shows is asked for as seldom as it changes.
	read: async () => whole<PulseView>([{pulse: true}]),
	cameAt: state => pulseAnswer(state).at,
	asks: state => [askPulse(state)],
	tabs: pulseSpans,
	columns: [],
	body: drawPulse,
	idOf: () => 'pulse',
	nameOf: () => 'Pulse',
	note(state) {
		const {at} = pulseAnswer(state);
		return at === undefined ? '' : `by ${state.pulse.by}, counted ${formatClock(at, state.utc)}`;
	},
	empty: () => ['No colony is selected.', 'Press 4 to choose one, or to register the first.'],
	summary: () => [],
};
