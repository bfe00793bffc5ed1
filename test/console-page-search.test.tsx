// What is open is searched as in a pager: words as they are typed, from match to match and round the ends, wherever the text is wrapped.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {renderToString} from 'ink';
import {createElement} from 'react';
import {App} from '../source/console/app.tsx';
import {find} from '../source/console/finding.ts';
import {modesOf, resolve} from '../source/console/keymap.ts';
import {keyedOverlays} from '../source/console/keymap/binding.ts';
import type {Overlay} from '../source/console/state.ts';
import type {Store} from '../source/console/store.ts';
import {prepareLine} from '../source/console/terminal/line.ts';
import {danger, inverse} from '../source/console/terminal/style.ts';
import {graphemesOf, widthOf, withoutStyle} from '../source/console/terminal/width.ts';
import {footerLines} from '../source/console/views/footer.ts';
import {marksIn, withMarks} from '../source/console/views/found.ts';
import {overlayLines, searchable} from '../source/console/views/overlay-pages.ts';
import {drawnOf, rowsOf} from '../source/console/views/rows.ts';
import {spoken} from '../source/console/views/spoken.ts';
import {cellPieces, textPieces, wordPieces} from '../source/console/views/wrap.ts';
import {visible} from '../source/core/text.ts';
import {attributeOf, hostileTexts, processOf} from './support/console-states.ts';
import {FixedConsole, goldenOverlays} from './support/golden-frames.ts';

const sizes = [[60, 15], [80, 24], [120, 36], [160, 45]] as const;

type Detail = Extract<Overlay, {kind: 'detail'}>;

/** Attributes by key: a text that goes in, or one that comes out. */
type Texts = Record<string, string>;

/** The console with a process open that has these attributes. */
function open(texts: Texts, {columns = 80, rows = 24, view = 'enter'}: {columns?: number; rows?: number; view?: string} = {}): FixedConsole {
	const process = processOf(0, {status: 2});
	const full = {...process, in: Object.entries(texts).map(([key, value]) => attributeOf(process, key, value))};
	const console = new FixedConsole(columns, rows).opened();
	console.load([full]);
	console.press('g', view);
	console.tell({type: 'detailed', process: full});
	return console;
}

const searched = (console: FixedConsole, words: string): FixedConsole => {
	console.press('/');
	console.type(words);
	console.press('enter');
	return console;
};

const pageOf = ({state}: FixedConsole): Overlay => state.overlays.findLast(({kind}) => kind !== 'search')!;

const scrollOf = (console: FixedConsole): number => {
	const page = pageOf(console);
	return 'scroll' in page ? page.scroll : -1;
};

