import type {Fix} from '../core/explanation.ts';
import {limits} from '../core/limits.ts';
import {shortId, visible} from '../core/text.ts';
import {type AnyOperation, type OperationName, operations} from '../operations/index.ts';
import {type PlannableName, type Seen, usualRate} from '../operations/plan.ts';
import {unreachedShort, untilReached} from './reach.ts';
import {whyPlanRuns} from './plans.ts';
import {refusals} from './refusals.ts';
import {screens, selectedRow} from './screens/index.ts';
import {over} from './stack.ts';
import {
	type Acting, type Effect, type KnownColony, type Overlay, type PlanOverlay, type State, type Step,
} from './state.ts';
import {emptyText} from './terminal/text-edit.ts';
import {cut} from './terminal/width.ts';

const asText = ({message, hint}: {message: string; hint: string}): string => `${message} ${hint}`;

/** Why not even the keychain may be changed; undefined when it may. A store elsewhere has nothing to do with it. */
export const whyReadOnly = ({readOnly, past}: State): string | undefined => past ? asText(refusals.past) : (readOnly === undefined || readOnly === 'elsewhere' ? undefined : asText(refusals[readOnly]));

/** Why nothing may be changed now; undefined when it may. */
export function whyNoChange(state: State): string | undefined {
	if (!state.context) {
		return 'The database is not open yet.';
	}

	if (!state.reach.reachable) {
		return `${unreachedShort(state)}; changes are refused ${untilReached(state)}.`;
	}

	const reason = state.past ? 'past' : (state.reach.noChanges ?? state.readOnly);
	return reason === undefined ? undefined : asText(refusals[reason]);
}

/** The identity that may act as a colony's owner, if the keychain holds it. */
const ownerOf = (colony: KnownColony | undefined): Acting | undefined => colony?.as.find(({kind}) => kind === 'owner');

/** Why the owner's key is missing, for actions that need it. */
export function needsOwner(state: State): string | undefined {
	if (!state.colony) {
		return 'No colony is selected.';
	}

	return ownerOf(state.colony) ? whyNoChange(state) : `This needs the key of the colony owner, ${shortId(state.colony.colonyid)}, and the keychain does not hold it: add it on 6 Keys.`;
}

/** Who signs a change by the owner: the operator acts as what the action needs, and the question says so. */
const owner = (state: State): Acting => ownerOf(state.colony)!;

/** A name as it stands in a question about it: whole. Only what is no name of this store is longer. */
const named = (name: string): string => cut(visible(name), 2 * limits.name);

/** The name of the place of a question, which the header has too: short enough that the rest of the question is seen. */
const placed = (name: string): string => cut(visible(name), 24);

const where = ({context, colony}: Pick<State, 'context' | 'colony'>): string => [context?.name ?? '', colony?.name ?? ''].filter(name => name !== '').map(name => placed(name)).join(' ');

type Ask = {operation: OperationName; object: string; verb: string; done: string; input: Record<string, unknown>; as: Acting; consequence?: string; typed?: string; /** Where it happens; in the present colony unless given. */ place?: string};

/** Who signs, where that is somebody else than the operator acts as: the answer `y` switches for this one action. */
const signedAs = ({acting}: State, as: Acting): string => acting === undefined || acting.id === as.id || as.kind === 'root' ? '' : `Signed as ${as.kind} ${shortId(as.id)}, not as ${acting.kind} ${shortId(acting.id)}. `;

/** The question before a change: it names the context, the object and the count, and only `y` confirms it. */
function ask(state: State, {operation, object, verb, done, input, as, consequence, typed, place = where(state)}: Ask): Step {
	return [over(state, {
		kind: 'confirm',
		place,
		question: `${verb} ${object}?`,
		consequence: `${signedAs(state, as)}${consequence ?? operations[operation].summary}`,
		verb,
		deed: {operation, input, as, done: `${done} ${object}.`},
		...(typed === undefined ? {} : {typed: {expected: typed, edit: {text: '', cursor: 0}}}),
	}), []];
}

/** Asks before an operation of the palette: what it is, on what, and what comes of it. What is worst asks for a name to be typed. */
export function askOperation(state: State, {operation, input, as, object}: {operation: OperationName; input: Record<string, unknown>; as: Acting; object: string}): Step {
	const {danger, summary}: AnyOperation = operations[operation];
	const known = state.known.find(({colonyid}) => colonyid === input.colonyid);
	return [over(state, {
		kind: 'confirm', place: where(danger === 'highest' ? {context: state.context} : state), question: `${operation.replace('.', ' ')} ${object}?`.replace(' ?', '?'), consequence: `${signedAs(state, as)}${summary}`, verb: 'Do it',
		deed: {operation, input, as, fromForm: true}, ...(danger === 'highest' ? {typed: {expected: known?.name ?? operation, edit: {text: '', cursor: 0}}} : {}),
	}), []];
}

type ComputerVerb = 'approve' | 'disapprove' | 'remove';

