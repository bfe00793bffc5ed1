
import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {visible} from '../source/core/text.ts';
import {anchor, prepareLine} from '../source/console/terminal/line.ts';
import {type Row, composeRows, drawRow} from '../source/console/terminal/rows.ts';
import {
	bold, danger, dim, inverse, setColour, warning, withoutColour,
} from '../source/console/terminal/style.ts';
import {
	type EditState, drawField, editText, emptyText, isEditKey, textOf,
} from '../source/console/terminal/text-edit.ts';
import {
	cut, fit, fitAnsi, isPlainCells, pad, sliceCells, widthOf, withoutStyle,
} from '../source/console/terminal/width.ts';
import {hostileTexts} from './support/console-states.ts';
import {checkOutput} from './support/output-check.ts';

const grapheme = fc.constantFrom('a', 'b', ' ', '-', '…', '│', 'å', 'e\u0301', '一', '👍', '👍🏽', '👩‍👩‍👧‍👦', '🇸🇪', '🇩🇪', '1️⃣', '\u0301', '\u200D', '🇸', '👩');
const text = fc.oneof(fc.array(grapheme, {maxLength: 12}).map(parts => parts.join('')), fc.string({unit: 'binary', maxLength: 12}));

test('the fast path counts as the slow one does', () => {
	for (let code = 0x20; code < 0x1_00_00; code++) {
		const character = String.fromCodePoint(code);
		if (isPlainCells(character)) {
			assert.equal(stringWidth(character), 1, `U+${code.toString(16)}`);
		}
	}
});

test('a text is cut by cells, with a mark', () => {
	assert.equal(cut('abcdef', 4), 'abc…');
	assert.equal(cut('abcd', 4), 'abcd');
	assert.equal(cut('一二三', 4), '一…');
	assert.equal(cut('一二', 4), '一二');
	assert.equal(cut('👩‍👩‍👧‍👦x', 2), '…');
	assert.equal(cut('abc', 0), '');
	assert.equal(cut('abc', -1), '');
	assert.equal(pad('7', 3, 'right'), '  7');
	assert.equal(fit('一二三', 4), '一… ');
	assert.equal(fitAnsi(danger('abcdef'), 4), '\u001B[31mabc…\u001B[39m');
	assert.equal(fitAnsi(danger('ab'), 4, 'right'), `  ${danger('ab')}`);
});

test('fitted text has exactly its width, whatever it is', () => {
	fc.assert(fc.property(text, fc.nat(14), (text, width) => {
		const safe = visible(text);
		assert.equal(widthOf(fit(safe, width)), width);
		assert.ok(widthOf(cut(safe, width)) <= width);
		assert.equal(widthOf(withoutStyle(fitAnsi(bold(safe), width))), width);
		if (widthOf(safe) <= width) {
			assert.equal(cut(safe, width), safe);
		}
	}), {numRuns: 1000});
});

/** A joiner, a mark and a skin tone, many times over: alone a skin tone takes two cells, behind any character none. */
const joiningName = visible(`${'\u200D\u0301\u{1F3FD}'.repeat(40)}x`);

test('a character takes as many cells behind another one as it does alone', () => {
	for (let code = 0x20; code < 0x1_F6_00; code++) {
		const character = String.fromCodePoint(code);
		if (!isPlainCells(character) && character.isWellFormed() && !/[\p{Unified_Ideograph}\p{Unassigned}]/u.test(character)) {
			assert.equal(widthOf(`│${character}`), 1 + widthOf(character), `U+${code.toString(16)} behind a border`);
			assert.equal(widthOf(`${character}│`), 1 + widthOf(character), `U+${code.toString(16)} before a border`);
		}
	}

	assert.equal(widthOf(`│${joiningName}`), 1 + widthOf(joiningName));
	assert.equal(widthOf('🇸🇪\u0301'), 2);
	assert.equal(widthOf('น้ำ'), 2);
});

test('a style between two characters changes no width', () => {
	fc.assert(fc.property(text, text, (one, other) => {
		const [before, after] = [visible(one), visible(other)];
		assert.equal(widthOf(`${before}${bold(after)}`), widthOf(before) + widthOf(after));
	}), {numRuns: 1000});
});

/** What a terminal of this width is sent so that it shows first one row and then another one, each a frame. */
function * written(rows: readonly Row[], columns: number): Generator<string, void> {
	for (const [index, row] of rows.entries()) {
		yield `\u001B[?2026h${drawRow(row, rows[index - 1] ?? [], 0, columns)}\u001B[?2026l`;
	}
}

