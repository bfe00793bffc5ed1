import {isSecretKey, visible} from '../../core/text.ts';
import {attributeTypes, processStates, type Attribute, type Process} from '../../core/types.ts';
import {screens, selectedRow} from '../screens/index.ts';
import {processesScreen} from '../screens/processes.ts';
import type {Overlay, State} from '../state.ts';
import {bold, dim, red} from '../terminal/style.ts';
import {fit, widthOf} from '../terminal/width.ts';
import {layoutOf} from '../layout.ts';
import {box} from './box.ts';
import {wrap} from './wrap.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

/** A value is folded beyond this many characters: 4 KiB. */
const fold = 4096;

const mask = '••••••••';

/** The value of an attribute as it may be shown: secrets masked unless revealed, long ones folded, nothing that a terminal could obey. */
export const shownValue = (attribute: Pick<Attribute, 'key' | 'value'>, revealed: boolean): string => visible(shortened(attribute, revealed));

function shortened({key, value}: Pick<Attribute, 'key' | 'value'>, revealed: boolean): string {
	if (isSecretKey(key) && !revealed) {
		return mask;
	}

	return value.length > fold ? `${value.slice(0, fold)} … (${value.length - fold} characters more)` : value;
}

const attributesOf = (process: Process): Attribute[] => [...process.in ?? [], ...process.out ?? [], ...process.err ?? []];

const pairLines = (pairs: ReadonlyArray<readonly [string, string]>, width: number): string[] => {
	const label = Math.min(14, Math.max(...pairs.map(([name]) => widthOf(name))));
	return pairs.flatMap(([name, text]) => wrap(visible(text), Math.max(8, width - label - 2)).map((line, index) => `${dim(fit(index === 0 ? name : '', label))}  ${line}`));
};

function linesOf(attribute: Attribute, width: number, revealed: boolean): string[] {
	const kind = attributeTypes[attribute.attributetype];
	const key = visible(attribute.key);
	const indent = 4 + widthOf(key) + 3;
	// A long key has its own lines, the value stands below it.
	const isLong = indent > Math.min(24, Math.floor(width / 2));
	const before = isLong ? wrap(`${key} =`, width - 4).map((line, index) => `${(index === 0 ? kind : '').padEnd(4)}${bold(line)}`) : [];
	const values = wrap(shownValue(attribute, revealed), Math.max(8, width - (isLong ? 4 : indent))).map(line => kind === 'err' ? red(line) : line);
	return isLong
		? [...before, ...values.map(line => `    ${line}`)]
		: values.map((line, index) => (index === 0 ? `${kind.padEnd(4)}${bold(key)} = ` : ' '.repeat(indent)) + line);
}

/** The lines of the attributes; no more attributes than it takes to have `most` lines. */
function attributeLines(process: Process, {width, revealed, most = Number.POSITIVE_INFINITY}: {width: number; revealed: boolean; most?: number}): string[] {
	const lines: string[] = [];
	for (const attribute of attributesOf(process)) {
		if (lines.length >= most) {
			break;
		}

		for (const line of linesOf(attribute, width, revealed)) {
			lines.push(line);
		}
	}

	return lines;
}

// A process may have megabytes; its lines are made once, not at every key.
const made = new WeakMap<Process, {key: string; lines: string[]}>();

function keep(process: Process, key: string, make: () => string[]): string[] {
	const known = made.get(process);
	if (known?.key === key) {
		return known.lines;
	}

	const lines = make();
	made.set(process, {key, lines});
	return lines;
}

/** The process in JSON as the commands print it, secrets masked unless revealed. */
function jsonLines(process: Process, width: number, revealed: boolean): string[] {
	const masked = (attributes: Attribute[] | null) => attributes?.map(attribute => ({...attribute, value: shortened(attribute, revealed)})) ?? null;
	const text = JSON.stringify({...process, in: masked(process.in), out: masked(process.out), err: masked(process.err)}, undefined, 4);
	return text.split('\n').flatMap(line => wrap(visible(line), width));
}

/** All lines of an open process in its present view; the attributes of the inspector are a table of their own. */
export function detailLines(overlay: Detail, state: State, width: number): string[] {
	const {process, error, view, revealed} = overlay;
	if (error) {
		return [red(visible(error.message)), visible(error.hint ?? '')];
	}

	if (!process) {
		return ['Loading …'];
	}

	const key = `${view} ${width} ${revealed}`;
	if (view === 'json') {
		return keep(process, key, () => jsonLines(process, width, revealed));
	}

	const attributes = keep(process, key, () => attributeLines(process, {width, revealed}));
	return [
		...pairLines([['id', process.processid], ...processesScreen.summary(process, state)], width),
		'',
		bold('Attributes'),
		...(attributes.length > 0 ? attributes : [dim('none')]),
	];
}

/** Rows of the attribute inspector: type, key and value. */
export const inspectorRows = (process: Process, {revealed, first, room}: {revealed: boolean; first: number; room: number}): string[][] => attributesOf(process).slice(first, first + room).map(attribute => [attributeTypes[attribute.attributetype], attribute.key, shownValue(attribute, revealed)]);

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
	const {body: height} = layoutOf(state);
	const lines = detailLines(overlay, state, state.columns - 4);
	const top = Math.min(overlay.scroll, Math.max(0, lines.length - (height - 2)));
	const more = lines.length > height - 2 ? ` ${top + 1}-${Math.min(lines.length, top + height - 2)} of ${lines.length}` : '';
	return box(`${detailTitle(overlay)}${more} `, lines.slice(top, top + height).map(line => ` ${line}`), {width: state.columns, height});
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
		lines.push('', ...(loaded ? attributeLines(loaded, {width: inner, revealed: false, most: height}).slice(0, height) : [dim('attributes …')]));
	}

	return box(`${screen.nameOf(row)} `, lines.slice(0, height).map(line => ` ${line}`), {width, height});
}
