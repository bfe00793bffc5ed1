import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {distance, nearest, suggestion} from '../../source/core/nearest.ts';

test('a distance counts letters that are added, left out, replaced, or swapped with a neighbor', () => {
	for (const [one, other, away] of [
		['', '', 0],
		['', 'abc', 3],
		['abc', '', 3],
		['submit', 'submit', 0],
		['submit', 'submti', 1],
		['submit', 'subit', 1],
		['submit', 'sumbit', 1],
		['submit', 'xsubmit', 1],
		['submit', 'submat', 1],
		['kitten', 'sitting', 3],
		['ab', 'ba', 1],
		['abcd', 'badc', 2],
		['ca', 'abc', 3],
		['aab', 'aba', 1],
		['state', 'status', 2],
	] as const) {
		assert.equal(distance(one, other), away, `${one} ${other}`);
	}

	const word = fc.string({unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6});
	fc.assert(fc.property(word, word, (one, other) => {
		assert.equal(distance(one, other), distance(other, one));
		assert.ok(distance(one, other) >= Math.abs(one.length - other.length) && distance(one, other) <= Math.max(one.length, other.length));
		assert.equal(distance(one, other) === 0, one === other);
	}));
});

test('the nearest of some words is what was meant, if it is near enough', () => {
	const words = ['state', 'status', 'submit', 'id', 'type', 'maxretries'];
	assert.equal(nearest('stat', words), 'state');
	assert.equal(nearest('STATE', words), 'state');
	assert.equal(nearest('submti', words), 'submit');
	assert.equal(nearest('tipe', words), 'type');
	assert.equal(nearest('tiep', words), undefined, 'four letters may have one wrong');
	assert.equal(nearest('sbumti', words), 'submit', 'more may have two');
	assert.equal(nearest('sbutix', words), undefined);
	assert.equal(nearest('abcdxyz', ['abcdefg']), undefined);
	assert.equal(nearest('abcdexyz', ['abcdefgh']), 'abcdefgh', 'eight or more may have three');
	assert.equal(nearest('abcdwxyz', ['abcdefgh']), undefined);
	assert.equal(nearest('i', ['id']), 'id');
	assert.equal(nearest('x', []), undefined);
});

test('the beginning of a word means it, if nothing else is near', () => {
	assert.equal(nearest('max', ['state', 'maxretries']), 'maxretries');
	assert.equal(nearest('MAX', ['state', 'maxretries', 'maxwait']), 'maxretries');
	assert.equal(nearest('m', ['state', 'maxretries']), undefined);
	assert.equal(nearest('retries', ['maxretries']), undefined);
	assert.equal(nearest('sub', ['sum', 'submit']), 'sum');
	assert.equal(nearest('x'.repeat(41), [`${'x'.repeat(40)}y`]), `${'x'.repeat(40)}y`);
});

test('of a very long word only the first 40 letters are looked at', () => {
	assert.equal(nearest('x'.repeat(50), ['x'.repeat(40)]), 'x'.repeat(40));
});

test('of an unknown name it is said what was meant, or what there is', () => {
	assert.equal(suggestion('stat', ['id', 'state']), 'Did you mean state?');
	assert.equal(suggestion('x', ['id', 'state']), 'Known: id, state.');
	assert.equal(suggestion('x', []), 'None is expected.');
});
