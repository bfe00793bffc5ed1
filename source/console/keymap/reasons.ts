import type {Computer, Process} from '../../core/types.ts';
import {needsOwner} from '../deeds.ts';
import {marksHere} from '../marks.ts';
import {selectedRow} from '../screens/index.ts';
import {searchOf} from '../searching.ts';
import type {KnownColony, State} from '../state.ts';
import {verdictOf} from '../verification.ts';

/** Why nothing is selected; undefined when a row is. */
export const nothing = (state: State): string | undefined => selectedRow(state) === undefined
	? (state.lists[state.screen].gone === undefined ? 'Nothing is selected: j selects a row.' : 'This row has left the list; move on first.')
	: undefined;

/** The process that a key is about: the one that is open, or the one under the cursor. */
export const selectedProcess = (state: State): Process | undefined => {
	const top = state.overlays.at(-1);
	return top?.kind === 'detail' ? top.process : selectedRow(state) as Process | undefined;
};

/** What stands in the way of an action on what is marked, where something is; else what `otherwise` says of the row under the cursor. */
export const unlessMarked = (otherwise: (state: State) => string | undefined) => (state: State): string | undefined => marksHere(state).size > 0 ? needsOwner(state) : otherwise(state);

/** Why there is no process to do something with. */
export const noProcess = (state: State): string | undefined => selectedProcess(state) ? undefined : nothing(state) ?? 'It is still loading.';

/** That the process is in one of these states, and the owner's key is there; else why not. */
export const processIs = (statuses: readonly number[], why: string) => (state: State): string | undefined => {
	const process = selectedProcess(state);
	return process === undefined ? noProcess(state) : (statuses.includes(process.status) ? needsOwner(state) : why);
};

/** That the computer is in another state than this, and the owner's key is there; else why not. */
export const computerIsNot = (status: number, why: string) => (state: State): string | undefined => nothing(state) ?? ((selectedRow(state) as Computer).status === status ? why : needsOwner(state));

/** Why there is no colony to do something in. */
export const noColony = (state: State): string | undefined => state.colony ? undefined : 'No colony is selected: press 4.';

/** Why there is no store to do something in. */
export function whyNoContext(state: State): string | undefined {
	return state.context ? undefined : 'The database is not open yet.';
}

/** The colony under the cursor of the Colonies screen. */
export const selectedColony = (state: State): KnownColony | undefined => selectedRow(state) as KnownColony | undefined;

/** Why the present cannot be compared with the history; undefined when it can. */
export const notVerified = (state: State): string | undefined => {
	const verdict = verdictOf(state);
	return verdict?.state === 'intact' ? undefined : (verdict?.state === 'broken' ? 'The history is not intact: nothing can be compared with it.' : 'The history is not verified yet.');
};

/** Why there is no next match in a page. */
export const notSearched = (state: State): string | undefined => searchOf(state) ? undefined : 'No search yet: / searches this page.';
