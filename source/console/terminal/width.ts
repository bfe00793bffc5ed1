import stringWidth from 'string-width';

/**
Text in which every UTF-16 unit is one character of one cell and none joins its neighbour: ASCII, Latin, general punctuation, arrows,
control pictures, box drawing and blocks. Nearly every line of the console is of this kind, and its width is its length.
*/
const plainCells = /^[\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2190-\u21FF\u2400-\u2426\u2500-\u25A0]*$/;

const sgr = /\u001B\[[\d;:]*m/g;

export const segmenter = new Intl.Segmenter();

/** Whether the text is made of one-cell characters only, so that its width is its length. */
export const isPlainCells = (text: string): boolean => plainCells.test(text);

/** The text without its SGR (colour and attribute) sequences. */
export const withoutStyle = (text: string): string => text.includes('\u001B') ? text.replaceAll(sgr, '') : text;

/** The number of cells a terminal gives to the text; escape sequences count nothing. */
export const widthOf = (text: string): number => plainCells.test(text) ? text.length : stringWidth(text);

/** The text cut to at most `width` cells, the last of them `…` where something was left out. For text without escape sequences. */
export function cut(text: string, width: number): string {
	const head = text.length > width ? text.slice(0, Math.max(0, width) + 1) : text;
	if (plainCells.test(head)) {
		return text.length <= width ? text : (width > 0 ? `${head.slice(0, width - 1)}…` : '');
	}

	let kept = '';
	let cells = 0;
	let whole = '';
	for (const {segment} of segmenter.segment(text)) {
		cells += widthOf(segment);
		if (cells > width) {
			return width > 0 ? `${kept}…` : '';
		}

		whole += segment;
		if (cells < width) {
			kept = whole;
		}
	}

	return whole;
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

/** The text in exactly `width` cells: cut with `…`, or padded. For text without escape sequences. */
export const fit = (text: string, width: number, align: Align = 'left'): string => pad(cut(text, width), width, align);

/** Splits a text into stretches of text, at even places, and the SGR sequences between them, at odd ones. */
export const splitByStyle = (text: string): string[] => text.split(/(\u001B\[[\d;:]*m)/);

/**
The cells from `from` up to `to`, with every SGR sequence of the text, so that styles begin and end as they did. A wide character across an edge leaves a blank.
*/
export function sliceCells(text: string, from: number, to: number): string {
	let column = 0;
	let sliced = '';
	for (const [index, part] of splitByStyle(text).entries()) {
		if (index % 2 === 1) {
			sliced += part;
			continue;
		}

		if (column >= to) {
			continue;
		}

		if (isPlainCells(part)) {
			sliced += part.slice(Math.max(0, from - column), Math.max(0, to - column));
			column += part.length;
			continue;
		}

		for (const {segment} of segmenter.segment(part)) {
			const start = column;
			column += widthOf(segment);
			if (start >= to) {
				break;
			}

			sliced += start >= from && column <= to ? segment : ' '.repeat(Math.max(0, Math.min(column, to) - Math.max(start, from)));
		}
	}

	return sliced;
}

/** As `fit`, for text that carries SGR sequences. */
export function fitAnsi(text: string, width: number, align: Align = 'left'): string {
	if (!text.includes('\u001B')) {
		return fit(text, width, align);
	}

	if (widthOf(withoutStyle(text)) <= width) {
		return padAnsi(text, width, align);
	}

	return width > 0 ? padAnsi(`${sliceCells(text, 0, width - 1)}…`, width, align) : '';
}

/** As `pad`, for text that carries SGR sequences. */
export function padAnsi(text: string, width: number, align: Align = 'left'): string {
	const missing = ' '.repeat(Math.max(0, width - widthOf(withoutStyle(text))));
	return align === 'left' ? text + missing : missing + text;
}
