import {type ColoniesError, InvalidInput} from '../errors.ts';
import {limits} from '../limits.ts';
import {nearest} from '../nearest.ts';
import {printSpan, parseSpan} from '../spans.ts';
import {quoted} from '../text.ts';
import {
	type AttributePlace, attributePlaces, type FilterField, type FilterList, filterTables, type Operator, operatorSigns,
} from './fields.ts';
import {
	quotedValue, quotedWord, type Token, tokensOf, unquoted,
} from './tokens.ts';

/**
One condition. `field`: one of the table of its list; `word` for a word alone; `in`, `out`, `err` or `any` for attributes, those with `key` or whatever key.
`value`: seconds for spans, MB for memory, ids in lower case.
*/
export type FilterTerm = {field: string; key?: string; operator: Operator; value: string | number; not: boolean};

/** Conditions that hold together; but those that say of one field (and key) what it is are alternatives. */
export type Filter = readonly FilterTerm[];

/** What is wrong with a part of a text. Offsets in UTF-16 units. */
export type Fault = {at: number; end: number; message: string; hint: string};

/** Characters of a filter as text. */
export const longestFilter = 2000;

const isPlace = (name: string): name is AttributePlace => (attributePlaces as readonly string[]).includes(name);

/** The place and the key that a name means; undefined for what is no attribute. */
function attributeOf(list: FilterList, name: string): {field: AttributePlace; key?: string} | undefined {
	if (!filterTables[list].attributes) {
		return undefined;
	}

	const [, place, dot, key] = /^(in|out|err|any)(\.?)(.*)$/s.exec(name) ?? [];
	if (place === undefined || (dot === '' && key !== '')) {
		return {field: 'any', key: unquoted(name)};
	}

	return dot === '' ? {field: place as AttributePlace} : {field: place as AttributePlace, key: unquoted(key!)};
}

/** What each sign means. */
export const signs: Readonly<Record<string, Operator>> = {':': 'is', '=': 'is', '~': 'has', '<': '<', '<=': '<=', '>': '>', '>=': '>='};

const memoryUnits: Readonly<Record<string, number>> = {'': 1, m: 1, g: 1024, t: 1_048_576};

class Refusal extends Error {
	constructor(readonly problem: string, readonly hint: string) {
		super(problem);
	}
}

function readMemory(text: string): number | undefined {
	const [, number, unit] = /^(\d+(?:\.\d+)?)([mgt]?)b?$/i.exec(text) ?? [];
	return number === undefined ? undefined : Math.round(Number(number) * memoryUnits[unit!.toLowerCase()]!);
}

/** The value of a field. @throws Refusal */
function valueOf(name: string, {kind, choices, example}: FilterField, text: string): string | number {
	const refuse = (must: string): never => {
		throw new Refusal(`${name} ${must}, not ${quoted(text)}.`, `Write ${example}.`);
	};

	switch (kind) {
		case 'choice': {
			const choice = text.toLowerCase();
			return choices!.includes(choice) ? choice : refuse(`must be one of ${choices!.join(', ')}`);
		}

		case 'id': {
			return /^[\da-f]{1,64}$/i.test(text) ? text.toLowerCase() : refuse('must be the beginning of an id, 1 to 64 hex digits');
		}

		case 'span': {
			try {
				return parseSpan(text);
			} catch {
				return refuse('must be a span of time');
			}
		}

		case 'number': {
			return /^\d{1,12}$/.test(text) ? Number(text) : refuse('must be a whole number');
		}

		case 'memory': {
			const megabytes = readMemory(text);
			return megabytes !== undefined && megabytes <= 1e12 ? megabytes : refuse('must be a number of MB, or one with m, g or t');
		}

		default: {
			return text;
		}
	}
}

const signText = (operators: readonly Operator[]): string => operators.map(operator => operatorSigns[operator]).join(' ');

function fieldTerm(name: string, field: FilterField, sign: string, given: string): Omit<FilterTerm, 'not'> {
	// As on GitHub: `cores:>=4`.
	const [, comparison, rest] = sign === ':' && field.operators.includes('<') ? /^([<>]=?)(.*)$/s.exec(given) ?? [] : [];
	const operator = signs[comparison ?? sign]!;
	const text = rest ?? given;
	if (!field.operators.includes(operator)) {
		throw new Refusal(`${name} cannot be compared with ${comparison ?? sign}.`, `Its signs are ${signText(field.operators)}; write ${field.example}.`);
	}

	const value = unquoted(text);
	if (text === '' || (value === '' && (operator === 'has' || field.kind === 'computer'))) {
		throw new Refusal(`${name} has no value.`, `Write ${field.example}.`);
	}

	// A part of a name, or of an id, is any text.
	return {field: name, operator, value: operator === 'has' ? value : valueOf(name, field, value)};
}

function attributeTerm({field, key}: {field: AttributePlace; key?: string}, sign: string, given: string): Omit<FilterTerm, 'not'> {
	const operator = signs[sign]!;
	const name = key === undefined ? field : `the attribute ${quoted(key)}`;
	if (operator !== 'is' && operator !== 'has') {
		throw new Refusal(`The values of attributes are text, and cannot be compared with ${sign}.`, 'Write in.key=value, or in.key~text for a part of it.');
	}

	if (key === undefined && operator === 'is') {
		throw new Refusal(`${field} needs the key of an attribute.`, `Write ${field}.key=value, or ${field}~text to look in the values of all.`);
	}

	if (key === '' || (key?.length ?? 0) > limits.key) {
		throw new Refusal(key === '' ? 'The key of the attribute is missing.' : `The key of an attribute has at most ${limits.key} characters.`, 'Write in.key=value.');
	}

	const value = unquoted(given);
	if (operator === 'has' && value === '') {
		throw new Refusal(`There is no text to look for in ${name}.`, `Write ${field}${key === undefined ? '' : '.key'}~text.`);
	}

	return {field, ...(key === undefined ? {} : {key}), operator, value};
}

