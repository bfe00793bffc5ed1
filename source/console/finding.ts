import {graphemesOf, isPlainCells, withoutStyle} from './terminal/width.ts';
import {cellsOf, drawnOf, type Row} from './views/rows.ts';

/** Where a part of a text stands: a stretch of a row without its style, in UTF-16 units, of the column with this index. */
export type Span = {row: number; column: number; from: number; to: number};

/** A text of a page as it was before it was wrapped. `at`: which of its units a part begins with. */
export type Text = {content: string; parts: ReadonlyArray<Span & {at: number}>};

/** Where the words stand in a text: its index, from one unit to another, and the rows that this takes. */
export type Match = {text: number; start: number; end: number; row: number; lastRow: number};

/** What was found in a page, in the order of its texts. */
export type Finding = {texts: readonly Text[]; matches: readonly Match[]};

/** The texts of a page, put together from the rows over which they are wrapped. */
export function textsOf(rows: readonly Row[]): Text[] {
	type Open = {content: string; parts: Array<Span & {at: number}>};
	const texts: Open[] = [];
	let above: readonly Open[] = [];
	for (const [index, row] of rows.entries()) {
		const plain = withoutStyle(drawnOf(row));
		const here: Open[] = [];
		for (const [column, {from, to, joint}] of cellsOf(row).entries()) {
			const begun = joint === undefined ? undefined : above[column];
			const text = begun ?? {content: '', parts: []};
			if (!begun) {
				texts.push(text);
			}

			text.content += joint ?? '';
			text.parts.push({row: index, column, from, to, at: text.content.length});
			text.content += plain.slice(from, to);
			here.push(text);
		}

		above = here;
	}

	return texts;
}

/** A text with its characters composed as they are searched: at each unit, which unit of the text a grapheme begins with, or -1 inside of one. Undefined where it is the very text, and may be cut anywhere. */
type Composed = {text: string; origins: readonly number[]} | undefined;

// Composing costs more than searching, and the texts of a page are the same at most keys.
const composedTexts = new Map<string, Composed>();
const mostComposed = 500;

function composed(content: string): Composed {
	if (isPlainCells(content)) {
		return undefined;
	}

	const known = composedTexts.get(content);
	if (known) {
		return known;
	}

	const origins: number[] = [];
	let text = '';
	let at = 0;
	for (const grapheme of graphemesOf(content)) {
		const form = grapheme.normalize('NFC');
		origins.push(at);
		for (let unit = 1; unit < form.length; unit++) {
			origins.push(-1);
		}

		text += form;
		at += grapheme.length;
	}

	origins.push(at);
	if (composedTexts.size >= mostComposed) {
		composedTexts.clear();
	}

	const result = {text, origins};
	composedTexts.set(content, result);
	return result;
}

/** What finds these words: upper and lower case are the same unless the words have an upper-case letter. */
const patternOf = (words: string): RegExp => new RegExp(words.normalize('NFC').replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), /\p{Lu}/u.test(words) ? 'gu' : 'giu');

/** From where to where the words stand in a text, one after the other; never in the midst of a grapheme. */
function * placesIn(content: string, pattern: RegExp): Generator<readonly [start: number, end: number], void> {
	const known = composed(content);
	const text = known?.text ?? content;
	pattern.lastIndex = 0;
	for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
		const {index} = found;
		const end = index + found[0].length;
		const [start, stop] = known ? [known.origins[index]!, known.origins[end]!] : [index, end];
		if (start === -1 || stop === -1) {
			pattern.lastIndex = index + String.fromCodePoint(text.codePointAt(index)!).length;
		} else {
			yield [start, stop];
		}
	}
}

/** Finds words in a page: plain text, wherever it is wrapped. Nothing is found for no words. */
export function find(rows: readonly Row[], words: string): Finding {
	const texts = textsOf(rows);
	if (words === '') {
		return {texts, matches: []};
	}

	const pattern = patternOf(words);
	const matches: Match[] = [];
	for (const [index, {content, parts}] of texts.entries()) {
		let first = 0;
		for (const [start, end] of placesIn(content, pattern)) {
			while (first < parts.length && partEnd(parts[first]!) <= start) {
				first++;
			}

			let last = first;
			while (last + 1 < parts.length && parts[last + 1]!.at < end) {
				last++;
			}

			// What wrapping left out, spaces between two rows, is nowhere to be seen.
			if (first < parts.length && parts[first]!.at < end) {
				matches.push({text: index, start, end, row: parts[first]!.row, lastRow: parts[last]!.row});
			}
		}
	}

	return {texts, matches};
}

const partEnd = ({from, to, at}: Span & {at: number}): number => at + to - from;

/** What a match takes of the rows. */
export const spansOf = ({texts}: Finding, {text, start, end}: Match): Span[] => texts[text]!.parts
	.filter(part => part.at < end && partEnd(part) > start)
	.map(({row, column, from, to, at}) => ({row, column, from: from + Math.max(0, start - at), to: Math.min(to, from + end - at)}));
