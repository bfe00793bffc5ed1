import assert from 'node:assert/strict';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {keymap} from '../source/console/keymap.ts';
import {screens} from '../source/console/screens/index.ts';

const docs = path.resolve(import.meta.dirname, '..', 'docs');
const tour = readFileSync(path.join(docs, 'tour.md'), 'utf8');

test('every picture of the tour is there, and each that is there is shown', () => {
	const shown = Array.from(tour.matchAll(/]\(tour\/([\w-]+\.svg)\)/g), ([, name]) => name!);
	assert.deepEqual([...shown].sort(), readdirSync(path.join(docs, 'tour')).sort());
	for (const [, file] of tour.matchAll(/]\(([\w-]+\.md)\)/g)) {
		assert.ok(existsSync(path.join(docs, file!)), file);
	}
});

test('the tour presses keys that there are', () => {
	// Keys of forms and of the first menu stand in no key map.
	const keys = new Set([...keymap.flatMap(({chords}) => chords.map(chord => chord === ' ' ? 'space' : chord)), 'ctrl-s', 'y', '1', '2', '3']);
	const pressed = Array.from(tour.matchAll(/`([^`\s]|space|enter|esc|ctrl-\w)`/g), ([, key]) => key!);
	assert.ok(pressed.length > 30);
	assert.deepEqual(pressed.filter(key => !keys.has(key)), []);
	for (const [, digit, title] of tour.matchAll(/`(\d)` ([A-Z]\w+)/g)) {
		assert.ok(Object.values(screens).some(screen => screen.digit === digit && screen.title === title), `${digit} ${title}`);
	}
});
