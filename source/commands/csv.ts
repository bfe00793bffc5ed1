import {visible} from '../core/text.ts';

type Row = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => {
	if (value === undefined || value === null) {
		return '';
	}

	return typeof value === 'string' ? value : JSON.stringify(value);
};

const quote = (value: string): string => /[",\r\n]/.test(value) || value !== value.trim() ? `"${value.replaceAll('"', '""')}"` : value;

/**
Rows as CSV (RFC 4180): a header, every field in its JSON order, lists and attributes as JSON, CRLF after each record; nothing for no rows.
@param toTerminal whether to make control characters visible
*/
export function toCsv(rows: readonly Row[], {toTerminal}: {toTerminal: boolean}): string {
	if (rows.length === 0) {
		return '';
	}

	const names = [...new Set(rows.flatMap(row => Object.keys(row).filter(name => row[name] !== undefined)))];
	const show = (value: unknown) => quote(toTerminal ? visible(text(value)) : text(value));
	return [names.map(name => quote(name)), ...rows.map(row => names.map(name => show(row[name])))].map(fields => `${fields.join(',')}\r\n`).join('');
}
