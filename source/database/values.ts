import {Buffer} from 'node:buffer';
import type {Id} from '../core/types.ts';

/** Turns the text of one value, as PostgreSQL prints it, into what a row holds. */
export type Parse = (text: string) => unknown;

const asIs: Parse = text => text;

const inUtc = /^(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/;
const withOffset = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

const microseconds = (fraction: string | undefined): string => (fraction ?? '').padEnd(6, '0');

/** A time of another zone, as sessions have it outside transactions, in UTC. Before a zone kept to whole minutes, its offset has seconds. */
function fromOffset([whole, year, month, day, hour, minute, second, fraction, sign, hours, minutes = '0', seconds = '0']: RegExpExecArray): string {
	const offset = (((Number(hours) * 60) + Number(minutes)) * 60) + Number(seconds);
	const time = new Date(0);
	time.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
	time.setUTCHours(Number(hour), Number(minute), Number(second) + (sign === '-' ? offset : -offset));
	if (Number.isNaN(time.getTime())) {
		return whole;
	}

	// Node writes years of more than four digits with a sign and six.
	const text = time.toISOString().slice(0, -5).replace(/^\+0*/, '');
	return `${text}.${microseconds(fraction)}Z`;
}

/**
A timestamptz as RFC 3339 in UTC with six digits of microseconds, `2021-12-21T21:04:07.807378Z`.
What has no such form (`infinity`, years before Christ) stays as PostgreSQL printed it.
*/
export function toTime(text: string): string {
	const utc = inUtc.exec(text);
	if (utc) {
		return `${utc[1]}-${utc[2]}T${utc[3]}.${microseconds(utc[4])}Z`;
	}

	const local = withOffset.exec(text);
	return local ? fromOffset(local) : text;
}

/** Reads an array as PostgreSQL prints it, `{a,"b c",NULL,{…}}`; a prefix of bounds, `[0:1]=`, is passed over. */
export function parseArray(text: string, parse: Parse): unknown[] {
	const token = /"((?:[^"\\]|\\.)*)"|([^{}",]+)|[{}]/gsy;
	token.lastIndex = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
	const open: unknown[][] = [[]];
	for (let found = token.exec(text); found; found = token.exec(text)) {
		const [whole, quoted, bare] = found;
		if (whole === '{') {
			open.push([]);
		} else if (whole === '}') {
			const array = open.pop()!;
			open.at(-1)!.push(array);
		} else if (quoted === undefined) {
			open.at(-1)!.push(bare === 'NULL' ? null : parse(bare!));
		} else {
			open.at(-1)!.push(parse(quoted.replaceAll(/\\(.)/gs, '$1')));
		}

		if (text[token.lastIndex] === ',') {
			token.lastIndex++;
		}
	}

	return open[0]![0] as unknown[];
}

type Type = {oid: number; array: number; parse: Parse};

/** As hex digits, two a byte: so ids are written everywhere outside the database. PostgreSQL prints bytes as these, or as text with what is no ASCII in octal (`bytea_output`). */
const toHex: Parse = text => text.startsWith(String.raw`\x`)
	? text.slice(2)
	: Buffer.from(text.replaceAll(/\\(\\|\d{3})/g, (_, escaped: string) => escaped === '\\' ? escaped : String.fromCodePoint(Number.parseInt(escaped, 8))), 'latin1').toString('hex');

// Object identifiers of pg_type, which are the same in every PostgreSQL.
const types: readonly Type[] = [
	{oid: 16, array: 1000, parse: text => text === 't'}, // Boolean
	{oid: 17, array: 1001, parse: toHex}, // Bytea
	{oid: 18, array: 1002, parse: asIs}, // "char"
	{oid: 19, array: 1003, parse: asIs}, // Name
	{oid: 20, array: 1016, parse: Number}, // Int8
	{oid: 21, array: 1005, parse: Number}, // Int2
	{oid: 23, array: 1007, parse: Number}, // Int4
	{oid: 25, array: 1009, parse: asIs}, // Text
	{oid: 26, array: 1028, parse: Number}, // Oid
	{oid: 114, array: 199, parse: text => JSON.parse(text) as unknown}, // Json
	{oid: 700, array: 1021, parse: Number}, // Float4
	{oid: 701, array: 1022, parse: Number}, // Float8
	{oid: 1042, array: 1014, parse: asIs}, // Char(n)
	{oid: 1043, array: 1015, parse: asIs}, // Varchar
	{oid: 1184, array: 1185, parse: toTime}, // Timestamptz
	{oid: 1700, array: 1231, parse: Number}, // Numeric
	{oid: 2950, array: 2951, parse: asIs}, // Uuid
	{oid: 3802, array: 3807, parse: text => JSON.parse(text) as unknown}, // Jsonb
];

const parsers = new Map<number, Parse>(types.flatMap(({oid, array, parse}) => [
	[oid, parse],
	[array, text => parseArray(text, parse)],
]));

/** How to read a type, by its object identifier. A type not known here stays text. */
export const parserOf = (oid: number): Parse => parsers.get(oid) ?? asIs;

const arrayElement = (value: unknown): string => {
	if (Array.isArray(value)) {
		return toArrayText(value);
	}

	const text = toText(value);
	return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
};

const toArrayText = (values: readonly unknown[]): string => `{${values.map(value => arrayElement(value)).join(',')}}`;

/**
A parameter as the text that PostgreSQL reads, the same for every kind of database. Undefined is null; an object is JSON.
*/
export function toText(value: unknown): string | null {
	if (value === undefined || value === null) {
		return null;
	}

	if (value instanceof Uint8Array) {
		return `\\x${Buffer.from(value).toString('hex')}`;
	}

	if (Array.isArray(value)) {
		return toArrayText(value);
	}

	if (value instanceof Date) {
		return value.toISOString();
	}

	return typeof value === 'object' ? JSON.stringify(value) : String(value); // eslint-disable-line @typescript-eslint/no-base-to-string -- it is no object
}

/** An id as a parameter for a column of bytes. */
export const bytesOf = (id: Id): string => `\\x${id}`;

/** What is an id, or else a word as `root`, as a parameter for a column of bytes. */
export const bytesOfAny = (name: string): string => /^[\da-f]{64}$/.test(name) ? bytesOf(name) : `\\x${Buffer.from(name).toString('hex')}`;

/** The same of a list. */
export const bytesOfAnyAll = (names: readonly string[]): string[] => names.map(name => bytesOfAny(name));

/** Ids as a parameter for a list of bytes. */
export const bytesOfAll = (ids: readonly Id[]): string[] => ids.map(id => bytesOf(id));

/** The first and the last id that begin with these hex digits, as parameters. */
export const rangeOfPrefix = (prefix: string): [first: string, last: string] => [bytesOf(prefix.padEnd(64, '0')), bytesOf(prefix.padEnd(64, 'f'))];

/**
That a row `p`, which is found by its id, is of a colony (a parameter); so said that no index on colonies serves it: the planner would else, with the statistics of an empty table, read all of a colony for one row.
*/
export const inColony = (colony: string, row = 'p'): string => `${row}.colony_id || ''::bytea = ${colony}`;

/**
The end of a query for the process `p` with one id (as SQL). The order makes the planner use the primary key. With statistics that say the table is empty,
an index that has the id as its last column would cost the same, and be scanned from end to end.
*/
export const withId = (id: string): string => `p.process_id >= ${id} and p.process_id <= ${id} order by p.process_id limit 1`;
