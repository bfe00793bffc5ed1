import {screens, selectedRow} from '../screens/index.ts';
import {over} from '../stack.ts';
import {verdictOf} from '../verification.ts';
import {type Action, quiet} from './action.ts';

/** Opens a change, and verifies the history. */
export const auditing: Record<string, Action> = {
	'open-entry': state => quiet(over(state, {kind: 'entry', id: screens.audit.idOf(selectedRow(state)!), scroll: 0})),
	verify: state => quiet(over(state, {kind: 'verify', time: (verdictOf(state)?.time ?? 0) + 1, scroll: 0})),
};
