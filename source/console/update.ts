import {quiet} from './actions/action.ts';
import {keepInSight} from './actions/searching.ts';
import {askNew} from './asking.ts';
import {asksOf} from './asks.ts';
import {withList} from './loading.ts';
import {keepPlan} from './plans.ts';
import type {Message, State, Step} from './state.ts';
import {
	asked, detailed, done, failed, formDone, formFailed, notAsked, notDetailed, noticed,
} from './updates/answers.ts';
import {known, notKnown, opened, opening, reached} from './updates/colonies.ts';
import {pressed} from './updates/keys.ts';
import {
	changed, loaded, resized, ticked,
} from './updates/lists.ts';
import {
	marked, notMarked, notPlanned, planEnded, planned, planWent,
} from './updates/plans.ts';

/** What each kind of message changes. */
const updates: {[Type in Message['type']]: (state: State, message: Extract<Message, {type: Type}>) => Step} = {
	key: pressed,
	resized,
	ticked,
	changed,
	loaded,
	'not-loaded': (state, {screen, sequence, error}) => quiet(sequence === state.lists[screen].sequence ? withList(state, screen, {loading: false, going: undefined, stale: false, error}) : state),
	counted: (state, {colonyid, at, counts, computers}) => quiet(colonyid === state.colony?.colonyid && at === state.past?.at ? {...state, counts, computerCounts: computers} : state),
	opening,
	opened,
	settings: (state, {utc, views = state.views}) => quiet({...state, utc, views}),
	'not-opened': (state, {error}) => quiet({...state, opening: {...state.opening, error}}),
	reached,
	contexts: (state, {contexts}) => quiet({...state, contexts}),
	clock: (state, {skew}) => quiet({...state, skew}),
	known,
	'not-known': notKnown,
	'root-unlocked': state => [{...state, rootUnlocked: true}, [{type: 'load-known'}]],
	detailed,
	'not-detailed': notDetailed,
	asked,
	'not-asked': notAsked,
	done,
	failed,
	noticed,
	marked,
	'not-marked': notMarked,
	planned,
	'not-planned': notPlanned,
	'plan-went': planWent,
	'plan-ended': planEnded,
	'form-done': formDone,
	'form-failed': formFailed,
};

/** Whether the same is to be watched: the store, the colony, and as whom. */
const watchesSame = (one: State, other: State): boolean => one.context === other.context && one.colony?.colonyid === other.colony?.colonyid && one.acting?.id === other.acting?.id;

/**
The one way in which anything changes on the screen: a state and a message give the next state, and what is to be done outside. Pure.
What has come into sight is asked for; see asks.ts.
*/
export function update(state: State, message: Message): Step {
	const apply = updates[message.type] as (state: State, message: Message) => Step;
	const [applied, effects] = apply(state, message);
	const kept = keepPlan(state, applied);
	const next = message.type === 'key' ? kept : keepInSight(state, kept);
	const [complete, asks] = next === state ? quiet(next) : askNew(next, asksOf(next));
	return [complete, [...effects, ...asks, ...(watchesSame(state, complete) ? [] : [{type: 'watch'} as const])]];
}
