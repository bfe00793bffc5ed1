import type {AttentionLine, Look} from '../../core/attention.ts';
import {processStates} from '../../core/types.ts';
import {askFix} from '../deeds.ts';
import {fixInSight} from '../fixes.ts';
import {openForm} from '../forms.ts';
import {selectedProcess} from '../keymap/reasons.ts';
import {loadDetail} from '../loading.ts';
import {selectedRow} from '../screens/index.ts';
import {over} from '../stack.ts';
import type {State, Step} from '../state.ts';
import {textOf} from '../terminal/text-edit.ts';
import {type Action, quiet} from './action.ts';
import {restart} from './moving.ts';

/** Shows a list, filtered: the state that the filter names is a tab of its own. */
export function showLook(state: State, {screen, filter}: Look): Step {
	const named = /(?:^|\s)state:(\w+)/.exec(filter)?.[1];
	const tab = screen === 'processes' && named !== undefined ? processStates.indexOf(named as 'waiting') + 1 : 0;
	const rest = filter.replace(/(?:^|\s)state:\w+/, '').trim();
	return restart({
		...state, screen, previous: state.screen === screen ? state.previous : state.screen, side: undefined, overlays: [],
	}, screen, {tab, filter: rest});
}

/** The form for a new computer with what a process asks for. */
function openRegistration(state: State, spec: Readonly<Record<string, unknown>>): State {
	const form = openForm('register-computer', state);
	const fields = form.fields.map(field => spec[field.name] === undefined || spec[field.name] === '' ? field : {...field, edit: textOf(String(spec[field.name]))});
	return over(state, {...form, fields, focus: Math.max(0, fields.findIndex(({name}) => name === 'name'))});
}

/** Explains, and mends what is in sight. */
export const fixing: Record<string, Action> = {
	explain(state) {
		const id = state.screen === 'attention' && state.overlays.length === 0 ? (selectedRow(state) as AttentionLine).id : selectedProcess(state)!.processid;
		return quiet(over(state, {kind: 'explain', id, scroll: 0}));
	},
	fix(state) {
		const fix = fixInSight(state)!;
		if (!('operation' in fix)) {
			return showLook(state, fix);
		}

		return fix.operation === 'computer.register' ? quiet(openRegistration(state, fix.input.spec as Record<string, unknown>)) : askFix(state, fix);
	},
	'open-line'(state) {
		const {noun, id, fix} = selectedRow(state) as AttentionLine;
		if (id === '') {
			return 'operation' in fix ? quiet(state) : showLook(state, fix);
		}

		if (noun === 'computer') {
			return showLook(state, {screen: 'computers', filter: id, says: ''});
		}

		const next = over(state, {kind: 'detail', id, view: 'detail', scroll: 0, revealed: false});
		return [next, loadDetail(next)];
	},
};
