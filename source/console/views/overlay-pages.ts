import {entryLines, entryTitle, verifyLines} from '../overlays/audit.ts';
import {commandLinePage, commandLineRows} from '../overlays/command-line.ts';
import {explainLines, explainTitle} from '../overlays/explain.ts';
import {differenceLines, differenceTitle} from '../overlays/difference.ts';
import {palettePage} from '../overlays/palette.ts';
import {resultRows} from '../overlays/result.ts';
import type {Sight} from '../searching.ts';
import {layoutOf} from '../layout.ts';
import type {Overlay, Scrolled, State} from '../state.ts';
import {detailLines, detailTitle, inspectorRoom} from './detail.ts';
import {columnsPage} from './columns.ts';
import {markedRows} from './found.ts';
import {bodyEnd, wholeLines} from './list.ts';
import {page, pageRoom} from './page.ts';
import {helpLines, menuPage} from './pages.ts';
import {planLines, planPage, planRoom} from './plan.ts';
import type {Row} from './rows.ts';

/** A page of text, that is scrolled and searched. */
type TextPage<Shown extends Overlay> = {
	/** All its lines, or rows of its table. */
	rows: (overlay: Shown, state: State) => readonly Row[];
	title: (overlay: Shown) => string;
	/** How many of them are in sight at once; as many as fit into a box unless given. */
	room?: (overlay: Shown, state: State) => number;
	/** As many rows as the body has, out of all lines as they are drawn; a box with the title unless given. */
	draw?: (overlay: Shown, state: State, lines: readonly string[]) => string[];
};

/** The overlays that are text over the whole body, by kind. The attribute inspector is laid out by Ink. */
const textPages: {[Kind in Overlay['kind']]?: TextPage<Extract<Overlay, {kind: Kind}>>} = {
	detail: {rows: detailLines, title: detailTitle, room: ({view}, state) => view === 'attributes' ? inspectorRoom(state) : pageRoom(state)},
	explain: {rows: explainLines, title: explainTitle},
	entry: {rows: entryLines, title: entryTitle},
	verify: {rows: verifyLines, title: () => 'verify the history'},
	difference: {rows: differenceLines, title: differenceTitle},
	'command-line': {rows: commandLineRows, title: () => '', room: (_, state) => layoutOf(state).body, draw: commandLinePage},
	result: {rows: resultRows, title: ({operation}) => operation},
	help: {rows: (_, state) => helpLines(state), title: () => 'Help'},
	plan: {rows: planLines, title: () => '', room: planRoom, draw: planPage},
};

/** Those that hold something to choose from. Forms are laid out by Ink. */
const choices: {[Kind in Overlay['kind']]?: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => string[]} = {palette: palettePage, menu: menuPage, columns: columnsPage};

const pageOf = (overlay: Overlay) => textPages[overlay.kind] as TextPage<Overlay> | undefined;

// The lines of a page are wanted several times for one frame.
const lastRows = new WeakMap<Overlay, {state: State; rows: readonly Row[]}>();

function rowsIn(overlay: Overlay, state: State): readonly Row[] {
	const known = lastRows.get(overlay);
	if (known?.state === state) {
		return known.rows;
	}

	const rows = pageOf(overlay)?.rows(overlay, state) ?? [];
	lastRows.set(overlay, {state, rows});
	return rows;
}

/** Lines, or rows, that a page key goes: as many as are in sight at once. */
export const scrollPage = (overlay: Overlay, state: State): number => pageOf(overlay)?.room?.(overlay, state) ?? pageRoom(state);

/** How far a page may be scrolled: until its last line is in sight. */
export const scrollEnd = (overlay: Overlay, state: State): number => Math.max(0, rowsIn(overlay, state).length - scrollPage(overlay, state));

const sightOf = (overlay: Overlay & Scrolled, state: State): Sight => ({first: Math.min(overlay.scroll, scrollEnd(overlay, state)), room: scrollPage(overlay, state)});

/** The rows of an overlay that takes the body. */
export function overlayLines(overlay: Overlay, state: State): string[] {
	const text = pageOf(overlay);
	if (!text || !('scroll' in overlay)) {
		return (choices[overlay.kind] as ((overlay: Overlay, state: State) => string[]) | undefined)?.(overlay, state) ?? [];
	}

	const lines = markedRows(rowsIn(overlay, state), overlay.search, sightOf(overlay, state));
	return text.draw ? text.draw(overlay, state, lines) : page(text.title(overlay), lines, overlay.scroll, state);
}

/** A page that may be searched, with all its rows. */
export type Searchable = Scrolled & {rows: readonly Row[]; sight: Sight; /** How far it may be scrolled. */ end: number};

/** The page that the operator reads: what is open, below the field where words are typed, or a screen that is drawn whole. */
export function searchable(state: State): Searchable | undefined {
	const overlay = state.overlays.findLast(({kind}) => kind !== 'search');
	if (overlay) {
		return 'scroll' in overlay ? {scroll: overlay.scroll, search: overlay.search, rows: rowsIn(overlay, state), sight: sightOf(overlay, state), end: scrollEnd(overlay, state)} : undefined;
	}

	const rows = wholeLines(state);
	const {scroll, search} = state.lists[state.screen];
	const room = Math.max(1, layoutOf(state).body);
	const end = bodyEnd(state);
	return rows && {scroll, search, rows, sight: {first: Math.min(scroll, end), room}, end};
}
