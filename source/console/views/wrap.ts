import {isPlainCells, segmenter, widthOf} from '../terminal/width.ts';

/** Text cut into lines of at most `width` cells, without style; never an empty list. Graphemes stay whole. */
export function wrap(text: string, width: number): string[] {
	if (isPlainCells(text)) {
		return text.length <= width ? [text] : Array.from({length: Math.ceil(text.length / width)}, (_, index) => text.slice(index * width, (index + 1) * width));
	}

	const lines: string[] = [];
	let line = '';
	let used = 0;
	for (const {segment} of segmenter.segment(text)) {
		const cells = widthOf(segment);
		if (used + cells > width && line !== '') {
			lines.push(line);
			line = '';
			used = 0;
		}

		line += segment;
		used += cells;
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
