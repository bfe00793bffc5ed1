import {plural, shortId, visible} from '../../core/text.ts';
import {needsOwner} from '../deeds.ts';
import {selectedProcess} from '../keymap/reasons.ts';
import {refreshAll} from '../loading.ts';
import {marksHere} from '../marks.ts';
import {runningPlan, whyPlanRuns} from '../plans.ts';
import {refusals} from '../refusals.ts';
import {onTop, over} from '../stack.ts';
import type {Acting, MenuItem, State, Step} from '../state.ts';
import {type Action, quiet, say} from './action.ts';

/** The same for all that is marked; a plan leaves out what an action is not for. */
function markedMenu(state: State, count: number): Step {
	const disabled = needsOwner(state);
	const items: MenuItem[] = [
		{key: 'K', label: 'Cancel', summary: 'Those that wait or run fail', action: 'cancel', disabled},
		{key: 'R', label: 'Retry', summary: 'Those that are closed wait again', action: 'retry', disabled},
		{key: 'X', label: 'Remove', summary: 'With their attributes', action: 'remove', disabled},
	];
	return [over(state, {kind: 'menu', title: `${plural(count, 'marked process')}`, items, cursor: 0}), []];
}

function processMenu(state: State): Step {
	const {size} = marksHere(state);
	if (size > 0) {
		return markedMenu(state, size);
	}

	const process = selectedProcess(state);
	if (!process) {
		return quiet(state);
	}

	const closed = process.status > 1;
	const owner = needsOwner(state);
	const value = process.processid;
	const items: MenuItem[] = [
		{key: 'K', label: 'Cancel', summary: 'A waiting or running one fails', action: 'cancel', value, disabled: closed ? 'It is closed already.' : owner},
		{key: 'R', label: 'Retry', summary: 'A closed one waits again', action: 'retry', value, disabled: closed ? owner : 'Only a closed process can be retried.'},
		{key: 'X', label: 'Remove', summary: 'With its attributes', action: 'remove', value, disabled: owner},
	];
	return [over(state, {kind: 'menu', title: `Process ${shortId(process.processid)}`, items, cursor: 0}), []];
}

function identityMenu(state: State): Step {
	const items = (state.colony?.as ?? []).map((acting, index): MenuItem => ({
		key: String(index + 1), label: `${acting.kind} ${shortId(acting.id)}`, summary: visible(acting.name), action: 'act-as', value: acting.id,
		disabled: acting.kind === 'root' ? 'Root may only see to colonies; changes on 4 Colonies are made as root by themselves.' : undefined,
	}));
	items.push(state.readOnly === undefined
		? {key: 'r', label: 'Read-only', summary: 'Refuse every change from here (:ro)', action: 'ro'}
		: {key: 'w', label: 'Allow changes', summary: 'Each still asks first (:rw)', action: 'rw', disabled: state.readOnly === 'flag' ? refusals.flag.hint : undefined});
	const acting = state.acting ? `${state.acting.kind} ${state.acting.id}` : 'nobody: no colony is selected';
	return [over(state, {kind: 'menu', title: `Acting as ${acting}`, items, cursor: 0}), []];
}

/** What is offered on a fresh machine (console.md, "First run"), below what the operator has opened meanwhile: it takes no key that was meant for that. */
export const welcome = (state: State): State => ({...state, overlays: [{
	kind: 'menu', isWelcome: true, title: 'Welcome to Colonies', cursor: 0,
	items: [
		{key: '1', label: 'Register a colony', summary: 'Name it and choose a root password, once', action: 'form', value: 'register-colony'},
		{key: '2', label: 'Load the demo', summary: 'Simulated computers at work, apart from real data', action: 'demo'},
		{key: '3', label: 'Connect elsewhere', summary: 'To a Colonies server, or a database of yours', action: 'connect-menu'},
	],
}, ...state.overlays]});

const connectMenu = (state: State): State => over(state, {
	kind: 'menu', title: 'Connect elsewhere', cursor: 0,
	items: [
		{key: '1', label: 'A Colonies server', summary: 'Over HTTPS; your keys stay here', action: 'form', value: 'connect-server'},
		{key: '2', label: 'A database', summary: 'A PostgreSQL or TimescaleDB of yours', action: 'form', value: 'connect'},
	],
});

/** Opens menus, and moves in them. */
export const menus: Record<string, Action> = {
	'connect-menu': state => quiet(runningPlan(state) ? say(state, whyPlanRuns(state)!) : connectMenu(state)),
	demo(state) {
		const reason = whyPlanRuns(state);
		return reason ? quiet(say(state, reason)) : [state, [{type: 'open', demo: true}]];
	},
	identity: identityMenu,
	'act-as': (state, id) => refreshAll({...state, acting: state.colony?.as.find((acting): acting is Acting => acting.id === id) ?? state.acting}),
	'process-menu': processMenu,
	'menu-move': (state, by) => quiet(onTop(state, overlay => overlay.kind === 'menu' ? {...overlay, cursor: Math.max(0, Math.min(overlay.items.length - 1, overlay.cursor + Number(by)))} : overlay)),
};
