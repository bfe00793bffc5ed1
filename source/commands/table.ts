import stringWidth from 'string-width';
import {visible} from '../core/text.ts';
import type {Column} from '../operations/define.ts';

type Row = Readonly<Record<string, unknown>>;

const gap = '  ';

/** A value on one line: attributes as `key=value`, a list with commas, nothing for what is not there. */
function cell(value: unknown): string {
	if (value === undefined || value === null) {
		return '';
	}

	if (Array.isArray(value)) {
		return value.map(item => cell(item)).join(', ');
	}

	if (typeof value === 'object') {
		return 'key' in value && 'value' in value ? `${cell(value.key)}=${cell(value.value)}` : JSON.stringify(value);
	}

	return String(value); // eslint-disable-line @typescript-eslint/no-base-to-string -- what is left of JSON is no object
}

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

const toShow = (columns: readonly Column[] | undefined, row: Row): Array<readonly [heading: string, show: (row: Row) => unknown]> => (columns ?? Object.keys(row)).map(column => typeof column === 'string' ? [column, row => row[column]] : column);

/**
A table of rows, aligned by display width, with control characters made visible.
@param width columns of the terminal, where lines are cut; undefined to cut nothing
*/
export function toTable(rows: readonly Row[], columns: readonly Column[] | undefined, width: number | undefined): string {
	const shown = toShow(columns, Object.assign({}, ...rows) as Row);
	const numbers = shown.map(([, show]) => rows.every(row => typeof show(row) === 'number'));
	return lay([shown.map(([heading]) => heading.toUpperCase()), ...rows.map(row => shown.map(([, show]) => visible(cell(show(row)))))], numbers, width);
}

/** One object as a table: a line for each field. */
export const toFieldTable = (row: Row, width: number | undefined): string => lay(Object.entries(row).filter(([, value]) => value !== undefined).map(([name, value]) => [name, visible(cell(value))]), [], width);
