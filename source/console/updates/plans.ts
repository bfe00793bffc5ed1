import {quiet, say} from '../actions/action.ts';
import {plannable, usualRate, usualRateOf} from '../../operations/plan.ts';
import {tallyOf, tallyText} from '../../operations/apply-plan.ts';
import {plural} from '../../core/text.ts';
import {refreshAll} from '../loading.ts';
import {marksOf, unmark, withMarks} from '../marks.ts';
import {plansOf} from '../plans.ts';
import type {Message, PlanOverlay, State, Step} from '../state.ts';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const planOf = (state: State, number: number): PlanOverlay | undefined => plansOf(state).find(plan => plan.number === number);

const change = (state: State, number: number, plan: Partial<PlanOverlay>): State => ({
	...state,
	overlays: state.overlays.map(overlay => overlay.kind === 'plan' && overlay.number === number ? {...overlay, ...plan} : overlay),
	...(state.plan?.number === number && {plan: {...state.plan, ...plan}}),
});

/** Some more are marked, of all that match. */
export function marked(state: State, {number, seen, ended}: Of<'marked'>): Step {
	const {marking} = state;
	if (marking?.number !== number) {
		return quiet(state);
	}

	const marks = new Map([...marksOf(state, marking.screen), ...seen.map(each => [each.id, each] as const)]);
	const next = withMarks({...state, marking: ended === undefined ? marking : undefined}, marking.screen, marks);
	return quiet(ended === 'most' ? say(next, `Marked the first ${marks.size}; there are more, which a plan does not take.`) : next);
}

export const notMarked = (state: State, {number, error}: Of<'not-marked'>): Step => quiet(state.marking?.number === number ? {...state, marking: undefined, error} : state);

/** A plan is made. */
export function planned(state: State, {number, plan}: Of<'planned'>): Step {
	const rate = planOf(state, number)?.rate;
	return quiet(change(state, number, {plan, stage: 'ready', ...(rate === usualRate ? {rate: usualRateOf(plan)} : {})}));
}

export const notPlanned = (state: State, {number, error}: Of<'not-planned'>): Step => quiet(change(state, number, {error}));

/** Some of a plan is done with, or it waits. */
export function planWent(state: State, {number, reported, waits}: Of<'plan-went'>): Step {
	const overlay = planOf(state, number);
	return quiet(overlay ? change(state, number, {reported: [...overlay.reported, ...reported], waits}) : state);
}

/** A plan has ended: the marks of its rows go, and what became of each stays in sight until esc. */
export function planEnded(state: State, {number}: Of<'plan-ended'>): Step {
	const overlay = planOf(state, number);
	if (!overlay) {
		return refreshAll(state);
	}

	const tally = tallyOf(overlay.reported);
	const {noun} = plannable[overlay.name];
	const cleared = unmark(change(state, number, {stage: 'ended', waits: undefined, scroll: 0}), noun === 'process' ? 'processes' : 'computers', new Set(overlay.plan?.entries.map(({id}) => id)));
	const where = state.plan?.number === number ? ' P shows the report.' : '';
	return refreshAll({...cleared, notice: {text: `Of ${plural(overlay.reported.length, noun)}: ${tallyText(tally)}.${where}`, at: state.now, isOutcome: true}});
}
