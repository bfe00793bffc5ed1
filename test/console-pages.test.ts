// What is open is read from its first line to its last: values keep their lines, words stay whole, and every page has an end that a key goes to.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bindingsHere} from '../source/console/keymap.ts';
import {keyedOverlays} from '../source/console/keymap/binding.ts';
import {scrollEnd, scrollPage} from '../source/console/views/overlay-pages.ts';
import {wrapText} from '../source/console/views/wrap.ts';
import {widthOf} from '../source/console/terminal/width.ts';
import {visible} from '../source/core/text.ts';
import {attributeOf, hostileTexts, processOf} from './support/console-states.ts';
import {FixedConsole, goldenOverlays} from './support/golden-frames.ts';

const sizes = [[60, 15], [80, 24], [160, 45]] as const;

const trace = 'Traceback (most recent call last):\n  File "train.py", line 12, in <module>\n    main()\nRuntimeError: CUDA out of memory: tried to allocate 2.50 GiB on a device that has none of them left\n';

test('a text keeps its line breaks and its indentation, and is wrapped between words', () => {
	assert.deepEqual(wrapText(trace, 40), [
		'Traceback (most recent call last):',
		'  File "train.py", line 12, in <module>',
		'    main()',
		'RuntimeError: CUDA out of memory: tried',
		'to allocate 2.50 GiB on a device that',
		'has none of them left',
	]);
	assert.deepEqual(wrapText('a\r\n\r\nb\n\n', 10), ['a', '', 'b', '']);
	assert.deepEqual(wrapText('    a long indented line', 16), ['    a long', '    indented', '    line']);
	assert.deepEqual(wrapText('', 10), ['']);
	for (const text of hostileTexts) {
		for (const line of wrapText(text, 20)) {
			assert.equal(visible(line), line);
			assert.ok(widthOf(line) <= 20);
		}
	}
});

test('an attribute of many lines is read line by line', () => {
	const process = processOf(0, {status: 3});
	const open = {...process, err: [attributeOf(process, 'trace', trace, 2)]};
	for (const [columns, rows] of [[80, 50], [160, 50]] as const) {
		const console = new FixedConsole(columns, rows).opened();
		console.load([open]);
		console.press('g', 'enter');
		console.tell({type: 'detailed', process: open});
		const lines = console.frame().split('\n').map(line => line.replaceAll('│', '').trim());
		const first = lines.findIndex(line => line.startsWith('trace = Traceback (most recent call last):'));
		assert.notEqual(first, -1, console.frame());
		assert.deepEqual(lines.slice(first + 1, first + 3), ['File "train.py", line 12, in <module>', 'main()']);
		assert.ok(!console.frame().includes('␊'));
	}
});

/** The frame without the seconds that go on. */
const bodyOf = (console: FixedConsole): string => console.frame().split('\n').slice(4, -2).join('\n');

for (const [columns, rows] of sizes) {
	test(`every page that is longer than the terminal goes to its end and back, page by page, and says where it is (${columns}×${rows})`, () => {
		const long = new Set<string>();
		for (const kind of keyedOverlays) {
			for (const way of Object.values(goldenOverlays[kind])) {
				const console = new FixedConsole(columns, rows).opened();
				way(console);
				const scroll = (): number => console.top && 'scroll' in console.top ? console.top.scroll : 0;
				const end = scrollEnd(console.top!, console.state);
				if (end === 0) {
					continue;
				}

				long.add(kind);
				const typesCount = kind === 'plan';
				console.press(...(typesCount ? Array.from<string>({length: end}).fill('pgdn') : ['G']));

				assert.equal(scroll(), end, kind);
				const last = bodyOf(console);
				console.press('j', 'pgdn');
				assert.equal(bodyOf(console), last, `${kind} goes beyond its end`);
				console.press('pgup');
				assert.equal(scroll(), Math.max(0, end - scrollPage(console.top!, console.state)), kind);
				if (!typesCount) {
					console.press('g');
					assert.equal(scroll(), 0);
					assert.ok(kind === 'command-line' || /1-\d+ of \d+/.test(bodyOf(console)), `${kind} does not say where it is\n${bodyOf(console)}`);
					console.press('end');
					assert.equal(scroll(), end);
				}
			}
		}

		assert.ok(long.has('help') && long.has('detail'), [...long].join(' '));
	});
}

test('every page that scrolls has a key for its end', () => {
	for (const kind of keyedOverlays) {
		for (const way of Object.values(goldenOverlays[kind])) {
			const console = new FixedConsole(80, 24).opened();
			way(console);
			const actions = bindingsHere(console.state).flatMap(({bindings}) => bindings);
			assert.ok(!actions.some(({action}) => action === 'scroll') || kind === 'plan' || actions.some(({action, value}) => action === 'scroll' && value === 'last'), kind);
		}
	}
});

test('8 Server goes to its end and back', () => {
	const console = new FixedConsole(60, 15).opened();
	console.press('8');
	console.press('G');
	const end = bodyOf(console);
	console.press('j');
	assert.equal(bodyOf(console), end);
	console.press('g');
	assert.notEqual(bodyOf(console), end);
});
