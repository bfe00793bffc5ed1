import {isSecretKey, visible} from '../../core/text.ts';
import {attributeTypes, type Attribute, type Id, type Process} from '../../core/types.ts';
import {bold, danger, dim, inverse} from '../terminal/style.ts';
import {widthOf} from '../terminal/width.ts';
import {wrap, wrapText} from './wrap.ts';

/** A value is folded beyond this many characters: 4 KiB. */
export const fold = 4096;

const mask = '••••••••';

/** Whose values are shown as they are, be they secret or long: all secrets, or some attributes by their ids. */
export type Revealed = {all: boolean; ids?: readonly Id[]; /** The one that keys are about. */ chosen?: Id};

/** Secrets masked unless revealed, long ones folded. */
export function shortened({key, value, attributeid}: Pick<Attribute, 'key' | 'value'> & {attributeid?: Id}, {all, ids = []}: Revealed): string {
	const isOpen = attributeid !== undefined && ids.includes(attributeid);
	if (isSecretKey(key) && !all && !isOpen) {
		return mask;
	}

	return value.length > fold && !isOpen ? `${value.slice(0, fold)} … (${value.length - fold} characters more)` : value;
}

/** The value of an attribute as it may be shown, with nothing that a terminal could obey. */
export const shownValue = (attribute: Pick<Attribute, 'key' | 'value'>, revealed: Revealed): string => visible(shortened(attribute, revealed));

export const attributesOf = (process: Process): Attribute[] => [...process.in ?? [], ...process.out ?? [], ...process.err ?? []];

/** An attribute under its list: its key, and its value beside or below it. */
function linesOf(attribute: Attribute, width: number, revealed: Revealed, before: string): string[] {
	const key = visible(attribute.key);
	const isChosen = attribute.attributeid === revealed.chosen;
	const indent = before.length + widthOf(key) + 3;
	// A long key has its own lines, the value stands below it.
	const isLong = indent > Math.min(24, Math.floor(width / 2));
	const paint = (text: string) => isChosen ? inverse(text) : bold(text);
	const start = isChosen ? `>${before.slice(1)}` : before;
	const rest = ' '.repeat(before.length);
	const heads = isLong ? wrap(`${key} =`, Math.max(8, width - before.length)).map((line, index) => `${index === 0 ? start : rest}${paint(line)}`) : [];
	const values = wrapText(shortened(attribute, revealed), Math.max(8, width - (isLong ? before.length : indent))).map(line => attribute.attributetype === 2 ? danger(line) : line);
	return isLong
		? [...heads, ...values.map(line => rest + line)]
		: values.map((line, index) => (index === 0 ? `${start}${paint(key)} = ` : ' '.repeat(indent)) + line);
}

/** The lines of attributes, each begun with its list; no more attributes than it takes to have `most` lines. */
export function attributeLines(attributes: readonly Attribute[], {width, revealed, most = Number.POSITIVE_INFINITY}: {width: number; revealed: Revealed; most?: number}): string[] {
	const lines: string[] = [];
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

/** The attributes of a process, list by list. `places`: on which line each begins. */
export function sections(process: Process, width: number, revealed: Revealed): {lines: string[]; places: Map<Id, number>} {
	const lines: string[] = ['', bold('Attributes')];
	const places = new Map<Id, number>();
	for (const [index, list] of [process.in, process.out, process.err].entries()) {
		lines.push(headings[index]!);
		for (const attribute of list ?? []) {
			places.set(attribute.attributeid, lines.length);
			for (const line of linesOf(attribute, width, revealed, '  ')) {
				lines.push(line);
			}
		}

		if (!list) {
			lines.push(dim('  none'));
		}
	}

	return {lines, places};
}
