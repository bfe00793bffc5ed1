import {screens, selectedRow} from '../screens/index.ts';
import {onTop, over} from '../stack.ts';
import {verdictOf} from '../verification.ts';
import {type Action, quiet} from './action.ts';

/** Opens a change, verifies the history, and compares the present with it. */
export const auditing: Record<string, Action> = {
	'open-entry': state => quiet(over(state, {kind: 'entry', id: screens.audit.idOf(selectedRow(state)!), scroll: 0})),
	verify: state => quiet(over(state, {kind: 'verify', time: (verdictOf(state)?.time ?? 0) + 1, scroll: 0})),
	'compare-present': state => quiet(onTop(state, overlay => overlay.kind === 'verify' ? {...overlay, compares: true} : overlay)),
};
