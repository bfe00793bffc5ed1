import {shortId, visible} from '../core/text.ts';
import type {Process} from '../core/types.ts';
import {askComputer, askForgetKey, askProcess, askRemoveColony, needsOwner, over} from './deeds.ts';
import {openForm} from './forms.ts';
import {selectedColony, selectedProcess} from './keymap.ts';
import {visibleRows} from './layout.ts';
import {cursorIndex, furtherQuery, moveTo, windowSize} from './lists.ts';
import {load, loadDetail, refreshAll, withList} from './loading.ts';
import {screens, selectedRow} from './screens/index.ts';
import {type Acting, type FormPurpose, type KnownColony, type MenuItem, type Overlay, type ScreenName, type State, type Step, emptied} from './state.ts';
import {textOf} from './terminal/text-edit.ts';
import {scrollEnd} from './views/pages.ts';

type Action = (state: State, value: string | undefined) => Step;
type Detail = Extract<Overlay, {kind: 'detail'}>;

const quiet = (state: State): Step => [state, []];

/** Changes the overlay on top. */
export const onTop = (state: State, change: (overlay: Overlay) => Overlay): State => ({...state, overlays: [...state.overlays.slice(0, -1), change(state.overlays.at(-1)!)]});

export const closeTop = (state: State): State => ({...state, overlays: state.overlays.slice(0, -1)});

function move(state: State, to: (index: number, height: number) => number): Step {
	const list = state.lists[state.screen];
	const {idOf} = screens[state.screen];
	const height = visibleRows(state);
	// The first move of a cursor that is nowhere yet puts it on the first row that is seen.
	const target = list.cursor === undefined ? list.top : to(cursorIndex(list, idOf), height);
	const next = withList(state, state.screen, moveTo(list, target, {idOf, height}));
	const beyond = furtherQuery(next.lists[state.screen], target, height);
	if (beyond && !list.loading) {
		const [loading, effects] = load(next, state.screen, beyond, 'further');
		return [loading, [...effects, ...loadDetail(loading, {soon: true})]];
	}

	return [next, loadDetail(next, {soon: true})];
}

/** To the first or the last row of the whole list, wherever the window is. */
function jump(state: State, direction: 'after' | 'before'): Step {
	const {more, rows} = state.lists[state.screen];
	const isBeyond = direction === 'after' ? more.before : more.after;
	if (!isBeyond) {
		return move(state, () => direction === 'after' ? 0 : rows.length - 1);
	}

	const cleared = withList(state, state.screen, {cursor: undefined, gone: undefined, top: 0});
	return load(cleared, state.screen, {count: windowSize, ...(direction === 'before' ? {direction} : {})}, direction === 'before' ? 'last' : 'first');
}

/** Shows another list; its rows are read anew, the ones it had are shown meanwhile. */
export function showScreen(state: State, screen: ScreenName): Step {
	if (screen === state.screen) {
		return quiet(state);
	}

	return refreshAll({...state, screen, previous: state.screen});
}

/** Id of the process that is open over the list. */
function openId({overlays}: State): string | undefined {
	const top = overlays.at(-1);
	return top?.kind === 'detail' ? top.id : undefined;
}

/** Begins a list anew, for another tab, filter or colony. */
export function restart(state: State, screen: ScreenName, {tab, filter}: {tab: number; filter: string}): Step {
	return load({...state, lists: {...state.lists, [screen]: {...emptied(state.lists[screen], tab), filter}}}, screen);
}

/** Works in a colony from now on, as its owner when the keychain holds that key. */
export function chooseColony(state: State, colony: KnownColony): State {
	const lists = {...state.lists, processes: emptied(state.lists.processes), computers: emptied(state.lists.computers)};
	// Where there is a colony nobody is asked what to begin with.
	const overlays = state.overlays.filter(overlay => !(overlay.kind === 'menu' && overlay.isWelcome));
	return {...state, overlays, colony, acting: colony.as.find(({kind}) => kind !== 'root'), lists, side: undefined, counts: undefined, computerCounts: undefined};
}

function processMenu(state: State): Step {
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
	const acting = state.acting ? `${state.acting.kind} ${state.acting.id}` : 'nobody: no colony is selected';
	return [over(state, {kind: 'menu', title: `Acting as ${acting}`, items, cursor: 0}), []];
}

/** What is offered on a fresh machine (console.md, "First run"). */
export const welcome = (state: State): State => over(state, {
	kind: 'menu', isWelcome: true, title: 'Welcome to Colonies', cursor: 0,
	items: [
		{key: '1', label: 'Register a colony', summary: 'Name it and choose a root password, once', action: 'form', value: 'register-colony'},
		{key: '2', label: 'Load the demo', summary: 'Simulated computers at work, apart from real data', action: 'demo'},
		{key: '3', label: 'Connect elsewhere', summary: 'To a Colonies server, or a database of yours', action: 'connect-menu'},
	],
});

const connectMenu = (state: State): State => over(state, {
	kind: 'menu', title: 'Connect elsewhere', cursor: 0,
	items: [
		{key: '1', label: 'A Colonies server', summary: 'Over HTTPS; your keys stay here', action: 'form', value: 'connect-server'},
		{key: '2', label: 'A database', summary: 'A PostgreSQL or TimescaleDB of yours', action: 'form', value: 'connect'},
	],
});

