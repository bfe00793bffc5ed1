import {actions, chooseItem} from '../actions.ts';
import {quiet, say} from '../actions/action.ts';
import {inConfirm} from '../actions/confirm.ts';
import {inFilter} from '../actions/filter.ts';
import {inForm} from '../actions/form.ts';
import {inLeave} from '../actions/leaving.ts';
import {inMoment} from '../actions/past.ts';
import {inPlan} from '../actions/planning.ts';
import {inSearch} from '../actions/searching.ts';
import {inSort} from '../actions/viewing.ts';
import {resolve, whyNot} from '../keymap.ts';
import {isTooSmall} from '../layout.ts';
import type {Overlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {inPalette} from './palette.ts';

/** The overlays that take keys themselves, for they hold a text field or a question: in a text field every key is text. What they leave, undefined, the key map has. */
const typing: {[Kind in Overlay['kind']]?: (state: State, overlay: Extract<Overlay, {kind: Kind}>, chord: Chord) => Step | undefined} = {
	plan: inPlan,
	sort: inSort,
	form: inForm,
	filter: inFilter,
	palette: inPalette,
	moment: inMoment,
	search: inSearch,
	confirm: inConfirm,
	leave: inLeave,
};

/** A key: what takes text gets it, and else the key map says what it means. */
export function pressed(before: State, chord: Chord): Step {
	const state = before.notice ? {...before, notice: undefined} : before;
	if (isTooSmall(state)) {
		// Nobody acts on what cannot be seen.
		const asked = state.overlays.at(-1);
		if (asked?.kind === 'leave' && asked.to === 'quit') {
			return inLeave(state, asked, chord);
		}

		const action = {q: 'quit', 'ctrl-c': 'quit', 'ctrl-z': 'suspend'}[chord.key];
		return action ? actions[action]!(state, undefined) : quiet(state);
	}

	const top = state.overlays.at(-1);
	const takesText = top && typing[top.kind] as ((state: State, overlay: Overlay, chord: Chord) => Step | undefined) | undefined;
	const typed = top && takesText?.(state, top, chord);
	if (typed) {
		return typed;
	}

	if (top?.kind === 'menu') {
		const item = top.items.find(({key}) => key === chord.key);
		if (item) {
			return chooseItem(state, item);
		}
	}

	const binding = resolve(state, chord.key);
	const reason = binding && whyNot(binding, state);
	if (reason) {
		return quiet(say(state, reason));
	}

	return binding ? actions[binding.action]!(state, binding.value) : quiet(state);
}
