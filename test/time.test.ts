import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {formatSeconds} from '../source/core/time.ts';

const shown = (...spans: number[]): string[] => spans.map(seconds => formatSeconds(seconds));

test('a measured span changes its unit where the smaller one would round to a whole larger one', () => {
	assert.deepEqual(shown(0.9994, 0.9995, 1), ['999ms', '1s', '1s']);
	assert.deepEqual(shown(59.49, 59.5, 60), ['59s', '1m', '1m']);
	assert.deepEqual(shown(3569, 3570, 3600), ['59m', '1h', '1h']);
	assert.deepEqual(shown(84_599, 84_600, 86_400), ['23h', '1d', '1d']);
});

test('a measured span has one decimal below ten and none above', () => {
	assert.deepEqual(shown(1.04, 1.05, 9.94, 9.95, 10.4), ['1s', '1.1s', '9.9s', '10s', '10s']);
	assert.deepEqual(shown(90, 570, 597, 5400, 129_600), ['1.5m', '9.5m', '10m', '1.5h', '1.5d']);
	assert.deepEqual(shown(40 * 86_400, 400 * 86_400), ['40d', '400d']);
});

test('a measured span below a millisecond is told apart from none', () => {
	assert.deepEqual(shown(0, 0.000_001, 0.000_499, 0.0005, 0.0015), ['0ms', '<1ms', '<1ms', '1ms', '2ms']);
});

test('no measured span reads as a full larger unit', () => {
	fc.assert(fc.property(fc.double({min: 0, max: 3e8, noNaN: true}), seconds => {
		assert.doesNotMatch(formatSeconds(seconds), /^(?:1000ms|60s|60m|24h)$/);
	}));
});
