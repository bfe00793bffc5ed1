import {visible} from '../../core/text.ts';
import {quiet, say} from '../actions/action.ts';
import {chooseColony, showScreen} from '../actions/moving.ts';
import {welcome} from '../actions/menus.ts';
import {leftOfForm} from '../forms.ts';
import {load, refreshAll} from '../loading.ts';
import {plansOf} from '../plans.ts';
import {type ErrorText, type Message, type State, type Step, emptied, emptiedLists} from '../state.ts';

const chain = ([state, effects]: Step, more: Step[1]): Step => [state, [...effects, ...more]];

/** Nothing of the colony is left on the screen, but a form that was typed into. */
function leaveColony(state: State): State {
	const {processes, computers} = state.lists;
	const overlays = state.overlays.flatMap(overlay => overlay.kind === 'form' ? leftOfForm(overlay, visible(state.colony?.name ?? '')) : []);
	return {...state, marks: {}, range: undefined, marking: undefined, colony: undefined, acting: undefined, side: undefined, answers: {}, counts: undefined, computerCounts: undefined, past: undefined, overlays, lists: {...state.lists, processes: emptied(processes), computers: emptied(computers)}};
}

/** What is offered first where no colony is open to anybody. */
function withoutColony(state: State): Step {
	if (state.known.length === 0 && state.context?.kind === 'embedded') {
		return quiet(welcome(state));
	}

	// Whoever looks at the keys has chosen to; the other lists are empty without a colony.
	return state.screen === 'keys' ? quiet(state) : showScreen(state, 'colonies');
}

/** The colonies that are open to the operator are there. */
export function known(state: State, {colonies, select}: Extract<Message, {type: 'known'}>): Step {
	const next = {...state, known: colonies, knownLoaded: true, opening: {text: state.opening.text}};
	const at = (id: string | undefined) => colonies.find(({colonyid}) => colonyid === id);
	const colony = at(select) ?? at(state.colony?.colonyid) ?? (state.colony === undefined ? colonies.find(({as}) => as.some(({kind}) => kind !== 'root')) : undefined);
	if (state.colony !== undefined && !colony) {
		const left = leaveColony(next);
		return load(state.notice?.isOutcome ? left : say(left, `The colony ${visible(state.colony.name)} is gone, or the key that opened it.`), 'colonies');
	}

	const [listed, effects] = load(next, 'colonies');
	if (colony && colony.colonyid !== state.colony?.colonyid) {
		const [chosen, more] = refreshAll(chooseColony(listed, colony));
		return [chosen, [...effects, ...more]];
	}

	if (!colony && !state.knownLoaded) {
		return chain(withoutColony(listed), effects);
	}

	// A key may have come or gone.
	const acting = colony?.as.find(({id}) => id === state.acting?.id) ?? colony?.as.find(({kind}) => kind !== 'root');
	return [{...listed, colony, acting}, effects];
}

/** The colonies could not be read. Before the first time that is all there is to say; later the list says it where the database is away. */
export function notKnown(state: State, {error}: {error: ErrorText}): Step {
	if (!state.knownLoaded) {
		return quiet({...state, opening: {...state.opening, error}});
	}

	return quiet(error.code === 'unavailable' ? state : {...state, error});
}

/** Another store is being opened: nothing of the one before is left. */
export const opening = (state: State, {text}: {text: string}): Step => [{
	...state, marks: {}, range: undefined, marking: undefined, context: undefined, opening: {text}, colony: undefined, acting: undefined, known: [], knownLoaded: false, rootUnlocked: false,
	lists: emptiedLists(state.lists), answers: {}, counts: undefined, computerCounts: undefined, side: undefined, past: undefined, overlays: [], screen: 'processes', error: undefined,
}, plansOf(state).filter(({stage}) => stage === 'running').map(({number}) => ({type: 'stop-plan' as const, number}))];

/** A store is open. What is not on this machine may be somebody's production: it is opened read-only, until the operator says otherwise. */
export function opened(state: State, {context, remembered}: Extract<Message, {type: 'opened'}>): Step {
	const readOnly = state.readOnly === 'flag' ? 'flag' : (context.isLocal === false ? 'elsewhere' : undefined);
	return [{...state, context, readOnly, opening: {text: state.opening.text}}, [{type: 'load-known', select: remembered}]];
}

/** The store answers again, or does not any more. */
export function reached(state: State, {type: _, ...reach}: Extract<Message, {type: 'reached'}>): Step {
	const next = {...state, reach};
	return reach.reachable && !state.reach.reachable && state.context ? chain(refreshAll(next), [{type: 'load-known'}]) : quiet(next);
}
