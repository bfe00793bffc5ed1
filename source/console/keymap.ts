import type {Computer, Process} from '../core/types.ts';
import {type KnownColony, type ScreenName, type State, screenNames} from './state.ts';
import {needsOwner, whyNoChange, whyReadOnly} from './deeds.ts';
import {screens, selectedRow} from './screens/index.ts';

/** Where a key means something: on top of everything, in any list, on one screen, or in one kind of overlay. */
export type Mode = 'anywhere' | 'list' | ScreenName | 'detail' | 'help' | 'menu';

export type Binding = {
	mode: Mode;
	/** The key as it is pressed; several that do the same stand in one row. */
	chords: readonly string[];
	/** An action of actions.ts. */
	action: string;
	value?: string;
	/** What it does, for the help page and the readme. */
	label: string;
	/** What the footer calls it; left out where it does not stand there. */
	hint?: string;
	/** Whether it changes something on the server, or in the keychain. */
	changes?: boolean;
	/** Why it cannot be done now; undefined when it can. */
	disabled?: (state: State) => string | undefined;
};

const nothing = (state: State): string | undefined => selectedRow(state) === undefined
	? (state.lists[state.screen].gone === undefined ? 'Nothing is selected: j selects a row.' : 'This row has left the list; move on first.')
	: undefined;

const ofProcess = (state: State): Process | undefined => {
	const top = state.overlays.at(-1);
	return top?.kind === 'detail' ? top.process : selectedRow(state) as Process | undefined;
};

const noProcess = (state: State): string | undefined => ofProcess(state) ? undefined : nothing(state) ?? 'It is still loading.';

const processIs = (statuses: readonly number[], why: string) => (state: State): string | undefined => {
	const process = ofProcess(state);
	return process === undefined ? noProcess(state) : (statuses.includes(process.status) ? needsOwner(state) : why);
};

const computerIsNot = (status: number, why: string) => (state: State): string | undefined => nothing(state) ?? ((selectedRow(state) as Computer).status === status ? why : needsOwner(state));

const noColony = (state: State): string | undefined => state.colony ? undefined : 'No colony is selected: press 4.';

const processActions = (mode: 'processes' | 'detail'): Binding[] => [
	{mode, chords: ['R'], action: 'retry', label: 'Put a closed process back to waiting', hint: 'retry', changes: true, disabled: processIs([2, 3], 'Only a closed process can be retried.')},
	{mode, chords: ['X'], action: 'remove', label: 'Remove the process', hint: 'remove', changes: true, disabled: processIs([0, 1, 2, 3], '')},
	{mode, chords: ['x'], action: 'process-menu', label: 'Menu of actions', hint: 'actions', disabled: noProcess},
];

