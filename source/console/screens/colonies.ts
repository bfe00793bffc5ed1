import {shortId, visible} from '../../core/text.ts';
import type {KnownColony} from '../state.ts';
import {bold} from '../terminal/style.ts';
import type {Screen} from './screen.ts';
import {passing, whole} from './whole.ts';

export const coloniesScreen: Screen<KnownColony> = {
	name: 'colonies',
	digit: '4',
	title: 'Colonies',
	topics: ['colonies'],
	of: 'store',
	past: true,
	async read(query, {state, runAsRoot}) {
		const {past, known, lists: {colonies: {filter}}} = state;
		if (!past) {
			return whole(passing('colonies', filter, known, ({colonyid, name}) => ({id: colonyid, name})));
		}

		const page = await runAsRoot('colony.list', {filter, ...query, at: past.at});
		return {...page, rows: page.rows.map(colony => ({...colony, as: known.find(({colonyid}) => colonyid === colony.colonyid)?.as ?? [{kind: 'root', id: 'root', name: 'root'}]}))};
	},
	tabs: [],
	columns: [
		{title: 'NAME', width: 16, grows: true, yields: 0, value: ({name}) => visible(name), style: text => bold(text)},
		{title: 'ID', width: 10, yields: 0, value: ({colonyid}) => shortId(colonyid)},
		{title: 'YOU ARE', width: 24, yields: 1, value: ({as}) => as.map(({kind}) => kind).filter((kind, index, all) => all.indexOf(kind) === index).join(', ')},
	],
	idOf: ({colonyid}) => colonyid,
	nameOf: ({name}) => visible(name),
	empty: state => state.lists.colonies.filter === ''
		? ['The keychain holds no key of a colony here.', 'Press n to register a colony, or 6 to add a key that you have.', ...(state.rootUnlocked ? [] : ['Press u to unlock root, who sees them all.'])]
		: [`No colony matches /${visible(state.lists.colonies.filter)}`, 'Press esc to clear the filter.'],
	summary: ({colonyid, as}) => [
		['id', colonyid],
		...as.map(({kind, id}) => ['you are', kind === 'root' ? 'root' : `${kind} ${shortId(id)}`] as const),
	],
};
