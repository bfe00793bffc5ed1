import {readAgo, readMoment, timeOf} from '../../core/moments.ts';
import {microseconds} from '../../core/time.ts';
import {stepSizes, stepText, toMoment, toPresent} from '../past.ts';
import {closeTop, onTop, over} from '../stack.ts';
import {type Overlay, type State, type Step, storeClock} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, textLimits, textOf} from '../terminal/text-edit.ts';
import {type Action, quiet, say} from './action.ts';

const microsecondsNow = (state: State): bigint => BigInt(storeClock(state)) * 1000n;

/** A key while a moment is typed. */
export function inMoment(state: State, overlay: Extract<Overlay, {kind: 'moment'}>, chord: Chord): Step {
	if (chord.key === 'esc' || chord.key === 'ctrl-c') {
		return quiet(closeTop(state));
	}

	if (chord.key !== 'enter') {
		return quiet(onTop(state, () => ({...overlay, edit: editText(overlay.edit, chord, textLimits.word), error: undefined})));
	}

	const text = overlay.edit.text.trim();
	if (text === '') {
		return state.past ? toPresent(closeTop(state)) : quiet(closeTop(state));
	}

	const moment = readMoment(text, {now: storeClock(state), utc: state.utc});
	const ago = moment === undefined ? undefined : readAgo(moment);
	const at = ago === undefined ? moment : timeOf(microsecondsNow(state) - BigInt(Math.round(ago * 1_000_000)));
	if (at === undefined) {
		return quiet(onTop(state, () => ({...overlay, error: 'That is no moment: write -5m, 14:05, 14:05:30, 2026-03-01 or 2026-03-01 14:05.'})));
	}

	return microseconds(at)! > microsecondsNow(state)
		? quiet(onTop(state, () => ({...overlay, error: 'That moment is still to come.'})))
		: toMoment(closeTop(state), at);
}

/** A step back or on from the moment that is shown; on from the last one comes now. */
function step(state: State, direction: string | undefined): Step {
	const now = microsecondsNow(state);
	const from = state.past ? microseconds(state.past.at)! : now;
	const at = from + (BigInt(state.step) * (direction === 'back' ? -1_000_000n : 1_000_000n));
	return at > now ? toPresent(say(state, 'This is now.')) : toMoment(state, timeOf(at));
}

function sizeStep(state: State, by: string | undefined): Step {
	const index = stepSizes.findIndex(size => size >= state.step);
	const size = stepSizes[Math.max(0, Math.min(stepSizes.length - 1, index + Number(by)))]!;
	return quiet(say({...state, step: size}, `One step is ${stepText(size)} now.`));
}

/** Looks at the lists as they were. */
export const past: Record<string, Action> = {
	moment: state => quiet(over(state, {kind: 'moment', edit: textOf('')})),
	'step-moment': step,
	'size-step': sizeStep,
};