function unknownField(list: FilterList, name: string, sign: string): Refusal {
	const {fields, attributes} = filterTables[list];
	const names = [...Object.keys(fields), ...(attributes ? attributePlaces : [])];
	const near = nearest(name, names);
	const quote = `${quotedWord(`${name}${sign}`).slice(0, -1)}…"`;
	return new Refusal(
		`There is no field ${quoted(name)} for ${list}.`,
		`${near === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${near}?`} To look for it as a word, quote it: ${quote}.`,
	);
}

function termOf(list: FilterList, {not, name, sign, value, openQuote}: Token): FilterTerm {
	if (openQuote !== undefined) {
		throw new Refusal('A quote begins here and does not end.', String.raw`Close it with another ", or write \" for a quote within quotes.`);
	}

	if (!name || !sign) {
		const word = unquoted(value.text);
		if (word === '') {
			throw new Refusal(not ? 'Nothing follows the sign for "not".' : 'An empty word finds nothing.', 'Write -type:gpu for all but those; quote a minus to look for it: "-".');
		}

		return {field: 'word', operator: 'has', value: word, not};
	}

	if (name.text === '') {
		throw new Refusal(`Nothing stands before ${quoted(sign.text)}.`, `Write type:gpu or key=value; to look for it as a word, quote it: ${quotedWord(sign.text)}.`);
	}

	const {fields} = filterTables[list];
	const lower = name.text.toLowerCase();
	if (Object.hasOwn(fields, lower)) {
		return {...fieldTerm(lower, fields[lower]!, sign.text, value.text), not};
	}

	const attribute = attributeOf(list, name.text);
	const isBare = attribute?.field === 'any' && !/^any(?:\.|$)/.test(name.text);
	if (!attribute || (isBare && sign.text !== '=' && sign.text !== '~')) {
		throw unknownField(list, unquoted(name.text), sign.text);
	}

	return {...attributeTerm(attribute, sign.text, value.text), not};
}

/** Reads a filter as far as it can be read: its terms, and what is wrong with the rest. Never throws. */
export function readFilter(list: FilterList, text: string): {terms: FilterTerm[]; faults: Fault[]} {
	if (text.length > longestFilter || text.includes('\0') || !text.isWellFormed()) {
		return {terms: [], faults: [{at: 0, end: text.length, message: `A filter must be Unicode text without NUL, of at most ${longestFilter} characters.`, hint: 'Write fewer terms.'}]};
	}

	const terms: FilterTerm[] = [];
	const faults: Fault[] = [];
	for (const token of tokensOf(text)) {
		try {
			terms.push(termOf(list, token));
		} catch (error) {
			if (!(error instanceof Refusal)) {
				throw error;
			}

			faults.push({at: token.openQuote ?? token.at, end: token.end, message: error.problem, hint: error.hint});
		}
	}

	return {terms, faults};
}

/** Characters, as people count them. */
function lengthOf(text: string): number {
	let length = 0;
	for (const _ of text) {
		length++;
	}

	return length;
}

/** The first fault of a filter as an error, which says where it is. */
export function complaintAboutFilter(list: FilterList, text: string): ColoniesError | undefined {
	const {faults: [fault]} = readFilter(list, text);
	return fault && new InvalidInput(`In the filter, at character ${lengthOf(text.slice(0, fault.at)) + 1}: ${fault.message}`, {hint: fault.hint});
}

/** Reads a filter. @throws InvalidInput, about the first thing that is wrong, with where it is */
export function parseFilter(list: FilterList, text: string): FilterTerm[] {
	const complaint = complaintAboutFilter(list, text);
	if (complaint) {
		throw complaint;
	}

	return readFilter(list, text).terms;
}

/** Whether a key may stand without the place of its attribute. */
const isBareKey = (list: FilterList, key: string): boolean => !Object.hasOwn(filterTables[list].fields, key.toLowerCase()) && !/^(?:in|out|err|any)(?:\.|$)/.test(key);

function printTerm(list: FilterList, {field, key, operator, value, not}: FilterTerm): string {
	const minus = not ? '-' : '';
	if (field === 'word') {
		return `${minus}${quotedWord(String(value))}`;
	}

	if (isPlace(field)) {
		const place = key === undefined ? field : (field === 'any' && isBareKey(list, key) ? quotedWord(key) : `${field}.${quotedWord(key)}`);
		return `${minus}${place}${operator === 'is' ? '=' : operatorSigns[operator]}${quotedValue(String(value))}`;
	}

	const {kind} = filterTables[list].fields[field]!;
	return `${minus}${field}${operatorSigns[operator]}${kind === 'span' ? printSpan(value as number) : quotedValue(String(value))}`;
}

/** A filter as text; reading that gives the same filter. */
export const printFilter = (list: FilterList, filter: Filter): string => filter.map(term => printTerm(list, term)).join(' ');
