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

/** Sentences cut into lines of at most `width` cells, between words where they allow it. Never an empty list. */
export function wrapWords(text: string, width: number): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(' ')) {
		const longer = line === '' ? word : `${line} ${word}`;
		if (widthOf(longer) <= width) {
			line = longer;
			continue;
		}

		lines.push(...(line === '' ? [] : [line]));
		const parts = wrap(word, width);
		lines.push(...parts.slice(0, -1));
		line = parts.at(-1)!;
	}

	return [...lines, line];
}

/** One line at words, with its indentation kept as far as it leaves room, also where it goes on. */
function wrapIndented(line: string, width: number): string[] {
	const indent = /^ */.exec(line)![0].slice(0, Math.floor(width / 2));
	return wrapWords(line.slice(indent.length), width - indent.length).map(part => indent + part);
}

/** A text from outside in lines of at most `width` cells: its own line breaks are kept, long lines are wrapped between words, and everything else that a terminal could obey is made visible. */
export const wrapText = (text: string, width: number): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/).flatMap(line => wrapIndented(visible(line), width));

/** Sentences in at most so many lines, the last one cut where there is more. What cannot be seen anyway is not measured. */
export function fewLines(text: string, width: number, most: number): string[] {
	const lines = wrapWords(text.slice(0, 4 * width * most), width);
	return lines.length <= most ? lines : [...lines.slice(0, most - 1), cut(lines.slice(most - 1).join(' '), width)];
}
