// The console can be read on a white and on a black terminal, and on one that knows ASCII only.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {wantsAscii} from '../source/core/ascii.ts';
import {toAscii} from '../source/console/terminal/ascii.ts';
import {prepareLine} from '../source/console/terminal/line.ts';
import {
	accent, bold, danger, inverse, success, textColours, warning,
} from '../source/console/terminal/style.ts';
import {widthOf} from '../source/console/terminal/width.ts';
import {hostileTexts} from './support/console-states.ts';
import {goldenPlaces} from './support/golden-frames.ts';
import {openTerminal, sane} from './support/terminal.ts';

/** The sixteen base colours as xterm has them, in their SGR codes. */
const palette: Readonly<Record<number, readonly [number, number, number]>> = {
	30: [0, 0, 0], 31: [205, 0, 0], 32: [0, 205, 0], 33: [205, 205, 0], 34: [0, 0, 238], 35: [205, 0, 205], 36: [0, 205, 205], 37: [229, 229, 229],
	90: [127, 127, 127], 91: [255, 0, 0], 92: [0, 255, 0], 93: [255, 255, 0], 94: [92, 92, 255], 95: [255, 0, 255], 96: [0, 255, 255], 97: [255, 255, 255],
};

/** Relative luminance, WCAG 2.2. */
function luminance(colour: readonly [number, number, number]): number {
	const [r, g, b] = colour.map(value => value / 255).map(value => value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4) as [number, number, number];
	return (0.2126 * r) + (0.7152 * g) + (0.0722 * b);
}

/** Contrast ratio, WCAG 2.2: 3 is the least for what must be made out. */
function contrast(one: readonly [number, number, number], other: readonly [number, number, number]): number {
	const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
	return (light + 0.05) / (dark + 0.05);
}

test('every base colour that text is written in is readable on white and on black', () => {
	const [white, black] = [[255, 255, 255], [0, 0, 0]] as const;
	assert.ok(contrast(palette[33]!, white) < 2 && contrast(palette[34]!, black) < 3, 'Yellow vanishes on white, blue on black.');
	for (const [name, code] of Object.entries(textColours)) {
		for (const ground of [white, black]) {
			assert.ok(contrast(palette[code]!, ground) >= 3, `${name} on ${String(ground)}: ${contrast(palette[code]!, ground).toFixed(2)}`);
		}
	}

	const used = new Set(Object.values(textColours).map(code => `\u001B[${code}m`));
	for (const style of [danger, warning, success, accent]) {
		assert.ok(used.has(style('x').split('x')[0]!), style('x'));
	}
});

test('a locale that is not UTF-8 asks for ASCII, and none at all does not', () => {
	const envOf = (text: string): NodeJS.ProcessEnv => Object.fromEntries(text.split(' ').filter(Boolean).map(pair => pair.split('=') as [string, string]));
	for (const text of ['LC_ALL=C', 'LC_ALL=POSIX', 'LC_ALL=C LANG=en_US.UTF-8', 'LANG=en_US.ISO-8859-1', 'LC_CTYPE=C LANG=en_US.UTF-8']) {
		assert.equal(wantsAscii(envOf(text), 'linux'), true, text);
		assert.equal(wantsAscii(envOf(text), 'win32'), false, text);
	}

	for (const text of ['', 'LC_ALL= LANG=', 'LANG=en_US.UTF-8', 'LANG=C.utf8', 'LC_CTYPE=UTF-8', 'LC_ALL=C.UTF-8 LANG=C']) {
		assert.equal(wantsAscii(envOf(text), 'linux'), false, text);
	}
});

test('in ASCII every frame keeps its cells, and every sign of the console has one that looks alike', () => {
	for (const [name, place] of goldenPlaces) {
		for (const line of place(100, 30).frame().split('\n')) {
			const {text} = prepareLine(line, 100, {colour: true, ascii: true});
			assert.match(text, /^[ -~]*$/, name);
			assert.equal(text.length, widthOf(line), `${name}: ${line}`);
			assert.equal(text.split('?').length - 1, (line.split('?').length - 1) + ((line.match(/[漢字]/g) ?? []).length * 2) + (line.split('␊').length - 1), `${name}: ${line}\n${text}`);
		}
	}

	assert.equal(toAscii(`┌─ ${danger('✗ failed')} ${bold('…')} ▁▂▃▄▅▆▇█ →`), `+- ${danger('x failed')} ${bold('~')} .:~=+*%# >`);
	assert.equal(toAscii('漢é👩‍👩‍👧e\u0301'), '??????');
});

test('what somebody else wrote is ASCII and harmless too', () => {
	for (const text of hostileTexts) {
		const line = prepareLine(`${inverse('> ')}${text}`, 60, {colour: false, ascii: true});
		assert.match(line.text.replaceAll(/\u001B\[2?7m/g, ''), /^[ -~]*$/);
		assert.ok(line.width <= 60);
	}
});

for (const [how, words, env] of [['--ascii', ['--ascii'], {}], ['LC_ALL=C', [], {LC_ALL: 'C'}]] as const) {
	test(`a terminal gets nothing but ASCII with ${how}`, async t => {
		const home = mkdtempSync(path.join(tmpdir(), 'colonies-ascii-'));
		const terminal = openTerminal({command: [process.execPath, path.resolve(import.meta.dirname, '..', 'dist', 'cli.js'), ...words], columns: 80, rows: 24, env: {COLONIES_HOME: home, ...env}});
		t.after(async () => {
			await terminal.close();
			rmSync(home, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
		});
		await terminal.until(/\+-{30,}/);
		terminal.press('q');
		assert.equal((await terminal.exit()).code, 0);
		assert.doesNotMatch(terminal.raw(), /[^\0-\u007F]/);
		assert.deepEqual(await terminal.sanity(), sane);
	});
}
