import {isTyped} from '../forms.ts';
import {progressText, runningPlan} from '../plans.ts';
import {closeTop, over} from '../stack.ts';
import type {Overlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {quiet} from './action.ts';

type Leave = Extract<Overlay, {kind: 'leave'}>;

const quit = (state: State): Step => [state, [{type: 'quit'}]];

/** Leaves the console, and asks first where that would end a plan, or lose what was typed into a form. */
export function leave(state: State): Step {
	const plan = runningPlan(state);
	if (plan) {
		return quiet(over(state, {kind: 'leave', to: 'quit', question: `Stop the plan at ${progressText(plan)} and quit?`, consequence: 'What is not done by then is left as it is.'}));
	}

	return state.overlays.some(overlay => overlay.kind === 'form' && isTyped(overlay))
		? quiet(over(state, {kind: 'leave', to: 'quit', question: 'Quit and lose what you typed?', consequence: 'The form was not sent.'}))
		: quit(state);
}

/** Closes the form on top, and asks first where something was typed into it. */
export function closeForm(state: State): Step {
	const top = state.overlays.at(-1);
	return top?.kind === 'form' && isTyped(top)
		? quiet(over(state, {kind: 'leave', to: 'discard', question: 'Discard what you typed?', consequence: 'The form was not sent.'}))
		: quiet(closeTop(state));
}

/** A key while leaving is asked about: `y` leaves, and a second ctrl-c quits without more ado. */
export function inLeave(state: State, {to}: Leave, {key}: Chord): Step {
	if (to === 'quit' && (key === 'y' || key === 'ctrl-c')) {
		return quit(closeTop(state));
	}

	if (to === 'discard' && key === 'y') {
		return quiet(closeTop(closeTop(state)));
	}

	return quiet(['enter', 'esc', 'n', 'q', 'ctrl-c'].includes(key) ? closeTop(state) : state);
}
