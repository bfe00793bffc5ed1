import assert from 'node:assert/strict';
import {PassThrough, Writable} from 'node:stream';
import {test} from 'node:test';
import {setImmediate as turn} from 'node:timers/promises';
import {
	Box, Text, render, renderToString,
} from 'ink';
import {render as renderTest} from 'ink-testing-library';
import {useSyncExternalStore} from 'react';
import {Painted, ScreenContext} from '../source/console/components/painted.tsx';
import {ShortTable} from '../source/console/components/short-table.tsx';
import {TextField} from '../source/console/components/text-field.tsx';
import {openScreen} from '../source/console/terminal/screen.ts';
import {inverse} from '../source/console/terminal/style.ts';
import {emptyText, textOf} from '../source/console/terminal/text-edit.ts';
import {widthOf, withoutStyle} from '../source/console/terminal/width.ts';

/** A number that changes outside React, as the state of the console does. */
function createCounter() {
	const listeners = new Set<() => void>();
	let value = 0;
	return {
		subscribe(listener: () => void) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		read: () => value,
		set(next: number) {
			value = next;
			for (const listener of listeners) {
				listener();
			}
		},
	};
}

function openOnStream() {
	const frames: string[][] = [];
	const stdout = Object.assign(new Writable({
		write(_, __, done) {
			done();
		},
	}), {columns: 30, rows: 6});
	const screen = openScreen({
		stdin: new PassThrough() as unknown as NodeJS.ReadStream,
		stdout: stdout as unknown as NodeJS.WriteStream,
		env: {},
		onFrame() {
			frames.push(screen.frame());
		},
	});
	return {screen, frames};
}

test('no frame shows old rows under a new header', async t => {
	const {screen, frames} = openOnStream();
	t.after(async () => screen.close());
	// Looked at whenever Ink hands over a frame, and whenever one is written.
	const write = screen.inkStdout.write.bind(screen.inkStdout) as (frame: string, written?: () => void) => boolean;
	screen.inkStdout.write = ((frame: string, written?: () => void) => {
		const taken = write(frame, written);
		frames.push(screen.frame());
		return taken;
	}) as typeof screen.inkStdout.write;
	const counter = createCounter();
	function Rows({count}: {readonly count: number}) {
		return <Painted top={1} left={0} width={30} lines={count % 3 === 2 ? [`rows ${count}`] : [`rows ${count}`, 'second']}/>;
	}

	function App() {
		const count = useSyncExternalStore(counter.subscribe, counter.read);
		return (
			<Box flexDirection='column' width={30}>
				<Text>{`header ${count}`}</Text>
				{count % 5 !== 4 && <Rows count={count}/>}
				<Text>{`footer ${count}`}</Text>
			</Box>
		);
	}

	const app = render(<ScreenContext value={screen}><App/></ScreenContext>, {
		stdout: screen.inkStdout, debug: true, patchConsole: false, exitOnCtrlC: false,
	});
	for (let count = 1; count <= 60; count++) {
		counter.set(count);
		for (let index = 0; index < 1 + (count % 4); index++) {
			await turn();
		}
	}

	while (!screen.frame()[0]!.includes('60') || frames.at(-1)?.[0] !== 'header 60') {
		await turn();
	}

	app.unmount();
	assert.ok(frames.length > 20);
	for (const frame of frames.filter(frame => frame[0]!.includes('header'))) {
		const count = Number(/\d+/.exec(frame[0]!)![0]);
		const meant = [
			`header ${count}`,
			...(count % 5 === 4 ? [] : [`rows ${count}`, ...(count % 3 === 2 ? [] : ['second'])]),
			`footer ${count}`,
		];
		assert.deepEqual(frame.map(line => line.trimEnd()).filter(Boolean), meant);
	}
});

test('rows that are unmounted are gone from the screen', async t => {
	const {screen} = openOnStream();
	t.after(async () => screen.close());
	const show = (shown: boolean) => <ScreenContext value={screen}><Box>{shown && <Painted top={0} left={4} width={5} lines={['rows']}/>}</Box></ScreenContext>;
	const app = render(show(true), {
		stdout: screen.inkStdout, debug: true, patchConsole: false, exitOnCtrlC: false,
	});
	assert.equal(screen.frame()[0]!.trim(), 'rows');
	app.rerender(show(false));
	assert.equal(screen.frame()[0]!.trim(), '');
	app.unmount();
});

test('without a screen painted rows are ordinary text', () => {
	const rows = <Box><Painted top={3} left={2} width={8} lines={['one', '', inverse('three')]}/><Text>beside</Text></Box>;
	assert.equal(withoutStyle(renderToString(rows)), 'one     beside\n\nthree');
	const {lastFrame, unmount} = renderTest(rows);
	assert.match(withoutStyle(lastFrame()!), /^one {5}beside\n\nthree/);
	unmount();
});

test('a text field shows its value, its cursor, and a placeholder while it is empty', () => {
	assert.equal(renderToString(<TextField value={textOf('hej')} width={6}/>), `hej${inverse(' ')}`);
	assert.equal(renderToString(<TextField value={textOf('hej')} width={6} mask='•' focused={false}/>), '•••');
	assert.equal(withoutStyle(renderToString(<TextField value={emptyText} width={8} placeholder='nothing yet' focused={false}/>)), 'nothing…');
});

const table = (width: number, rows: string[][]) => withoutStyle(renderToString(<ShortTable columns={['KEY', 'VALUE']} rows={rows} width={width}/>, {columns: width}));

test('a short table is ink-table with safe, single-line values', () => {
	assert.equal(table(40, [['a', 'one\ntwo'], ['b', '\u001B[2J'], ['', '3']]), [
		'┌─────┬─────────┐',
		'│ KEY │ VALUE   │',
		'├─────┼─────────┤',
		'│ a   │ one␊two │',
		'├─────┼─────────┤',
		'│ b   │ ␛[2J    │',
		'├─────┼─────────┤',
		'│     │ 3       │',
		'└─────┴─────────┘',
	].join('\n'));
});

test('a short table keeps its borders straight and its width, whatever the values', () => {
	const lines = table(24, [['一二三', 'x'.repeat(100)], ['👩‍👩‍👧‍👦', 'e\u0301'.repeat(5)], ['\uE0A0\uF8FF', '']]).split('\n');
	assert.deepEqual(new Set(lines.map(line => widthOf(line))), new Set([24]));
	assert.match(lines[3]!, /│ 一二三 │ x+… │/);
	assert.match(lines[7]!, /│ \uE0A0\uF8FF {5}│/);
});

test('columns with one title stay two, and rows beyond fifty are counted', () => {
	const rows = Array.from({length: 60}, (_, index) => [String(index), 'value']);
	const drawn = withoutStyle(renderToString(<ShortTable columns={['SAME', 'SAME']} rows={rows} width={40}/>));
	assert.match(drawn, /│ SAME │ SAME {2}│/);
	assert.match(drawn, /│ 49 {3}│ value │/);
	assert.doesNotMatch(drawn, /│ 50/);
	assert.match(drawn, /and 10 more$/);
	assert.match(table(40, []), /^┌─+┬─+┐\n│ KEY │ VALUE │\n└─+┴─+┘$/);
});
