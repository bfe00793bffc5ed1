import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	formatAge, formatClock, formatMoment, formatSeconds, formatSpan, formatTime, microseconds, milliseconds,
} from '../../source/core/time.ts';
import {unsetTime} from '../../source/core/types.ts';

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

/** A time on the wire from microseconds since 1970, made without the code under test. */
function toWire(value: bigint): string {
	const seconds = value >= 0n ? value / 1_000_000n : -((999_999n - value) / 1_000_000n);
	return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(value - (seconds * 1_000_000n)).padStart(6, '0')}Z`;
}

const moments = fc.bigInt(BigInt(Date.parse('0002-01-01T00:00:00Z')) * 1000n, BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n);

test('a time keeps its microseconds', () => {
	assert.equal(microseconds('2021-12-21T21:04:07.807378Z'), 1_640_120_647_807_378n);
	assert.equal(milliseconds('2021-12-21T21:04:07.807378Z'), 1_640_120_647_807);
	fc.assert(fc.property(moments, value => {
		assert.equal(microseconds(toWire(value)), value);
		assert.equal(milliseconds(toWire(value)), Number(value / 1000n));
	}));
});

test('times compare as their texts do', () => {
	fc.assert(fc.property(moments, moments, (left, right) => {
		assert.equal(microseconds(toWire(left))! < microseconds(toWire(right))!, toWire(left) < toWire(right));
	}));
});

test('other forms of RFC 3339 are read too', () => {
	assert.equal(microseconds('2021-12-22T08:23:45.369808389+01:00'), microseconds('2021-12-22T07:23:45.369808Z'));
	assert.equal(microseconds('2021-12-22T08:22:33.18657Z'), microseconds('2021-12-22T08:22:33.186570Z'));
	assert.equal(microseconds('2021-12-22T08:22:33Z'), microseconds('2021-12-22T08:22:33.000000Z'));
	assert.equal(microseconds(unsetTime), undefined);
	assert.equal(milliseconds(unsetTime), undefined);
});

test('a span is told in at most two units, and never as more than it is', () => {
	assert.deepEqual([-5, 0, 999, 1000, 59_999, 60_000, 724_000, 12_000_000, 187_200_000].map(span => formatSpan(span)), ['0s', '0s', '0s', '1s', '59s', '1m00s', '12m04s', '3h20m', '2d04h']);
	const units: Record<string, number> = {d: 86_400, h: 3600, m: 60, s: 1};
	fc.assert(fc.property(fc.nat(10 * 365 * 86_400 * 1000), span => {
		const text = formatSpan(span);
		assert.match(text, /^(?:\d+d\d\dh|\d+h\d\dm|\d+m\d\ds|\d+s)$/);
		const parts = [...text.matchAll(/(\d+)([dhms])/g)].map(([, value, unit]) => ({value: Number(value), unit: units[unit!]!}));
		const told = parts.reduce((sum, {value, unit}) => sum + (value * unit), 0);
		const rest = Math.floor(span / 1000) - told;
		assert.ok(rest >= 0 && rest < parts.at(-1)!.unit, text);
	}));
});

test('a moment is told by its time of day, and by its day where that is another one', () => {
	const now = Date.UTC(2026, 10, 24, 12);
	assert.equal(formatMoment('2026-11-24T09:41:07.123456Z', now, true), '09:41:07');
	assert.equal(formatMoment('2026-11-23T23:59:59.999999Z', now, true), '11-23 23:59');
	assert.equal(formatMoment('0001-01-01T00:00:00Z', now, true), '-');
});

const at = Date.UTC(2026, 10, 24, 9, 41, 7, 999);
const wire = '2026-11-24T09:41:07.999999Z';

/** Does something where the clocks go another way than UTC. */
function inZone(zone: string, act: () => void): void {
	const before = process.env.TZ;
	process.env.TZ = zone;
	try {
		act();
	} finally {
		if (before === undefined) {
			delete process.env.TZ;
		} else {
			process.env.TZ = before;
		}
	}
}

test('a time is told in UTC, or in the zone of this machine', () => {
	assert.deepEqual([formatClock(at, true), formatTime(wire, true)], ['09:41:07', '2026-11-24 09:41:07 UTC']);
	inZone('Asia/Kathmandu', () => {
		assert.deepEqual([formatClock(at, false), formatTime(wire, false)], ['15:26:07', '2026-11-24 15:26:07']);
		assert.equal(formatMoment(wire, Date.UTC(2026, 10, 24, 19), false), '11-24 15:26');
		assert.equal(formatMoment(wire, Date.UTC(2026, 10, 24, 18), false), '15:26:07');
	});
	inZone('America/St_Johns', () => {
		assert.equal(formatTime(wire, false), '2026-11-24 06:11:07');
	});
});

test('a time that is not set, or that no clock shows, is told as none', () => {
	assert.deepEqual([formatTime(unsetTime, true), formatAge(unsetTime, at), formatAge(undefined, at)], ['-', '-', '-']);
	const [first, last] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59Z')];
	assert.deepEqual([Number.NaN, Number.POSITIVE_INFINITY, first - 1, last + 1000].map(moment => formatClock(moment, true)), ['', '', '', '']);
	assert.deepEqual([first, last].map(moment => formatClock(moment, true)), ['00:00:00', '23:59:59']);
});

test('an age is the span since a time', () => {
	assert.deepEqual([formatAge(wire, at), formatAge(wire, at + 61_000), formatAge(wire, at - 5000)], ['0s', '1m01s', '0s']);
});

test('a time is told apart from another of today in hours, minutes and seconds', () => {
	assert.equal(formatMoment(wire, at, true), '09:41:07');
	assert.equal(formatMoment(wire, at + 86_400_000, true), '11-24 09:41');
	assert.equal(formatMoment(wire, Date.UTC(2025, 10, 24, 9, 41), true), '11-24 09:41');
});
