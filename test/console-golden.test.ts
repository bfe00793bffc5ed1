// Every screen, overlay and state of the console as it looks at four sizes, drawn by the very components. What looks otherwise now is shown, and written anew with GOLDEN=write.
import assert from 'node:assert/strict';
import {
	existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {keyedOverlays} from '../source/console/keymap/binding.ts';
import {screenNames} from '../source/console/state.ts';
import {widthOf} from '../source/console/terminal/width.ts';
import {
	FixedConsole, goldenOverlays, goldenPlaces, goldenScreens, goldenSizes, goldenText,
} from './support/golden-frames.ts';

const folder = path.join(import.meta.dirname, 'golden');
const isWriting = process.env.GOLDEN === 'write';
const anew = 'Look at what has changed; if it is meant so, write it anew: GOLDEN=write npm test -- console-golden';

const fileOf = (name: string): string => `${name.replaceAll(/\W+/g, '-')}.txt`;

if (isWriting) {
	mkdirSync(folder, {recursive: true});
}

for (const [name, place] of goldenPlaces) {
	test(name, () => {
		const file = path.join(folder, fileOf(name));
		const text = goldenText(place);
		for (const [columns, rows] of goldenSizes) {
			const lines = place(columns, rows).frame().split('\n');
			assert.ok(lines.length <= rows, `${lines.length} lines on ${columns}×${rows}`);
			assert.deepEqual(lines.filter(line => widthOf(line) > columns), [], `${columns}×${rows}`);
		}

		if (isWriting) {
			writeFileSync(file, text);
		}

		assert.ok(existsSync(file), `"${name}" has no golden frames yet. ${anew}`);
		assert.equal(text, readFileSync(file, 'utf8'), anew);
	});
}

test('every screen and every kind of overlay has its frames, and no file is left over', () => {
	// The types say the same; this says it also where nobody checks them.
	assert.deepEqual(Object.keys(goldenScreens).sort(), [...screenNames].sort(), 'Add it to goldenScreens of test/support/golden-frames.ts.');
	assert.deepEqual(keyedOverlays.filter(kind => !(kind in goldenOverlays)), [], 'Add it to goldenOverlays of test/support/golden-frames.ts.');
	for (const [kind, ways] of Object.entries(goldenOverlays)) {
		for (const [name, way] of Object.entries(ways)) {
			const console = new FixedConsole(120, 36).opened();
			way(console);
			assert.equal(console.top?.kind, kind, name);
		}
	}

	for (const [screen, ways] of Object.entries(goldenScreens)) {
		for (const [name, way] of Object.entries(ways)) {
			const console = new FixedConsole(120, 36).opened();
			way(console);
			assert.deepEqual([console.state.screen, console.top], [screen, undefined], name);
		}
	}

	const expected = new Set([...goldenPlaces.keys()].map(name => fileOf(name)));
	for (const file of readdirSync(folder).filter(file => !expected.has(file))) {
		if (isWriting) {
			rmSync(path.join(folder, file));
		} else {
			assert.fail(`test/golden/${file} is of no place any more. ${anew}`);
		}
	}
});
