import {titleOf} from '../../operations/plan.ts';
import {whyNoChange} from '../deeds.ts';
import {isHeard, typesCount} from '../keymap/plan.ts';
import {putPlanAway} from '../plans.ts';
import {searchOf} from '../searching.ts';
import {closeTop, onTop, over} from '../stack.ts';
import type {Effect, PlanOverlay, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, isEditKey, textLimits} from '../terminal/text-edit.ts';
import {type Action, quiet, say} from './action.ts';
import {dropSearch} from './searching.ts';

/** What the rate of a plan goes through, in rows a second. */
const rates = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

const planOn = (state: State): PlanOverlay => state.overlays.at(-1) as PlanOverlay;

const change = (state: State, plan: Partial<PlanOverlay>): State => onTop(state, overlay => ({...overlay as PlanOverlay, ...plan}));

/** Begins to carry out the plan on top. */
function apply(state: State): Step {
	const {number, plan, rate, as} = planOn(state);
	const reason = whyNoChange(state);
	return reason
		? quiet(say(state, reason))
		: [change({...state, error: undefined}, {stage: 'running', scroll: 0}), [{type: 'apply-plan', number, plan: plan!, rate, as}]];
}

/** A key while a plan waits for its count, which is typed also where it is one: a key that was pressed while the plan was still made confirms nothing. Undefined for those that the key map has. */
export function inPlan(state: State, overlay: PlanOverlay, chord: Chord): Step | undefined {
	if (!typesCount(overlay) || isHeard(state, chord.key)) {
		return undefined;
	}

	const count = overlay.plan!.entries.length;

	if (chord.key === 'enter') {
		return overlay.edit.text === String(count) ? apply(state) : quiet(say(state, overlay.edit.text === '' ? `Type ${count} to ${titleOf(overlay.plan!)}; esc cancels.` : `It is ${count}, not ${overlay.edit.text}; esc cancels.`));
	}

	const digits = chord.text?.replaceAll(/\D+/g, '');
	if (digits === '') {
		return quiet(state);
	}

	return isEditKey(chord) ? quiet(change(state, {edit: editText(overlay.edit, {...chord, ...(digits === undefined ? {} : {text: digits})}, textLimits.word)})) : quiet(state);
}

function changeRate(state: State, by: string | undefined): Step {
	const {rate, number, stage} = planOn(state);
	const next = rates[Math.max(0, Math.min(rates.length - 1, rates.indexOf(rate) + Number(by)))]!;
	const effects: Effect[] = stage === 'running' ? [{type: 'plan-rate', number, rate: next}] : [];
	return [change(state, {rate: next}), effects];
}

/** What became of each, and what was left out, one JSON object a line. */
function reportOf({plan, reported}: PlanOverlay): string {
	const lines = [...reported.map(({id, label, fate, reason}) => ({id, label, outcome: fate, reason})), ...(plan?.leftOut ?? []).map(({id, label, reason}) => ({id, label, outcome: 'left-out', reason}))];
	return lines.map(line => JSON.stringify(line)).join('\n');
}

/** What the keys of a plan do. */
export const planning: Record<string, Action> = {
	'plan-rate': changeRate,
	'plan-stop': state => [change(state, {isStopping: true}), [{type: 'stop-plan', number: planOn(state).number}]],
	'plan-copy': state => [state, [{type: 'copy', text: reportOf(planOn(state)), what: 'the report'}]],
	'plan-close'(state) {
		if (searchOf(state)) {
			return quiet(dropSearch(state));
		}

		const {stage} = planOn(state);
		if (stage === 'running') {
			return quiet(say(putPlanAway(state), 'The plan goes on: P shows it.'));
		}

		return quiet(stage === 'ended' ? closeTop(state) : say(closeTop(state), 'Cancelled; nothing was changed.'));
	},
	'plan-show': state => quiet({...over(state, state.plan!), plan: undefined}),
};
