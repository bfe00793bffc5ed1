import {putCandidate} from '../../core/filter-language/index.ts';
import {candidatesOf, faultOf} from '../filtering.ts';
import {closeTop, onTop} from '../stack.ts';
import type {Overlay, ScreenName, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, textLimits, textOf} from '../terminal/text-edit.ts';
import {quiet} from './action.ts';
import {restart} from './moving.ts';

type FilterOverlay = Extract<Overlay, {kind: 'filter'}>;

/** How many filters of a screen are kept, for going back to them. */
const kept = 50;

/** The filters that a screen had, the last one first. */
export const recentFilters = (state: State, screen: ScreenName): readonly string[] => state.filters[screen] ?? [];

function remembering(state: State, text: string): State {
	const {screen} = state;
	return text === '' ? state : {...state, filters: {...state.filters, [screen]: [text, ...recentFilters(state, screen).filter(each => each !== text)].slice(0, kept)}};
}

function apply(state: State, overlay: FilterOverlay): Step {
	const fault = faultOf(overlay, state, {isTyping: false});
	if (fault) {
		return quiet(onTop(state, () => ({...overlay, completing: undefined, error: `${fault.message} ${fault.hint}`})));
	}

	const text = overlay.edit.text.trim();
	return restart(remembering(closeTop(state), text), state.screen, {tab: state.lists[state.screen].tab, filter: text});
}

/** Puts the next candidate in, or the one before; the only one is put in for good. */
function complete(state: State, overlay: FilterOverlay, by: 1 | -1): Step {
	const {completing} = overlay;
	const {completion, candidates = []} = candidatesOf(overlay, state) ?? {};
	if (!completion || candidates.length === 0) {
		return quiet(state);
	}

	const from = completing?.from ?? overlay.edit;
	const index = ((completing ? completing.index + by : (by === 1 ? 0 : -1)) + candidates.length) % candidates.length;
	const edit = putCandidate(from.text, completion, candidates[index]!);
	return quiet(onTop(state, () => ({...overlay, edit, error: undefined, completing: candidates.length === 1 ? undefined : {from, index}})));
}

/** Goes to an earlier filter of this screen, or back to what was typed. */
function recall(state: State, overlay: FilterOverlay, by: 1 | -1): Step {
	const past = recentFilters(state, state.screen);
	const index = Math.max(-1, Math.min(past.length - 1, (overlay.recalled?.index ?? -1) + by));
	const typed = overlay.recalled?.typed ?? overlay.edit;
	return quiet(onTop(state, () => ({...overlay, completing: undefined, error: undefined, edit: index === -1 ? typed : textOf(past[index]!), recalled: {index, typed}})));
}

/** A key while a filter is typed. */
export function inFilter(state: State, overlay: FilterOverlay, chord: Chord): Step {
	switch (chord.key) {
		case 'esc':
		case 'ctrl-c': {
			return quiet(closeTop(state));
		}

		case 'enter': {
			return apply(state, overlay);
		}

		case 'tab':
		case 'shift-tab': {
			return complete(state, overlay, chord.key === 'tab' ? 1 : -1);
		}

		case 'up':
		case 'down': {
			return recall(state, overlay, chord.key === 'up' ? 1 : -1);
		}

		default: {
			return quiet(onTop(state, () => ({...overlay, edit: editText(overlay.edit, chord, textLimits.filter), completing: undefined, recalled: undefined, error: undefined})));
		}
	}
}
