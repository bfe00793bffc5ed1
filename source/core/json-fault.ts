/** Line and column of a place in a text, both from 1, the column in characters. */
export type Place = {line: number; column: number};

type Expectation = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';
type Bracket = '{' | '[';
type Token = {kind: string; end: number};

/** The kinds of token that may come; `}` and `]` only where their own bracket is open. */
const accepted: Record<Expectation, readonly string[]> = {
	value: ['{', '[', 'text', 'scalar'],
	'value or end': ['{', '[', 'text', 'scalar', ']'],
	key: ['text'],
	'key or end': ['text', '}'],
	colon: [':'],
	'comma or end': [',', '}', ']'],
	nothing: [],
};

const closing = (open: Bracket | undefined): string => open === '{' ? '}' : ']';

/* eslint-disable no-control-regex -- JSON allows no control character in a text */
const blank = /[ \t\n\r]*/y;
const token = /[{}[\]:,]|(?<text>"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*")|(?<scalar>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const openText = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*/y;
/* eslint-enable no-control-regex */

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
	pattern.lastIndex = at;
	return pattern.exec(text) ?? undefined;
}

const skipBlank = (text: string, at: number): number => at + match(blank, text, at)![0].length;

function tokenAt(text: string, at: number): Token | undefined {
	const found = match(token, text, at);
	return found && {kind: found.groups?.text === undefined ? (found.groups?.scalar === undefined ? found[0] : 'scalar') : 'text', end: at + found[0].length};
}

/** What may come after a token; keeps account of the open brackets. */
function after({kind}: Token, expected: Expectation, open: Bracket[]): Expectation {
	if (kind === '{' || kind === '[') {
		open.push(kind);
		return kind === '{' ? 'key or end' : 'value or end';
	}

	if (kind === ':' || kind === ',') {
		return kind === ',' && open.at(-1) === '{' ? 'key' : 'value';
	}

	if (kind === 'text' && expected.startsWith('key')) {
		return 'colon';
	}

	if (kind === '}' || kind === ']') {
		open.pop();
	}

	return open.length === 0 ? 'nothing' : 'comma or end';
}

/** Line and column of a fault at an offset. */
export function placeOf(text: string, at: number): Place {
	// Within a text that does not end, or has a character that it cannot have, the fault is there and not at its beginning.
	const fault = at + (match(openText, text, at)?.[0].length ?? 0);
	const lines = text.slice(0, fault).split(/\r\n|\n|\r/);
	return {line: lines.length, column: [...lines.at(-1)!].length + 1};
}

/**
Where a text stops to be JSON; undefined when it is JSON. Node tells the offset for some faults only, and in words that change with its version.
*/
export function jsonFault(text: string): Place | undefined {
	const open: Bracket[] = [];
	let expected: Expectation = 'value';
	let at = skipBlank(text, 0);
	while (at < text.length || expected !== 'nothing') {
		const found = tokenAt(text, at);
		const closes = found?.kind === '}' || found?.kind === ']';
		if (!found || !accepted[expected].includes(found.kind) || (closes && closing(open.at(-1)) !== found.kind)) {
			return found?.kind === 'text' ? placeOf(text.slice(0, at), at) : placeOf(text, at);
		}

		expected = after(found, expected, open);
		at = skipBlank(text, found.end);
	}

	return undefined;
}
