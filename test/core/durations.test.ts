import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {cellBounds, cellError, secondsOfCell} from '../../source/core/durations.ts';

test('cells begin at a millisecond, fifteen to each power of ten, and reach beyond ten years', () => {
	assert.equal(cellBounds.length, 174);
	assert.deepEqual(cellBounds.filter((_, index) => index % 15 === 0).slice(0, 4), [1000, 10_000, 100_000, 1_000_000]);
	assert.equal(cellBounds[1], 1166);
	assert.ok(cellBounds.at(-1)! > 315_360_000_000_000 && cellBounds.at(-2)! < 315_360_000_000_000);
	assert.ok(cellBounds.every((bound, index) => index === 0 || bound > cellBounds[index - 1]!));
});

test('what stands for a cell is near to each span in it', () => {
	assert.equal(cellError, 0.09);
	fc.assert(fc.property(fc.integer({min: 1000, max: 315_000_000_000_000}), microseconds => {
		const cell = cellBounds.filter(bound => bound <= microseconds).length;
		assert.ok(Math.abs((secondsOfCell(cell) * 1_000_000 / microseconds) - 1) <= cellError);
	}));
});

test('what stands for a cell has three digits', () => {
	assert.deepEqual([0, 1, 2, 46].map(cell => secondsOfCell(cell)), [0.0005, 0.001_08, 0.001_26, 1.08]);
});

test('all that is above the cells is counted as ten years', () => {
	const last = secondsOfCell(cellBounds.length);
	assert.equal(last, Number((cellBounds.at(-1)! / 1_000_000).toPrecision(3)));
});
