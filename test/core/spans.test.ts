import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ColoniesError} from '../../source/core/errors.ts';
import {parseSpan, printSpan} from '../../source/core/spans.ts';

test('a span is read in seconds, minutes, hours and days together', () => {
	assert.deepEqual(['0s', '90s', '5m', '1h30m', '2d', '1d1h1m1s', '0.5s', '1.25h', '0.000001s', '0.0000004s'].map(text => parseSpan(text)), [0, 90, 300, 5400, 172_800, 90_061, 0.5, 4500, 0.000_001, 0]);
	assert.equal(parseSpan('365000d'), 31_536_000_000);
});

test('what is no span is refused, with how to write one', () => {
	for (const wrong of ['', '5', 'm', '5x', '5m ', ' 5m', '5 m', '-5m', '1.s', '.5s', '5M', '5mm', '365000d1s', 'x5m', '5mx3s']) {
		assert.throws(() => parseSpan(wrong), (error: unknown) => error instanceof ColoniesError && error.code === 'invalid-input' && error.message === `"${wrong}" is no span of time.` && error.hint === 'Write 90s, 5m, 1h30m or 2d.', wrong);
	}
});

test('a span is printed in the largest units that are whole', () => {
	assert.deepEqual([0, 1, 59, 60, 61, 3600, 5400, 86_400, 90_061, 172_800, 0.5, 90.5].map(seconds => printSpan(seconds)), ['0s', '1s', '59s', '1m', '1m1s', '1h', '1h30m', '1d', '1d1h1m1s', '2d', '0.5s', '90.5s']);
});
