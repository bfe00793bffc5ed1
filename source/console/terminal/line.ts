import {joining, visible} from '../../core/text.ts';
import {toAscii} from './ascii.ts';
import {withoutColour} from './style.ts';
import {
	sliceCells, splitByStyle, stretchesOf, styledStretchesOf, stylesOf, widthOf, withoutStyle,
} from './width.ts';

/** A text that may be written to one row as it is: no control but SGR, no wider than its room. */
export type Line = {
	/** What was handed in, to recognise it again. */
	raw: string;
	text: string;
	/** Cells. */
	width: number;
	/** Whether it holds characters about whose width terminals differ. */
	uneven: boolean;
	/** Whether it holds characters of two cells. */
	wide: boolean;
};

const joiningStart = new RegExp(String.raw`^((?:\u001B\[[\d;:]*m)*)(?=${joining})`, 'u');

/** Makes what a terminal could obey visible, and leaves the SGR sequences between. What would join a character left of the line gets one of its own, the circle that marks are shown on. */
const disarm = (text: string): string => splitByStyle(text).map((part, index) => index % 2 === 1 ? part : visible(part)).join('').replace(joiningStart, '$1\u25CC');

/**
Makes a line fit to be written: at most `room` cells wide, without any control sequence but SGR, and in ASCII where the terminal shows nothing else. This is the last guard, whatever the components did.
*/
export function prepareLine(raw: string, room: number, {colour, ascii = false}: {colour: boolean; ascii?: boolean}): Line {
	let text = colour ? raw : withoutColour(raw);
	text = ascii ? toAscii(disarm(text)) : text;
	let stretches = styledStretchesOf(text);
	const uneven = stretches.some(({cells}) => cells === undefined);
	if (uneven) {
		// All that a terminal could obey is among the characters that are neither narrow nor wide.
		text = disarm(text);
		stretches = styledStretchesOf(text);
	}

	const width = stretches.reduce((sum, stretch) => sum + stretch.width, 0);
	return {
		raw, text: width > room ? sliceCells(text, 0, room) : text, width: Math.min(width, room), uneven, wide: stretches.some(({cells}) => cells === 2),
	};
}

/**
The text with the cursor put where it belongs behind characters whose width a terminal may see otherwise (emoji, joined and combining ones),
so that what follows on the row keeps its column. `left` is the first column, from 0.
*/
export function anchor(text: string, left: number): string {
	let column = left;
	let strayed = false;
	let anchored = '';
	for (const [index, part] of splitByStyle(text).entries()) {
		if (index % 2 === 1) {
			anchored += part;
			continue;
		}

		for (const {text: stretch, cells, width} of stretchesOf(part)) {
			// What takes no cell joins what stands before it, and at the end of a row there is no column behind.
			anchored += (strayed && width > 0 ? `\u001B[${column + 1}G` : '') + stretch;
			strayed = cells === undefined || (strayed && width === 0);
			column += width;
		}
	}

	return anchored;
}

/** The part of a line that differs from another: where it begins, in cells, and the text with the styles that hold there. */
export type Difference = {column: number; text: string; width: number; toEnd: boolean};

/** Where a differing character is part of an SGR sequence, the beginning of that. */
function beforeSequence(text: string, index: number): number {
	const start = text.lastIndexOf('\u001B', index - 1);
	return start !== -1 && text.indexOf('m', start) >= index ? start : index;
}

/** What must be written over `before` so that it becomes `line`. Both must be even; what is left of the difference and right of it stays. */
export function differenceOf({text, width}: Line, before: Line): Difference {
	const shorter = Math.min(text.length, before.text.length);
	let start = 0;
	while (start < shorter && text[start] === before.text[start]) {
		start++;
	}

	start = beforeSequence(text, start);
	let tail = 0;
	while (tail < shorter - start && text.at(-1 - tail) === before.text.at(-1 - tail)) {
		tail++;
	}

	const head = text.slice(0, start);
	const middle = text.slice(start, text.length - tail);
	const replaced = before.text.slice(start, before.text.length - tail);
	const column = widthOf(head);
	// What follows may stay only where it stands in the same cells, in the same style, and no sequence is cut.
	const stays = width === before.width && widthOf(middle) === widthOf(replaced) && stylesOf(middle) === stylesOf(replaced)
		&& !withoutStyle(middle).includes('\u001B') && !withoutStyle(replaced).includes('\u001B');
	return stays
		? {
			column, text: stylesOf(head) + middle, width: widthOf(middle), toEnd: false,
		}
		: {
			column, text: stylesOf(head) + text.slice(start), width: width - column, toEnd: true,
		};
}

/** A cell of a line of narrow characters: its character, and the styles that hold there. */
type Cell = {character: string; styles: string};

function cellsOf(text: string, length: number): Cell[] {
	let styles = '';
	const cells = splitByStyle(text).flatMap((part, index) => {
		if (index % 2 === 1) {
			styles = part === '\u001B[0m' ? '' : styles + part;
			return [];
		}

		return Array.from(part, (character): Cell => ({character, styles}));
	});
	while (cells.length < length) {
		cells.push({character: ' ', styles: ''});
	}

	return cells;
}

/** Cells that are alike between two that differ, up to which both are written as one: another place takes as many bytes. */
const bridged = 12;

/** The stretches of a line that differ from another, where one difference from the first to the last would write much that stays. Both must be of narrow characters alone; what is left of a longer one is blank. */
export function differencesOf(line: Line, before: Line): Array<{column: number; text: string}> {
	const length = Math.max(line.width, before.width);
	const [cells, old] = [cellsOf(line.text, length), cellsOf(before.text, length)];
	const found: Array<{from: number; to: number}> = [];
	for (const [index, {character, styles}] of cells.entries()) {
		if (character === old[index]!.character && styles === old[index]!.styles) {
			continue;
		}

		const last = found.at(-1);
		if (last && index - last.to <= bridged) {
			last.to = index + 1;
		} else {
			found.push({from: index, to: index + 1});
		}
	}

	return found.map(({from, to}) => {
		let styles = '';
		let text = '';
		for (const cell of cells.slice(from, to)) {
			text += (cell.styles === styles ? '' : `${styles === '' ? '' : '\u001B[0m'}${cell.styles}`) + cell.character;
			styles = cell.styles;
		}

		return {column: from, text};
	});
}
