import {shortId, visible} from '../../core/text.ts';
import type {KeyEntry} from '../../keychain/index.ts';
import {danger, dim} from '../terminal/style.ts';
import type {Screen} from './screen.ts';
import {passing, whole} from './whole.ts';

/** The state of a key, in a word. */
function stateOf({damaged, encrypted, label}: KeyEntry): string {
	if (damaged) {
		return 'damaged';
	}

	if (label?.replacedby !== undefined) {
		return 'replaced';
	}

	return encrypted ? 'locked' : 'good';
}

const styles = new Map([['damaged', danger], ['replaced', dim]]);

export const keysScreen: Screen<KeyEntry> = {
	name: 'keys',
	digit: '6',
	title: 'Keys',
	topics: [],
	of: 'machine',
	read: async (_, {state, keys}) => whole(passing('keys', state.lists.keys.filter, await keys(), ({id, label}) => ({id, name: label?.name, of: label?.kind ?? 'other', colony: label?.colonyid}))),
	tabs: [],
	columns: [
		{title: 'ID', width: 10, yields: 0, value: ({id}) => shortId(id)},
		{title: 'OF', width: 9, yields: 0, value: ({label}) => label?.kind ?? '-'},
		{title: 'NAME', width: 16, grows: true, yields: 0, value: ({label}) => label ? visible(label.name) : '-'},
		{title: 'COLONY', width: 10, yields: 1, value: ({label}) => label ? shortId(label.colonyid) : '-'},
		{title: 'FILE', width: 8, yields: 2, value: key => stateOf(key), style: (text, key) => styles.get(stateOf(key))?.(text) ?? text},
	],
	idOf: ({id}) => id,
	nameOf: ({id, label}) => label ? `${visible(label.name)} (${shortId(id)})` : shortId(id),
	empty: state => state.lists.keys.filter === ''
		? ['The keychain is empty.', 'Press n to add a key, or register a colony with 4 n.']
		: [`No key matches /${visible(state.lists.keys.filter)}`, 'Press esc to clear the filter.'],
	summary: ({id, label, encrypted, note}) => [
		['id', id],
		['of', label ? `${label.kind} ${label.name}` : 'unknown'],
		['colony', label?.colonyid ?? '-'],
		...(label?.computerid ? [['computer', label.computerid] as const] : []),
		...(label?.replacedby ? [['replaced', `by ${label.replacedby}`] as const] : []),
		...(encrypted ? [['file', 'encrypted; the passphrase opens it'] as const] : []),
		...(note ? [['note', note] as const] : []),
		['private key', 'never shown here: colonies keychain privatekey --id …'],
	],
};
