import {InvalidInput, toColoniesError} from '../../core/errors.ts';
import {parseFilter} from '../../core/filter.ts';
import {closeTop, onTop} from '../stack.ts';
import type {Overlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText} from '../terminal/text-edit.ts';
import {quiet} from './action.ts';
import {restart} from './moving.ts';

/** A key while a filter is typed. */
export function inFilter(state: State, overlay: Extract<Overlay, {kind: 'filter'}>, chord: Chord): Step {
	if (chord.key === 'esc' || chord.key === 'ctrl-c') {
		return quiet(closeTop(state));
	}

	if (chord.key === 'enter') {
		try {
			const {text: _, computertype: __, ...others} = parseFilter(overlay.edit.text);
			const [other] = Object.keys(others);
			if (other && state.screen !== 'processes') {
				throw new InvalidInput('Only words, and type: on Computers, filter this list.', {hint: 'The other terms are for processes.'});
			}
		} catch (error) {
			const {message, hint} = toColoniesError(error);
			return quiet(onTop(state, () => ({...overlay, error: hint ? `${message} ${hint}` : message})));
		}

		return restart(closeTop(state), state.screen, {tab: state.lists[state.screen].tab, filter: overlay.edit.text.trim()});
	}

	return quiet(onTop(state, () => ({...overlay, edit: editText(overlay.edit, chord), error: undefined})));
}
