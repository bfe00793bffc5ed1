/** A term as it stands in a text, taken apart but not yet understood. Offsets are of the text, in UTF-16 units; `end` is behind it. */
export type Token = {
	at: number;
	end: number;
	not: boolean;
	/** What stands before the operator, as it was written; undefined for a word. */
	name?: {text: string; at: number};
	/** The sign of the operator, and where it is. */
	sign?: {text: string; at: number};
	/** What stands behind the operator, or the word, as it was written. */
	value: {text: string; at: number};
	/** Where a quote begins that does not end. */
	openQuote?: number;
};

const sign = /^(?:>=|<=|[:=~<>])/;

const signAt = (text: string, at: number): string | undefined => sign.exec(text.slice(at, at + 2))?.[0];

/** Passes over one character, or a quoted part whole. @returns the place behind it, or undefined where the quote does not end */
function skip(text: string, at: number): number | undefined {
	if (text[at] !== '"') {
		return at + 1;
	}

	for (let place = at + 1; place < text.length; place++) {
		if (text[place] === '\\') {
			place++;
		} else if (text[place] === '"') {
			return place + 1;
		}
	}

	return undefined;
}

function tokenFrom(text: string, at: number): Token {
	const not = text[at] === '-' || text[at] === '!';
	const begin = not ? at + 1 : at;
	let found: Token['sign'];
	let place = begin;
	while (place < text.length && !/\s/.test(text[place]!)) {
		const operator = found ? undefined : signAt(text, place);
		if (operator === undefined) {
			const next = skip(text, place);
			if (next === undefined) {
				const from = found ? found.at + found.text.length : begin;
				return {at, end: text.length, not, ...(found ? {name: {text: text.slice(begin, found.at), at: begin}, sign: found} : {}), value: {text: text.slice(from), at: from}, openQuote: place};
			}

			place = next;
		} else {
			found = {text: operator, at: place};
			place += operator.length;
		}
	}

	const from = found ? found.at + found.text.length : begin;
	return {at, end: place, not, ...(found ? {name: {text: text.slice(begin, found.at), at: begin}, sign: found} : {}), value: {text: text.slice(from, place), at: from}};
}

/** The terms of a text, in their order; spaces are between them, and quotes keep spaces and signs together. */
export function tokensOf(text: string): Token[] {
	const tokens: Token[] = [];
	for (let place = 0; place < text.length;) {
		if (/\s/.test(text[place]!)) {
			place++;
		} else {
			const token = tokenFrom(text, place);
			tokens.push(token);
			place = token.end;
		}
	}

	return tokens;
}

/** What a text says without its quotes. Within them `\"` is a quote and `\\` a backslash. */
export const unquoted = (text: string): string => text.replaceAll(/"((?:[^"\\]|\\.)*)(?:"|$)/gs, (_, inner: string) => inner.replaceAll(/\\(["\\])/g, '$1'));

/** A value as it stands behind an operator: in quotes where it needs them. */
export const quotedValue = (value: string): string => value === '' || /[\s"]/.test(value) ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : value;

/** A word, or the key of an attribute, as it stands: also in quotes where a sign would make something else of it. */
export const quotedWord = (word: string): string => /^[-!]|[:=~<>]/.test(word) ? `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"` : quotedValue(word);
