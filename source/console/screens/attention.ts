import type {AttentionLine} from '../../core/attention.ts';
import {shortId, visible} from '../../core/text.ts';
import {formatAge, formatTime} from '../../core/time.ts';
import {type State, storeNow} from '../state.ts';
import {danger, dim, warning} from '../terminal/style.ts';
import type {Screen} from './screen.ts';
import {whole} from './whole.ts';

const marks = {high: '‼', medium: '!', low: '·'} as const;
const styles = {high: danger, medium: warning, low: dim} as const;

/** What a line is about: `lab2`, `train 1a2b3c4d`; nothing where it stands for the rest of its kind. */
const thing = ({noun, id, name}: AttentionLine): string => noun === 'computer' ? name : [name, id.slice(0, 8)].filter(text => text !== '').join(' ');

const matches = (filter: string, line: AttentionLine): boolean => {
	const all = `${line.kind} ${line.severity} ${line.name} ${line.text} ${line.id}`.toLowerCase();
	return filter.toLowerCase().split(/\s+/).every(word => all.includes(word));
};

/** 5 Attention: what should be looked at, the most severe first. */
export const attentionScreen: Screen<AttentionLine> = {
	name: 'attention',
	digit: '5',
	title: 'Attention',
	// By its time alone: it looks at a whole colony.
	topics: [],
	of: 'colony',
	async read(_, {state, run}) {
		const {rows} = await run('attention.list', {colonyid: state.colony!.colonyid});
		return whole(rows.filter(line => matches(state.lists.attention.filter, line)));
	},
	tabs: [],
	columns: [
		{title: '!', width: 1, yields: 0, value: ({severity}) => marks[severity], style: (text, {severity}) => styles[severity](text)},
		{title: 'SINCE', width: 6, align: 'right', yields: 1, value: ({since}, now) => formatAge(since, now)},
		{title: 'WHAT', width: 18, yields: 0, value: line => visible(thing(line))},
		{title: 'WHY', width: 40, grows: true, yields: 0, value: ({text}) => visible(text), style: (text, {severity}) => styles[severity](text)},
		{title: 'FIX (F)', width: 18, yields: 2, value: ({fix}) => visible(fix.says)},
	],
	idOf: ({kind, id}) => `${kind} ${id === '' ? 'rest' : id}`,
	aboutOf: ({id}) => id,
	nameOf: line => visible(thing(line) || line.kind),
	empty: (state: State) => state.colony
		? (state.lists.attention.filter === '' ? ['Nothing asks for attention.', 'No deadline is near, nothing waits that no computer can run, no computer is silent or waits for approval.'] : [`Nothing matches /${visible(state.lists.attention.filter)}`, 'Press esc to clear the filter.'])
		: ['No colony is selected.', 'Press 4 to choose one, or to register the first.'],
	summary: (line, state) => [
		['severity', line.severity],
		['kind', line.kind],
		['what', line.text],
		['since', `${formatTime(line.since, state.utc)}, ${formatAge(line.since, storeNow(state))} ago`],
		[line.noun, line.name === '' ? '-' : line.name],
		...(line.id === '' ? [] : [['id', shortId(line.id)] as const]),
		['F', line.fix.says],
		['enter', line.id === '' ? 'shows them' : `opens the ${line.noun}`],
	],
};