/** What is marked on the screen: the match that one is at, and the others, piece by piece of each row. */
function marksOf(console: FixedConsole): {current: string[]; others: string[]} {
	const lines = overlayLines(pageOf(console), console.state).join('\n');
	const all = (pattern: RegExp): string[] => Array.from(lines.matchAll(pattern), ([, text]) => withoutStyle(text!));
	return {current: all(/\u001B\[7m(.*?)\u001B\[27m/gs), others: all(/\u001B\[4m(.*?)\u001B\[24m/gs)};
}

const footerOf = ({state}: FixedConsole): string => footerLines(state).map(line => withoutStyle(line).trimEnd()).join('\n');

/** The frame with its styles. */
function renderedOf({state}: FixedConsole): string {
	const store = {get: () => state, subscribe: () => () => undefined} as unknown as Store;
	return renderToString(createElement(App, {store}), {columns: state.columns});
}

/** At which match one is. */
const positionOf = (console: FixedConsole): string | undefined => /- of \d+|\d+ of \d+|no match/i.exec(footerOf(console))?.[0];

const numbered = (count: number, text: (number: number) => string): string => Array.from({length: count}, (_, index) => text(index + 1)).join('\n');

/** A log with a fault in the lines 10, 20 … 60. */
const log = numbered(60, number => number % 10 === 0 ? `fault ${number}` : `entry ${number}`);

test('what is typed is found at once, and n and N go from match to match and round the ends', () => {
	const console = open({log});
	console.press('/');
	assert.equal(console.top?.kind, 'search');
	assert.match(footerOf(console), /^\/\nSearch this page · enter keeps it, esc goes back$/);
	console.type('fau');
	assert.equal(positionOf(console), '1 of 6');
	assert.deepEqual(marksOf(console).current, ['fau']);
	assert.match(console.frame(), /fault 10/);
	console.type('lt 3');
	assert.match(footerOf(console), /^\/fault 3\n1 of 1 · enter keeps it, esc goes back$/);
	assert.match(console.frame(), /fault 30/);
	console.press('backspace', 'backspace');
	assert.equal(positionOf(console), '1 of 6', 'it goes on from where one was, not from what was found meanwhile');
	console.press('enter');
	assert.equal(console.top?.kind, 'detail');
	assert.match(footerOf(console), /\/fault 1 of 6$/m);

	for (const number of [2, 3, 4, 5, 6]) {
		console.press('n');
		assert.equal(positionOf(console), `${number} of 6`);
		assert.equal(console.state.notice, undefined);
		assert.match(console.frame(), new RegExp(`fault ${number}0`));
		assert.deepEqual(marksOf(console).current, ['fault']);
	}

	console.press('n');
	assert.equal(positionOf(console), '1 of 6');
	assert.match(footerOf(console), /Wrapped to the top\.$/);
	assert.match(console.frame(), /fault 10/);
	console.press('N');
	assert.equal(positionOf(console), '6 of 6');
	assert.match(footerOf(console), /Wrapped to the end\.$/);
	console.press('N');
	assert.equal(positionOf(console), '5 of 6');
	assert.doesNotMatch(footerOf(console), /Wrapped/);
});

test('the match that one is at is inverse, and others that are in sight are underlined', () => {
	const console = searched(open({log: 'red blue red\nblue red'}), 'red');
	assert.deepEqual(marksOf(console), {current: ['red'], others: ['red', 'red']});
	console.press('n');
	const line = overlayLines(console.top!, console.state).find(line => line.includes('blue'))!;
	assert.ok(line.includes('\u001B[4mred\u001B[24m blue \u001B[7mred\u001B[27m'), JSON.stringify(line));
});

test('it is found first below where one is, and round the end where there is nothing below', () => {
	const console = open({log});
	console.press('pgdn', 'pgdn', 'pgdn');
	const before = scrollOf(console);
	console.press('/');
	console.type('entry');
	assert.equal(scrollOf(console), before, 'what is in sight already moves nothing');
	assert.match(footerOf(console), /^\/entry\n\d+ of 54 · /);
	assert.notEqual(positionOf(console), '1 of 54');
	console.type(' 1');
	assert.match(footerOf(console), /^\/entry 1\n1 of 10, wrapped · /);
	assert.ok(scrollOf(console) < before);
	console.press('backspace');
	assert.equal(scrollOf(console), before);
});

test('after scrolling away, n goes on from the top of what is in sight and N from its bottom', () => {
	const console = searched(open({log}), 'fault');
	console.press('pgdn', 'pgdn', 'n');
	const third = positionOf(console);
	assert.match(third!, /^[34] of 6$/);
	console.press('g', 'N');
	assert.equal(positionOf(console), '6 of 6');
	assert.match(footerOf(console), /Wrapped to the end\.$/, 'nothing is found above the bottom of the first page');
	console.press('g', 'n');
	assert.equal(positionOf(console), '1 of 6');
	assert.doesNotMatch(footerOf(console), /Wrapped/);
	console.press('G', 'n');
	assert.equal(positionOf(console), '1 of 6');
	assert.match(footerOf(console), /Wrapped to the top\.$/);
});

test('esc while words are typed goes back to where one was; later it first drops the search and then closes the page', () => {
	const console = open({log});
	console.press('j', 'j', 'j');
	console.press('/');
	console.type('fault 60');
	assert.notEqual(scrollOf(console), 3);
	console.press('esc');
	assert.equal(scrollOf(console), 3);
	assert.deepEqual(marksOf(console), {current: [], others: []});
	assert.equal((console.top as Detail).chosen, undefined);

	searched(console, 'fault 60');
	const there = scrollOf(console);
	console.press('esc');
	assert.equal(console.top?.kind, 'detail');
	assert.equal(scrollOf(console), there);
	assert.deepEqual(marksOf(console), {current: [], others: []});
	console.press('esc');
	assert.equal(console.top, undefined);

	const again = searched(open({log}), 'fault');
	again.press('/');
	again.type('entry 5');
	again.press('ctrl-c');
	assert.equal(again.top?.kind, 'detail', 'ctrl-c leaves the field, not the console');
	assert.equal(positionOf(again), undefined);
});

test('enter without words goes on with the ones before, and is nothing without any', () => {
	const console = open({log});
	console.press('/', 'enter');
	assert.equal(console.top?.kind, 'detail');
	console.press('n');
	assert.match(footerOf(console), /No search yet: \/ searches this page\.$/);
	searched(console, 'fault');
	searched(console, '');
	assert.equal(positionOf(console), '2 of 6');
	searched(console, 'entry 7');
	assert.equal(positionOf(console), '1 of 1');
});

test('every key is text while words are typed', () => {
	const console = open({log: 'nothing? q: no/N\n'});
	console.press('/');
	console.type('nothing? q: no/N');
	assert.equal(console.top?.kind, 'search');
	assert.equal(positionOf(console), '1 of 1');
	console.tell({type: 'key', key: 'paste', text: 'x'.repeat(600)});
	assert.match(footerOf(console), /This field takes 500 characters; what did not fit was left out\.$/);
});

test('a word is found in either case, unless an upper-case letter is typed', () => {
	const console = searched(open({log: 'Error error ERROR\nÉtat état\n(a+b)*c [x] \\d ^$ /{}|'}), 'error');
	assert.equal(positionOf(console), '1 of 3');
	assert.equal(positionOf(searched(console, 'Error')), '1 of 1');
	assert.equal(positionOf(searched(console, 'ERROR')), '1 of 1');
	assert.equal(positionOf(searched(console, 'état')), '1 of 2');
	assert.equal(positionOf(searched(console, 'État')), '1 of 1');
	for (const plain of ['(a+b)*c', '[x]', String.raw`\d`, '^$', '/{}|']) {
		assert.equal(positionOf(searched(console, plain)), '1 of 1', plain);
	}
});

test('that there is no match is said, and nothing moves', () => {
	const console = open({log});
	console.press('pgdn', '/');
	console.type('nowhere');
	assert.match(footerOf(console), /^\/nowhere\nNo match$/);
	const before = scrollOf(console);
	console.press('enter');
	assert.match(footerOf(console), /\/nowhere no match$/m);
	console.press('n');
	assert.match(footerOf(console), /No match for nowhere\.$/);
	assert.equal(scrollOf(console), before);
	console.press('esc');
	assert.equal(console.top?.kind, 'detail');

	const folded = open({log: 'x'.repeat(5000), password: 'y'.repeat(5000)});
	folded.press('/');
	folded.type('nowhere');
	assert.match(footerOf(folded), /^\/nowhere\nNo match; 1 long value folded: tab and enter unfold$/);
});

const sentence = 'RuntimeError: CUDA out of memory: tried to allocate 2.50 GiB on a device that has none of them left';

test('a match over two rows is found and marked on both, between words and within one', () => {
	const word = Array.from({length: 60}, (_, index) => `x${index}y`).join('');
	for (const [columns, rows] of sizes) {
		for (const view of ['enter', 'y']) {
			const console = searched(open({first: sentence.repeat(2), second: word}, {columns, rows, view}), sentence);
			assert.equal(positionOf(console), '1 of 2', `${view} ${columns}`);
			assert.equal(marksOf(console).current.join(' '), sentence, `${view} ${columns}`);
			assert.equal(marksOf(console).current.length > 1, columns < 160);

			searched(console, word.slice(3));
			assert.equal(marksOf(console).current.join(''), word.slice(3), `${view} ${columns}`);
			assert.ok(marksOf(console).current.length > 1);
		}
	}
});

test('what only stands below it is no match: lines and columns are texts of their own', () => {
	const console = searched(open({log: 'one\ntwo'}), 'one two');
	assert.equal(positionOf(console), 'no match');

	const compared = new FixedConsole(60, 15).opened();
	compared.press('g', 'j', 'j', 'j', 'D');
	compared.answer('difference', [{part: 'in', name: 'source', value: 'the first of two long paths that are wrapped', other: 'the second of two long paths that are wrapped'}]);
	searched(compared, 'the first of two long paths that are wrapped');
	assert.equal(positionOf(compared), '1 of 1');
	assert.equal(marksOf(compared).current.join(' '), 'the first of two long paths that are wrapped');
	assert.ok(marksOf(compared).current.length > 1);
	assert.equal(positionOf(searched(compared, 'first the second')), 'no match');
	assert.equal(positionOf(searched(compared, 'paths')), '1 of 2');
});

test('a masked value is not found by what it hides, in no view, until it is shown', () => {
	for (const view of ['enter', 'y', 'a']) {
		const console = searched(open({api_token: 'hush-hush', user: 'somebody'}, {view}), 'hush');
		assert.equal(positionOf(console), 'no match', view);
		console.press('s');
		assert.equal(positionOf(console), '- of 2', view);
		console.press('n');
		assert.equal(positionOf(console), '1 of 2', view);
		console.press('s');
		assert.equal(positionOf(console), 'no match', view);
		assert.doesNotMatch(console.frame(), /hush-/);
	}

	// One value alone, and others that are hidden go on being so.
	const console = searched(open({api_token: 'hush-hush', password: 'hush'}), 'api');
	console.press('enter');
	assert.equal(positionOf(searched(console, 'hush')), '1 of 2');
});

test('the cursor goes to the attribute that the match is in, also in the table, and enter shows it whole', () => {
	const texts = {...Object.fromEntries(Array.from({length: 30}, (_, index) => [`key${index}`, `value ${index}`])), long: `${'x'.repeat(4090)} the end ${'y'.repeat(5000)} beyond`};
	for (const [columns, rows] of sizes) {
		for (const view of ['enter', 'a']) {
			const console = open(texts, {columns, rows, view});
			const chosen = (): string | undefined => {
				const {process, chosen} = console.top as Detail;
				return process!.in!.find(({attributeid}) => attributeid === chosen)?.key;
			};

			searched(console, 'value 2');
			assert.equal(positionOf(console), '1 of 11');
			assert.equal(chosen(), 'key2');
			console.press('N');
			assert.equal(chosen(), 'key29');
			assert.match(console.frame(), view === 'a' ? /│ >in +│ key29 +│ value 29/ : /> key29 = value 29/);
			console.press('enter');
			assert.equal((console.top as Detail).view, 'detail', 'the table has no room for a whole value');
			assert.match(console.frame(), /> key29 = value 29/);
		}
	}
});

test('what the table has no room for is found too, and marked on the last cell; what is folded is not until it is unfolded', () => {
	const console = open({long: `${'x'.repeat(3000)} the end ${'y'.repeat(5000)} beyond`}, {view: 'a'});
	searched(console, 'the end');
	assert.equal(positionOf(console), '1 of 1');
	assert.match(renderedOf(console), /x\u001B\[7m…\u001B\[27m/);
	assert.equal(positionOf(searched(console, 'beyond')), 'no match');
	searched(console, 'long');
	console.press('enter');
	assert.equal(positionOf(searched(console, 'beyond')), '1 of 1');
	assert.deepEqual(marksOf(console).current, ['beyond']);
});

test('attributes that look alike are gone through one by one', () => {
	for (const view of ['enter', 'a']) {
		const console = open({log: 'ready'}, {view});
		const {process} = console.top as Detail;
		console.tell({type: 'detailed', process: {...process!, in: [0, 1, 2].map(number => ({...process!.in![0]!, attributeid: String(number)}))}});
		searched(console, 'ready');
		for (const number of [0, 1, 2, 0]) {
			assert.equal(positionOf(console), `${number + 1} of 3`);
			assert.equal((console.top as Detail).chosen, String(number));
			console.press('n');
		}
	}
});

test('a match never splits what a reader sees as one character, and finds it however it is written', () => {
	const family = '👩‍👩‍👧‍👦';
	const console = open({log: `cafe\u0301 caf\u00E9 cafe ${family} 👩 🇸🇪🇩🇪 漢字仮名 e\u0301\u0302`});
	const found = (words: string): string[] => {
		searched(console, words);
		const {current, others} = marksOf(console);
		return [...current, ...others];
	};

	assert.deepEqual(found('caf\u00E9'), ['cafe\u0301', 'caf\u00E9']);
	assert.deepEqual(found('CAF\u00E9'.toLowerCase()), ['cafe\u0301', 'caf\u00E9']);
	assert.deepEqual(found('cafe\u0301'), ['cafe\u0301', 'caf\u00E9']);
	assert.deepEqual(found('cafe'), ['cafe']);
	assert.deepEqual(found('👩'), ['👩']);
	assert.deepEqual(found(family), [family]);
	assert.deepEqual(found('🇪🇩'), []);
	assert.deepEqual(found('🇩🇪'), ['🇩🇪']);
	assert.deepEqual(found('字仮'), ['字仮']);
	assert.deepEqual(found('\u0302'), []);
});

test('marks never change the width of a row, and stay without colour and in ASCII', () => {
	const texts = [...hostileTexts, 'plain text', `${'漢'.repeat(30)}e\u0301`];
	const rows = texts.flatMap(text => [9, 20, 76].flatMap(width => rowsOf(textPieces(text, width), {style: danger, first: `${inverse('key')} = `})));
	for (const text of texts) {
		const words = [...graphemesOf(visible(text))].slice(0, 3).join('');
		for (const [row, marks] of marksIn(rows, {words}, {first: 0, room: rows.length})) {
			const marked = withMarks(drawnOf(rows[row]!), marks.flat());
			assert.equal(withoutStyle(marked), withoutStyle(drawnOf(rows[row]!)));
			assert.equal(widthOf(marked), widthOf(drawnOf(rows[row]!)), JSON.stringify(marked));
			assert.equal(prepareLine(marked, 80, {colour: true}).width, prepareLine(drawnOf(rows[row]!), 80, {colour: true}).width);
		}
	}

	const marked = withMarks(`${danger('✗ the error')}`, [{from: 2, to: 5, isCurrent: false}, {from: 6, to: 11, isCurrent: true}]);
	const {text} = prepareLine(marked, 60, {colour: false, ascii: true});
	assert.equal(text, 'x \u001B[4mthe\u001B[24m \u001B[7merror\u001B[27m');
});

test('wherever a text is wrapped, the same is found in it as in the text', () => {
	const letter = fc.constantFrom('a', 'b', 'B', ' ', ' ', '漢', 'é', 'e\u0301', '👩‍👩‍👧');
	const pieces = {cells: cellPieces, words: wordPieces, text: textPieces};
	fc.assert(fc.property(fc.array(letter, {minLength: 1, maxLength: 60}), fc.array(letter, {minLength: 1, maxLength: 3}), fc.integer({min: 4, max: 30}), fc.constantFrom(...Object.keys(pieces) as Array<keyof typeof pieces>), (letters, sought, width, how) => {
		// What wrapping leaves out at the beginning is out of sight.
		const text = `|${letters.join('')}|`;
		const words = sought.join('');
		const rows = rowsOf(pieces[how](text, width), {first: '> ', rest: '::'});
		const {texts, matches} = find(rows, words);
		assert.equal(texts.length, 1);
		assert.equal(texts[0]!.content, `> ${text}`);
		const folded = (grapheme: string): string => words.includes('B') ? grapheme.normalize('NFC') : grapheme.normalize('NFC').toLowerCase();
		const all = ['>', ' ', '|', ...letters, '|'].map(grapheme => folded(grapheme));
		const wanted = sought.map(grapheme => folded(grapheme));
		let count = 0;
		for (let at = 0; at <= all.length - wanted.length;) {
			const isHere = wanted.every((grapheme, index) => all[at + index] === grapheme);
			count += isHere ? 1 : 0;
			at += isHere ? wanted.length : 1;
		}

		// Spaces that were left out where the text was wrapped are nowhere to be marked.
		assert.ok(words.trim() === '' ? matches.length <= count : matches.length === count, `${matches.length} of ${count}`);
	}), {numRuns: 2000});
});

test('while words are typed, and later, another size of the terminal keeps the match in sight', () => {
	const console = open({log: `${log}\n${`${sentence}\n`.repeat(30)}the needle\n${log}`});
	console.press('/');
	console.type('needle');
	for (const isTyping of [true, false]) {
		for (const [columns, rows] of [...sizes, [20, 5], [80, 24], [61, 16], [250, 60], [60, 15]] as const) {
			console.tell({type: 'resized', columns, rows});
			if (columns < 60) {
				continue;
			}

			assert.equal(positionOf(console), '1 of 1');
			assert.match(console.frame(), /the needle/, `${columns}×${rows}`);
			assert.deepEqual(marksOf(console).current, ['needle']);
			const lines = console.frame().split('\n');
			assert.ok(lines.length <= rows && lines.every(line => widthOf(line) <= columns));
		}

		if (isTyping) {
			console.press('enter');
		}
	}

	console.press('g');
	console.tell({type: 'resized', columns: 80, rows: 24});
	assert.equal(scrollOf(console), 0, 'who has scrolled away is not taken back');
});

test('what comes in above leaves one at the same match', () => {
	const console = searched(open({log}), 'fault');
	console.press('n', 'n');
	const {process} = console.top as Detail;
	const before = attributeOf(process!, 'before', 'fault of another\n'.repeat(3));
	console.tell({type: 'detailed', process: {...process!, in: [before, ...process!.in!]}});
	assert.equal(positionOf(console), '6 of 9');
	assert.match(console.frame(), /fault 30/);
	console.press('n');
	assert.equal(positionOf(console), '7 of 9');
	assert.match(console.frame(), /fault 40/);
});

for (const [columns, rows] of sizes) {
	test(`every page of text is searched with the same keys, and fits (${columns}×${rows})`, () => {
		const pages = new Set<string>();
		for (const kind of keyedOverlays) {
			for (const [name, way] of Object.entries(goldenOverlays[kind])) {
				const console = new FixedConsole(columns, rows).opened();
				way(console);
				const scrolls = 'scroll' in console.top! && console.top.kind !== 'plan';
				assert.equal(resolve(console.state, '/')?.action, scrolls || kind === 'plan' ? 'search' : undefined, name);
				if (!scrolls) {
					continue;
				}

				if (searchable(console.state)!.search) {
					console.press('esc', 'g');
				}

				pages.add(kind);
				const page = searchable(console.state)!;
				const last = page.rows.findLast(row => /[a-z]{3}/.test(withoutStyle(drawnOf(row))))!;
				const words = /[a-z]{3,}/.exec(withoutStyle(drawnOf(last)))![0];
				const isOpen = console.top.kind;
				searched(console, words);
				assert.equal(console.top.kind, isOpen);
				assert.match(positionOf(console)!, /^1 of \d+$/, name);
				const count = Number(positionOf(console)!.split(' ').at(-1));
				console.press('N');
				assert.equal(positionOf(console), `${count} of ${count}`, name);
				assert.match(footerOf(console), /Wrapped to the end/);
				assert.match(renderedOf(console).replaceAll(/\u001B\[27m.*?\u001B\[7m/gs, ''), /\u001B\[7m/, name);
				assert.match(footerOf(console), /n next {2}N previous/);
				const lines = console.frame().split('\n');
				assert.ok(lines.length <= rows && lines.every(line => widthOf(line) <= columns), name);
				console.press('esc');
				assert.equal(console.top.kind, isOpen, name);
				console.press('esc');
				assert.notEqual(console.top?.kind, isOpen, name);
			}
		}

		assert.deepEqual([...pages].sort(), ['command-line', 'detail', 'difference', 'entry', 'explain', 'help', 'result', 'verify']);
	});
}

test('the report of a plan is searched, and its count is still typed', () => {
	const console = new FixedConsole(80, 24).opened();
	goldenOverlays.plan.plan!(console);
	console.press('/', 'n', 'N');
	assert.equal(console.top?.kind, 'plan');
	assert.equal(searchable(console.state)!.search, undefined);
	const plan = console.top;
	console.type(String(plan.plan!.entries.length));
	console.press('enter');
	console.tell({type: 'plan-went', number: plan.number, reported: plan.plan!.entries.map(({id, label}, index) => ({id, label, fate: index === 1 ? 'refused' as const : 'done' as const, reason: index === 1 ? 'the needle' : undefined}))});
	searched(console, 'needle');
	assert.equal(positionOf(console), '1 of 1');
	assert.deepEqual(marksOf(console).current, ['needle']);
	console.press('esc');
	assert.equal(console.top?.kind, 'plan');
	console.press('esc');
	assert.equal(console.top, undefined);
	assert.equal(console.state.plan?.number, plan.number, 'it goes on');
});

test('8 Server is searched too, and esc drops that', () => {
	const console = new FixedConsole(60, 15).opened();
	console.press('8');
	searched(console, 'root');
	assert.equal(positionOf(console), '1 of 1');
	assert.match(console.frame(), /root +locked/);
	const {scroll} = console.list;
	assert.ok(scroll > 0);
	console.press('esc');
	assert.equal(positionOf(console), undefined);
	assert.equal(console.list.scroll, scroll);
	console.press('/');
	console.type('embedded');
	console.press('esc');
	assert.equal(console.list.scroll, scroll);
	assert.equal(console.top, undefined);
});

test('another view of the process is searched for the same words', () => {
	const console = searched(open({log, user: 'somebody'}), 'somebody');
	for (const view of ['y', 'a', 'd']) {
		console.press(view);
		assert.equal(positionOf(console), '1 of 1', view);
		assert.match(renderedOf(console), /\u001B\[7msomebody\u001B\[27m/, view);
	}
});

test('the palette searches as well, and / in a list is its filter', () => {
	const console = open({log});
	console.press(':');
	console.type('search this');
	console.press('enter');
	assert.equal(console.top?.kind, 'search');
	console.type('fault');
	console.press('enter', ':');
	console.type('next match');
	console.press('enter');
	assert.equal(positionOf(console), '2 of 6');
	console.press('esc', 'esc', '/');
	assert.equal(console.top?.kind, 'filter');
	console.press('esc');
	assert.deepEqual(modesOf(console.state), ['processes', 'list', 'screen', 'anywhere']);
	console.press('n');
	assert.equal(console.state.overlays.at(-1)?.kind, 'form');
});

test('a screen reader hears what was found, at each match, and not the whole page again', () => {
	const console = open({log});
	const heard = (happening: () => void): string[] => {
		const before = console.state;
		happening();
		return spoken(before, console.state);
	};

	assert.deepEqual(heard(() => console.press('/')), ['/', 'Search this page · enter keeps it, esc goes back']);
	assert.deepEqual(heard(() => console.type('fault')), []);
	assert.deepEqual(heard(() => console.press('enter')), ['1 of 6: fault 10']);
	assert.deepEqual(heard(() => console.press('n')), ['2 of 6: fault 20']);
	assert.deepEqual(heard(() => console.press('N', 'N')), ['Wrapped to the end.', '6 of 6: fault 60']);
	assert.deepEqual(heard(() => console.press('esc')), ['Search dropped.']);
	console.press('/');
	console.type('nowhere');
	assert.deepEqual(heard(() => console.press('enter')), ['No match for nowhere.']);
	console.press('/');
	assert.deepEqual(heard(() => console.press('esc')), ['Search dropped.']);
});
