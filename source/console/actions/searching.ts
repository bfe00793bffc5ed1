import {withList} from '../loading.ts';
import {
	currentIndex, findIn, indexBeside, indexFrom, isInSight, placeOf, searchOf,
} from '../searching.ts';
import {closeTop, onTop, over} from '../stack.ts';
import type {Overlay, Search, State, Step} from '../state.ts';
import type {Chord} from '../terminal/keys.ts';
import {editText, emptyText, textLimits} from '../terminal/text-edit.ts';
import {attributeAt, chosenLine} from '../views/detail.ts';
import {searchable, type Searchable} from '../views/overlay-pages.ts';
import {type Action, quiet, say} from './action.ts';

type SearchOverlay = Extract<Overlay, {kind: 'search'}>;
type Stand = SearchOverlay['from'];

/** Changes the page that is searched, below the field where words are typed. */
function changePage(state: State, stand: Partial<Stand>): State {
	const index = state.overlays.findLastIndex(({kind}) => kind !== 'search');
	const {chosen: _, ...scrolled} = stand;
	if (index === -1) {
		return withList(state, state.screen, scrolled);
	}

	const overlay = state.overlays[index]!;
	return 'scroll' in overlay ? {...state, overlays: state.overlays.with(index, {...overlay, ...(overlay.kind === 'detail' ? stand : scrolled)})} : state;
}

const detailIn = ({overlays}: State): Extract<Overlay, {kind: 'detail'}> | undefined => {
	const page = overlays.findLast(({kind}) => kind !== 'search');
	return page?.kind === 'detail' ? page : undefined;
};

/** How the page stands, to come back to. */
function standOf(state: State): Stand {
	const {sight, search} = searchable(state)!;
	const detail = detailIn(state);
	return {scroll: sight.first, search, ...(detail && {chosen: detail.chosen})};
}

/** Where a page is scrolled to so that some of its rows are in sight; it stays where they are. */
function scrollTo({sight: {first, room}, end}: Searchable, row: number, lastRow: number): number {
	if (row >= first && lastRow < first + room) {
		return first;
	}

	return Math.min(end, Math.max(0, Math.min(row, Math.max(row - Math.floor(room / 3), lastRow - room + 1))));
}

/** Goes to a match: it comes into sight, and the cursor to the attribute that it is in. */
function goTo(state: State, search: Search, index: number): State {
	const page = searchable(state)!;
	const finding = findIn(page.rows, search.words);
	const match = finding.matches[index];
	if (!match) {
		return changePage(state, {search: {words: search.words}});
	}

	const detail = detailIn(state);
	const chosen = detail && (attributeAt(detail, state, match.row) ?? detail.chosen);
	return changePage(state, {scroll: scrollTo(page, match.row, match.lastRow), search: {words: search.words, at: placeOf(finding, match)}, ...(detail && {chosen})});
}

/** Searches from the row that the page is scrolled to. */
function seek(state: State, words: string, row: number): State {
	return goTo(state, {words}, indexFrom(findIn(searchable(state)!.rows, words), row));
}

/** A key while words are typed: what is found first from where one was comes into sight. */
export function inSearch(state: State, overlay: SearchOverlay, chord: Chord): Step {
	const {from, edit} = overlay;
	// What was searched may be below something that came by itself, as the doors of the first run do.
	if (chord.key === 'esc' || chord.key === 'ctrl-c' || !searchable(state)) {
		return quiet(closeTop(changePage(state, {...from, search: undefined})));
	}

	if (chord.key === 'enter') {
		// Without new words the ones before go on.
		return edit.text === '' && from.search ? next(closeTop(changePage(state, from)), '1') : quiet(closeTop(state));
	}

	const typed = editText(edit, chord, textLimits.word);
	if (typed === edit) {
		return quiet(state);
	}

	const back = changePage(onTop(state, () => ({...overlay, edit: typed})), {...from, search: undefined});
	return quiet(typed.text === '' ? back : seek(back, typed.text, searchable(back)!.sight.first));
}

/** Goes to the next match or the one before, round the ends. */
function next(state: State, by: string | undefined): Step {
	const {rows, search, sight} = searchable(state)!;
	const finding = findIn(rows, search!.words);
	if (finding.matches.length === 0) {
		return quiet(say(state, `No match for ${search!.words}.`));
	}

	const {index, isRound} = indexBeside(finding, search!, by === '1' ? 1 : -1, sight);
	const there = goTo(state, search!, index);
	return quiet(isRound ? say(there, by === '1' ? 'Wrapped to the top.' : 'Wrapped to the end.') : there);
}

/** Drops what is searched on the page in sight. */
export const dropSearch = (state: State): State => changePage(state, {search: undefined});

/** After an open process is shown in another way: its first match from the chosen attribute on. */
export function seekAgain(state: State): State {
	const detail = detailIn(state);
	return detail?.search ? seek(state, detail.search.words, chosenLine(detail, state)) : state;
}

/** The current match stays in sight when new data comes in or the terminal is resized. */
export function keepInSight(before: State, after: State): State {
	const search = searchOf(before);
	if (!search || before === after || searchOf(after) !== search) {
		return after;
	}

	const [old, page] = [searchable(before)!, searchable(after)!];
	const [was, is] = [old, page].map(({rows}) => {
		const finding = findIn(rows, search.words);
		return finding.matches[currentIndex(finding, search)];
	});
	const scroll = was && is && isInSight(was, old.sight) ? scrollTo(page, is.row, is.lastRow) : page.scroll;
	return scroll === page.scroll ? after : changePage(after, {scroll});
}

/** Searches in what is open. */
export const searching: Record<string, Action> = {
	search: state => quiet(over(changePage(state, {search: undefined}), {kind: 'search', edit: emptyText, from: standOf(state)})),
	'search-next': next,
};
