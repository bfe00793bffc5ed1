/** One key press as the key map knows it: `j`, `A`, `enter`, `ctrl-c`, `alt-x`, `shift-tab`, `f1`. `text` is what it would write into a text field; for `paste` all that was pasted. */
export type Chord = {key: string; text?: string};

/** How many characters a sequence takes, and what it means. `paste`: pasted text begins. */
type Found = {length: number; chord?: Chord | undefined; paste?: boolean};

const escape = '\u001B';

/** Longest sequence that is waited for, in characters; no key has one as long. */
const sequenceLimit = 64;

const stringLimit = 4096;

const finals: Record<string, string> = {
	A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', P: 'f1', Q: 'f2', R: 'f3', S: 'f4', Z: 'shift-tab',
	a: 'shift-up', b: 'shift-down', c: 'shift-right', d: 'shift-left',
};

const numbered: Record<string, string> = {
	1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pgup', 6: 'pgdn', 7: 'home', 8: 'end', 11: 'f1', 12: 'f2', 13: 'f3', 14: 'f4', 15: 'f5', 17: 'f6',
	18: 'f7', 19: 'f8', 20: 'f9', 21: 'f10', 23: 'f11', 24: 'f12',
};

const single: Record<string, string> = {
	A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', P: 'f1', Q: 'f2', R: 'f3', S: 'f4', M: 'enter',
};

const controls: Record<string, string> = {
	'\t': 'tab', '\r': 'enter', '\n': 'enter', '\b': 'backspace', '\u007F': 'backspace', '\u0000': 'ctrl-space', '\u001B': 'esc',
	'\u001C': 'ctrl-\\', '\u001D': 'ctrl-]', '\u001E': 'ctrl-^', '\u001F': 'ctrl-_',
};

/** The chord of one control character; undefined for those that no key sends. */
export function chordOfControl(character: string): Chord | undefined {
	const code = character.codePointAt(0)!;
	const key = controls[character] ?? (code < 0x1B ? `ctrl-${String.fromCodePoint(code + 0x60)}` : undefined);
	return key === undefined ? undefined : {key};
}

/** A key with its modifiers: xterm's number, one more than the sum of shift 1, alt 2 and ctrl 4. */
function withModifiers(key: string, modifiers: number): string {
	const bits = Math.max(0, modifiers - 1);
	const holds = (bit: number): boolean => Math.floor(bits / bit) % 2 === 1;
	return `${holds(4) ? 'ctrl-' : ''}${holds(2) ? 'alt-' : ''}${holds(1) ? 'shift-' : ''}${key}`;
}

/** A key reported by its code point, as terminals do that disambiguate. */
function chordOfCode(code: number, modifiers: number): Chord | undefined {
	if (!(code > 0 && code <= 0x10_FF_FF) || (code >= 0xD8_00 && code <= 0xF8_FF)) {
		return undefined;
	}

	const character = String.fromCodePoint(code);
	const named = code < 0x20 || code === 0x7F ? chordOfControl(character)?.key : undefined;
	if (named !== undefined) {
		return {key: withModifiers(named, modifiers)};
	}

	return modifiers <= 2 ? {key: character, text: character} : {key: withModifiers(character === ' ' ? 'space' : character, modifiers)};
}

/** The chord of a complete CSI sequence; undefined for reports (mouse, focus, answers) and for what no key map names. */
function chordOfSequence(parameters: string, final: string): Chord | undefined {
	if (/[<=>?]/.test(parameters)) {
		return undefined;
	}

	const [first = '', second = '', third = ''] = parameters.split(';');
	const [modifiers = '', event = ''] = second.split(':');
	if (event === '3') {
		// The release of a key.
		return undefined;
	}

	const strength = Number(modifiers || 1);
	if (final === 'u') {
		return chordOfCode(Number(first.split(':')[0]), strength);
	}

	if (final === '~' && first === '27') {
		return chordOfCode(Number(third), strength);
	}

	const key = final === '~' || final === '$' || final === '^' ? numbered[first] : finals[final];
	if (key === undefined) {
		return undefined;
	}

	return {key: withModifiers(key, final === '$' ? 2 : (final === '^' ? 5 : strength))};
}

function readSequence(text: string, start: number): Found | undefined {
	let index = start + 2;
	if (text[index] === '[') {
		// The Linux console's F1 to F5.
		const letter = text[index + 1];
		return letter === undefined ? undefined : {length: 4, chord: letter >= 'A' && letter <= 'E' ? {key: `f${letter.codePointAt(0)! - 64}`} : undefined};
	}

	while (index < text.length && /[\u0020-\u003F]/.test(text[index]!) && !(text[index] === '$' && text[start + 2] !== '?')) {
		index++;
		if (index - start > sequenceLimit) {
			return {length: index - start};
		}
	}

	const final = text[index];
	if (final === undefined) {
		return undefined;
	}

	const parameters = text.slice(start + 2, index);
	if (final < ' ' || final > '~') {
		// Cut short by another key.
		return {length: index - start};
	}

	const length = index - start + 1;
	if (final === 'M' && parameters === '') {
		// A mouse report of the oldest kind, with three bytes behind.
		return text.length < start + length + 3 ? undefined : {length: length + 3};
	}

	if (final === '~' && parameters === '200') {
		return {length, paste: true};
	}

	return {length, chord: chordOfSequence(parameters, final)};
}

function readSingle(text: string, start: number): Found | undefined {
	const match = /^[\d;]*/.exec(text.slice(start + 2, start + 2 + sequenceLimit))!;
	const final = text[start + 2 + match[0].length];
	if (final === undefined) {
		return undefined;
	}

	if (final < ' ' || final > '~') {
		return {length: 2 + match[0].length};
	}

	const key = single[final];
	const modifiers = match[0].split(';').at(-1)!;
	return {length: 3 + match[0].length, chord: key === undefined ? undefined : {key: withModifiers(key, modifiers === '' ? 1 : Number(modifiers))}};
}

/** A string that a terminal answers with (OSC, DCS, APC, PM, SOS): swallowed up to its end. */
function readString(text: string, start: number): Found | undefined {
	// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
	const end = /\u0007|\u001B\\/.exec(text.slice(start + 2, start + 2 + stringLimit));
	if (end) {
		return {length: 2 + end.index + end[0].length};
	}

	return text.length - start > stringLimit ? {length: stringLimit} : undefined;
}

/** Reads the escape sequence at `start`; undefined while it is incomplete. */
export function readEscape(text: string, start: number): Found | undefined {
	const next = text.codePointAt(start + 1);
	if (next === undefined) {
		return undefined;
	}

	const character = String.fromCodePoint(next);
	if (character === escape) {
		return {length: 1, chord: {key: 'esc'}};
	}

	if (character === '[') {
		return readSequence(text, start);
	}

	if (character === 'O') {
		return readSingle(text, start);
	}

	if ('PX]^_'.includes(character)) {
		return readString(text, start);
	}

	const key = next < 0x20 || (next >= 0x7F && next < 0xA0) ? chordOfControl(character)?.key : (character === ' ' ? 'space' : character);
	return {length: 1 + character.length, chord: key === undefined ? undefined : {key: `alt-${key}`}};
}
