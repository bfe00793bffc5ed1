import stringWidth from 'string-width';
import {joining} from '../../core/text.ts';

/*
Two kinds of characters that no terminal disputes and that never join a neighbour. Narrow: ASCII, Latin, general punctuation, arrows, control pictures, box drawing and blocks, and the marks of the console.
Wide: kana, Han, Hangul syllables and full-width forms. Nearly every line of the console is made of them, and counting them is cheap.
*/
const narrow = String.raw`\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2039\u203A\u2190-\u21FF\u2400-\u2426\u2500-\u25A0\u25B8\u2713\u2717`;
const wide = String.raw`\u3000-\u3029\u3041-\u3096\u30A0-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7A3\uFF01-\uFF60`;

const onlyNarrow = new RegExp(`^[${narrow}]*$`);

/** Stretches of narrow, of wide and of other characters; the last character before another one goes with it, for they may be joined. */
const stretches = new RegExp(`([${narrow}]+(?![^${narrow}${wide}]))|([${wide}]+(?![^${narrow}${wide}]))|[${narrow}${wide}]?[^${narrow}${wide}]+`, 'g');

// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
const sgr = /\u001B\[[\d;:]*m/g;

// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
const oneSgr = /(\u001B\[[\d;:]*m)/;

export const segmenter = new Intl.Segmenter();

/** Units that the segmenter is given at once: each step through a text costs it more, the longer the text is. */
const segmentedUnits = 512;

/** Where a piece of a text ends that begins at `at`; a surrogate pair stays whole. */
const pieceEnd = (text: string, at: number, units: number): number => {
	const end = Math.min(text.length, at + units);
	return end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xFF_FF ? end - 1 : end;
};

/** What a reader sees as one character each (grapheme clusters), in their order. The work grows with the length of the text, and no faster. */
export function * graphemesOf(text: string): Generator<string, void> {
	let units = segmentedUnits;
	for (let at = 0; at < text.length;) {
		const end = pieceEnd(text, at, units);
		const piece = text.slice(at, end);
		const found = onlyNarrow.test(piece) ? [...piece] : Array.from(segmenter.segment(piece), ({segment}) => segment);
		if (end < text.length) {
			// The last one may go on behind the piece.
			found.pop();
		}

		units = found.length === 0 ? units * 2 : segmentedUnits;
		for (const grapheme of found) {
			yield grapheme;
			at += grapheme.length;
		}
	}
}

const joinsWhatIsBefore = new RegExp(`^${joining}`, 'u');

/** Emoji of two cells, with any marks after them. */
// eslint-disable-next-line prefer-regex-literals -- TypeScript allows the flag `v` in a literal for newer targets only.
const startsWithEmoji = new RegExp(String.raw`^(?:\p{RGI_Emoji}|[\d#*]\u20E3)`, 'v');

/** SARA AM of Thai and Lao behind a consonant: it has a cell of its own, which `string-width` leaves out. */
const saraAm = /(?<!^)[\u0E33\u0EB3]/g;

/**
Cells of one grapheme that was never measured. What joins the character before it counts as it does behind that: a skin tone alone is two cells wide, behind a border none.
So a text is as wide in its row as it is alone.
*/
function measureGrapheme(grapheme: string): number {
	const ownCells = grapheme.match(saraAm)?.length ?? 0;
	if (joinsWhatIsBefore.test(grapheme)) {
		return stringWidth(`x${grapheme}`) - 1 + ownCells;
	}

	const width = stringWidth(grapheme) + ownCells;
	return width < 2 && grapheme.length > 2 && startsWithEmoji.test(grapheme) ? 2 : width;
}

/** Widths of joined characters, which are costly to measure and come again and again. */
const graphemeWidths = new Map<string, number>();

/** Cells of one grapheme. */
export function graphemeWidth(grapheme: string): number {
	const known = graphemeWidths.get(grapheme);
	if (known !== undefined) {
		return known;
	}

	const width = onlyNarrow.test(grapheme) ? grapheme.length : measureGrapheme(grapheme);
	if (grapheme.length <= 32) {
		if (graphemeWidths.size >= 1000) {
			graphemeWidths.clear();
		}

		graphemeWidths.set(grapheme, width);
	}

	return width;
}

/** A stretch of text: `cells` is the width of each of its characters, undefined where terminals may differ (emoji, joined and combining characters). */
export type Stretch = {text: string; cells: 1 | 2 | undefined; width: number};

/** Whether the text is made of characters of one cell only, so that its width is its length and it may be cut anywhere. */
export const isPlainCells = (text: string): boolean => onlyNarrow.test(text);

/** A stretch whose width is costly to know, and known when it is asked for. */
const measured = (text: string): Stretch => ({
	text,
	cells: undefined,
	get width() {
		let width = 0;
		for (const grapheme of graphemesOf(text)) {
			width += graphemeWidth(grapheme);
		}

		return width;
	},
});

/** The text in stretches of characters of one kind. */
export function stretchesOf(text: string): Stretch[] {
	if (onlyNarrow.test(text)) {
		return text === '' ? [] : [{text, cells: 1, width: text.length}];
	}

	return Array.from(text.matchAll(stretches), ([part, isNarrow, isWide]) => isNarrow === undefined
		? (isWide === undefined ? measured(part) : {text: part, cells: 2, width: part.length * 2})
		: {text: part, cells: 1, width: part.length});
}

/** The text without its SGR (colour and attribute) sequences. */
export const withoutStyle = (text: string): string => text.includes('\u001B') ? text.replaceAll(sgr, '') : text;

/** Splits a text into its text, at even places, and the SGR sequences between, at odd ones. */
export const splitByStyle = (text: string): string[] => text.split(oneSgr);

/** The SGR sequences of a text, one after the other. */
export const stylesOf = (text: string): string => text.includes('\u001B') ? (text.match(sgr) ?? []).join('') : '';

/** The stretches of a text that may carry SGR sequences; each of those ends a stretch, for that is how the text is cut and written. */
export const styledStretchesOf = (text: string): Stretch[] => text.includes('\u001B') ? splitByStyle(text).flatMap((part, index) => index % 2 === 1 ? [] : stretchesOf(part)) : stretchesOf(text);

/** Whether each character of a text that may carry SGR sequences takes one cell. */
export const isNarrow = (text: string): boolean => onlyNarrow.test(withoutStyle(text));

/** The number of cells a terminal gives to the text; SGR sequences count nothing. */
export function widthOf(text: string): number {
	const bare = withoutStyle(text);
	return onlyNarrow.test(bare) ? bare.length : styledStretchesOf(text).reduce((sum, {width}) => sum + width, 0);
}

/** The cells from `from` up to `to` of one stretch. A wide character across an edge leaves a blank, and a mark at `from` belongs to what is left of it. */
function sliceStretch({text, cells, width}: Stretch, from: number, to: number): string {
	if (from < 0 && to >= width) {
		return text;
	}

	if (cells === 1) {
		return text.slice(Math.max(0, from), Math.max(0, to));
	}

	let column = 0;
	let sliced = '';
	for (const segment of graphemesOf(text)) {
		const start = column;
		column += graphemeWidth(segment);
		const isInside = (column > start ? start >= from : start > from) && column <= to;
		sliced += isInside ? segment : ' '.repeat(Math.max(0, Math.min(column, to) - Math.max(start, from)));
		if (column > to) {
			break;
		}
	}

	return sliced;
}

/** The cells from `from` up to `to`, with every SGR sequence of the text, so that styles begin and end as they did. A wide character across an edge leaves a blank. */
export function sliceCells(text: string, from: number, to: number): string {
	const first = from > 0 ? from : Number.NEGATIVE_INFINITY;
	let column = 0;
	let sliced = '';
	for (const [index, part] of splitByStyle(text).entries()) {
		if (index % 2 === 1) {
			sliced += part;
			continue;
		}

		for (const stretch of stretchesOf(part)) {
			sliced += column <= to && column + stretch.width >= from ? sliceStretch(stretch, first - column, to - column) : '';
			column += stretch.width;
		}
	}

	return sliced;
}

/** The text cut to at most `width` cells, the last of them `…` where something was left out. SGR sequences stay, all of them. */
export function cut(text: string, width: number): string {
	if (onlyNarrow.test(text.length > width ? text.slice(0, Math.max(0, width) + 1) : text)) {
		return text.length <= width ? text : (width > 0 ? `${text.slice(0, width - 1)}…` : '');
	}

	if (widthOf(text) <= width) {
		return text;
	}

	return width > 0 ? markCut(text, width) : '';
}

function markCut(text: string, width: number): string {
	let column = 0;
	let kept = '';
	for (const [index, part] of splitByStyle(text).entries()) {
		if (index % 2 === 1) {
			kept += part;
			continue;
		}

		for (const stretch of column < width ? stretchesOf(part) : []) {
			if (column + stretch.width < width) {
				kept += stretch.text;
				column += stretch.width;
				continue;
			}

			const rest = sliceStretch(stretch, Number.NEGATIVE_INFINITY, width - 1 - column);
			kept += `${stretch.cells === 1 ? rest : rest.trimEnd()}…`;
			column = width;
			break;
		}
	}

	return kept;
}

export type Align = 'left' | 'right';

/** The text with spaces up to `width` cells; longer text stays as it is. */
export function pad(text: string, width: number, align: Align = 'left'): string {
	const missing = width - widthOf(text);
	if (missing <= 0) {
		return text;
	}

	return align === 'left' ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}

/** The text in exactly `width` cells: cut with `…`, or padded. SGR sequences count nothing and stay. */
export const fit = (text: string, width: number, align: Align = 'left'): string => pad(cut(text, width), width, align);

/** `pad` and `fit` under names that say at the call that the text carries SGR sequences. */
export const padAnsi = pad;
export const fitAnsi = fit;
