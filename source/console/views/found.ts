import {spansOf} from '../finding.ts';
import {currentIndex, findIn, isInSight, type Sight} from '../searching.ts';
import type {Search} from '../state.ts';
import {inverse, underline} from '../terminal/style.ts';
import {splitByStyle} from '../terminal/width.ts';
import {drawnOf, type Row} from './rows.ts';

/** What is marked of a row: a stretch of it without its style, in UTF-16 units. The match that one is at is inverse, the others are underlined. */
export type Mark = {from: number; to: number; isCurrent: boolean};

// eslint-disable-next-line no-control-regex -- ESC begins the styles.
const inverseStyle = /\u001B\[2?7m/g;

/** A row with its marks, which do not overlap. While something is searched only the match that one is at is inverse. */
export function withMarks(drawn: string, marks: readonly Mark[]): string {
	let begin = 0;
	return splitByStyle(drawn.replaceAll(inverseStyle, '')).map((part, index) => {
		if (index % 2 === 1) {
			return part;
		}

		let [at, text] = [0, ''];
		for (const {from, to, isCurrent} of marks) {
			const [start, end] = [Math.max(at, from - begin), Math.min(part.length, to - begin)];
			if (start < end) {
				text += part.slice(at, start) + (isCurrent ? inverse : underline)(part.slice(start, end));
				at = end;
			}
		}

		begin += part.length;
		return text + part.slice(at);
	}).join('');
}

/** What was found in the rows that are in sight, by row and by column, each from its left to its right. */
export function marksIn(rows: readonly Row[], search: Search, sight: Sight): Map<number, Mark[][]> {
	const finding = findIn(rows, search.words);
	const current = currentIndex(finding, search);
	const found = new Map<number, Mark[][]>();
	for (const [index, match] of finding.matches.entries()) {
		for (const {row, column, from, to} of isInSight(match, sight) ? spansOf(finding, match) : []) {
			const columns = found.get(row) ?? [];
			found.set(row, columns);
			(columns[column] ??= []).push({from, to, isCurrent: index === current});
		}
	}

	return found;
}

/** The rows of a page as they are drawn, with what was found marked in those that are in sight. */
export function markedRows(rows: readonly Row[], search: Search | undefined, sight: Sight): string[] {
	const found = search && marksIn(rows, search, sight);
	const end = sight.first + sight.room;
	return rows.map((row, index) => found && index >= sight.first && index < end ? withMarks(drawnOf(row), found.get(index)?.flat() ?? []) : drawnOf(row));
}
