import {checkForm, valuesOf, whyNotSend} from '../forms.ts';
import {sendOperation} from '../operation-form.ts';
import {onTop} from '../stack.ts';
import type {Overlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText} from '../terminal/text-edit.ts';
import {limitOf} from '../typed.ts';
import {quiet} from './action.ts';
import {closeForm, leave} from './leaving.ts';

type Form = Extract<Overlay, {kind: 'form'}>;

/** A key in a form. */
export function inForm(state: State, form: Form, chord: Chord): Step {
	const {key} = chord;
	const change = (changed: Partial<Form>): Step => quiet(onTop(state, () => ({...form, ...changed})));
	if (key === 'ctrl-c') {
		return leave(state);
	}

	if (key === 'esc') {
		return form.busy ? quiet(state) : closeForm(state);
	}

	if (form.busy) {
		return quiet(state);
	}

	const last = form.fields.length - 1;
	if (key === 'down' || key === 'tab' || (key === 'enter' && form.focus < last)) {
		return change({focus: form.focus === last ? 0 : form.focus + 1});
	}

	if (key === 'up' || key === 'shift-tab') {
		return change({focus: form.focus === 0 ? last : form.focus - 1});
	}

	if ((key === 'enter' || key === 'ctrl-s') && form.operation !== undefined) {
		return sendOperation(state, {...form, operation: form.operation});
	}

	if ((key === 'enter' || key === 'ctrl-s') && form.purpose !== 'operation') {
		const reason = whyNotSend(form, state);
		if (reason) {
			return change({error: {code: 'unavailable', message: reason}});
		}

		const checked = checkForm(form);
		return checked.fields.some(({error}) => error)
			? change(checked)
			: [onTop({...state, error: undefined}, () => ({...checked, busy: true, error: undefined})), [{type: 'send-form', purpose: form.purpose, values: valuesOf(form)}]];
	}

	return change({fields: form.fields.map((field, index) => index === form.focus ? {...field, given: field.given ?? field.edit.text, edit: editText(field.edit, chord, limitOf(field)), error: undefined} : field)});
}
