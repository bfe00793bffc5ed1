import {visible} from '../../core/text.ts';
import {attributeTypes, processStates, type Attribute, type Id, type Process} from '../../core/types.ts';
import {historyLines} from '../overlays/process-history.ts';
import {screens, selectedRow} from '../screens/index.ts';
import {processesScreen} from '../screens/processes.ts';
import type {Overlay, State} from '../state.ts';
import {bold, danger, dim} from '../terminal/style.ts';
import {fit, widthOf} from '../terminal/width.ts';
import {layoutOf} from '../layout.ts';
import {
	attributeLines, attributesOf, type Revealed, sections, shortened, shownValue,
} from './attributes.ts';
import {box} from './box.ts';
import {page} from './page.ts';
import {wrapText, wrapWords} from './wrap.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

const pairLines = (pairs: ReadonlyArray<readonly [string, string]>, width: number): string[] => {
	const label = Math.min(14, Math.max(...pairs.map(([name]) => widthOf(name))));
	return pairs.flatMap(([name, text]) => wrapWords(visible(text), Math.max(8, width - label - 2)).map((line, index) => `${dim(fit(index === 0 ? name : '', label))}  ${line}`));
};

// A process may have megabytes; its lines are made once, not at every key.
type Made = {lines: string[]; /** On which line an attribute begins. */ places: Map<Id, number>};
const made = new WeakMap<Process, Made & {key: string}>();

function keep(process: Process, key: string, make: () => Made): Made {
	const known = made.get(process);
	if (known?.key === key) {
		return known;
	}

	const result = {...make(), key};
	made.set(process, result);
	return result;
}

/** The process in JSON as the commands print it, secrets masked unless revealed. */
function jsonLines(process: Process, width: number, revealed: Revealed): string[] {
	const masked = (attributes: Attribute[] | null) => attributes?.map(attribute => ({...attribute, value: shortened(attribute, revealed)})) ?? null;
	const text = JSON.stringify({...process, in: masked(process.in), out: masked(process.out), err: masked(process.err)}, undefined, 4);
	return wrapText(text, width);
}

/** What the time line tells better. */
const inTimeLine = new Set(['submitted', 'started', 'ended']);

const revealedIn = ({revealed, opened, chosen}: Detail): Revealed => ({all: revealed, ids: opened, chosen});

/** All lines of an open process in its present view, and where its attributes begin; those of the inspector are a table of their own. */
export function detailRows(overlay: Detail, state: State, width: number): Made {
	const {process, error, view, revealed, chosen = '', opened = []} = overlay;
	if (error) {
		return {lines: [danger(visible(error.message)), visible(error.hint ?? '')], places: new Map()};
	}

	if (!process) {
		return {lines: ['Loading …'], places: new Map()};
	}

	const key = [view, width, revealed, chosen, ...opened].join(' ');
	const shown = revealedIn(overlay);
	if (view === 'json') {
		return keep(process, key, () => ({lines: jsonLines(process, width, shown), places: new Map()}));
	}

	const attributes = keep(process, key, () => sections(process, width, shown));
	const history = historyLines(process, state, {width, revealed: {all: revealed}});
	const summary = processesScreen.summary(process, state).filter(([label]) => !inTimeLine.has(label));
	const above = [...pairLines([['id', process.processid], ...summary], width), ...history.above];
	return {lines: [...above, ...attributes.lines, ...history.below], places: new Map([...attributes.places].map(([id, place]) => [id, above.length + place]))};
}

/** The lines alone. */
export const detailLines = (overlay: Detail, state: State, width: number): string[] => detailRows(overlay, state, width).lines;

/** Rows of the attribute inspector: type, key and value. */
export const inspectorRows = (process: Process, {revealed, first, room}: {revealed: boolean; first: number; room: number}): string[][] => attributesOf(process).slice(first, first + room).map(attribute => [attributeTypes[attribute.attributetype], attribute.key, shownValue(attribute, {all: revealed})]);

/** Rows of the inspector that are seen at once; each takes two lines, its own and a rule. */
export const inspectorRoom = (state: State): number => Math.max(1, Math.floor((layoutOf(state).body - 5) / 2));

/** How many lines, or rows of the inspector, an open process has. */
export const detailLength = (overlay: Detail, state: State): number => overlay.view === 'attributes'
	? (overlay.process ? attributesOf(overlay.process).length : 0)
	: detailLines(overlay, state, state.columns - 4).length;

/** The title of an open process. */
export const detailTitle = ({id, process, view, revealed}: Detail): string => `${id.slice(0, 8)} ${process ? processStates[process.status].toUpperCase() : ''} ${view === 'detail' ? '' : view}${revealed ? ' (secrets shown)' : ''}`.trimEnd();

/** An open process over the whole body. */
export function detailPage(overlay: Detail, state: State): string[] {
	return page(detailTitle(overlay), detailLines(overlay, state, state.columns - 4), overlay.scroll, state);
}

/** The side pane: what is under the cursor, with the attributes of a process once they are there. */
export function sideLines(state: State): string[] {
	const {side: width, body: height} = layoutOf(state);
	const row = selectedRow(state);
	const screen = screens[state.screen];
	if (!row) {
		return box('', [], {width, height});
	}

	const inner = width - 4;
	const lines = pairLines(screen.summary(row, state), inner);
	if (state.screen === 'processes') {
		const loaded = state.side?.processid === screen.idOf(row) ? state.side : undefined;
		lines.push('', ...(loaded ? attributeLines(attributesOf(loaded), {width: inner, revealed: {all: false}, most: height}).slice(0, height) : [dim('attributes …')]));
	}

	return box(`${screen.nameOf(row)} `, lines.slice(0, height).map(line => ` ${line}`), {width, height});
}
