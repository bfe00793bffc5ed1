import type {OperationName} from '../../operations/index.ts';
import {actions} from '../actions.ts';
import {type Action, quiet, say} from '../actions/action.ts';
import {chooseColony, restart, showScreen} from '../actions/moving.ts';
import {openForm} from '../forms.ts';
import {openOperation} from '../operation-form.ts';
import {itemsOf, type PaletteItem} from '../palette.ts';
import {whyPlanRuns} from '../plans.ts';
import {closeTop, onTop, over} from '../stack.ts';
import type {FormPurpose, Overlay, ScreenName, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, textLimits, textOf} from '../terminal/text-edit.ts';

type PaletteOverlay = Extract<Overlay, {kind: 'palette'}>;

/** How many choices are told apart by when they were made. */
const kept = 20;

/** Operations that have a form made for people. */
const forms: Readonly<Partial<Record<OperationName, FormPurpose>>> = {'process.submit': 'submit-process', 'computer.register': 'register-computer', 'colony.register': 'register-colony'};

/** What can be chosen in the palette alone. */
const choices: Record<string, Action> = {
	'show-tab'(state, value) {
		const [name, tab] = value!.split(' ') as [ScreenName, string];
		const [shown, effects] = showScreen(state, name);
		const [next, more] = restart(shown, name, {tab: Number(tab), filter: shown.lists[name].filter});
		return [next, [...effects.filter(({type}) => type !== 'load'), ...more]];
	},
	'work-in'(state, id) {
		const colony = state.known.find(({colonyid}) => colonyid === id);
		return colony ? showScreen({...chooseColony(state, colony), screen: 'colonies'}, 'processes') : quiet(say(state, 'The colony is gone.'));
	},
	'use-context'(state, name) {
		const reason = whyPlanRuns(state);
		return reason ? quiet(say(state, reason)) : [state, [{type: 'use-context', name: name!}]];
	},
	operation(state, name) {
		const form = forms[name as OperationName];
		return form ? quiet(over(state, openForm(form, state))) : openOperation(state, name as OperationName);
	},
};

function choose(state: State, item: PaletteItem): Step {
	if (item.disabled !== undefined) {
		return quiet(say(state, item.disabled));
	}

	const closed = closeTop({...state, chosen: [item.id, ...state.chosen.filter(id => id !== item.id)].slice(0, kept)});
	// What is open over the screen is what an operation is filled from; it stays below its form.
	const left = item.leaves && item.action !== 'operation' ? {...closed, overlays: []} : closed;
	return (choices[item.action] ?? actions[item.action]!)(left, item.value);
}

/** A key in the palette. */
export function inPalette(state: State, overlay: PaletteOverlay, chord: Chord): Step {
	const items = itemsOf(overlay, state);
	const change = (changed: Partial<PaletteOverlay>): Step => quiet(onTop(state, () => ({...overlay, ...changed})));
	switch (chord.key) {
		case 'esc':
		case 'ctrl-c': {
			return quiet(closeTop(state));
		}

		case 'down':
		case 'ctrl-n': {
			return change({cursor: Math.min(items.length - 1, overlay.cursor + 1)});
		}

		case 'up':
		case 'ctrl-p': {
			return change({cursor: Math.max(0, overlay.cursor - 1)});
		}

		case 'tab': {
			const item = items[overlay.cursor];
			return item ? change({edit: textOf(item.name), cursor: 0}) : quiet(state);
		}

		case 'enter': {
			const item = items[overlay.cursor];
			return item ? choose(state, item) : quiet(say(state, 'Nothing is called so; esc leaves.'));
		}

		default: {
			const edit = editText(overlay.edit, chord, textLimits.word);
			return edit === overlay.edit ? quiet(state) : change({edit, cursor: 0});
		}
	}
}
