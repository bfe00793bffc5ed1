
import assert from 'node:assert/strict';
import {PassThrough, Writable} from 'node:stream';
import {test} from 'node:test';
import {setImmediate as turn} from 'node:timers/promises';
import fc from 'fast-check';
import xterm from '@xterm/headless';
import {type Screen, openScreen} from '../source/console/terminal/screen.ts';
import {bold, danger} from '../source/console/terminal/style.ts';
import {withoutStyle} from '../source/console/terminal/width.ts';

/** A terminal that takes writes one at a time, when it is told to. */
class Output extends Writable {
	isTTY = false;

	readonly written: string[] = [];

	stalled: (() => void) | undefined;

	stalling = false;

	failing = false;

	constructor(public columns: number, public rows: number) {
		super({decodeStrings: false});
	}

	override _write(data: string, _: string, done: (error?: Error) => void): void {
		if (this.failing) {
			done(Object.assign(new Error('write EIO'), {code: 'EIO'}));
			return;
		}

		this.written.push(data);
		if (this.stalling) {
			this.stalled = done;
		} else {
			done();
		}
	}
}

type Opened = {screen: Screen; output: Output; show: (...lines: string[]) => Promise<string>};

async function open(t: {after: (f: () => Promise<void>) => void}, columns = 20, rows = 5, env: NodeJS.ProcessEnv = {}): Promise<Opened> {
	const output = new Output(columns, rows);
	const screen = openScreen({stdin: new PassThrough() as unknown as NodeJS.ReadStream, stdout: output as unknown as NodeJS.WriteStream, env});
	t.after(async () => screen.close());
	const show = async (...lines: string[]): Promise<string> => {
		const before = output.written.length;
		screen.inkStdout.write(lines.join('\n'));
		await settle();
		return output.written.slice(before).join('');
	};

	await settle();
	return {screen, output, show};
}

async function settle(): Promise<void> {
	for (let index = 0; index < 4; index++) {
		await turn();
	}
}

type Emulated = {lines: string[]; cells: string[]};

/** What a terminal shows after all that: its rows, and each cell with its style. */
async function emulate(written: readonly string[], columns: number, rows: number): Promise<Emulated> {
	const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	await new Promise<void>(resolve => {
		emulator.write(written.join(''), resolve);
	});
	const {active} = emulator.buffer;
	assert.equal(active.baseY, 0, 'the screen scrolled');
	const lines = Array.from({length: rows}, (_, index) => active.getLine(index)!);
	const cells = lines.flatMap((line, row) => Array.from({length: columns}, (_, column) => {
		const cell = line.getCell(column)!;
		return `${row},${column} ${cell.getChars() || ' '} ${cell.getFgColor()} ${cell.isInverse()} ${cell.isBold()}`;
	}));
	const shown = {lines: lines.map(line => line.translateToString().trimEnd()), cells};
	emulator.dispose();
	return shown;
}

const linesOf = async (written: readonly string[], columns: number, rows: number): Promise<string[]> => {
	const {lines} = await emulate(written, columns, rows);
	return lines;
};

const update = (output: string): string => `\u001B[?2026h${output}\u001B[?2026l`;

test('only the rows that changed are written, between the marks of one update', async t => {
	const {show} = await open(t);
	await show('one', 'two', 'three');
	assert.equal(await show('one', '2', 'three'), update('\u001B[2;1H2\u001B[K'));
	assert.equal(await show('one', '2 3', 'three'), update('\u001B[2;2H 3'));
	assert.equal(await show('one', '2', 'three'), update('\u001B[2;2H\u001B[K'));
	assert.equal(await show('one', '2', 'three'), '');
	assert.equal(await show('one', '2'), update('\u001B[3;1H\u001B[K'));
});

test('of a row only what changed is written, in its style', async t => {
	const {show} = await open(t);
	await show(`one ${danger('two 111')} three`);
	assert.equal(await show(`one ${danger('two 121')} three`), update('\u001B[1;10H\u001B[31m2\u001B[0m'));
	assert.equal(await show(`one ${danger('two 12')} three`), update('\u001B[1;11H\u001B[31m\u001B[39m three\u001B[0m\u001B[K'));
	assert.equal(await show(`one ${bold('two 12')} three`), update('\u001B[1;5H\u001B[1mtwo 12\u001B[22m three\u001B[0m'));
	assert.equal(await show(`一 ${bold('two 12')} three`), update('\u001B[1;1H一 \u001B[1mtwo 12\u001B[22m three\u001B[0m\u001B[K'));
});

test('many frames in one turn are one write, the newest', async t => {
	const {screen, output} = await open(t);
	const before = output.written.length;
	for (let index = 0; index < 100; index++) {
		screen.inkStdout.write(`frame ${index}`);
		screen.paint('count', {
			top: 1, left: 0, width: 20, lines: [`paint ${index}`],
		});
	}

	await settle();
	assert.deepEqual(output.written.slice(before), [update('\u001B[1;1Hframe 99\u001B[2;1Hpaint 99')]);
});

