import {seenComputer, seenProcess} from '../../operations/plan.ts';
import type {Computer} from '../../core/types.ts';
import {askComputer, askForgetKey, askProcess, askRemoveColony, planMany} from '../deeds.ts';
import {selectedColony, selectedProcess} from '../keymap/reasons.ts';
import {marksHere} from '../marks.ts';
import {selectedRow} from '../screens/index.ts';
import type {State, Step} from '../state.ts';
import type {Action} from './action.ts';
import {chooseColony, showScreen} from './moving.ts';

/** Asks about what is marked: the usual question for one, a plan for more. Else about the process under the cursor or open now; from a menu, only if it is the one that the menu was opened for. */
const onProcess = (act: 'retry' | 'cancel' | 'remove') => (state: State, id: string | undefined): Step => {
	const marked = [...marksHere(state).values()];
	if (marked.length > 0) {
		return marked.length === 1 ? askProcess(state, act, marked[0]!) : planMany(state, `process.${act}`, marked);
	}

	const process = selectedProcess(state);
	return process === undefined || (id !== undefined && id !== process.processid)
		? [{...state, notice: {text: 'The process has left the list meanwhile; nothing was changed.', at: state.now}}, []]
		: askProcess(state, act, seenProcess(process));
};

/** The same about computers. */
const onComputer = (act: 'approve' | 'disapprove' | 'remove') => (state: State): Step => {
	const marked = [...marksHere(state).values()];
	return marked.length > 1
		? planMany(state, `computer.${act}`, marked)
		: askComputer(state, act, marked[0] ?? seenComputer(selectedRow(state) as Computer));
};

/** Asks before something is changed, and chooses what to work in. */
export const changing: Record<string, Action> = {
	'choose-colony'(state) {
		const colony = selectedColony(state)!;
		const [next, effects] = showScreen(chooseColony(state, colony), 'processes');
		return [next, [...effects, {type: 'remember', key: `colony:${state.context?.name}`, value: colony.colonyid}]];
	},
	approve: onComputer('approve'),
	disapprove: onComputer('disapprove'),
	'remove-computer': onComputer('remove'),
	'remove-colony': state => askRemoveColony(state),
	'remove-key': state => askForgetKey(state),
	retry: onProcess('retry'),
	cancel: onProcess('cancel'),
	remove: onProcess('remove'),
};
