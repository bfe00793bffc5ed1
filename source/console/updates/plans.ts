import {quiet, say} from '../actions/action.ts';
import {plannable} from '../../operations/plan.ts';
import {tallyOf, tallyText} from '../../operations/apply-plan.ts';
import {plural} from '../../core/text.ts';
import {refreshAll} from '../loading.ts';
import {marksOf, withMarks, withoutMarks} from '../marks.ts';
import type {Effect, Message, PlanOverlay, State, Step} from '../state.ts';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const planOf = (state: State, number: number): PlanOverlay | undefined => state.overlays.find((overlay): overlay is PlanOverlay => overlay.kind === 'plan' && overlay.number === number);

const change = (state: State, number: number, plan: Partial<PlanOverlay>): State => ({...state, overlays: state.overlays.map(overlay => overlay.kind === 'plan' && overlay.number === number ? {...overlay, ...plan} : overlay)});

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
export const planned = (state: State, {number, plan}: Of<'planned'>): Step => quiet(change(state, number, {plan, stage: 'ready'}));

export const notPlanned = (state: State, {number, error}: Of<'not-planned'>): Step => quiet(change(state, number, {error}));

/** Some of a plan is done with, or it waits. */
export function planWent(state: State, {number, reported, waits}: Of<'plan-went'>): Step {
	const overlay = planOf(state, number);
	return quiet(overlay ? change(state, number, {reported: [...overlay.reported, ...reported], waits}) : state);
}

/** A plan has ended: its marks go, and what became of each stays in sight until esc. */
export function planEnded(state: State, {number}: Of<'plan-ended'>): Step {
	const free = {...state, busy: Math.max(0, state.busy - 1)};
	const overlay = planOf(free, number);
	if (!overlay) {
		return refreshAll(free);
	}

	const tally = tallyOf(overlay.reported);
	const {noun} = plannable[overlay.name];
	const cleared = withoutMarks(change(free, number, {stage: 'ended', waits: undefined, scroll: 0}), noun === 'process' ? 'processes' : 'computers');
	return refreshAll({...cleared, notice: {text: `Of ${plural(overlay.reported.length, noun)}: ${tallyText(tally)}.`, at: state.now, isOutcome: true}});
}

/** Stops what is under way for plans that are not open any more, as when another store is opened. */
export const stopsOf = (before: State, after: State): Effect[] => before.overlays === after.overlays
	? []
	: before.overlays.filter((overlay): overlay is PlanOverlay => overlay.kind === 'plan' && !planOf(after, overlay.number)).map(({number}) => ({type: 'stop-plan', number}));