test('a terminal that is slow gets the newest frame when it is ready, and nothing before', async t => {
	const {screen, output, show} = await open(t);
	output.stalling = true;
	await show('first');
	const before = output.written.length;
	await show('second');
	await show('third');
	assert.equal(output.written.length, before);
	output.stalling = false;
	output.stalled!();
	await settle();
	assert.deepEqual(output.written.slice(before), [update('\u001B[1;1Hthird')]);
	assert.equal(screen.frame()[0], 'third');
});

test('closing does not wait for a terminal that takes nothing', async t => {
	const {screen, output, show} = await open(t);
	output.stalling = true;
	await show('never taken');
	await screen.close();
});

test('a terminal that is gone closes the screen without a word', async t => {
	const {screen, output, show} = await open(t);
	output.failing = true;
	await show('lost');
	assert.equal(output.destroyed, true);
	assert.equal(await show('more'), '');
	await screen.close();
});

test('paints lie over the frame, go away, and respect their layer', async t => {
	const {screen, output} = await open(t, 10, 3);
	screen.inkStdout.write('0123456789\nabcdefghij');
	screen.paint('top', {
		top: 0, left: 3, width: 2, lines: ['X'], layer: 1,
	});
	screen.paint('low', {
		top: 0, left: 2, width: 4, lines: ['....', '++++', 'last'],
	});
	await settle();
	const shown = ['01.X .6789', 'ab++++ghij', '  last'];
	assert.deepEqual(screen.frame().map(line => line.trimEnd()), shown);
	assert.deepEqual(await linesOf(output.written, 10, 3), shown);
	screen.unpaint('low');
	await settle();
	assert.deepEqual(await linesOf(output.written, 10, 3), ['012X 56789', 'abcdefghij', '']);
});

test('a change in one pane does not write the other', async t => {
	const {screen, output} = await open(t, 20, 2);
	const paint = (key: string, left: number, text: string) => {
		screen.paint(key, {
			top: 0, left, width: 10, lines: [text],
		});
	};

	paint('left', 0, 'left');
	paint('right', 10, 'right');
	await settle();
	const before = output.written.length;
	paint('right', 10, 'other');
	await settle();
	assert.deepEqual(output.written.slice(before), [update('\u001B[1;11Hother')]);
});

test('a resize draws everything anew, at the new size, once', async t => {
	const {screen, output, show} = await open(t);
	await show('header', 'row');
	const before = output.written.length;
	const sizes: number[] = [];
	screen.on('resize', () => {
		sizes.push(screen.columns, screen.rows);
		screen.inkStdout.write('narrow');
	});
	output.columns = 10;
	output.rows = 3;
	output.emit('resize');
	await settle();
	assert.deepEqual(sizes, [10, 3]);
	assert.deepEqual(output.written.slice(before), [update('\u001B[0m\u001B[2J\u001B[1;1Hnarrow')]);
	assert.equal(screen.inkStdout.columns, 10);
});

test('no line is wider than the terminal, no frame higher', async t => {
	const {output, show, screen} = await open(t, 8, 2);
	await show('123456789', danger('一二三四五六'), 'third');
	assert.deepEqual(screen.frame().map(line => withoutStyle(line)), ['12345678', '一二三四']);
	assert.deepEqual(await linesOf(output.written, 8, 2), ['12345678', '一二三四']);
	assert.ok(!output.written.join('').includes('\n'));
});

test('what Ink writes beside frames changes nothing', async t => {
	const {screen, show} = await open(t);
	await show('frame');
	assert.equal(await show('\u001B[?25h'), '');
	await new Promise<void>(resolve => {
		screen.inkStdout.write('', () => {
			resolve();
		});
	});
	assert.equal(screen.frame()[0], 'frame');
});

test('NO_COLOR takes the colours and leaves the attributes', async t => {
	const {screen, show} = await open(t, 20, 1, {NO_COLOR: '1'});
	await show('\u001B[1;31mone\u001B[22;39m \u001B[38;5;9mtwo\u001B[7mthree\u001B[0m');
	assert.equal(screen.frame()[0], '\u001B[1mone\u001B[22m two\u001B[7mthree\u001B[0m');
});

