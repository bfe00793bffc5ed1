/**
A bare item of RFC 8941 §3.3 with its canonical text (§4.1), which is what goes into a signature base.
Integers and decimals are both numbers; they differ in their type.
*/
export type BareItem =
	| {type: 'integer' | 'decimal'; value: number; text: string}
	| {type: 'string' | 'token'; value: string; text: string}
	| {type: 'bytes'; value: Uint8Array; text: string}
	| {type: 'boolean'; value: boolean; text: string};

/** In their order; of a key that stands twice the last value, in the first place. */
export type Parameters = ReadonlyMap<string, BareItem>;
export type Item = {item: BareItem; parameters: Parameters};
export type InnerList = {items: readonly Item[]; parameters: Parameters};
export type Member = Item | InnerList;
export type Dictionary = ReadonlyMap<string, Member>;

/** A text that is no structured field: its message says what was expected, and at which character, counted from 1. */
export class FieldFault extends Error {
	override readonly name = 'FieldFault';
}

const yes: BareItem = {type: 'boolean', value: true, text: '?1'};

// Sticky, and each without two ways to match the same text, so that reading is linear in the length of the field.
const patterns = {
	spaces: / */y,
	whitespace: /[ \t]*/y,
	key: /[a-z*][a-z\d_\-.*]*/y,
	number: /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y,
	string: /"[ !#-[\]-~]*(?:\\["\\][ !#-[\]-~]*)*"/y,
	token: /[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*/y,
	bytes: /:[A-Za-z\d+/]*={0,2}:/y,
	boolean: /\?[01]/y,
};

/** A place in a text that moves on as its parts are taken. */
class Reader {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	get next(): string | undefined {
		return this.#text[this.#at];
	}

	/** Takes what a pattern matches here; undefined and no step where it does not. */
	take(name: keyof typeof patterns): string | undefined {
		const pattern = patterns[name];
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#text)?.[0];
		this.#at += found?.length ?? 0;
		return found;
	}

	/** Takes one character if it stands here. */
	skip(character: string): boolean {
		const isThere = this.next === character;
		this.#at += isThere ? 1 : 0;
		return isThere;
	}

	fault(expected: string): FieldFault {
		return new FieldFault(`expected ${expected} at character ${this.#at + 1}`);
	}
}

function numberItem(text: string): BareItem {
	const value = Number(text);
	if (!text.includes('.')) {
		return {type: 'integer', value, text: String(value)};
	}

	return {type: 'decimal', value, text: Number.isInteger(value) ? `${value}.0` : String(value)};
}

function bytesItem(base64: string, reader: Reader): BareItem {
	const digits = base64.replace(/=+$/, '');
	if (digits.length % 4 === 1) {
		throw reader.fault('base64 of whole bytes before what is');
	}

	const value = Buffer.from(digits, 'base64');
	return {type: 'bytes', value, text: `:${value.toString('base64')}:`};
}

/** RFC 8941 §4.2.3.1. */
function readBareItem(reader: Reader): BareItem {
	const number = reader.take('number');
	if (number !== undefined) {
		return numberItem(number);
	}

	const string = reader.take('string');
	if (string !== undefined) {
		return {type: 'string', value: string.slice(1, -1).replaceAll(/\\(.)/g, '$1'), text: string};
	}

	const token = reader.take('token');
	if (token !== undefined) {
		return {type: 'token', value: token, text: token};
	}

	const bytes = reader.take('bytes');
	if (bytes !== undefined) {
		return bytesItem(bytes.slice(1, -1), reader);
	}

	const boolean = reader.take('boolean');
	if (boolean !== undefined) {
		return {type: 'boolean', value: boolean === '?1', text: boolean};
	}

	throw reader.fault('a value');
}

function readKey(reader: Reader): string {
	const key = reader.take('key');
	if (key === undefined) {
		throw reader.fault('a name in lowercase');
	}

	return key;
}

/** RFC 8941 §4.2.3.2. */
function readParameters(reader: Reader): Parameters {
	const parameters = new Map<string, BareItem>();
	while (reader.skip(';')) {
		reader.take('spaces');
		const key = readKey(reader);
		parameters.set(key, reader.skip('=') ? readBareItem(reader) : yes);
	}

	return parameters;
}

const readItem = (reader: Reader): Item => ({item: readBareItem(reader), parameters: readParameters(reader)});

/** RFC 8941 §4.2.1.2, behind its opening bracket. */
function readInnerList(reader: Reader): InnerList {
	const items: Item[] = [];
	for (;;) {
		reader.take('spaces');
		if (reader.skip(')')) {
			return {items, parameters: readParameters(reader)};
		}

		items.push(readItem(reader));
		if (reader.next !== ' ' && reader.next !== ')') {
			throw reader.fault('a space or ")"');
		}
	}
}

function readMember(reader: Reader): Member {
	if (!reader.skip('=')) {
		return {item: yes, parameters: readParameters(reader)};
	}

	return reader.skip('(') ? readInnerList(reader) : readItem(reader);
}

/**
Reads a dictionary (RFC 8941 §4.2.2), the whole grammar of it. Empty text is an empty one.
@throws FieldFault
*/
export function parseDictionary(text: string): Dictionary {
	const reader = new Reader(text);
	const members = new Map<string, Item | InnerList>();
	reader.take('spaces');
	while (reader.next !== undefined) {
		const key = readKey(reader);
		members.set(key, readMember(reader));
		reader.take('whitespace');
		if (reader.next === undefined) {
			break;
		}

		if (!reader.skip(',')) {
			throw reader.fault('a comma');
		}

		reader.take('whitespace');
		if (reader.next === undefined) {
			throw reader.fault('one more member');
		}
	}

	return members;
}

/** An RFC 8941 string. `text` is printable ASCII. */
export const serializeString = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** An RFC 8941 byte sequence. */
export const serializeBytes = (bytes: Uint8Array): string => `:${Buffer.from(bytes).toString('base64')}:`;

const serializeParameters = (parameters: Parameters): string =>
	[...parameters].map(([key, {value, text}]) => value === true ? `;${key}` : `;${key}=${text}`).join('');

/** The canonical text of an inner list (RFC 8941 §4.1.1.1). */
export const serializeInnerList = ({items, parameters}: InnerList): string =>
	`(${items.map(each => `${each.item.text}${serializeParameters(each.parameters)}`).join(' ')})${serializeParameters(parameters)}`;