test('a name that begins with a joiner keeps its row in the terminal, and the border in its column', () => {
	const columns = 30;
	const row = (style: (text: string) => string) => composeRows([], [{
		top: 0, left: 0, width: columns, lines: [`│ ${style('*')}${fit(joiningName, 12)} ${fit('pending', columns - 17)}│`],
	}], {columns, rows: 1}, {colour: true, before: []})[0]!;
	const check = checkOutput(columns, 1);
	for (const frame of written([row(text => text), row(bold), row(inverse)], columns)) {
		check.take(frame);
		const drawn = frame.replaceAll(/\u001B\[[?\d;]*[a-zA-Z]/g, '');
		assert.equal(widthOf(drawn), columns);
		assert.ok(drawn.endsWith('│'));
	}
});

const cell = fc.oneof(text, fc.constantFrom(...hostileTexts.map(text => visible(text.slice(0, 40))), joiningName, '\u001B[1m', '\u001B[22m', '\u001B[7m', '\u001B[0m'));
const piece = fc.array(cell, {maxLength: 6}).map(cells => cells.join(''));

test('no row is ever written beyond the terminal, with any pieces and any row before it', () => {
	const row = fc.record({frame: piece, paints: fc.array(fc.record({left: fc.nat(18), width: fc.integer({min: 1, max: 20}), line: piece}), {maxLength: 3})});
	fc.assert(fc.property(fc.array(row, {minLength: 1, maxLength: 3}), fc.integer({min: 8, max: 20}), (steps, columns) => {
		const rows = steps.map(({frame, paints}) => composeRows([frame], paints.map(({line, ...place}) => ({top: 0, lines: [line], ...place})), {columns, rows: 1}, {colour: true, before: []})[0]!);
		const check = checkOutput(columns, 1);
		for (const frame of written(rows, columns)) {
			check.take(frame);
		}
	}), {numRuns: 2000});
});

test('marks behind a change of style at the end of a row need no column of their own', () => {
	const [row] = composeRows([''], [{top: 0, left: 8, width: 8, lines: [`${'e\u0302\u0303'.repeat(8)}${bold(joiningName)}`]}], {columns: 16, rows: 1}, {colour: true, before: []});
	const check = checkOutput(16, 1);
	for (const frame of written([row!, composeRows([''], [], {columns: 16, rows: 1}, {colour: true, before: []})[0]!], 16)) {
		check.take(frame);
	}
});

test('slices of a line have their width and together the whole', () => {
	fc.assert(fc.property(text, fc.nat(12), (text, place) => {
		const safe = visible(text);
		const width = widthOf(safe);
		const from = Math.min(place, width);
		assert.equal(widthOf(sliceCells(safe, 0, from)), from);
		assert.equal(widthOf(sliceCells(safe, from, width)), width - from);
	}), {numRuns: 1000});
	assert.equal(sliceCells(danger('abc') + 'def', 1, 4), '\u001B[31mbc\u001B[39md');
});

test('styles nest, and colours can be turned off', () => {
	assert.equal(danger(`a${warning('b')}c`), '\u001B[31ma\u001B[35mb\u001B[39m\u001B[31mc\u001B[39m');
	assert.equal(bold(`a${dim('b')}c`), '\u001B[1ma\u001B[2mb\u001B[22m\u001B[1mc\u001B[22m');
	assert.equal(danger(''), '');
	setColour(false);
	assert.equal(danger('a') + inverse('b'), 'a\u001B[7mb\u001B[27m');
	setColour(true);
	assert.equal(withoutColour('\u001B[1;38;2;1;2;3;4mx\u001B[97;41my\u001B[0m'), '\u001B[1;4mxy\u001B[0m');
});

test('a prepared line holds no control but SGR, and fits', () => {
	fc.assert(fc.property(fc.string({unit: 'binary', maxLength: 20}), fc.nat(20), (text, room) => {
		const line = prepareLine(`\u001B[1m${text}\u001B[31m`, room, {colour: true});
		assert.equal(visible(withoutStyle(line.text)), withoutStyle(line.text));
		assert.ok(line.width <= room);
		assert.equal(widthOf(withoutStyle(line.text)), line.width);
	}), {numRuns: 1000});
});

test('what follows a disputed character is anchored to its column', () => {
	assert.equal(anchor('a👍b', 10), 'a👍\u001B[14Gb');
	assert.equal(anchor('一二', 0), '一二');
	assert.equal(anchor('plain', 0), 'plain');
});

const typed = (state: EditState, ...keys: string[]): EditState => {
	let after = state;
	for (const key of keys) {
		after = editText(after, key.length > 1 && /^[a-z-]+$/.test(key) ? {key} : {key, text: key});
	}

	return after;
};

test('a field edits by grapheme', () => {
	assert.deepEqual(typed(emptyText, 'a', '👩‍👩‍👧‍👦', 'b', 'backspace', 'backspace'), textOf('a'));
	assert.deepEqual(typed(textOf('🇸🇪🇩🇪'), 'left', 'delete'), textOf('🇸🇪'));
	assert.deepEqual(typed(textOf('e\u0301'), 'home', 'right'), {text: 'e\u0301', cursor: 2});
	assert.deepEqual(typed(textOf('one two  '), 'ctrl-w'), textOf('one '));
	assert.deepEqual(typed(textOf('one two'), 'home', 'ctrl-right', 'ctrl-k'), textOf('one'));
	assert.deepEqual(typed(textOf('one two'), 'ctrl-a', 'right', 'ctrl-u'), {text: 'ne two', cursor: 0});
	assert.deepEqual(typed(textOf('ab'), 'ctrl-a', 'x', 'ctrl-e', 'y'), textOf('xaby'));
});

test('a field takes a paste as one line without controls', () => {
	assert.deepEqual(editText(textOf('a'), {key: 'paste', text: 'b\nc\t\u001B[31md\u0000\u202Ee👍'}), textOf('ab c [31mde👍'));
	assert.equal(editText(emptyText, {key: 'paste', text: 'x'.repeat(100_000)}).text.length, 64 * 1024);
});

test('a field leaves alone what is no text', () => {
	const state = textOf('a');
	for (const key of ['enter', 'esc', 'up', 'ctrl-c', 'f1', 'constructor', 'toString', 'tab']) {
		assert.equal(editText(state, {key}), state);
		assert.equal(isEditKey({key}), false);
	}

	assert.equal(isEditKey({key: 'j', text: 'j'}), true);
	assert.equal(isEditKey({key: 'ctrl-b'}), true);
});

const edit = fc.oneof(
	text.map(text => ({key: 'paste', text})),
	grapheme.map(text => ({key: text, text})),
	fc.constantFrom('backspace', 'delete', 'left', 'right', 'home', 'end', 'ctrl-w', 'ctrl-u', 'ctrl-k', 'ctrl-left', 'ctrl-right').map(key => ({key})),
);

const boundaries = (text: string): Set<number> => new Set([...Array.from(new Intl.Segmenter().segment(text), ({index}) => index), text.length]);

test('no history of edits ever splits a grapheme or leaves a control', () => {
	fc.assert(fc.property(fc.array(edit, {maxLength: 25}), fc.integer({min: 1, max: 12}), (edits, width) => {
		let state = emptyText;
		for (const chord of edits) {
			const before = state;
			state = editText(state, chord);
			assert.ok(boundaries(state.text).has(state.cursor), 'the cursor is inside a grapheme');
			assert.ok(state.text.isWellFormed());
			assert.equal(visible(state.text), state.text);
			if (chord.key === 'backspace' && before.cursor > 0) {
				const start = new Intl.Segmenter().segment(before.text).containing(before.cursor - 1)!.index;
				assert.equal(state.text, before.text.slice(0, start) + before.text.slice(before.cursor));
			}

			const drawn = drawField(state, {width});
			assert.equal(widthOf(withoutStyle(drawn)), width);
		}
	}), {numRuns: 500});
});

test('a field shows the cursor, scrolls, and hides a secret', () => {
	assert.equal(drawField({text: 'abc', cursor: 1}, {width: 5}), `a${inverse('b')}c  `);
	assert.equal(drawField(textOf('abc'), {width: 5}), `abc${inverse(' ')} `);
	assert.equal(drawField(textOf('a b👍'), {width: 6, mask: '•'}), `••••${inverse(' ')} `);
	assert.equal(drawField(textOf('abc'), {width: 5, focused: false}), 'abc  ');
	assert.equal(withoutStyle(drawField(textOf('0123456789'), {width: 6})), '6789  ');
	assert.equal(withoutStyle(drawField({text: '0123456789', cursor: 0}, {width: 6})), '012345');
	for (let cursor = 0; cursor <= 10; cursor++) {
		assert.match(drawField({text: '0123456789', cursor}, {width: 4}), /\u001B\[7m.\u001B\[27m/);
	}
});
