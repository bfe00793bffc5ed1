import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {PassThrough} from 'node:stream';
import {test} from 'node:test';
import fc from 'fast-check';
import {render} from 'ink-testing-library';
import {createElement} from 'react';
import {Text} from 'ink';
import {type Chord, createKeyParser, listenToKeys} from '../source/console/terminal/keys.ts';

const keysOf = (...inputs: Array<Uint8Array | string>): string[] => {
	const parser = createKeyParser();
	const chords = [...inputs.flatMap(input => parser.feed(input)), ...parser.flush()];
	return chords.map(({key, text}) => key === 'paste' ? `paste(${text!})` : key);
};

const known: Array<[bytes: string, keys: string[]]> = [
	['jjA?/*', ['j', 'j', 'A', '?', '/', '*']],
	[' \r\n\t\u001B[Z', [' ', 'enter', 'enter', 'tab', 'shift-tab']],
	['\u007F\b\u001B[3~', ['backspace', 'backspace', 'delete']],
	['\u001B[A\u001B[B\u001B[C\u001B[D\u001BOA', ['up', 'down', 'right', 'left', 'up']],
	['\u001B[H\u001B[F\u001B[1~\u001B[4~\u001B[7~\u001B[8~\u001BOH', ['home', 'end', 'home', 'end', 'home', 'end', 'home']],
	['\u001B[5~\u001B[6~', ['pgup', 'pgdn']],
	['\u001BOP\u001B[15~\u001B[24~\u001B[[A\u001B[[E', ['f1', 'f5', 'f12', 'f1', 'f5']],
	['\u001B[1;5P\u001B[1;5A\u001B[1;2B\u001B[3;5~\u001B[1;8H', ['ctrl-f1', 'ctrl-up', 'shift-down', 'ctrl-delete', 'ctrl-alt-shift-home']],
	['\u0003\u001A\u0000\u001C', ['ctrl-c', 'ctrl-z', 'ctrl-space', 'ctrl-\\']],
	['\u001Bx\u001B\u007F\u001B\r\u001B é', ['alt-x', 'alt-backspace', 'alt-enter', 'alt-space', 'é']],
	['\u001B', ['esc']],
	['\u001B\u001B[A', ['esc', 'up']],
	['\u001B[', ['alt-[']],
	['\u001BO', ['alt-O']],
	['\u001B[27u\u001B[106;5u\u001B[27;5;106~\u001B[97;1:3u', ['esc', 'ctrl-j', 'ctrl-j']],
	['\u001B[I\u001B[Oa\u001B[<0;10;20Mb\u001B[<0;10;20mc\u001B[M !!d', ['a', 'b', 'c', 'd']],
	['\u001B[?1;2ca\u001B]11;rgb:0000/0000/0000\u0007b\u001BP1$r0m\u001B\\c\u001B[?2026;2$yd', ['a', 'b', 'c', 'd']],
	['\u001B[999zq\u001B[1;99Xq', ['q', 'q']],
	['\u001B[200~a\r\nb\rc\u001B[Ad\u001B[201~j', ['paste(a\nb\nc\u001B[Ad)', 'j']],
	['\u001B[200~\u001B[201~\u001B[200~x\u001B[201~', ['paste()', 'paste(x)']],
	['👩‍👩‍👧‍👦🇸🇪e\u0301', ['👩‍👩‍👧‍👦', '🇸🇪', 'e\u0301']],
	['\u0080\u009Ba', ['a']],
];

for (const [bytes, keys] of known) {
	test(`keys of ${JSON.stringify(bytes)}`, () => {
		assert.deepEqual(keysOf(bytes), keys);
	});
}

test('a character cut between two chunks arrives whole', () => {
	const bytes = Buffer.from('å一👍');
	for (let index = 0; index <= bytes.length; index++) {
		assert.deepEqual(keysOf(bytes.subarray(0, index), bytes.subarray(index)), ['å', '一', '👍']);
	}
});

