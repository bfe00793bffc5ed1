import {askComputer, askForgetKey, askProcess, askRemoveColony} from '../deeds.ts';
import {selectedColony, selectedProcess} from '../keymap/reasons.ts';
import type {State, Step} from '../state.ts';
import type {Action} from './action.ts';
import {chooseColony, showScreen} from './moving.ts';

/** Asks about the process under the cursor or open now; from a menu, only if it is the one that the menu was opened for. */
const onProcess = (act: 'retry' | 'cancel' | 'remove') => (state: State, id: string | undefined): Step => {
	const process = selectedProcess(state);
	return process === undefined || (id !== undefined && id !== process.processid)
		? [{...state, notice: {text: 'The process has left the list meanwhile; nothing was changed.', at: state.now}}, []]
		: askProcess(state, act, process);
};

/** Asks before something is changed, and chooses what to work in. */
export const changing: Record<string, Action> = {
	'choose-colony'(state) {
		const colony = selectedColony(state)!;
		const [next, effects] = showScreen(chooseColony(state, colony), 'processes');
		return [next, [...effects, {type: 'remember', key: `colony:${state.context?.name}`, value: colony.colonyid}]];
	},
	approve: state => askComputer(state, 'approve'),
	disapprove: state => askComputer(state, 'disapprove'),
	'remove-computer': state => askComputer(state, 'remove'),
	'remove-colony': state => askRemoveColony(state),
	'remove-key': state => askForgetKey(state),
	retry: onProcess('retry'),
	cancel: onProcess('cancel'),
	remove: onProcess('remove'),
};
