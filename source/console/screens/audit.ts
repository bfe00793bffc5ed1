import {shortId, visible} from '../../core/text.ts';
import {formatAge, formatMoment, formatTime} from '../../core/time.ts';
import type {audit} from '../../operations/index.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import {type State, storeNow} from '../state.ts';
import {bold, danger, dim, success, warning} from '../terminal/style.ts';
import {comparisonOf, verdictOf} from '../verification.ts';
import type {Screen} from './screen.ts';

type Entry = audit.AuditEntry;

/** Who did it, by the name that is known: of a colony, its owner's. */
export const who = ({actor, actorname}: Entry): string => actorname === null ? shortId(actor) : visible(actorname);

/** What it was done to. */
export const object = ({subject, name, noun}: Entry): string => visible(name ?? (noun === 'installation' ? subject : `${noun === 'attribute' ? 'process' : noun} ${subject.slice(0, 8)}`));

export const change = ({from, to}: Entry): string => from !== null && to !== null ? `${from} → ${to}` : (to ?? (from === null ? '' : `${from} →`));

/** What takes something away is seen at a glance. */
const colourOf = ({what}: Entry) => /\.(?:remove|cancel|disapprove)$/.test(what) ? warning : (text: string) => text;

export const headSlot = 'audit-head';

const askHead = ({colony}: State): readonly Ask[] => colony ? [{slot: headSlot, key: colony.colonyid, operation: 'audit.head', input: {colonyid: colony.colonyid}, every: 5000}] : [];

const styles: Partial<Record<string, (text: string) => string>> = {intact: success, broken: text => danger(bold(text))};

/** How far the history is sealed, and what came of verifying it. */
function note(state: State): string {
	const {result, error} = answerIn(state, headSlot, state.colony?.colonyid ?? '', 'audit.head');
	const sealed = result ? (result.unsealed === null ? 'all is sealed' : `sealed up to ${formatAge(result.unsealed, storeNow(state))} ago`) : (error?.code === 'not-found' ? 'nothing sealed yet' : '');
	const verdict = verdictOf(state);
	const verified = verdict === undefined ? 'v verifies' : (styles[comparisonOf(state, verdict.time)?.state === 'differs' ? 'broken' : verdict.state] ?? (text => text))(verdict.short);
	return [sealed, verified].filter(text => text !== '').join(' | ');
}

/** 7 Audit: who changed what and when, the latest first. */
export const auditScreen: Screen<Entry> = {
	name: 'audit',
	digit: '7',
	title: 'Audit',
	topics: ['colonies', 'computers', 'processes', 'attributes'],
	of: 'colony',
	async read(query, {state, run}) {
		const {tab, filter} = state.lists.audit;
		return run('audit.list', {colonyid: state.colony!.colonyid, all: tab === 1, ...(filter === '' ? {} : {filter}), ...query});
	},
	tabs: ['changes', 'all'],
	asks: askHead,
	note,
	columns: [
		{title: 'WHEN', width: 11, yields: 1, value: ({at}, now, {utc}) => formatMoment(at, now, utc)},
		{title: 'WHO', width: 14, yields: 0, value: who, style: text => bold(text)},
		{title: 'WHAT', width: 19, yields: 0, value: ({what}) => visible(what), style: (text, entry) => colourOf(entry)(text)},
		{title: 'OBJECT', width: 13, grows: true, yields: 0, value: object},
		{title: 'CHANGE', width: 24, yields: 2, value: entry => visible(change(entry))},
		{title: 'SIGNED', width: 6, yields: 3, value: ({signed}) => signed ? 'yes' : '-'},
		{title: 'SEALED', width: 7, yields: 4, value: ({sealed}) => sealed ? 'yes' : 'not yet', style: (text, {sealed}) => sealed ? text : dim(text)},
	],
	// The time zone.
	beside: ({utc}) => utc,
	idOf: ({id}) => id,
	aboutOf: ({subject}) => subject,
	nameOf: entry => `${visible(entry.what)} ${object(entry)}`,
	empty(state) {
		if (!state.colony) {
			return ['No colony is selected.', 'Press 4 to choose one, or to register the first.'];
		}

		const {filter, tab} = state.lists.audit;
		return filter === ''
			? [tab === 0 ? 'No operator has changed anything yet.' : 'Nothing has happened yet.', 'What is approved, disapproved, registered, removed, retried or cancelled stands here.']
			: [`No change matches /${visible(filter)}`, 'Give what was done (disapprove, computer.remove) and part of a name; esc clears the filter.'];
	},
	summary: (entry, {utc}) => [
		['when', formatTime(entry.at, utc)],
		['who', who(entry)],
		['', entry.actor],
		['what', entry.what],
		['object', object(entry)],
		['', entry.subject],
		['change', change(entry) || '-'],
		['signed', entry.signed ? 'yes' : (entry.actor === 'root' ? 'no: root signs nothing' : 'no')],
		['sealed', entry.sealed ? 'yes' : 'not yet'],
		['entry', entry.id],
	],
};