function scroll(state: State, value: string | undefined): Step {
	const page = Math.max(1, state.rows - 8);
	const by = {page, '-page': -page, first: Number.NEGATIVE_INFINITY}[value!] ?? Number(value);
	return [onTop(state, overlay => 'scroll' in overlay ? {...overlay, scroll: Math.max(0, Math.min(scrollEnd(overlay, state), overlay.scroll + by))} : overlay), []];
}

/** Asks about the process under the cursor or open now; from a menu, only if it is the one that the menu was opened for. */
const onProcess = (act: 'retry' | 'cancel' | 'remove') => (state: State, id: string | undefined): Step => {
	const process = selectedProcess(state);
	return process === undefined || (id !== undefined && id !== process.processid)
		? [{...state, notice: {text: 'The process has left the list meanwhile; nothing was changed.', at: state.now}}, []]
		: askProcess(state, act, process);
};

/** Does what the chosen item of a menu says, as if its key had been pressed. */
export function chooseItem(state: State, item: MenuItem): Step {
	if (item.disabled) {
		return [{...state, notice: {text: item.disabled, at: state.now}}, []];
	}

	return actions[item.action]!(closeTop(state), item.value);
}

/** Every action that the key map names. */
export const actions: Record<string, Action> = {
	screen: (state, name) => showScreen(state, name as ScreenName),
	'last-screen': state => showScreen(state, state.previous),
	down: state => move(state, index => index + 1),
	up: state => move(state, index => index - 1),
	'page-down': state => move(state, (index, height) => index + height),
	'page-up': state => move(state, (index, height) => index - height),
	first: state => jump(state, 'after'),
	last: state => jump(state, 'before'),
	filter: state => quiet(over(state, {kind: 'filter', edit: textOf(state.lists[state.screen].filter)})),
	pause: state => state.paused ? refreshAll({...state, paused: false}) : quiet({...state, paused: true}),
	refresh: state => refreshAll(state),
	freeze: state => quiet({...state, frozen: !state.frozen}),
	wide: state => quiet({...state, wide: !state.wide}),
	tab(state, by) {
		const {tabs} = screens[state.screen];
		const {tab, filter} = state.lists[state.screen];
		return restart({...state, side: undefined}, state.screen, {tab: (tab + Number(by) + tabs.length) % tabs.length, filter});
	},
	back: state => state.error ? quiet({...state, error: undefined}) : (state.lists[state.screen].filter === '' ? quiet(state) : restart(state, state.screen, {tab: state.lists[state.screen].tab, filter: ''})),
	open(state, view) {
		const process = selectedRow(state) as Process;
		const known = state.side?.processid === process.processid ? state.side : undefined;
		const next = over(state, {kind: 'detail', id: process.processid, view: view as Detail['view'], process: known, scroll: 0, revealed: false});
		return [next, loadDetail(next)];
	},
	view: (state, view) => quiet(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, view: view as Detail['view'], scroll: 0} : overlay)),
	reveal: state => quiet(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, revealed: !overlay.revealed} : overlay)),
	scroll,
	close: state => quiet(closeTop(state)),
	form: (state, purpose) => quiet(over(state, openForm(purpose as FormPurpose, state))),
	'connect-menu': state => quiet(connectMenu(state)),
	demo: state => [state, [{type: 'open', demo: true}]],
	'choose-colony'(state) {
		const colony = selectedColony(state)!;
		const [next, effects] = showScreen(chooseColony(state, colony), 'processes');
		return [next, [...effects, {type: 'remember', key: `colony:${state.context?.name}`, value: colony.colonyid}]];
	},
	identity: identityMenu,
	'act-as': (state, id) => refreshAll({...state, acting: state.colony?.as.find((acting): acting is Acting => acting.id === id) ?? state.acting}),
	'process-menu': processMenu,
	approve: state => askComputer(state, 'approve'),
	disapprove: state => askComputer(state, 'disapprove'),
	retry: onProcess('retry'),
	cancel: onProcess('cancel'),
	remove(state, value) {
		switch (state.screen) {
			case 'computers': {
				return askComputer(state, 'remove');
			}

			case 'colonies': {
				return askRemoveColony(state);
			}

			case 'keys': {
				return askForgetKey(state);
			}

			case 'processes': {
				return onProcess('remove')(state, value);
			}
		}
	},
	'copy-id': state => [state, [{type: 'copy', text: openId(state) ?? screens[state.screen].idOf(selectedRow(state)!), what: 'the id'}]],
	'copy-json': state => [state, [{type: 'copy', text: JSON.stringify(openId(state) === undefined ? selectedRow(state) : selectedProcess(state), undefined, 4), what: 'the JSON'}]],
	'menu-move': (state, by) => quiet(onTop(state, overlay => overlay.kind === 'menu' ? {...overlay, cursor: Math.max(0, Math.min(overlay.items.length - 1, overlay.cursor + Number(by)))} : overlay)),
	'menu-choose'(state) {
		const menu = state.overlays.at(-1)!;
		const item = menu.kind === 'menu' ? menu.items[menu.cursor] : undefined;
		return item ? chooseItem(state, item) : quiet(state);
	},
	help: state => state.overlays.at(-1)?.kind === 'help' ? quiet(closeTop(state)) : quiet(over(state, {kind: 'help', scroll: 0})),
	suspend: state => [state, [{type: 'suspend'}]],
	repaint: state => refreshAll(state),
	quit: state => [state, [{type: 'quit'}]],
};
