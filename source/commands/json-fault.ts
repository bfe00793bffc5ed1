/** Line and column of a place in a text, both from 1, the column in characters. */
export type Place = {line: number; column: number};

const placeOf = (text: string, at: number): Place => {
	const before = text.slice(0, at).split(/\r\n|\n|\r/);
	return {line: before.length, column: [...before.at(-1)!].length + 1};
};

const blank = /[ \t\n\r]*/y;
const string = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y; // eslint-disable-line no-control-regex
const openString = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*/y; // eslint-disable-line no-control-regex
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

const endOf = (pattern: RegExp, text: string, at: number): number | undefined => {
	pattern.lastIndex = at;
	return pattern.test(text) ? pattern.lastIndex : undefined;
};

type Expectation = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/** What may come after a whole value: depends on what it stands in. */
const afterValue = (open: readonly string[]): Expectation => open.length === 0 ? 'nothing' : 'comma or end';

/**
Where a text stops to be JSON; undefined when it is JSON. Node tells the offset for some faults only, and in words that change with its version.
*/
export function jsonFault(text: string): Place | undefined {
	const open: Array<'{' | '['> = [];
	let expected: Expectation = 'value';
	let at = endOf(blank, text, 0)!;
	while (at < text.length || expected !== 'nothing') {
		const character = text[at];
		const inObject = open.at(-1) === '{';
		let end: number | undefined;
		if ((expected === 'key or end' && character === '}') || (expected === 'value or end' && character === ']') || (expected === 'comma or end' && character === (inObject ? '}' : ']'))) {
			open.pop();
			[end, expected] = [at + 1, afterValue(open)];
		} else if (expected === 'comma or end' && character === ',') {
			[end, expected] = [at + 1, inObject ? 'key' : 'value'];
		} else if (expected === 'colon' && character === ':') {
			[end, expected] = [at + 1, 'value'];
		} else if (expected.startsWith('key')) {
			[end, expected] = [endOf(string, text, at), 'colon'];
		} else if (expected.startsWith('value') && (character === '{' || character === '[')) {
			open.push(character);
			[end, expected] = [at + 1, character === '{' ? 'key or end' : 'value or end'];
		} else if (expected.startsWith('value')) {
			[end, expected] = [endOf(string, text, at) ?? endOf(scalar, text, at), afterValue(open)];
		}

		if (end === undefined) {
			// Within a text that does not end, or has a character that it cannot have, the fault is there and not at its beginning.
			return placeOf(text, character === '"' ? endOf(openString, text, at)! : at);
		}

		at = endOf(blank, text, end)!;
	}

	return undefined;
}
