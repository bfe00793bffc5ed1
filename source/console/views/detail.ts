import {plural, visible} from '../../core/text.ts';
import {attributeTypes, processStates, type Attribute, type Id, type Process} from '../../core/types.ts';
import {historyLines} from '../overlays/process-history.ts';
import {screens, selectedRow} from '../screens/index.ts';
import {processesScreen} from '../screens/processes.ts';
import type {Sight} from '../searching.ts';
import type {Overlay, State} from '../state.ts';
import {bold, danger, dim} from '../terminal/style.ts';
import {fit, widthOf} from '../terminal/width.ts';
import {layoutOf} from '../layout.ts';
import {
	attributeLines, attributesOf, isFolded, type Lines, type Revealed, sections, shortened, shownValue,
} from './attributes.ts';
import {box} from './box.ts';
import {marksIn, withMarks} from './found.ts';
import {
	type Cell, cellsOf, drawnOf, type Row, rowsOf,
} from './rows.ts';
import {textPieces, wordPieces} from './wrap.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

const pairLines = (pairs: ReadonlyArray<readonly [string, string]>, width: number): Row[] => {
	const label = Math.min(14, Math.max(...pairs.map(([name]) => widthOf(name))));
	return pairs.flatMap(([name, text]) => rowsOf(wordPieces(visible(text), Math.max(8, width - label - 2)), {first: `${dim(fit(name, label))}  `}));
};

// A process may have megabytes; its lines are made once, not at every key.
type Made = {lines: Row[]; /** On which lines each attribute stands. */ places: Map<Id, Lines>};
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
function jsonLines(process: Process, width: number, revealed: Revealed): Row[] {
	const masked = (attributes: Attribute[] | null) => attributes?.map(attribute => ({...attribute, value: shortened(attribute, revealed)})) ?? null;
	const text = JSON.stringify({...process, in: masked(process.in), out: masked(process.out), err: masked(process.err)}, undefined, 4);
	return rowsOf(textPieces(text, width));
}

/** What the time line tells better. */
const inTimeLine = new Set(['submitted', 'started', 'ended']);

const revealedIn = ({revealed, opened, chosen}: Detail): Revealed => ({all: revealed, ids: opened, chosen});

/** All lines of an open process in its present view, and where its attributes begin; those of the inspector are a table of their own. */
export function detailRows(overlay: Detail, state: State, width: number): Made {
	const {process, error, view, revealed, chosen = '', opened = []} = overlay;
	if (error) {
		return {lines: [...rowsOf(wordPieces(visible(error.message), width), {style: danger}), ...rowsOf(wordPieces(visible(error.hint ?? ''), width))], places: new Map()};
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
	return {lines: [...above, ...attributes.lines, ...history.below], places: new Map([...attributes.places].map(([id, {first, end}]) => [id, {first: above.length + first, end: above.length + end}]))};
}

/** What the attribute inspector says of an attribute: type, key and value. */
const inspectorTexts = (attribute: Attribute, {revealed}: Detail): [type: string, key: string, value: string] => [attributeTypes[attribute.attributetype], visible(attribute.key), shownValue(attribute, {all: revealed})];

const chosenMark = '>';

/** Rows of the attribute inspector as they are drawn, with a mark at the chosen one. */
export const inspectorRows = (overlay: Detail): string[][] => overlay.process
	? attributesOf(overlay.process).map(attribute => {
		const [type, ...texts] = inspectorTexts(attribute, overlay);
		return [attribute.attributeid === overlay.chosen ? chosenMark + type : type, ...texts];
	})
	: [];

/** The same as rows that can be searched; they are drawn as a table, where long values are cut. */
const inspectorLines = (overlay: Detail): Row[] => (overlay.process ? attributesOf(overlay.process) : []).map(attribute => {
	const texts = inspectorTexts(attribute, overlay);
	const cells: Cell[] = [];
	for (const {length} of texts) {
		const from = cells.length === 0 ? 0 : cells.at(-1)!.to + 1;
		cells.push({from, to: from + length});
	}

	return {drawn: texts.join(' '), cells};
});

/** Marks in the table of the inspector what was found: a value that is cut before it has the mark on its last character. */
export function inspectorPaint(overlay: Detail, sight: Sight): ((text: string, row: number, column: number) => string) | undefined {
	if (!overlay.search) {
		return undefined;
	}

	const rows = inspectorLines(overlay);
	const found = marksIn(rows, overlay.search, sight);
	return (drawn, index, column) => {
		const before = column === 0 && drawn.startsWith(chosenMark) ? chosenMark : '';
		const text = drawn.slice(before.length);
		const row = rows[sight.first + index]!;
		const cell = cellsOf(row)[column]!;
		const end = text === drawnOf(row).slice(cell.from, cell.to) ? text.length : text.length - 1;
		const marks = (found.get(sight.first + index)?.[column] ?? []).map(({from, to, isCurrent}) => ({from: from - cell.from, to: to - cell.from, isCurrent}));
		const beyond = marks.filter(({to}) => to > end);
		return before + withMarks(text, [...marks.map(mark => ({...mark, to: Math.min(end, mark.to)})), ...(beyond.length === 0 ? [] : [{from: end, to: text.length, isCurrent: beyond.some(({isCurrent}) => isCurrent)}])]);
	};
}

/** All lines of an open process, or rows of the inspector. */
export const detailLines = (overlay: Detail, state: State): readonly Row[] => overlay.view === 'attributes' ? inspectorLines(overlay) : detailRows(overlay, state, state.columns - 4).lines;

/** Id of the attribute that stands on a line, or a row of the inspector; undefined where none does. */
export const attributeAt = (overlay: Detail, state: State, line: number): Id | undefined => overlay.view === 'attributes'
	? (overlay.process && attributesOf(overlay.process)[line]?.attributeid)
	: [...detailRows(overlay, state, state.columns - 4).places].find(([, {first, end}]) => line >= first && line < end)?.[0];

/** The line on which the chosen attribute begins, or its row of the inspector; 0 where none is chosen. */
export function chosenLine(overlay: Detail, state: State): number {
	const {view, process, chosen = ''} = overlay;
	const line = view === 'attributes'
		? (process ? attributesOf(process).findIndex(({attributeid}) => attributeid === chosen) : -1)
		: detailRows(overlay, state, state.columns - 4).places.get(chosen)?.first ?? 0;
	return Math.max(0, line);
}

/** Rows of the inspector that are seen at once; each takes two lines, its own and a rule. */
export const inspectorRoom = (state: State): number => Math.max(1, Math.floor((layoutOf(state).body - 5) / 2));

/** That something of an open process is folded, so that nothing is found in the rest of it; undefined where nothing is. */
export function foldedText(overlay: Overlay | undefined): string | undefined {
	const folded = overlay?.kind === 'detail' && overlay.process ? attributesOf(overlay.process).filter(attribute => isFolded(attribute, revealedIn(overlay))).length : 0;
	return folded === 0 ? undefined : `${plural(folded, 'long value')} folded: tab and enter unfold`;
}

/** The title of an open process. */
export const detailTitle = ({id, process, view, revealed}: Detail): string => `${id.slice(0, 8)} ${process ? processStates[process.status].toUpperCase() : ''} ${view === 'detail' ? '' : view}${revealed ? ' (secrets shown)' : ''}`.trimEnd();

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

	return box(`${screen.nameOf(row)} `, lines.slice(0, height).map(line => ` ${drawnOf(line)}`), {width, height});
}
