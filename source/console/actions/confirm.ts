import {confirmed, whyNoChange, whyReadOnly} from '../deeds.ts';
import {closeTop, onTop} from '../stack.ts';
import type {Overlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, isEditKey, textLimits} from '../terminal/text-edit.ts';
import {quiet, say} from './action.ts';
import {showCommandLine} from './command-lines.ts';

/** A change has begun: the form that describes it shows so and keeps what was typed until it is done. */
const underWay = (state: State, {deed}: Extract<Overlay, {kind: 'confirm'}>): State => 'operation' in deed && deed.fromForm
	? onTop(state, form => form.kind === 'form' ? {...form, busy: true, error: undefined} : form)
	: {...state, busy: state.busy + 1};

/** `y` alone confirms, or the typed name; enter is the default, and that is Cancel. */
export function inConfirm(state: State, overlay: Extract<Overlay, {kind: 'confirm'}>, chord: Chord): Step {
	const {typed} = overlay;
	const cancel = (): Step => quiet(say(closeTop(state), 'Cancelled; nothing was changed.'));
	const reason = 'operation' in overlay.deed ? whyNoChange(state) : whyReadOnly(state);
	const go = (): Step => reason
		? quiet(say(closeTop(state), reason))
		: [{...underWay(closeTop(state), overlay), error: undefined}, [confirmed(overlay)]];
	if (chord.key === 'esc' || chord.key === 'ctrl-c') {
		return cancel();
	}

	if (!typed && chord.key === '!') {
		return showCommandLine(state);
	}

	if (!typed) {
		return chord.key === 'y' ? go() : (['enter', 'n', 'q'].includes(chord.key) ? cancel() : quiet(state));
	}

	if (chord.key === 'enter') {
		return typed.edit.text === typed.expected ? go() : quiet(say(state, 'The name does not fit; esc cancels.'));
	}

	return isEditKey(chord) ? quiet(onTop(state, () => ({...overlay, typed: {...typed, edit: editText(typed.edit, chord, textLimits.word)}}))) : quiet(state);
}
