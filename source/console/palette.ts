import {shortId, visible} from '../core/text.ts';
import {isForRoot, type OperationName, operations} from '../operations/index.ts';
import {fitOf} from './fuzzy.ts';
import {keymap, modesOf} from './keymap.ts';
import {screens} from './screens/index.ts';
import {type Overlay, screenNames, type State} from './state.ts';

/** Something that can be chosen in the palette. */
export type PaletteItem = {
	/** The same whatever is in sight, so that it can be told what was chosen last. */
	id: string;
	/** What is typed for it. */
	name: string;
	summary: string;
	/** An action of actions.ts, or of updates/palette.ts. */
	action: string;
	value?: string;
	/** Its key, where it has one. */
	key?: string;
	/** Why it cannot be done now. */
	disabled?: string;
	/** Whether it leaves what is open over the screen. */
	leaves?: true;
};

type PaletteOverlay = Extract<Overlay, {kind: 'palette'}>;

/** Keys that only move about are found by hand. */
const moving = new Set(['up', 'down', 'first', 'last', 'page-up', 'page-down', 'scroll', 'body-scroll', 'menu-move', 'menu-choose', 'close', 'screen', 'tab', 'palette', 'columns']);

const words: readonly PaletteItem[] = [
	{id: 'ro', name: 'ro', summary: 'Read-only: refuse every change from here', action: 'ro'},
	{id: 'rw', name: 'rw', summary: 'Allow changes; each still asks first', action: 'rw'},
	{id: 'q', name: 'q', summary: 'Quit', action: 'quit'},
	{id: 'demo', name: 'demo', summary: 'Open the demo: simulated computers at work', action: 'demo', leaves: true},
	{id: 'connect', name: 'connect', summary: 'Connect to a server or a database', action: 'connect-menu', leaves: true},
];

const below = (state: State): State => ({...state, overlays: state.overlays.filter(({kind}) => kind !== 'palette')});

function keyItems(state: State): PaletteItem[] {
	const under = below(state);
	const modes = modesOf(under);
	return keymap.filter(({mode, action}) => modes.includes(mode) && !moving.has(action)).map(({chords, action, value, label, disabled}) => ({
		id: `key ${action} ${value ?? ''}`, name: label.toLowerCase(), summary: '', action, ...(value === undefined ? {} : {value}), key: chords[0]!, disabled: disabled?.(under),
	}));
}

const screenItems = (): PaletteItem[] => screenNames.flatMap(name => {
	const {title, digit, tabs} = screens[name];
	return [
		{id: `screen ${name}`, name: title.toLowerCase(), summary: `Screen ${digit}`, action: 'screen', value: name, key: digit, leaves: true as const},
		...tabs.map((tab, index) => ({id: `tab ${name} ${tab}`, name: `${title.toLowerCase()} ${tab}`, summary: `Screen ${digit}, ${tab}`, action: 'show-tab', value: `${name} ${index}`, leaves: true as const})),
	];
});

const storeItems = ({known, contexts = [], colony, acting}: State): PaletteItem[] => [
	...known.map(({name, colonyid}) => ({id: `colony ${colonyid}`, name: `colony ${visible(name)}`, summary: `Work in the colony ${shortId(colonyid)}`, action: 'work-in', value: colonyid, leaves: true as const})),
	...contexts.map(({name, kind, where, current}) => ({id: `context ${name}`, name: `context ${visible(name)}`, summary: `Open this ${kind}: ${visible(where)}${current ? ' (current)' : ''}`, action: 'use-context', value: name, leaves: true as const})),
	...(colony?.as ?? []).filter(({kind, id}) => kind !== 'root' && id !== acting?.id).map(({kind, id, name}) => ({id: `act ${id}`, name: `act as ${kind} ${visible(name)}`, summary: shortId(id), action: 'act-as', value: id})),
];

const operationItems = (state: State): PaletteItem[] => (Object.keys(operations) as OperationName[]).map(name => ({
	id: `operation ${name}`, name: name.replace('.', ' '), summary: operations[name].summary, action: 'operation', value: name, leaves: true as const,
	disabled: isForRoot(operations[name]) && !state.rootUnlocked && name !== 'colony.register' ? 'Only root may do this: press u on 4 Colonies to unlock it.' : undefined,
}));

/** Everything that can be chosen now, what was chosen last first; with a text, what fits it, the best first. */
export function itemsOf({edit}: PaletteOverlay, state: State): PaletteItem[] {
	const all = [...words, ...screenItems(), ...keyItems(state), ...storeItems(state), ...operationItems(state)];
	const rank = (id: string): number => {
		const at = state.chosen.indexOf(id);
		return at === -1 ? state.chosen.length : at;
	};

	if (edit.text.trim() === '') {
		return [...all].sort((one, other) => rank(one.id) - rank(other.id));
	}

	return all
		.map(item => ({item, fit: Math.max(fitOf(edit.text, item.name) ?? Number.NEGATIVE_INFINITY, ((fitOf(edit.text, item.summary) ?? Number.NEGATIVE_INFINITY) / 4) - 100)}))
		.filter(({fit}) => fit > Number.NEGATIVE_INFINITY)
		.sort((one, other) => other.fit - one.fit || rank(one.item.id) - rank(other.item.id))
		.map(({item}) => item);
}
