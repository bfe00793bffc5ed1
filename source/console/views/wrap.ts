import {visible} from '../../core/text.ts';
import {
	cut, graphemesOf, graphemeWidth, isPlainCells, stretchesOf, widthOf,
} from '../terminal/width.ts';

/** Text cut into lines of at most `width` cells, without style; never an empty list. Graphemes stay whole. */
export function wrap(text: string, width: number): string[] {
	if (isPlainCells(text)) {
		return text.length <= width ? [text] : Array.from({length: Math.ceil(text.length / width)}, (_, index) => text.slice(index * width, (index + 1) * width));
	}

	const lines: string[] = [];
	let line = '';
	let used = 0;
	const put = (part: string, cells: number): void => {
		if (used + cells > width && line !== '') {
			lines.push(line);
			line = '';
			used = 0;
		}

		line += part;
		used += cells;
	};

	for (const {text: part, cells} of stretchesOf(text)) {
		if (cells === undefined) {
			for (const grapheme of graphemesOf(part)) {
				put(grapheme, graphemeWidth(grapheme));
			}

			continue;
		}

		for (let index = 0; index < part.length;) {
			const room = Math.floor((width - used) / cells) || Math.max(1, Math.floor(width / cells));
			const piece = part.slice(index, index + room);
			put(piece, piece.length * cells);
			index += room;
		}
	}

	return [...lines, line];
}

/** A line of a text that was wrapped. */
export type Piece = {
	text: string;
	/** What stood between it and the line above that it goes on with; undefined where a line of the text begins. */
	joint?: string;
	/** Units of indentation that wrapping put at its beginning. */
	indent: number;
};

/** Text cut into pieces of at most `width` cells, wherever that is. Never an empty list. */
export const cellPieces = (text: string, width: number): Piece[] => wrap(text, width).map((line, index) => ({text: line, indent: 0, ...(index > 0 && {joint: ''})}));

/** Sentences cut into pieces of at most `width` cells, between words where they allow it. Never an empty list. */
export function wordPieces(text: string, width: number): Piece[] {
	const pieces: Piece[] = [];
	let [from, to, ended] = [0, 0, 0];
	const put = (): void => {
		pieces.push({text: text.slice(from, to), indent: 0, ...(pieces.length > 0 && {joint: text.slice(ended, from)})});
		ended = to;
	};

	let at = 0;
	for (const word of text.split(' ')) {
		const isBegun = to > from;
		const start = isBegun ? from : at;
		if (widthOf(text.slice(start, at + word.length)) > width) {
			if (isBegun) {
				put();
			}

			from = at;
			for (const part of wrap(word, width).slice(0, -1)) {
				to = from + part.length;
				put();
				from = to;
			}
		} else {
			from = start;
		}

		to = at + word.length;
		at = to + 1;
	}

	put();
	return pieces;
}

/** Sentences cut into lines of at most `width` cells, between words where they allow it. Never an empty list. */
export const wrapWords = (text: string, width: number): string[] => wordPieces(text, width).map(piece => piece.text);

/** One line at words, with its indentation kept as far as it leaves room, also where it goes on. */
function indentedPieces(line: string, width: number): Piece[] {
	const indent = /^ */.exec(line)![0].slice(0, Math.floor(width / 2));
	return wordPieces(line.slice(indent.length), width - indent.length).map(piece => ({...piece, text: indent + piece.text, indent: indent.length}));
}

/** A text from outside in pieces of at most `width` cells: its own line breaks are kept, long lines are wrapped between words, and everything else that a terminal could obey is made visible. */
export const textPieces = (text: string, width: number): Piece[] => text.replace(/\r?\n$/, '').split(/\r?\n/).flatMap(line => indentedPieces(visible(line), width));

/** The lines of these pieces. */
export const wrapText = (text: string, width: number): string[] => textPieces(text, width).map(piece => piece.text);

/** Sentences in at most so many lines, the last one cut where there is more. What cannot be seen anyway is not measured. */
export function fewLines(text: string, width: number, most: number): string[] {
	const lines = wrapWords(text.slice(0, 4 * width * most), width);
	return lines.length <= most ? lines : [...lines.slice(0, most - 1), cut(lines.slice(most - 1).join(' '), width)];
}
