// A stack of combining marks on one character runs over the lines around it: it is counted on the way out, and refused in names on the way in.
import assert from 'node:assert/strict';
import {PassThrough} from 'node:stream';
import {test} from 'node:test';
import fc from 'fast-check';
import {prepareLine} from '../source/console/terminal/line.ts';
import {marksTooMany, quoted, visible} from '../source/core/text.ts';
import {colonySpec, computerSpec, parseInput} from '../source/operations/index.ts';
import {createLog} from '../source/server/log.ts';

const stacked = `e${'\u0301'.repeat(80)}`;

test('eight marks stay on a character, and those beyond are counted', () => {
	assert.equal(visible(stacked), `e${'\u0301'.repeat(8)}<+72>`);
	assert.equal(visible(`e${'\u0301'.repeat(8)}x`), `e${'\u0301'.repeat(8)}x`);
	assert.equal(marksTooMany(stacked), 80);
	assert.equal(marksTooMany('ộ the quick'), undefined);
	for (const text of ['👩‍👩‍👧‍👦👍🏽🇸🇪1️⃣', 'ที่นี่ก็', 'ก็้', 'שָׁלוֹם', 'ṩ̣̇', 'हिन्दी क्ष्म्य']) {
		assert.equal(visible(text), text);
	}

	assert.equal(visible('a\u200D\u0301\u200D\u0301\u200D\u0301\u200D\u0301\u200D\u0301'), 'a\u200D\u0301\u200D\u0301\u200D\u0301\u200D\u0301<+2>');
	assert.equal(quoted(stacked), `"e${'\u0301'.repeat(8)}<+72>"`);
});

test('whatever a text is made of, what is shown of it has no more, and showing it again changes nothing', () => {
	const part = fc.constantFrom('a', '漢', '\u0301', '\u200D', '\u{1F3FD}', '\u0E49', '\uFE0F', '\uFF9E', '\u001B', '👩');
	fc.assert(fc.property(fc.array(part, {maxLength: 60}), parts => {
		const shown = visible(parts.join(''));
		assert.equal(marksTooMany(shown), undefined);
		assert.equal(visible(shown), shown);
		assert.equal(marksTooMany(prepareLine(parts.join(''), 100, {colour: true}).text), undefined);
	}));
});

test('a colony and a computer may not be called so', () => {
	for (const spec of [colonySpec, computerSpec]) {
		const input = {name: stacked, ...(spec === computerSpec ? {cores: 1, mem: 1} : {})};
		assert.throws(() => parseInput(spec, input), (error: Error) => error.message.includes('must not have more than 8 combining marks on one character (it has 80)'));
	}
});

test('the log of a server has no more of them either', () => {
	const stream = new PassThrough();
	createLog(stream).say(`Opened ${stacked}\u202E.`);
	const {msg} = JSON.parse(String(stream.read())) as {msg: string};
	assert.equal(msg, `Opened e${'\u0301'.repeat(8)}<+72><202E>.`);
});
