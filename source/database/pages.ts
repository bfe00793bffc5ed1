import {InvalidInput} from '../core/errors.ts';
import {isTime} from '../core/moments.ts';
import {quoted} from '../core/text.ts';
import type {Time} from '../core/types.ts';

/** Which page of a list: the rows before or after a position, or from its start or end; `position` is what an earlier page gave. */
export type PageRequest = {
	count: number;
	position?: string;
	/** `after` the position (the default), `from` it on with its own row, or `before` it. Without a position: the first page, or with `before` the last. */
	direction?: 'after' | 'from' | 'before';
	/** The whole list the other way round. */
	reversed?: boolean;
};

/** One page, in the order of the list, with the position of each row. */
export type Page<Row> = {
	rows: Row[];
	positions: string[];
	/** Whether there are rows before the first and after the last one, as far as it was looked. */
	more: {before: boolean; after: boolean};
	/** Where a filter was looked for in so many rows, and the page is not full though the list goes on: where to go on looking, if that can be. */
	looked?: {count: number; position?: string};
	/** Of a list as it was: the moment. */
	at?: Time;
	/** Of a list over several cells: those that did not answer, whose rows are missing. */
	unanswered?: string[];
};

/** A position from the key of a row: opaque to callers, stable while the row keeps its key. */
export const encodePosition = (key: ReadonlyArray<string | number>): string => Buffer.from(JSON.stringify(key)).toString('base64url');

const isWhole = (part: unknown): boolean => Number.isSafeInteger(part) && (part as number) >= 0;

/** What the parts of a key are, and what each must be for the database to take it. */
const parts = {
	time: isTime,
	id: (part: unknown): boolean => typeof part === 'string' && /^[\da-f]{64}$/.test(part),
	name: (part: unknown): boolean => typeof part === 'string' && !part.includes('\0'),
	row: isWhole,
	state: (part: unknown): boolean => isWhole(part) && (part as number) < 10,
};

/** The key of a list, part by part. */
export type Key = ReadonlyArray<keyof typeof parts>;

/** @throws InvalidInput when it is none that a page of a list with this key gave. */
export function decodePosition(position: string, key: Key): Array<string | number> {
	try {
		const decoded = JSON.parse(Buffer.from(position, 'base64url').toString()) as unknown;
		if (Array.isArray(decoded) && decoded.length === key.length && key.every((part, index) => parts[part](decoded[index]))) {
			return decoded as Array<string | number>;
		}
	} catch {
		// Said below.
	}

	throw new InvalidInput(`${quoted(position)} is no position in this list.`, {hint: 'Give one that an earlier page of the same list returned.'});
}

/** How a page is read: the comparison with the position, and the order of reading, for a list in ascending or descending order. */
export function readingOrder({direction = 'after', position, reversed = false}: PageRequest, usuallyDescending: boolean): {comparison: string; order: 'asc' | 'desc'; backwards: boolean} {
	const backwards = direction === 'before';
	const descending = usuallyDescending !== reversed;
	const ascending = descending === backwards;
	const operator = `${ascending ? '>' : '<'}${direction === 'from' ? '=' : ''}`;
	return {comparison: position === undefined ? '' : operator, order: ascending ? 'asc' : 'desc', backwards};
}

/** Makes the page of what was read: one row more than asked tells that there is more. */
export function toPage<Row>(read: Row[], request: PageRequest, keyOf: (row: Row) => Array<string | number>): Page<Row> {
	const backwards = request.direction === 'before';
	const beyond = read.length > request.count;
	const rows = read.slice(0, request.count);
	if (backwards) {
		rows.reverse();
	}

	const atEdge = request.position === undefined;
	return {
		rows,
		positions: rows.map(row => encodePosition(keyOf(row))),
		more: backwards ? {before: beyond, after: !atEdge} : {before: !atEdge, after: beyond},
	};
}
