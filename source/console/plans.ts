import {tallyOf, tallyText} from '../operations/apply-plan.ts';
import {titleOf} from '../operations/plan.ts';
import type {Overlay, PlanOverlay, State} from './state.ts';

export const isPlan = (overlay: Overlay): overlay is PlanOverlay => overlay.kind === 'plan';

const isGoing = ({stage}: PlanOverlay): boolean => stage === 'running' || stage === 'ended';

/** Every plan there is: those over the screen, and the one that is put away. */
export const plansOf = ({overlays, plan}: Pick<State, 'overlays' | 'plan'>): PlanOverlay[] => [...overlays.filter(overlay => isPlan(overlay)), ...(plan ? [plan] : [])];

/** The plan that is under way, wherever the operator looks. */
export const runningPlan = (state: Pick<State, 'overlays' | 'plan'>): PlanOverlay | undefined => plansOf(state).find(({stage}) => stage === 'running');

/** Why nothing can be done that would end a plan, or stand beside one; undefined where none is under way. */
export const whyPlanRuns = (state: Pick<State, 'overlays' | 'plan'>): string | undefined => runningPlan(state) ? 'A plan is under way: P shows it, and s stops it there.' : undefined;

/** Puts the plan on top away: it goes on, and P shows it again. */
export const putPlanAway = (state: State): State => {
	const top = state.overlays.at(-1);
	return top && isPlan(top) && isGoing(top) ? {...state, overlays: state.overlays.slice(0, -1), plan: top.stage === 'running' ? top : undefined} : state;
};

/** A plan under way goes on whatever takes its page off the screen. */
export function keepPlan(before: State, after: State): State {
	const lost = before.overlays === after.overlays ? undefined : before.overlays.find((overlay): overlay is PlanOverlay => isPlan(overlay) && overlay.stage === 'running');
	return lost === undefined || plansOf(after).some(({number}) => number === lost.number) ? after : {...after, plan: lost};
}

/** How far a plan is, in few words. */
export const progressText = ({reported, plan}: PlanOverlay): string => `${reported.length}/${plan!.entries.length}`;

/** What became of a plan, once it has ended or was stopped. */
export function outcomeText({plan, reported}: Pick<PlanOverlay, 'plan' | 'reported'>): string {
	const tally = tallyOf(reported);
	return `The plan to ${titleOf(plan!)} ${tally['not-tried'] > 0 ? 'was stopped' : 'has ended'}: ${tallyText(tally)}.`;
}
