import {find, type Finding, type Match} from './finding.ts';
import type {Search, State} from './state.ts';
import type {Row} from './views/rows.ts';

const findings = new WeakMap<readonly Row[], {words: string; finding: Finding}>();

/** What is found of these words in the rows of a page. */
export function findIn(rows: readonly Row[], words: string): Finding {
	const known = findings.get(rows);
	if (known?.words === words) {
		return known.finding;
	}

	const finding = find(rows, words);
	findings.set(rows, {words, finding});
	return finding;
}

/** What is searched where the operator is; undefined where nothing is. */
export function searchOf({overlays, lists, screen}: State): Search | undefined {
	const top = overlays.findLast(({kind}) => kind !== 'search');
	return top ? ('search' in top ? top.search : undefined) : lists[screen].search;
}

/** Where a match is, so that it is found again when something comes in above it. */
export const placeOf = ({texts}: Finding, {text, start}: Match): NonNullable<Search['at']> => ({text, content: texts[text]!.content, start});

/** Index of the match that one is at: the very one, wherever it has come to, or else the next one. -1 where one is at none. */
export function currentIndex({texts, matches}: Finding, {at}: Search): number {
	if (!at || matches.length === 0) {
		return -1;
	}

	let nearest = -1;
	const away = (index: number): number => Math.abs(matches[index]!.text - at.text);
	for (const [index, {text, start}] of matches.entries()) {
		if (start === at.start && texts[text]!.content === at.content && (nearest === -1 || away(index) < away(nearest))) {
			nearest = index;
		}
	}

	if (nearest !== -1) {
		return nearest;
	}

	const next = matches.findIndex(({text, start}) => text > at.text || (text === at.text && start >= at.start));
	return next === -1 ? matches.length - 1 : next;
}

/** Rows that are in sight: the first of them, and how many. */
export type Sight = {first: number; room: number};

/** Whether something of a match is in sight. */
export const isInSight = ({row, lastRow}: Match, {first, room}: Sight): boolean => lastRow >= first && row < first + room;

/** Index of the first match that begins at a row or below it, round the end; -1 where nothing is found. */
export function indexFrom({matches}: Finding, row: number): number {
	const index = matches.findIndex(match => match.row >= row);
	return index === -1 && matches.length > 0 ? 0 : index;
}

/** The match after or before the one that one is at, or where that is out of sight, the first from the top of what is in sight or the last from its bottom; and whether that goes round an end. */
export function indexBeside(finding: Finding, search: Search, by: 1 | -1, sight: Sight): {index: number; isRound: boolean} {
	const {matches} = finding;
	const current = currentIndex(finding, search);
	const {first, room} = sight;
	const isThere = current !== -1 && isInSight(matches[current]!, sight);
	const index = isThere
		? current + by
		: (by === 1 ? matches.findIndex(({row}) => row >= first) : matches.findLastIndex(({row}) => row < first + room));
	const isRound = by === 1 ? index === -1 || index >= matches.length : index < 0;
	return {index: isRound ? (by === 1 ? 0 : matches.length - 1) : index, isRound};
}

/** At which of how many matches one is: `3 of 17`. */
export function matchText(finding: Finding, search: Search): string {
	const {length} = finding.matches;
	const current = currentIndex(finding, search);
	return length === 0 ? 'no match' : `${current === -1 ? '-' : current + 1} of ${length}`;
}
