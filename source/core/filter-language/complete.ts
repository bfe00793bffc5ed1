import {
	type AttributePlace, attributePlaces, attributeSummaries, type FilterField, type FilterList, filterTables, operatorSigns,
} from './fields.ts';
import {signs} from './terms.ts';
import {
	quotedValue, quotedWord, type Token, tokensOf, unquoted,
} from './tokens.ts';

/** What may stand at the cursor. `text` replaces the term from `from` to `to`. */
export type Candidate = {text: string; label: string; summary: string; /** Whether the term is whole with it, so that a space may follow. */ whole: boolean};

/** Values that the store knows: the input of `filter.suggest`, but for the colony and the list. */
export type Wanted = {field: string; key?: string; prefix: string};

export type Completion = {
	from: number;
	to: number;
	candidates: Candidate[];
	/** What else to ask for, and how an answer is put into the term. */
	wanted?: Wanted;
	/** The term up to the value that is asked for. */
	before: string;
};

const spans = ['1m', '5m', '15m', '1h', '6h', '1d', '7d'];

const firstSign = ({operators}: FilterField): string => operatorSigns[operators.includes('<') ? '>' : operators[0]!];

function fieldCandidates(list: FilterList, typed: string): Candidate[] {
	const {fields, attributes} = filterTables[list];
	const named = Object.entries(fields).map(([name, field]) => ({text: `${name}${firstSign(field)}`, label: field.example, summary: field.summary, whole: false}));
	const places = attributes ? attributePlaces.map(place => ({text: `${place}.`, label: `${place}.KEY=VALUE`, summary: attributeSummaries[place], whole: false})) : [];
	return [...named, ...places].filter(({text}) => text.startsWith(typed.toLowerCase()));
}

function valueCandidates(name: string, {kind, choices, summary, operators}: FilterField, sign: string, typed: string): Candidate[] {
	if (!operators.includes(signs[sign]!)) {
		return [];
	}

	const values = kind === 'choice' ? choices! : (kind === 'span' ? spans : []);
	return values.filter(value => value.startsWith(typed.toLowerCase())).map(value => ({text: `${name}${sign}${value}`, label: value, summary: kind === 'span' ? `${summary}: ${sign} ${value}` : '', whole: true}));
}

/** Where the attributes are that a name means, as far as it is written. */
function placeOf(list: FilterList, name: string): {place: AttributePlace; key: string; before: string} | undefined {
	const [, place, key] = /^(in|out|err|any)\.(.*)$/s.exec(name) ?? [];
	if (!filterTables[list].attributes) {
		return undefined;
	}

	return place === undefined ? {place: 'any', key: unquoted(name), before: ''} : {place: place as AttributePlace, key: unquoted(key!), before: `${place}.`};
}

function inName(list: FilterList, typed: string, minus: string): Pick<Completion, 'candidates' | 'wanted' | 'before'> {
	const candidates = fieldCandidates(list, typed).map(candidate => ({...candidate, text: `${minus}${candidate.text}`}));
	const attribute = placeOf(list, typed);
	return attribute && (attribute.before !== '' || attribute.key.length > 1)
		? {candidates, wanted: {field: attribute.place, prefix: attribute.key}, before: `${minus}${attribute.before}`}
		: {candidates, before: minus};
}

function inValue(list: FilterList, {name, sign}: Required<Pick<Token, 'name' | 'sign'>>, typed: string, minus: string): Pick<Completion, 'candidates' | 'wanted' | 'before'> {
	const lower = name.text.toLowerCase();
	const {fields} = filterTables[list];
	const before = `${minus}${name.text}${sign.text}`;
	if (Object.hasOwn(fields, lower)) {
		const field = fields[lower]!;
		const candidates = valueCandidates(lower, field, sign.text, typed).map(candidate => ({...candidate, text: `${minus}${candidate.text}`}));
		return field.suggested ? {candidates, wanted: {field: lower, prefix: unquoted(typed)}, before} : {candidates, before};
	}

	const attribute = placeOf(list, name.text);
	return attribute && sign.text === '=' ? {candidates: [], wanted: {field: attribute.place, key: attribute.key, prefix: unquoted(typed)}, before} : {candidates: [], before};
}

/** What may stand at the cursor of a filter that is being written. The cursor is an offset in UTF-16 units. */
export function completeFilter(list: FilterList, text: string, cursor: number): Completion {
	const token = tokensOf(text.slice(0, cursor)).find(({end}) => end === cursor);
	const to = Math.max(cursor, tokensOf(text).find(({at, end}) => token !== undefined && at <= token.at && end >= cursor)?.end ?? cursor);
	if (!token) {
		return {from: cursor, to: cursor, candidates: fieldCandidates(list, ''), before: ''};
	}

	const minus = token.not ? text[token.at]! : '';
	const {name, sign, value} = token;
	return {from: token.at, to, ...name && sign ? inValue(list, {name, sign}, value.text, minus) : inName(list, value.text, minus)};
}

/** The candidate that an answer of `filter.suggest` makes. */
export function suggestedCandidate({wanted, before}: Pick<Completion, 'wanted' | 'before'>, {value, summary}: {value: string; summary?: string}): Candidate {
	const isKey = wanted !== undefined && wanted.key === undefined && (attributePlaces as readonly string[]).includes(wanted.field);
	return {text: isKey ? `${before}${quotedWord(value)}=` : `${before}${quotedValue(value)}`, label: value, summary: summary ?? '', whole: !isKey};
}

/** The text with a candidate put in, and where the cursor is then. */
export function putCandidate(text: string, {from, to}: Pick<Completion, 'from' | 'to'>, {text: term, whole}: Candidate): {text: string; cursor: number} {
	const rest = text.slice(to);
	const put = whole && !/^\s/.test(rest) ? `${term} ` : term;
	return {text: `${text.slice(0, from)}${put}${rest}`, cursor: from + put.length + (whole && /^\s/.test(rest) ? 1 : 0)};
}
