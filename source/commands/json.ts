import {firstUnprintable, withoutFloods} from '../core/text.ts';

const escapes = new Map<string, string>();

/** A text as JSON may also write it, unit by unit. */
const inUnits = (text: string): string => text.split('').map(unit => `\\u${unit.codePointAt(0)!.toString(16).padStart(4, '0')}`).join(''); // eslint-disable-line unicorn/prefer-spread -- by UTF-16 unit

/** A character as JSON may also write it, where a terminal could obey it or an eye be misled by it. */
function escape(character: string): string {
	let escaped = escapes.get(character);
	if (escaped === undefined) {
		escaped = firstUnprintable(character) === undefined ? character : inUnits(character);
		escapes.set(character, escaped);
	}

	return escaped;
}

/**
JSON as colonies.md prints it, four spaces deep, with every control character, direction mark and flood of combining marks escaped: what a worker wrote cannot drive a terminal, and the value stays the same.
`depth`: how deep it stands in something around it.
*/
export function toJson(value: unknown, depth = 0): string {
	// JSON.stringify escapes C0 and lone surrogates; a raw newline is its own.
	const text = withoutFloods(JSON.stringify(value, undefined, 4) ?? 'null', marks => inUnits(marks)).replaceAll(/[^\n\u0020-\u007E]/gu, escape);
	return depth === 0 ? text : text.replaceAll('\n', `\n${'    '.repeat(depth)}`);
}
