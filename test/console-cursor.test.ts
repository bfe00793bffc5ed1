import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {keymap} from '../source/console/keymap.ts';
import {selectedProcess} from '../source/console/keymap/reasons.ts';
import {visibleRows} from '../source/console/layout.ts';
import {listNames, screens, selectedRow} from '../source/console/screens/index.ts';
import type {RowValue, ScreenName} from '../source/console/state.ts';
import {listLines} from '../source/console/views/list.ts';
import {withoutStyle} from '../source/console/terminal/width.ts';
import {
	type Console, colonyOf, computerOf, entryOf, keyOf, lineOf, opened, processOf, pulseView, serverOf, subjectOf,
} from './support/console-states.ts';

const rowOf = (screen: ScreenName, number: number, status: 0 | 1 | 2 = 0): RowValue => ({
	processes: () => processOf(number, {status}), computers: () => computerOf(number, {status}), colonies: () => colonyOf(number), attention: () => lineOf(number), keys: () => keyOf(number), audit: () => entryOf(number), server: () => serverOf(), pulse: () => pulseView,
})[screen]();

const cursorIndexOf = ({cursor, ids}: Console): number => ids.indexOf(cursor!);

type Happening =
	| {type: 'page'; numbers: number[]; status: 0 | 1 | 2; more: {before: boolean; after: boolean}; late: boolean}
	| {type: 'key'; key: string}
	| {type: 'size'; rows: number; columns: number}
	| {type: 'tick'}
	| {type: 'change'};

const moves = ['j', 'k', 'down', 'up', 'g', 'G', 'pgdn', 'pgup', 'home', 'end'];
const asking = ['A', 'V', 'R', 'X', 'x'];
const others = ['f', 'w', 'p', 'r', 'c', 'i', 'esc', '?', 'enter', 'y', 'n', 'K'];

const happenings: fc.Arbitrary<Happening> = fc.oneof(
	{weight: 4, arbitrary: fc.record({
		type: fc.constant('page' as const), numbers: fc.uniqueArray(fc.nat(30), {maxLength: 25}), status: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
		more: fc.record({before: fc.boolean(), after: fc.boolean()}), late: fc.boolean(),
	})},
	{weight: 6, arbitrary: fc.record({type: fc.constant('key' as const), key: fc.oneof({weight: 3, arbitrary: fc.constantFrom(...moves)}, fc.constantFrom(...asking), fc.constantFrom(...others))})},
	fc.record({type: fc.constant('size' as const), rows: fc.integer({min: 15, max: 40}), columns: fc.integer({min: 60, max: 140})}),
	fc.record({type: fc.constant('tick' as const)}),
	fc.record({type: fc.constant('change' as const)}),
);

function happen(console: Console, screen: ScreenName, happening: Happening): void {
	switch (happening.type) {
		case 'page': {
			if (happening.late) {
				// An answer to an older question.
				const {sequence} = console.state.lists[screen];
				console.tell({type: 'loaded', screen, sequence: sequence - 1, page: {rows: [rowOf(screen, 99)], positions: ['x'], more: happening.more}, at: console.state.now});
			} else {
				console.load(happening.numbers.map(number => rowOf(screen, number, happening.status)), happening.more, screen);
			}

			break;
		}

		case 'key': {
			console.press(happening.key);
			break;
		}

		case 'size': {
			console.tell({type: 'resized', rows: happening.rows, columns: happening.columns});
			break;
		}

		case 'tick': {
			console.tell({type: 'ticked', now: console.state.now + 1000});
			break;
		}

		case 'change': {
			console.tell({type: 'changed', topics: new Set(['processes', 'computers', 'attributes'])});
		}
	}
}

const runs = fc.record({screen: fc.constantFrom(...listNames), happenings: fc.array(happenings, {minLength: 1, maxLength: 40})});

test('nothing but a key moves the cursor to another row, and no answer comes too late', () => {
	fc.assert(fc.property(runs, ({screen, happenings}) => {
		const console = opened({screen, rows: 10});
		for (const happening of happenings) {
			const before = console.state;
			const {cursor, going} = before.lists[screen];
			happen(console, screen, happening);
			const after = console.state.lists[screen];
			if (happening.type !== 'key' && cursor !== undefined) {
				assert.equal(after.cursor, cursor);
				assert.ok(after.rows.some(row => screens[screen].idOf(row) === cursor), 'the row under the cursor has gone from the screen');
			}

			if (happening.type === 'page' && happening.late) {
				assert.equal(console.state, before);
			}

			if (happening.type === 'page' && !happening.late && going === undefined && cursor !== undefined) {
				const isThere = happening.numbers.some(number => screens[screen].idOf(rowOf(screen, number)) === cursor);
				assert.equal(after.gone, isThere ? undefined : cursor);
			}
		}
	}), {numRuns: 300});
});

