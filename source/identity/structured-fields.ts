import {
	DisplayString, parseDictionary as parse, ParseError, serializeBareItem, serializeInnerList as serialize, type Token,
} from 'structured-headers';

// The package's own types name BufferSource, which only browsers declare; without it they are `any`.

/** A bare item of RFC 8941 §3.3. A byte sequence is an ArrayBuffer; a decimal has a fraction. */
export type BareItem = number | string | boolean | Token | ArrayBuffer;
export type Parameters = Map<string, BareItem>;
export type Item = [value: BareItem, parameters: Parameters];
export type InnerList = [items: Item[], parameters: Parameters];
export type Member = Item | InnerList;
export type Dictionary = ReadonlyMap<string, Member>;

/** A text that is not a dictionary of RFC 8941. Its message says what is wrong: a clause in lowercase, without a period. */
export class FieldFault extends Error {
	override readonly name = 'FieldFault';
}

/** A string, quotes included. Linear: no text matches in two ways. */
const strings = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

/** A decimal without a fraction, after what can precede a value. Only values stand there; keys begin with a letter. */
const wholeDecimal = /[=( ](-?\d+\.0+)(?!\d)/;

/** Whether a member is an inner list, rather than an item. */
export const isInnerList = (member: Member): member is InnerList => Array.isArray(member[0]);

const valuesOf = ([value, parameters]: Item): unknown[] => [value, ...parameters.values()];

const valuesIn = (member: Member): unknown[] => isInnerList(member)
	? [...member[0].flatMap(item => valuesOf(item)), ...member[1].values()]
	: valuesOf(member);

/** What a value is called that RFC 9651 adds to RFC 8941; undefined for the others. */
function newerKind(value: unknown): string | undefined {
	if (value instanceof Date) {
		return 'dates';
	}

	return value instanceof DisplayString ? 'display strings' : undefined;
}

/**
Parses a dictionary (RFC 8941 §4.2.2). Of a key that occurs twice, the last value counts, in the first place. Empty text is an empty dictionary.
Refuses what would not serialize to what was signed: decimals without a fraction, which the parser turns into integers (`1.0` would become `1`).
Refuses dates and display strings (RFC 9651): RFC 9421 builds on RFC 8941, which has neither.
@throws FieldFault
*/
export function parseDictionary(text: string): Dictionary {
	const dictionary = parsed(text);
	const newer = [...dictionary.values()].flatMap(member => valuesIn(member)).map(value => newerKind(value)).find(kind => kind !== undefined);
	if (newer !== undefined) {
		throw new FieldFault(`${newer} are not allowed`);
	}

	const [, decimal] = wholeDecimal.exec(text.replaceAll(strings, '""')) ?? [];
	if (decimal !== undefined) {
		throw new FieldFault(`the decimal ${decimal} must be written as an integer`);
	}

	return dictionary;
}

function parsed(text: string): Dictionary {
	try {
		return parse(text) as Dictionary;
	} catch (error) {
		if (error instanceof ParseError) {
			throw new FieldFault(error.message.replace(/^Parse error: /, '').replace(/^[A-Z](?=[a-z]* )/, first => first.toLowerCase()), {cause: error});
		}

		throw error;
	}
}

/** The text of a bare item in a message. */
export const textOfItem = (value: BareItem): string => serializeBareItem(value);

/** The bytes of a byte sequence; undefined for anything else. */
export const bytesOf = (member: Member | undefined): Uint8Array | undefined => member?.[0] instanceof ArrayBuffer ? new Uint8Array(member[0]) : undefined;

/** An RFC 8941 string. `text` is printable ASCII. */
export const serializeString = (text: string): string => serializeBareItem(text);

/** An RFC 8941 byte sequence. */
export const serializeBytes = (bytes: Uint8Array): string => `:${Buffer.from(bytes).toString('base64')}:`;

/** The canonical text of an inner list (RFC 8941 §4.1.1.1). */
export const serializeInnerList = (list: InnerList): string => serialize(list);