const computerWords: Record<ComputerVerb, {verb: string; done: string; consequence: string}> = {
	approve: {verb: 'Approve', done: 'Approved', consequence: 'It will receive waiting processes that it may run.'},
	disapprove: {verb: 'Disapprove', done: 'Disapproved', consequence: 'It gets no more processes; those that it runs go back to waiting.'},
	remove: {verb: 'Remove', done: 'Removed', consequence: 'Its record goes, and the processes that it runs go back to waiting. Its key stays in the keychain.'},
};

/** Asks before a computer is approved, disapproved or removed; it is left alone when it is not any more as it was seen. */
export function askComputer(state: State, act: ComputerVerb, {id, label, state: ifstate}: Seen): Step {
	const {verb, done, consequence} = computerWords[act];
	return ask(state, {
		operation: `computer.${act}`, object: `the computer ${named(label)} (${id.slice(0, 8)})`, verb, done, consequence,
		input: {colonyid: state.colony!.colonyid, computerid: id, ifstate}, as: owner(state),
	});
}

const processWords = {
	retry: {verb: 'Retry', done: 'Put back to waiting:', consequence: 'It waits again with no retries counted; out and err attributes of the last attempt go to its history.'},
	cancel: {verb: 'Cancel', done: 'Cancelled', consequence: 'It fails with the error "cancelled".'},
	remove: {verb: 'Remove', done: 'Removed', consequence: 'It goes with its attributes. Only the history keeps it.'},
} as const;

/** Asks before a process is retried, cancelled or removed; it is left alone when it is not any more as it was seen. */
export function askProcess(state: State, act: keyof typeof processWords, {id, state: ifstate, since: ifsince, retries: ifretries}: Seen): Step {
	const {verb, done, consequence} = processWords[act];
	return ask(state, {
		operation: `process.${act}`, object: `the ${ifstate} process ${id.slice(0, 8)}`, verb, done, consequence,
		input: {colonyid: state.colony!.colonyid, processid: id, ifstate, ifsince, ifretries}, as: owner(state),
	});
}

/** Makes a plan for what is marked, as its owner: it is shown before anything is done. */
export function planMany(state: State, name: PlannableName, seen: readonly Seen[]): Step {
	const reason = whyPlanRuns(state);
	if (reason) {
		return [{...state, notice: {text: `${reason} There is one at a time.`, at: state.now}}, []];
	}

	const number = state.numbers + 1;
	const as = owner(state);
	const overlay: PlanOverlay = {
		kind: 'plan', number, name, marked: seen.length, place: where(state), as, stage: 'making', edit: emptyText, rate: usualRate, reported: [], isStopping: false, scroll: 0,
	};
	return [over({...state, plan: undefined, numbers: number, range: undefined}, overlay), [{type: 'make-plan', number, name, colonyid: state.colony!.colonyid, seen, as}]];
}

/** Asks before something is mended that an explanation or a line of 5 Attention offers. */
export function askFix(state: State, {operation, input, says}: Fix): Step {
	const [verb] = says.split(' ') as [string];
	const object = named(says.slice(verb.length + 1));
	const [noun, act] = operation.split('.') as [string, string];
	const {computerid, processid} = input as {computerid?: string; processid?: string};
	const id = (computerid ?? processid ?? '').slice(0, 8);
	const {done, consequence} = noun === 'computer' ? computerWords[act as ComputerVerb] : processWords[act as keyof typeof processWords];
	return ask(state, {
		operation: operation as OperationName, object: noun === 'computer' ? `the computer ${object} (${id})` : `the process ${id}`, verb, done, consequence, input, as: owner(state),
	});
}

/** Asks before a colony is removed: its name must be typed. */
export function askRemoveColony(state: State): Step {
	const colony = selectedRow(state) as KnownColony;
	return ask(state, {
		// The colony that the operator works in may be another one.
		place: where({context: state.context}), operation: 'colony.remove', object: `the colony ${placed(colony.name)}`, verb: 'Remove', done: 'Removed', typed: colony.name,
		consequence: 'All its computers, processes and attributes go with it. Only the history keeps them.',
		input: {colonyid: colony.colonyid, name: colony.name}, as: {kind: 'root', id: 'root', name: 'root'},
	});
}

/** Asks before a key leaves the keychain. */
export function askForgetKey(state: State): Step {
	const row = selectedRow(state)!;
	const id = screens.keys.idOf(row);
	return [over(state, {
		kind: 'confirm', place: 'Keychain', question: `remove the key of ${named(screens.keys.nameOf(row))}?`,
		consequence: 'Nobody can act as this identity from here any more. It cannot be undone unless you keep the key elsewhere.',
		verb: 'Remove', deed: {forgetKey: id},
	}), []];
}

/** What a confirmed question does. */
export const confirmed = (overlay: Extract<Overlay, {kind: 'confirm'}>): Effect => 'forgetKey' in overlay.deed
	? {type: 'forget-key', id: overlay.deed.forgetKey}
	: {type: 'run', deed: overlay.deed};
