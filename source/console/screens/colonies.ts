import {shortId, visible} from '../../core/text.ts';
import {
	askKept, colonyKeeps, keptIn, keptShort, removedText,
} from '../kept.ts';
import type {KnownColony, State} from '../state.ts';
import {bold} from '../terminal/style.ts';
import type {Screen} from './screen.ts';
import {passing, whole} from './whole.ts';

/** How long closed processes are kept: of the colony that was chosen, for the key that acts is good for no other. */
function keptOf<Text>(colonyid: string, state: State, text: (kept: NonNullable<ReturnType<typeof keptIn>>) => Text): Text | undefined {
	const kept = state.colony?.colonyid === colonyid && !state.past ? keptIn(state) : undefined;
	return kept && text(kept);
}

const keptLines = (colonyid: string, state: State): Array<readonly [label: string, text: string]> => keptOf(colonyid, state, kept => {
	const removed = removedText(state, kept);
	return [['closed kept', colonyKeeps(kept)], ...(removed === undefined ? [] : [['removed', removed] as const])];
}) ?? [];

export const coloniesScreen: Screen<KnownColony> = {
	name: 'colonies',
	digit: '4',
	title: 'Colonies',
	topics: ['colonies'],
	of: 'store',
	past: true,
	asks: askKept,
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
		{title: 'CELL', width: 14, yields: 3, value: ({cell}) => visible(cell ?? ''), shown: ({known}) => known.some(({cell}) => cell !== undefined)},
		{title: 'YOU ARE', width: 24, yields: 1, value: ({as}) => as.map(({kind}) => kind).filter((kind, index, all) => all.indexOf(kind) === index).join(', ')},
		{title: 'KEPT OK/FAIL', width: 14, yields: 2, value: ({colonyid}, _, state) => keptOf(colonyid, state, keptShort) ?? '', shown: state => !state.past && keptIn(state) !== undefined},
	],
	beside: keptIn,
	idOf: ({colonyid}) => colonyid,
	nameOf: ({name}) => visible(name),
	empty: state => state.lists.colonies.filter === ''
		? ['The keychain holds no key of a colony here.', 'Press n to register a colony, or 6 to add a key that you have.', ...(state.rootUnlocked ? [] : ['Press u to unlock root, who sees them all.'])]
		: [`No colony matches /${visible(state.lists.colonies.filter)}`, 'Press esc to clear the filter.'],
	summary: ({colonyid, cell, as}, state) => [
		['id', colonyid],
		...(cell === undefined ? [] : [['cell', visible(cell)] as const]),
		...as.map(({kind, id}) => ['you are', kind === 'root' ? 'root' : `${kind} ${shortId(id)}`] as const),
		...keptLines(colonyid, state),
	],
};