/** Every key of the console: it dispatches, and the footer, the help page and the readme are printed from it. */
export const keymap: readonly Binding[] = [
	...screenNames.map(name => ({mode: 'list' as const, chords: [screens[name].digit], action: 'screen', value: name, label: screens[name].title})),
	{mode: 'list', chords: ['-'], action: 'last-screen', label: 'The screen before'},
	{mode: 'list', chords: ['j', 'down'], action: 'down', label: 'Down'},
	{mode: 'list', chords: ['k', 'up'], action: 'up', label: 'Up'},
	{mode: 'list', chords: ['g', 'home'], action: 'first', label: 'First'},
	{mode: 'list', chords: ['G', 'end'], action: 'last', label: 'Last'},
	{mode: 'list', chords: ['pgdn', 'ctrl-f'], action: 'page-down', label: 'A page down'},
	{mode: 'list', chords: ['pgup', 'ctrl-b'], action: 'page-up', label: 'A page up'},
	{mode: 'list', chords: ['/'], action: 'filter', label: 'Filter', hint: 'filter'},
	{mode: 'list', chords: ['p'], action: 'pause', label: 'Pause and go on', hint: 'pause'},
	{mode: 'list', chords: ['r'], action: 'refresh', label: 'Read again'},
	{mode: 'list', chords: ['f'], action: 'freeze', label: 'Freeze the order of the rows'},
	{mode: 'list', chords: ['w'], action: 'wide', label: 'With and without the side pane'},
	{mode: 'list', chords: ['c'], action: 'copy-id', label: 'Copy the id', disabled: nothing},
	{mode: 'list', chords: ['C'], action: 'copy-json', label: 'Copy as JSON', disabled: nothing},
	{mode: 'list', chords: ['i'], action: 'identity', label: 'Who am I acting as', hint: 'identity'},
	{mode: 'list', chords: ['esc'], action: 'back', label: 'Clear the error or the filter'},

	{mode: 'processes', chords: ['['], action: 'tab', value: '-1', label: 'Previous state'},
	{mode: 'processes', chords: [']', 'tab'], action: 'tab', value: '1', label: 'Next state', hint: 'state'},
	{mode: 'processes', chords: ['enter', 'd'], action: 'open', value: 'detail', label: 'Open', hint: 'open', disabled: nothing},
	{mode: 'processes', chords: ['a'], action: 'open', value: 'attributes', label: 'Attributes', hint: 'attributes', disabled: nothing},
	{mode: 'processes', chords: ['y'], action: 'open', value: 'json', label: 'JSON', hint: 'json', disabled: nothing},
	{mode: 'processes', chords: ['n'], action: 'form', value: 'submit-process', label: 'Submit a process', hint: 'submit', disabled: state => noColony(state) ?? whyNoChange(state)},
	...processActions('processes'),

	{mode: 'computers', chords: ['A'], action: 'approve', label: 'Approve the computer', hint: 'approve', changes: true, disabled: computerIsNot(1, 'It is approved already.')},
	{mode: 'computers', chords: ['V'], action: 'disapprove', label: 'Disapprove the computer', hint: 'disapprove', changes: true, disabled: computerIsNot(2, 'It is disapproved already.')},
	{mode: 'computers', chords: ['X'], action: 'remove', label: 'Remove the computer', hint: 'remove', changes: true, disabled: state => nothing(state) ?? needsOwner(state)},
	{mode: 'computers', chords: ['n'], action: 'form', value: 'register-computer', label: 'Register a computer', hint: 'register', disabled: state => noColony(state) ?? needsOwner(state)},

	{mode: 'colonies', chords: ['enter'], action: 'choose-colony', label: 'Work in this colony', hint: 'choose', disabled: nothing},
	{mode: 'colonies', chords: ['n'], action: 'form', value: 'register-colony', label: 'Register a colony', hint: 'register', disabled: whyNoChange},
	{mode: 'colonies', chords: ['u'], action: 'form', value: 'unlock-root', label: 'Unlock root', hint: 'unlock root', disabled: state => state.rootUnlocked ? 'Root is unlocked already.' : whyNoContext(state)},
	{mode: 'colonies', chords: ['X'], action: 'remove', label: 'Remove the colony', hint: 'remove', changes: true, disabled: state => nothing(state) ?? (state.rootUnlocked ? whyNoChange(state) : 'Only root may do this: press u to unlock it.')},

	{mode: 'keys', chords: ['n'], action: 'form', value: 'add-key', label: 'Add a key', hint: 'add', disabled: whyReadOnly},
	{mode: 'keys', chords: ['X'], action: 'remove', label: 'Remove the key', hint: 'remove', changes: true, disabled: state => nothing(state) ?? whyReadOnly(state)},

	{mode: 'detail', chords: ['d'], action: 'view', value: 'detail', label: 'Detail', hint: 'detail'},
	{mode: 'detail', chords: ['a'], action: 'view', value: 'attributes', label: 'Attributes', hint: 'attributes'},
	{mode: 'detail', chords: ['y'], action: 'view', value: 'json', label: 'JSON', hint: 'json'},
	{mode: 'detail', chords: ['s'], action: 'reveal', label: 'Show and hide masked values', hint: 'secrets'},
	{mode: 'detail', chords: ['c'], action: 'copy-id', label: 'Copy the id'},
	{mode: 'detail', chords: ['C'], action: 'copy-json', label: 'Copy as JSON', disabled: noProcess},
	...processActions('detail'),
	...(['detail', 'help'] as const).flatMap((mode): Binding[] => [
		{mode, chords: ['j', 'down'], action: 'scroll', value: '1', label: 'Down'},
		{mode, chords: ['k', 'up'], action: 'scroll', value: '-1', label: 'Up'},
		{mode, chords: ['pgdn', ' '], action: 'scroll', value: 'page', label: 'A page down'},
		{mode, chords: ['pgup'], action: 'scroll', value: '-page', label: 'A page up'},
		{mode, chords: ['g', 'home'], action: 'scroll', value: 'first', label: 'To the top'},
		{mode, chords: ['esc', 'left'], action: 'close', label: 'Back', hint: 'back'},
	]),
	{mode: 'menu', chords: ['j', 'down'], action: 'menu-move', value: '1', label: 'Down'},
	{mode: 'menu', chords: ['k', 'up'], action: 'menu-move', value: '-1', label: 'Up'},
	{mode: 'menu', chords: ['enter'], action: 'menu-choose', label: 'Choose', hint: 'choose'},
	{mode: 'menu', chords: ['esc'], action: 'close', label: 'Back', hint: 'back'},

	{mode: 'anywhere', chords: ['?'], action: 'help', label: 'Help for this screen', hint: 'help'},
	{mode: 'anywhere', chords: ['q', 'ctrl-c'], action: 'quit', label: 'Quit', hint: 'quit'},
	{mode: 'anywhere', chords: ['ctrl-z'], action: 'suspend', label: 'To the shell and back with fg'},
	{mode: 'anywhere', chords: ['ctrl-l'], action: 'repaint', label: 'Draw anew'},
];

function whyNoContext(state: State): string | undefined {
	return state.context ? undefined : 'The database is not open yet.';
}

/** The modes that a key is looked up in, the nearest first. */
export function modesOf(state: State): Mode[] {
	const top = state.overlays.at(-1);
	if (top === undefined) {
		return [state.screen, 'list', 'anywhere'];
	}

	return top.kind === 'detail' || top.kind === 'help' || top.kind === 'menu' ? [top.kind, 'anywhere'] : [];
}

/** What a key means now: a row of the key map, or undefined. */
export function resolve(state: State, chord: string): Binding | undefined {
	for (const mode of modesOf(state)) {
		const found = keymap.find(binding => binding.mode === mode && binding.chords.includes(chord));
		if (found) {
			return found;
		}
	}

	return undefined;
}

/** The colony under the cursor of the Colonies screen. */
export const selectedColony = (state: State): KnownColony | undefined => selectedRow(state) as KnownColony | undefined;

/** The process that a key is about: the one that is open, or the one under the cursor. */
export const selectedProcess = ofProcess;

/** The rows of the key map that hold where the operator is, for the help page; help on help shows the screen below it. */
export function bindingsHere(state: State) {
	const below = state.overlays.at(-1)?.kind === 'help' ? {...state, overlays: state.overlays.slice(0, -1)} : state;
	return modesOf(below).map(mode => ({mode, bindings: keymap.filter(binding => binding.mode === mode)}));
}
