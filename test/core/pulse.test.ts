import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ColoniesError} from '../../source/core/errors.ts';
import {
	levelFor, pulseLevels, pulseLimits, pulseSpans, type PulseStep, pulseStepNames, pulseSteps, stepFor,
} from '../../source/core/pulse.ts';
import {parseSpan} from '../../source/core/spans.ts';

const [minute, hour, day] = [60, 3600, 86_400];

test('each level of the history is a multiple of the finer one, and is kept longer', () => {
	for (const [index, {level, kept}] of pulseLevels.entries()) {
		const finer = pulseLevels[index - 1];
		assert.ok(finer === undefined || (level % finer.level === 0 && level > finer.level && kept > finer.kept));
	}

	assert.deepEqual(pulseLevels.map(({level, kept}) => [level, kept / hour]), [[10, 3], [minute, 48], [15 * minute, 240], [2 * hour, 9600]]);
});

test('a step is called what it is long', () => {
	for (const name of pulseStepNames) {
		assert.equal(pulseSteps[name], parseSpan(name));
	}

	assert.deepEqual(pulseStepNames.length, 10);
	assert.deepEqual(pulseLimits, {shortest: 60, longest: 366 * day, buckets: 500, wanted: 120});
});

test('a span has the shortest step that needs at most 120 buckets', () => {
	assert.deepEqual([minute, 20 * minute, (20 * minute) + 1, 2 * hour, (2 * hour) + 1, 10 * hour, 30 * hour, 60 * hour, 5 * day, 10 * day, 30 * day, 60 * day, 120 * day, 366 * day].map(span => stepFor(span)), [
		'10s', '10s', '1m', '1m', '5m', '5m', '15m', '30m', '1h', '2h', '6h', '12h', '1d', '1d',
	]);
});

test('every span that the console offers can be told in its own step', () => {
	for (const span of pulseSpans) {
		assert.ok(levelFor(parseSpan(span), stepFor(parseSpan(span))) > 0);
	}
});

test('a step is made of the coarsest level that goes into it', () => {
	assert.deepEqual(pulseStepNames.map(name => levelFor(hour, name)), [10, 60, 60, 900, 900, 900, 7200, 7200, 7200, 7200]);
});

const refusal = (span: number, step: PulseStep): [string, string | undefined] => {
	try {
		levelFor(span, step);
	} catch (error) {
		assert.ok(error instanceof ColoniesError && error.code === 'invalid-input');
		return [error.message, error.hint];
	}

	return assert.fail(`${span} in ${step} was taken.`);
};

test('a step that would need too many buckets is refused, with one that fits', () => {
	assert.equal(levelFor(5000, '10s'), 10);
	assert.deepEqual(refusal(5001, '10s'), ['A span of 1h23m has 501 steps of 10s; an answer has at most 500.', 'Leave out the step, or take 1m.']);
	assert.equal(levelFor(500 * minute, '1m'), 60);
	assert.deepEqual(refusal(30 * day, '1h')[0], 'A span of 30d00h has 720 steps of 1h; an answer has at most 500.');
});

test('a step that is not kept for so long is refused', () => {
	assert.equal(levelFor(47 * hour, '30m'), 900);
	assert.equal(levelFor((10 * day) - hour, '30m'), 900);
	assert.deepEqual(refusal((10 * day) - hour + 1, '30m'), ['Steps of 30m are kept for 9d23h, not for 9d23h.', 'Leave out the step, or take 2h.']);
});