test('a paste without an end stays within bounds, and blocks no memory', () => {
	const parser = createKeyParser();
	assert.deepEqual(parser.feed('\u001B[200~'), []);
	for (let index = 0; index < 40; index++) {
		assert.deepEqual(parser.feed('x'.repeat(64 * 1024)), []);
	}

	assert.equal(parser.pending, 'paste');
	assert.deepEqual(parser.flush(), []);
	const [chord] = parser.feed('\u001B[201~');
	assert.equal(chord!.text!.length, 1024 * 1024);
	assert.equal(parser.pending, undefined);
});

test('many pastes in one chunk do not exhaust the stack', () => {
	assert.equal(keysOf('\u001B[200~\u001B[201~'.repeat(20_000)).length, 20_000);
});

/** Pieces whose chords do not join with those of their neighbours, so that every cutting must give the very same. */
const piece = fc.oneof(
	fc.constantFrom(...known.slice(0, -3).map(([bytes]) => bytes).filter(bytes => bytes.length > 2)),
	fc.string({unit: fc.constantFrom('a', 'Z', '1', ';', '[', '~', '\u001B', '\r', '\u0003', '\u007F', '<', '\u0007', '\\', ']', 'O', 'M', '$', '?', 'u'), maxLength: 8}),
	fc.constantFrom('å', '一', '👍', '\u001B[200~some text å\u001B[201~', '\u001B[200~'),
);

const cutAt = (bytes: Uint8Array, places: number[]): Uint8Array[] => {
	const sorted = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	return sorted.slice(1).map((place, index) => bytes.subarray(sorted[index], place));
};

test('any cutting of the same bytes gives the same chords', () => {
	fc.assert(fc.property(fc.array(piece, {maxLength: 6}), fc.array(fc.nat(), {maxLength: 8}), (pieces, places) => {
		const bytes = Buffer.from(pieces.join(''));
		const whole = keysOf(bytes);
		assert.deepEqual(keysOf(...cutAt(bytes, places)), whole);
		assert.deepEqual(keysOf(...Array.from(bytes, byte => Uint8Array.of(byte))), whole);
	}), {numRuns: 2000});
});

test('random bytes never throw, whatever the cutting, and text survives it', () => {
	fc.assert(fc.property(fc.uint8Array({maxLength: 200}), fc.array(fc.nat(), {maxLength: 8}), (bytes, places) => {
		assert.equal(keysOf(...cutAt(bytes, places)).join(''), keysOf(bytes).join(''));
	}), {numRuns: 1000});
});

async function heard(count: number, listen: (onChords: (chords: readonly Chord[]) => void) => () => void): Promise<string[]> {
	const keys: string[] = [];
	let stop: (() => void) | undefined;
	await new Promise<void>(resolve => {
		stop = listen(chords => {
			keys.push(...chords.map(({key}) => key));
			if (keys.length >= count) {
				resolve();
			}
		});
	});
	stop!();
	return keys;
}

test('a lone ESC is the escape key, one that is followed by its sequence is not', async () => {
	const stdin = new PassThrough();
	const keys = heard(3, onChords => listenToKeys(stdin, onChords));
	stdin.write('\u001B');
	setImmediate(() => {
		stdin.write('[A');
		setImmediate(() => {
			stdin.write('j\u001B');
		});
	});
	assert.deepEqual(await keys, ['up', 'j', 'esc']);
});

test('ctrl-c gets through a paste whose end was lost', async () => {
	const stdin = new PassThrough();
	const keys = heard(1, onChords => listenToKeys(stdin, onChords));
	stdin.write('\u001B[200~lost');
	setImmediate(() => {
		stdin.write('\u0003');
	});
	assert.deepEqual(await keys, ['ctrl-c']);
});

test('the listener hears the standard input of ink-testing-library', async () => {
	const {stdin, unmount} = render(createElement(Text, null, 'x'));
	const keys = heard(3, onChords => listenToKeys(stdin as unknown as NodeJS.ReadableStream, onChords));
	stdin.write('jk');
	stdin.write('\u001B[B');
	assert.deepEqual(await keys, ['j', 'k', 'down']);
	unmount();
});