test('hostile text reaches the terminal as visible characters', async t => {
	const {output, show} = await open(t, 60, 1);
	const written = await show('a\u001B]0;title\u0007b\u001B[2Jc\u009B5md\re\u001B]52;c;ZXZpbA==\u001B\\f\u202Eg');
	assert.doesNotMatch(written.replaceAll(/\u001B\[[\d;?]*[A-Za-z]/g, ''), /[\u0000-\u001F\u007F-\u009F\u202E]/);
	assert.doesNotMatch(written, /\u001B\[2J/);
	const [line] = await linesOf(output.written, 60, 1);
	assert.equal(line, String.raw`a␛]0;title␇b␛[2Jc<009B>5md␍e␛]52;c;ZXZpbA==␛\f<202E>g`);
});

test('a character whose width is disputed does not move what follows it', async t => {
	const {output, screen} = await open(t, 20, 2);
	for (const [top, name] of ['👩‍👩‍👧‍👦', 'e\u0301🏳️‍🌈'].entries()) {
		screen.paint(name, {
			top, left: 2, width: 12, lines: [`${name}${top === 0 ? '      ' : '     '}|end`],
		});
	}

	await settle();
	const lines = await linesOf(output.written, 20, 2);
	const emulator = lines.map(line => line.slice(-4));
	assert.deepEqual(emulator, ['|end', '|end']);
	// The column, as the terminal counts it.
	assert.match(output.written.join(''), /\u001B\[5G {6}\|end/);
	assert.match(output.written.join(''), /\u001B\[6G {5}\|end/);
});

test('a wide character that a paint covers half leaves the same with any row before it', async t => {
	const wide = '\u001B[7m一二';
	const paint = {top: 0, left: 0, width: 1, lines: ['|']};
	const {output, screen, show} = await open(t, 12, 1);
	screen.paint('edge', paint);
	await show('e\u0301');
	await show(wide);
	const afresh = await open(t, 12, 1);
	afresh.screen.paint('edge', paint);
	await afresh.show(wide);
	assert.deepEqual(await emulate(output.written, 12, 1), await emulate(afresh.output.written, 12, 1));
});

const cell = fc.constantFrom('a', 'b', ' ', '│', '一', '…', '👍', 'e\u0301', '👩‍👩‍👧‍👦', '\u001B[31m', '\u001B[39m', '\u001B[7m', '\u001B[0m', '\u001B[1m');
const line = fc.array(cell, {maxLength: 16}).map(cells => cells.join(''));
const step = fc.oneof(
	fc.record({frame: fc.array(line, {maxLength: 7})}),
	fc.record({
		key: fc.constantFrom('p', 'q', 'r'),
		paint: fc.record({
			top: fc.nat(6), left: fc.nat(12), width: fc.integer({min: 1, max: 14}), lines: fc.array(line, {maxLength: 3}), layer: fc.nat(1),
		}),
	}),
	fc.record({unpaint: fc.constantFrom('p', 'q', 'r')}),
	fc.constant('turn' as const),
);

test('after any history the terminal shows what it would if it were drawn afresh', async () => {
	await fc.assert(fc.asyncProperty(fc.array(step, {maxLength: 14}), async steps => {
		const {screen, output} = await open({after: () => undefined}, 12, 6);
		for (const step of steps) {
			if (step === 'turn') {
				await settle();
			} else if ('frame' in step) {
				screen.inkStdout.write(step.frame.join('\n'));
			} else if ('paint' in step) {
				screen.paint(step.key, step.paint);
			} else {
				screen.unpaint(step.unpaint);
			}
		}

		await settle();
		const shown = await emulate(output.written, 12, 6);
		const before = output.written.length;
		screen.repaint();
		await settle();
		const afresh = await emulate(['\u001B[?7l', ...output.written.slice(before)], 12, 6);
		const meant = screen.frame().map(text => withoutStyle(text).trimEnd());
		await screen.close();
		assert.deepEqual(shown.cells, afresh.cells);
		if (!/[一👍👩]/u.test(meant.join(''))) {
			assert.deepEqual(shown.lines, meant);
		}
	}), {numRuns: 200});
});

const narrow = fc.array(fc.oneof({weight: 12, arbitrary: fc.constantFrom('a', 'b', 'c', ' ', '·')}, {weight: 1, arbitrary: fc.constantFrom('\u001B[31m', '\u001B[7m', '\u001B[0m', '\u001B[1m')}), {maxLength: 90}).map(cells => cells.join(''));
/** A row, and what becomes of it: most of it stays. */
const changing = fc.tuple(narrow, fc.array(fc.tuple(fc.nat(80), fc.constantFrom('x', 'yy', '\u001B[31mz\u001B[0m', '\u001B[7m \u001B[0m')), {maxLength: 5})).map(([row, changes]) => {
	let changed = row;
	for (const [place, text] of changes) {
		changed = changed.slice(0, place) + text + changed.slice(place + 1);
	}

	return [row, changed] as const;
});

test('a row of which parts change here and there looks as if it were drawn afresh, and takes no more than that', async () => {
	let [parts, whole] = [0, 0];
	await fc.assert(fc.asyncProperty(fc.array(changing, {minLength: 1, maxLength: 4}), async rows => {
		const {screen, output, show} = await open({after: () => undefined}, 80, 5);
		await show(...rows.map(([row]) => row));
		parts += (await show(...rows.map(([, changed]) => changed))).length;
		const shown = await emulate(output.written, 80, 5);
		const before = output.written.length;
		screen.repaint();
		await settle();
		const afresh = output.written.slice(before);
		whole += afresh.join('').length;
		await screen.close();
		assert.deepEqual(shown.cells, (await emulate(['\u001B[?7l', ...afresh], 80, 5)).cells);
	}), {numRuns: 150});
	assert.ok(parts < whole, `${parts} bytes where ${whole} draw it all`);
});
