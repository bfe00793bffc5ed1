/**
Characters that a terminal or a reader's eye would take as something else than text: C0 and C1 controls, DEL, line and paragraph separators,
the marks that turn the direction of writing, zero-width and byte-order marks, and lone surrogates.
*/
// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]|[\uD800-\uDFFF]/gu;

const caret = (character: string): string => {
	const code = character.codePointAt(0)!;
	if (code < 0x20) {
		return String.fromCodePoint(0x24_00 + code);
	}

	return code === 0x7F ? '\u2421' : `<${code.toString(16).toUpperCase().padStart(4, '0')}>`;
};

/** Combining marks that one character may carry. The most that a written language puts on one is fewer. */
const marksPerCharacter = 8;

/** What joins the character before it, as part of a regular expression: combining marks, joiners, and the modifiers of emoji. */
export const joining = String.raw`[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u200D]`;

/** As many marks as one character may carry, and those beyond. */
const flood = new RegExp(`(${joining}{${marksPerCharacter}})(${joining}+)`, 'gu');

const onlyAscii = /^[\u0020-\u007E]*$/;

/** The text with what `replace` makes of the combining marks that are too many for one character: a stack of them runs over the lines around it. */
export const withoutFloods = (text: string, replace: (marks: string) => string): string => onlyAscii.test(text) ? text : text.replaceAll(flood, (_, kept: string, rest: string) => kept + replace(rest));

/** How many combining marks the first character has that has too many; undefined where none has. */
export function marksTooMany(text: string): number | undefined {
	const [found] = text.match(flood) ?? [];
	return found === undefined ? undefined : [...found].length;
}

/**
Text from outside made safe to show on one line: what a terminal could obey becomes visible (`\u241B` for ESC, `<202E>` for an override), and of combining marks more than 8 on one
character are counted (`<+72>`).
*/
export const visible = (text: string): string => onlyAscii.test(text) ? text : withoutFloods(text.replaceAll(unprintable, caret), marks => `<+${[...marks].length}>`);

/** The text without what `visible` would make visible. */
export const printable = (text: string): string => text.replaceAll(unprintable, '');

/** The first unprintable character of a text as `U+001B`, or undefined where there is none. */
export function firstUnprintable(text: string): string | undefined {
	const found = new RegExp(unprintable.source, 'u').exec(text)?.[0];
	return found === undefined ? undefined : `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** An id cut for reading, `2770..7373`. */
export const shortId = (id: string): string => id.length > 12 ? `${id.slice(0, 4)}..${id.slice(-4)}` : id;

function jsonOf(value: unknown): string {
	if (typeof value === 'number' || typeof value === 'bigint') {
		// JSON has no word for infinity, and none for a whole number of any size.
		return String(value);
	}

	try {
		return JSON.stringify(value) ?? String(value);
	} catch {
		// So deep that it cannot be written down.
		return Array.isArray(value) ? '[…]' : '{…}';
	}
}

/** A value as it may stand in an error: visible, quoted, and not longer than 80 characters. */
export function quoted(value: unknown): string {
	const text = visible(typeof value === 'string' ? value : jsonOf(value));
	return `"${text.length > 80 ? `${text.slice(0, 79)}…` : text}"`;
}

/** `1 computer`, `2 computers`. */
export const plural = (count: number, noun: string, many = noun.endsWith('s') ? `${noun}es` : (noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`)): string => `${count} ${count === 1 ? noun : many}`;

const secretWords = /pass(?:word|wd|phrase)|token|secret|api[_-]?key|private[_-]?key|prv[_-]?key|credential/i;

/** Whether the value under this attribute key is hidden until asked for. */
export const isSecretKey = (key: string): boolean => secretWords.test(key);
