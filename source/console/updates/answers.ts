import {isDeepStrictEqual} from 'node:util';
import {quiet, say} from '../actions/action.ts';
import {milliseconds} from '../../core/time.ts';
import {isWithoutRoot, type ResultOf} from '../../operations/index.ts';
import {takeAnswer} from '../asking.ts';
import {statusSlot} from '../asks.ts';
import {askAgain} from '../forms.ts';
import {refreshAll} from '../loading.ts';
import type {ErrorText, Message, Overlay, State, Step} from '../state.ts';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const sayDone = (state: State, text: string): State => ({...state, notice: {text, at: state.now, isOutcome: true}});

/** Changes every overlay of a kind. */
const inOverlays = (state: State, change: (overlay: Overlay) => Overlay): State => ({...state, overlays: state.overlays.map(overlay => change(overlay))});

/** The process that is open or beside the list, with its attributes. */
export function detailed(state: State, {process: read}: Of<'detailed'>): Step {
	const open = state.overlays.find(overlay => overlay.kind === 'detail');
	const known = [open?.kind === 'detail' ? open.process : undefined, state.side].find(each => each?.processid === read.processid);
	// What has not changed stays the very object, for which its lines are made already.
	const process = isDeepStrictEqual(read, known) ? known! : read;
	const next = inOverlays(state, overlay => overlay.kind === 'detail' && overlay.id === process.processid ? {...overlay, process, error: undefined} : overlay);
	return quiet({...next, side: process.processid === state.lists.processes.cursor ? process : state.side});
}

export const notDetailed = (state: State, {id, error}: Of<'not-detailed'>): Step => quiet(inOverlays(state, overlay => overlay.kind === 'detail' && overlay.id === id ? {...overlay, error} : overlay));

/** A change is done. */
export const done = (state: State, {text}: Of<'done'>): Step => refreshAll(sayDone({...state, busy: Math.max(0, state.busy - 1)}, text));

/** A change was refused, or nobody knows what came of it. */
export const failed = (state: State, {error}: Of<'failed'>): Step => refreshAll({...state, busy: Math.max(0, state.busy - 1), error});

export const noticed = (state: State, {text}: Of<'noticed'>): Step => quiet(say(state, text));

/** A form was sent, and what it said is done. */
export function formDone(state: State, {text, made}: Of<'form-done'>): Step {
	const next = made ? {...state, lists: {...state.lists, [made.screen]: {...state.lists[made.screen], made: made.id}}} : state;
	return refreshAll(sayDone({...next, overlays: next.overlays.filter(({kind}) => kind !== 'form')}, text));
}

export const formFailed = (state: State, {error}: {error: ErrorText}): Step => quiet(inOverlays(state, overlay => overlay.kind === 'form' ? (isWithoutRoot(error) ? {...askAgain(overlay), busy: false} : {...overlay, busy: false, error}) : overlay));

/** Something that was asked for what is in sight. */
export function asked(state: State, {slot, sequence, result, began, at}: Of<'asked'>): Step {
	const next = takeAnswer(state, slot, sequence, {result, at});
	return quiet(slot === statusSlot && next !== state ? {...next, skew: skewOf(result as ResultOf<'database.status'>, began, at)} : next);
}

/** A difference below this is the way of the answer, or means nothing for ages in seconds; in milliseconds. */
const leastSkew = 1000;

/** By how much the clock of the store is ahead, in milliseconds; the answer is taken to have been made halfway between asking and hearing. */
function skewOf({clock}: ResultOf<'database.status'>, began: number, at: number): number {
	const skew = Math.round((milliseconds(clock) ?? at) - ((began + at) / 2));
	return Math.abs(skew) < leastSkew ? 0 : skew;
}

export const notAsked = (state: State, {slot, sequence, error}: Of<'not-asked'>): Step => quiet(takeAnswer(state, slot, sequence, {error}));
