import {
	type Candidate, completeFilter, type Completion, type FilterList, filterLists, lowered, readFilter, suggestedCandidate, type Wanted,
} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import {answerIn} from './asking.ts';
import type {Ask} from './answers.ts';
import type {Overlay, ScreenName, State} from './state.ts';

type FilterOverlay = Extract<Overlay, {kind: 'filter'}>;

/** The list of the filter language that a screen shows; undefined where words alone are looked for. */
export const languageOf = (screen: ScreenName): FilterList | undefined => filterLists.find(list => list === screen);

/** What the candidates are for: the text as it was before one of them was put in. */
const typedIn = ({edit, completing}: FilterOverlay) => completing?.from ?? edit;

const completionOf = (overlay: FilterOverlay, state: State): Completion | undefined => {
	const list = languageOf(state.screen);
	const {text, cursor} = typedIn(overlay);
	return list && completeFilter(list, text, cursor);
};

/** An ask for values of a field; those of a field with few are asked for once, whatever is typed of them. */
const askFor = (list: FilterList, colonyid: string, {field, key, prefix}: Wanted): Ask => ({
	slot: prefix === '' ? `filter ${list} ${field} ${key ?? ''}` : 'filter narrowed',
	key: JSON.stringify([list, field, key, prefix]), operation: 'filter.suggest', input: {colonyid, list, field, key, prefix}, rests: prefix !== '', every: 60_000,
});

const beginsWith = (value: string, {prefix}: Wanted): boolean => lowered(value).startsWith(lowered(prefix));

const answerTo = (state: State, {slot, key}: Ask) => answerIn(state, slot, key, 'filter.suggest').result;

/** What the store is asked for while a filter is typed: values of the field at the cursor; those that begin as it does where there are more than are told. */
export function asksOfFilter(overlay: FilterOverlay, state: State): readonly Ask[] {
	const list = languageOf(state.screen);
	const wanted = completionOf(overlay, state)?.wanted;
	if (!wanted || !state.colony || (list !== 'processes' && list !== 'computers')) {
		return [];
	}

	const all = askFor(list, state.colony.colonyid, {...wanted, prefix: ''});
	const known = answerTo(state, all);
	const isMore = wanted.prefix !== '' && known !== undefined && (known.length >= limits.suggested || !known.some(({value}) => beginsWith(value, wanted)));
	return isMore ? [all, askFor(list, state.colony.colonyid, wanted)] : [all];
}

/** What may stand at the cursor of the filter that is typed, as far as is known. */
export function candidatesOf(overlay: FilterOverlay, state: State): {completion: Completion; candidates: readonly Candidate[]} | undefined {
	const completion = completionOf(overlay, state);
	if (!completion) {
		return undefined;
	}

	const [all, narrowed] = asksOfFilter(overlay, state).map(ask => answerTo(state, ask) ?? []);
	const values = [...(all ?? []).filter(({value}) => beginsWith(value, completion.wanted!)), ...narrowed ?? []];
	const candidates = [...completion.candidates, ...values.map(value => suggestedCandidate(completion, value))];
	return {completion, candidates: [...new Map(candidates.map(candidate => [candidate.text, candidate])).values()]};
}

/** What is wrong with the filter that is typed: all of it, or only what the cursor has left. */
export function faultOf({edit}: FilterOverlay, state: State, {isTyping}: {isTyping: boolean}): {message: string; hint: string} | undefined {
	const list = languageOf(state.screen);
	return list && readFilter(list, edit.text).faults.find(({at, end}) => !isTyping || edit.cursor < at || edit.cursor > end);
}
