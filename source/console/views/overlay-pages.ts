import {entryLines, entryPage, verifyLines, verifyPage} from '../overlays/audit.ts';
import {commandLinePage, commandLineRows} from '../overlays/command-line.ts';
import {explainLines, explainPage} from '../overlays/explain.ts';
import {differenceLines, differencePage} from '../overlays/difference.ts';
import {palettePage} from '../overlays/palette.ts';
import {resultPage, resultRows} from '../overlays/result.ts';
import type {Overlay, State} from '../state.ts';
import {detailLength, detailPage, inspectorRoom} from './detail.ts';
import {columnsPage} from './columns.ts';
import {pageRoom} from './page.ts';
import {helpLines, helpPage, menuPage} from './pages.ts';
import {planBeyond, planPage, planRoom} from './plan.ts';

/** How an overlay that takes the body is drawn. */
type Page<Kind extends Overlay['kind']> = {
	/** As many rows as the body has. */
	draw: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => string[];
	/** How many of its lines, or rows, are out of sight at most: how far it may be scrolled. Left out where it is not longer than the body. */
	beyond?: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => number;
};

/** The overlays that are painted over the whole body, by kind. Forms and the attribute inspector are laid out by Ink. */
const pages: {[Kind in Overlay['kind']]?: Page<Kind>} = {
	detail: {draw: detailPage, beyond: (overlay, state) => detailLength(overlay, state) - scrollPage(overlay, state)},
	explain: {draw: explainPage, beyond: (overlay, state) => explainLines(overlay, state).length - pageRoom(state)},
	entry: {draw: entryPage, beyond: (overlay, state) => entryLines(overlay, state).length - pageRoom(state)},
	verify: {draw: verifyPage, beyond: (overlay, state) => verifyLines(overlay, state).length - pageRoom(state)},
	difference: {draw: differencePage, beyond: (overlay, state) => differenceLines(overlay, state, state.columns - 4).length - pageRoom(state)},
	'command-line': {draw: commandLinePage, beyond: (overlay, state) => commandLineRows(overlay, state).length - pageRoom(state)},
	palette: {draw: palettePage},
	result: {draw: resultPage, beyond: (overlay, state) => resultRows(overlay, state).length - pageRoom(state)},
	help: {draw: helpPage, beyond: (_, state) => helpLines(state).length - pageRoom(state)},
	menu: {draw: menuPage},
	columns: {draw: columnsPage},
	plan: {draw: planPage, beyond: planBeyond},
};

const pageOf = (overlay: Overlay) => pages[overlay.kind] as {draw: (overlay: Overlay, state: State) => string[]; beyond?: (overlay: Overlay, state: State) => number} | undefined;

/** The rows of an overlay that takes the body. */
export const overlayLines = (overlay: Overlay, state: State): string[] => pageOf(overlay)?.draw(overlay, state) ?? [];

/** How far a page may be scrolled: until its last line is in sight. */
export const scrollEnd = (overlay: Overlay, state: State): number => Math.max(0, pageOf(overlay)?.beyond?.(overlay, state) ?? 0);

/** Lines, or rows, that a page key goes. */
export function scrollPage(overlay: Overlay, state: State): number {
	if (overlay.kind === 'plan') {
		return planRoom(overlay, state);
	}

	return overlay.kind === 'detail' && overlay.view === 'attributes' ? inspectorRoom(state) : pageRoom(state);
}