test('the row under the cursor is on the screen, once, and so is its mark', () => {
	fc.assert(fc.property(runs, ({screen, happenings}) => {
		const console = opened({screen, rows: 10});
		for (const happening of happenings) {
			happen(console, screen, happening);
			const {ids, cursor, state: {screen: shown, lists}} = console;
			const {top, positions} = lists[shown];
			assert.equal(new Set(ids).size, ids.length);
			assert.equal(positions.length, ids.length);
			assert.ok(top >= 0 && top < Math.max(1, ids.length));
			if (cursor !== undefined) {
				const index = cursorIndexOf(console);
				assert.ok(index >= top && index < top + visibleRows(console.state), `row ${index} of ${ids.length} is not among those from ${top}`);
			}

			const marked = listLines(console.state).filter(line => withoutStyle(line).startsWith('│>'));
			assert.equal(marked.length, cursor === undefined ? 0 : 1);
		}
	}), {numRuns: 150});
});

test('an action is about the row that was under the cursor, whatever comes before the answer', () => {
	fc.assert(fc.property(runs, fc.constantFrom('A', 'V', 'R', 'X'), fc.array(happenings.filter(({type}) => type !== 'key'), {maxLength: 8}), ({screen, happenings}, key, meanwhile) => {
		const console = opened({screen, rows: 10});
		console.tell({type: 'root-unlocked'});
		for (const happening of happenings) {
			happen(console, screen, happening);
		}

		if (console.state.overlays.length > 0) {
			return;
		}

		const {cursor, list: {gone}} = console;
		console.press(key);
		const {asked} = console;
		if (cursor === undefined || cursor === gone) {
			assert.equal(asked, undefined, 'it asks about a row that is not there');
			return;
		}

		if (!asked) {
			return;
		}

		assert.equal(subjectOf(asked.deed), cursor);
		for (const happening of meanwhile) {
			happen(console, screen, happening);
		}

		assert.deepEqual(console.asked, asked, 'the question has changed');
		if (asked.typed) {
			console.type(asked.typed.expected);
		}

		const effects = console.press(asked.typed ? 'enter' : 'y');
		const [done] = effects;
		assert.equal(effects.length, 1);
		assert.ok(done?.type === 'run' || done?.type === 'forget-key');
		assert.equal(subjectOf(done.type === 'run' ? done.deed : {forgetKey: done.id}), cursor);
	}), {numRuns: 400});
});

test('a menu is about the process that it was opened for, or about nothing', () => {
	fc.assert(fc.property(fc.array(happenings.filter(({type}) => type !== 'key'), {maxLength: 8}), fc.constantFrom('K', 'R', 'X'), fc.boolean(), (meanwhile, key, isOpen) => {
		const console = opened({rows: 10});
		console.press('j', 'j', ...(isOpen ? ['enter'] : []));
		const {cursor} = console;
		if (isOpen) {
			console.tell({type: 'detailed', process: processOf(1)});
		}

		console.press('x');
		for (const happening of meanwhile) {
			happen(console, 'processes', happening);
		}

		console.press(key);
		if (console.asked) {
			assert.equal(subjectOf(console.asked.deed), cursor);
		} else {
			assert.ok(console.state.notice, 'it refuses without a word');
		}

		if (!isOpen && console.list.gone !== undefined) {
			assert.equal(console.asked, undefined);
		}
	}), {numRuns: 300});
});

test('a row that left is kept until the cursor moves on, says so, and takes no action', () => {
	const console = opened({screen: 'computers', rows: 4});
	console.press('j', 'j');
	const [first, second, third, fourth] = console.ids;
	assert.equal(console.cursor, third);
	console.load([computerOf(0), computerOf(1), computerOf(3)]);
	assert.deepEqual(console.ids, [first, second, third, fourth]);
	assert.equal(selectedRow(console.state), undefined);
	assert.ok(listLines(console.state).some(line => withoutStyle(line).startsWith('│> edge-2') && line.includes('(left this list)')));
	for (const {chords} of keymap.filter(({changes, mode}) => changes && mode === 'computers')) {
		assert.deepEqual(console.press(...chords), []);
		assert.match(console.state.notice!.text, /left the list/);
		assert.equal(console.asked, undefined);
	}

	console.press('j');
	assert.equal(console.cursor, fourth);
	assert.deepEqual(console.ids, [first, second, fourth]);
});

test('the only row leaves: the cursor can leave it too', () => {
	const console = opened({screen: 'computers', rows: 1});
	console.load([]);
	assert.equal(console.ids.length, 1);
	console.press('j');
	assert.deepEqual(console.ids, []);
	assert.equal(console.cursor, undefined);
	assert.equal(selectedProcess(console.state), undefined);
	console.load([computerOf(7)]);
	assert.equal(console.cursor, computerOf(7).computerid);
});

