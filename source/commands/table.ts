import stringWidth from 'string-width';
import {inAscii} from '../core/ascii.ts';
import {visible} from '../core/text.ts';
import {unsetTime} from '../core/types.ts';
import type {Column} from '../operations/define.ts';

type Row = Readonly<Record<string, unknown>>;

const gap = '  ';

/** A value on one line: attributes as `key=value`, a list with commas, `-` for a time that is not set, nothing for what is not there. */
function cell(value: unknown): string {
	if (value === undefined || value === null) {
		return '';
	}

	if (Array.isArray(value)) {
		return value.map(item => cell(item)).join(', ');
	}

	if (typeof value === 'object') {
		return 'key' in value && 'value' in value ? `${String(value.key)}=${String(value.value)}` : JSON.stringify(value);
	}

	if (value === unsetTime) {
		return '-';
	}

	return String(value); // eslint-disable-line @typescript-eslint/no-base-to-string -- what is left of JSON is no object
}

/** What is printed for people, in ASCII: it stays aligned. */
export const printedInAscii = (text: string): string => inAscii(text, grapheme => stringWidth(grapheme));

/** A text cut to a display width, by what a reader sees as one character. */
function cut(text: string, width: number): string {
	if (stringWidth(text) <= width) {
		return text;
	}

	let [kept, used] = ['', 0];
	for (const {segment} of new Intl.Segmenter().segment(text)) {
		used += stringWidth(segment);
		if (used > width - 1) {
			break;
		}

		kept += segment;
	}

	return `${kept}…`;
}

const pad = (text: string, width: number, right: boolean): string => {
	const room = ' '.repeat(Math.max(0, width - stringWidth(text)));
	return right ? room + text : text + room;
};

const lay = (rows: readonly string[][], numbers: readonly boolean[], width: number | undefined): string => {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => stringWidth(row[column]!))));
	return rows.map(row => {
		const line = row.map((text, column) => pad(text, widths[column]!, numbers[column] ?? false)).join(gap).trimEnd();
		return width === undefined ? line : cut(line, width);
	}).join('\n');
};

type Shown = readonly [heading: string, show: (row: Row) => unknown];

const toShow = (columns: readonly Column[], now: number): Shown[] => columns.map(column => typeof column === 'string' ? [column, row => row[column]] : [column[0], row => column[1](row, now)]);

/** What is shown, and how. `width`: columns of the terminal, where lines are cut; undefined to cut nothing. `now`: milliseconds since 1970. */
type Table = {columns: readonly Column[] | undefined; width: number | undefined; now?: number};

/** A table of rows, aligned by display width, with control characters made visible. */
export function toTable(rows: readonly Row[], {columns, width, now = Date.now()}: Table): string {
	const shown = toShow(columns ?? Object.keys(Object.assign({}, ...rows) as Row), now);
	const numbers = shown.map(([, show]) => rows.every(row => typeof show(row) === 'number'));
	return lay([shown.map(([heading]) => heading.toUpperCase()), ...rows.map(row => shown.map(([, show]) => visible(cell(show(row)))))], numbers, width);
}

/** One object as a table: a line for each field, and for each column that is none of them. */
export function toFieldTable(row: Row, {columns = [], width, now = Date.now()}: Table): string {
	const fields = Object.entries(row).filter(([, value]) => value !== undefined);
	const others = toShow(columns.filter(column => typeof column !== 'string' && !Object.hasOwn(row, column[0])), now).map(([heading, show]) => [heading, show(row)] as const);
	return lay([...fields, ...others].map(([name, value]) => [name, visible(cell(value))]), [], width);
}
