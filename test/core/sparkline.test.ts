import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sparkline} from '../../source/core/sparkline.ts';

test('the greatest value has the highest block, the least above zero the lowest, and zero none', () => {
	assert.equal(sparkline([0, 1, 2, 4, 8], 5), ' ▁▂▄█');
	assert.equal(sparkline([0.001, 100], 2), '▁█');
	assert.equal(sparkline([12.5, 12.6, 100], 3), '▁▂█');
	assert.equal(sparkline([0, 0], 2), '  ');
	assert.equal(sparkline([-1, 2], 2), ' █');
});

test('where there are more values than characters, each stands for the greatest of its share', () => {
	assert.equal(sparkline([0, 8, 1, 0, 4, 2], 3), '█▁▄');
	assert.equal(sparkline([1, 2, 3, 4, 5, 6, 7], 2), '▄█');
	assert.equal(sparkline([1, 2], 80), '▄█');
	assert.deepEqual([0, -5, 1.9].map(width => sparkline([1, 2, 3, 4], width)), ['', '', '█']);
	assert.equal(sparkline([], 5), '');
});

test('what the highest block stands for can be said', () => {
	assert.equal(sparkline([1, 2, 4], 3, 8), '▁▂▄');
	assert.equal(sparkline([16], 1, 8), '█');
	assert.equal(sparkline([1], 1, 0), ' ');
});