test('where new rows come in at the head the head stays in sight, until the operator takes a row', () => {
	const console = opened({rows: 3});
	assert.equal(console.cursor, undefined);
	console.load([9, 0, 1, 2].map(number => processOf(number)));
	assert.equal(console.list.top, 0);
	assert.equal(console.cursor, undefined);
	assert.deepEqual(console.press('X'), []);
	assert.match(console.state.notice!.text, /Nothing is selected/);
	console.tell({type: 'resized', columns: 80, rows: 24});
	assert.equal(console.cursor, undefined);
	console.press('j');
	assert.equal(console.cursor, processOf(9).processid);
});

test('rows that come in above move the list, not the cursor', () => {
	const console = opened({screen: 'computers', rows: 30, height: 20});
	console.press('pgdn', 'j', 'j');
	const {cursor, list: {top}} = console;
	const line = cursorIndexOf(console) - top;
	assert.ok(top > 0);
	console.load([50, 51, 52, ...Array.from({length: 30}, (_, index) => index)].map(number => computerOf(number)));
	assert.equal(console.cursor, cursor);
	assert.equal(cursorIndexOf(console) - console.list.top, line);
});

test('frozen: known rows keep their order, new ones come last, those that left go', () => {
	const console = opened({screen: 'computers', rows: 4});
	console.press('j', 'f');
	console.load([8, 3, 2, 1].map(number => computerOf(number, {status: 1})));
	assert.deepEqual(console.ids, [1, 2, 3, 8].map(number => computerOf(number).computerid));
	assert.deepEqual(console.list.positions, ['position 3', 'position 2', 'position 1', 'position 0']);
	assert.ok(console.list.rows.every(row => 'status' in row && row.status === 1));
	assert.equal(console.list.gone, undefined);
	assert.equal(console.cursor, computerOf(1).computerid);
	console.press('f');
	console.load([8, 3, 2, 1].map(number => computerOf(number)));
	assert.deepEqual(console.ids, [8, 3, 2, 1].map(number => computerOf(number).computerid));
});

test('the end of a long list, and its beginning, are one key away', () => {
	const console = opened({rows: 0});
	const window = (from: number) => Array.from({length: 200}, (_, index) => processOf(from + index));
	console.load(window(0), {before: false, after: true});
	const [toEnd] = console.press('G');
	assert.deepEqual(toEnd, {type: 'load', screen: 'processes', sequence: console.list.sequence, query: {count: 200, direction: 'before'}});
	console.load(window(800), {before: true, after: false});
	assert.equal(console.cursor, processOf(999).processid);
	assert.equal(console.list.top, 200 - visibleRows(console.state));
	const [toBeginning] = console.press('g');
	assert.deepEqual(toBeginning, {type: 'load', screen: 'processes', sequence: console.list.sequence, query: {count: 200}});
	console.load(window(0), {before: false, after: true});
	assert.equal(console.cursor, processOf(0).processid);
	assert.equal(console.list.top, 0);
});

test('at an edge of the window the next rows are read by key, and the cursor goes on', () => {
	const console = opened({rows: 0});
	const window = (from: number) => Array.from({length: 200}, (_, index) => processOf(from + index));
	console.load(window(0), {before: false, after: true});
	let asked = console.press('j');
	for (let pages = 0; !asked.some(({type}) => type === 'load'); pages++) {
		assert.ok(pages < 20);
		asked = console.press('pgdn');
	}

	const {top} = console.list;
	assert.deepEqual(asked[0], {type: 'load', screen: 'processes', sequence: console.list.sequence, query: {count: 200, position: `position ${top}`, direction: 'from'}});
	assert.equal(console.cursor, processOf(199).processid);
	console.load(window(top), {before: true, after: true});
	assert.equal(console.cursor, processOf(199).processid);
	console.press('j');
	assert.equal(console.cursor, processOf(200).processid);
});

test('an operator who turns back while rows beyond are loading is not told that the row has left', () => {
	const console = opened({rows: 0});
	const window = (from: number) => Array.from({length: 200}, (_, index) => processOf(from + index));
	console.load(window(0), {before: false, after: true});
	console.press('j');
	while (!console.list.loading) {
		console.press('pgdn');
	}

	console.press('pgup', 'pgup', 'pgup');
	const {cursor, ids} = console;
	const effects = console.load(window(180), {before: true, after: true});
	assert.equal(console.cursor, cursor);
	assert.equal(console.list.gone, undefined);
	assert.deepEqual(console.ids, ids);
	assert.deepEqual(effects, [{type: 'load', screen: 'processes', sequence: console.list.sequence, query: {count: 200}}]);
});
