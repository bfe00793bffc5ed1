import {isSecretKey, visible} from '../../core/text.ts';
import {attributeTypes, type Attribute, type Id, type Process} from '../../core/types.ts';
import {bold, danger, dim, inverse} from '../terminal/style.ts';
import {widthOf} from '../terminal/width.ts';
import {
	type Cell, cellsOf, drawnOf, type Row, rowsOf,
} from './rows.ts';
import {cellPieces, textPieces} from './wrap.ts';

/** A value is folded beyond this many characters: 4 KiB. */
export const fold = 4096;

const mask = '••••••••';

/** Whose values are shown as they are, be they secret or long: all secrets, or some attributes by their ids. */
export type Revealed = {all: boolean; ids?: readonly Id[]; /** The one that keys are about. */ chosen?: Id};

type Shown = Pick<Attribute, 'key' | 'value'> & {attributeid?: Id};

const isOpen = ({attributeid}: Shown, {ids = []}: Revealed): boolean => attributeid !== undefined && ids.includes(attributeid);
const isMasked = (attribute: Shown, revealed: Revealed): boolean => isSecretKey(attribute.key) && !revealed.all && !isOpen(attribute, revealed);

/** Whether only the beginning of a value is shown. */
export const isFolded = (attribute: Shown, revealed: Revealed): boolean => attribute.value.length > fold && !isMasked(attribute, revealed) && !isOpen(attribute, revealed);

/** Secrets masked unless revealed, long ones folded. */
export function shortened(attribute: Shown, revealed: Revealed): string {
	const {value} = attribute;
	if (isMasked(attribute, revealed)) {
		return mask;
	}

	return isFolded(attribute, revealed) ? `${value.slice(0, fold)} … (${value.length - fold} characters more)` : value;
}

/** The value of an attribute as it may be shown, with nothing that a terminal could obey. */
export const shownValue = (attribute: Pick<Attribute, 'key' | 'value'>, revealed: Revealed): string => visible(shortened(attribute, revealed));

export const attributesOf = (process: Process): Attribute[] => [...process.in ?? [], ...process.out ?? [], ...process.err ?? []];

/** An attribute under its list: its key, and its value beside or below it. */
function linesOf(attribute: Attribute, width: number, revealed: Revealed, before: string): Row[] {
	const key = visible(attribute.key);
	const isChosen = attribute.attributeid === revealed.chosen;
	const indent = before.length + widthOf(key) + 3;
	// A long key has its own lines, the value stands below it.
	const isLong = indent > Math.min(24, Math.floor(width / 2));
	const paint = (text: string) => isChosen ? inverse(text) : bold(text);
	const start = isChosen ? `>${before.slice(1)}` : before;
	const rest = ' '.repeat(before.length);
	const heads = isLong ? rowsOf(cellPieces(`${key} =`, Math.max(8, width - before.length)), {style: paint, first: start, rest}) : [];
	const values = textPieces(shortened(attribute, revealed), Math.max(8, width - (isLong ? before.length : indent)));
	const style = attribute.attributetype === 2 ? danger : undefined;
	const [first, ...others] = isLong
		? [...heads, ...rowsOf(values, {style, first: rest})]
		: rowsOf(values, {style, first: `${start}${paint(key)} = `});
	// The mark of the chosen one is no text.
	const [{from, to}] = cellsOf(first!) as [Cell];
	return [before.trim() === '' ? {drawn: drawnOf(first!), cells: [{from: from + before.length, to}]} : first!, ...others];
}

/** The lines of attributes, each begun with its list; no more attributes than it takes to have `most` lines. */
export function attributeLines(attributes: readonly Attribute[], {width, revealed, most = Number.POSITIVE_INFINITY}: {width: number; revealed: Revealed; most?: number}): Row[] {
	const lines: Row[] = [];
	for (const attribute of attributes) {
		if (lines.length >= most) {
			break;
		}

		for (const line of linesOf(attribute, width, revealed, attributeTypes[attribute.attributetype].padEnd(4))) {
			lines.push(line);
		}
	}

	return lines;
}

const headings = ['In', 'Out', 'Err'] as const;

/** On which lines an attribute stands: the first of them, and the one behind the last. */
export type Lines = {first: number; end: number};

/** The attributes of a process, list by list. `places`: on which lines each stands. */
export function sections(process: Process, width: number, revealed: Revealed): {lines: Row[]; places: Map<Id, Lines>} {
	const lines: Row[] = ['', bold('Attributes')];
	const places = new Map<Id, Lines>();
	for (const [index, list] of [process.in, process.out, process.err].entries()) {
		lines.push(headings[index]!);
		for (const attribute of list ?? []) {
			const first = lines.length;
			for (const line of linesOf(attribute, width, revealed, '  ')) {
				lines.push(line);
			}

			places.set(attribute.attributeid, {first, end: lines.length});
		}

		if (!list) {
			lines.push(dim('  none'));
		}
	}

	return {lines, places};
}
