import {visible} from '../../core/text.ts';
import {withoutColour} from './style.ts';
import {
	isPlainCells, segmenter, sliceCells, splitByStyle, widthOf, withoutStyle,
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
};

/** Makes what a terminal could obey visible, and leaves the SGR sequences between. */
const disarm = (text: string): string => splitByStyle(text).map((part, index) => index % 2 === 1 ? part : visible(part)).join('');

/**
Makes a line fit to be written: at most `room` cells wide, without any control sequence but SGR. This is the last guard, whatever the components did.
*/
export function prepareLine(raw: string, room: number, colour: boolean): Line {
	let text = colour ? raw : withoutColour(raw);
	const bare = withoutStyle(text);
	if (isPlainCells(bare)) {
		const fits = bare.length <= room;
		return {
			raw, text: fits ? text : sliceCells(text, 0, room), width: Math.min(bare.length, room), uneven: false,
		};
	}

	if (visible(bare) !== bare) {
		text = disarm(text);
	}

	let width = widthOf(withoutStyle(text));
	if (width > room) {
		text = sliceCells(text, 0, room);
		width = widthOf(withoutStyle(text));
	}

	return {
		raw, text, width, uneven: true,
	};
}

/**
The text with the cursor put where it belongs behind every character whose width a terminal may see otherwise (emoji, joined and combining ones),
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

		for (const {segment} of segmenter.segment(part)) {
			const plain = isPlainCells(segment);
			if (plain && strayed) {
				anchored += `\u001B[${column + 1}G`;
			}

			strayed = !plain;
			anchored += segment;
			column += widthOf(segment);
		}
	}

	return anchored;
}
