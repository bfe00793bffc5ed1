import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	readAgo, readMoment, readTime, timeOf,
} from '../../source/core/moments.ts';
import {microseconds} from '../../source/core/time.ts';

const first = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1000n;
const last = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n;

test('microseconds since 1970 and a wire time stand for each other', () => {
	fc.assert(fc.property(fc.bigInt(first + 1n, last), moment => {
		assert.equal(microseconds(timeOf(moment)), moment);
	}));
	assert.deepEqual([0n, 1n, -1n, 999_999n, -1_000_000n, -1_000_001n].map(moment => timeOf(moment)), [
		'1970-01-01T00:00:00.000000Z', '1970-01-01T00:00:00.000001Z', '1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00.999999Z', '1969-12-31T23:59:59.000000Z', '1969-12-31T23:59:58.999999Z',
	]);
});

test('a time of RFC 3339 becomes one in UTC, with microseconds', () => {
	for (const [text, time] of [
		['2026-03-02T14:05:30Z', '2026-03-02T14:05:30.000000Z'],
		['2026-03-02t14:05:30z', '2026-03-02T14:05:30.000000Z'],
		['2026-03-02T14:05:30.1234567Z', '2026-03-02T14:05:30.123456Z'],
		['2026-03-02T14:05:30.123456789+01:00', '2026-03-02T13:05:30.123456Z'],
		['2026-03-02T14:05:30-00:30', '2026-03-02T14:35:30.000000Z'],
		['0001-01-01T00:00:00.000001Z', '0001-01-01T00:00:00.000001Z'],
		['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
	] as const) {
		assert.equal(readTime(text), time, text);
	}
});

test('what is no time of RFC 3339 is read as none', () => {
	for (const wrong of [
		'',
		'soon',
		'2026-03-01',
		'2026-03-01T14:05:00',
		'2026-03-01 14:05:00Z',
		'2026-03-01T14:05Z',
		'2026-13-01T00:00:00Z',
		'2026-01-01T25:00:00Z',
		'0000-01-01T00:00:00Z',
		'0001-01-01T00:00:00+01:00',
		'0001-01-01T00:00:00Z',
		'9999-12-31T23:59:59-01:00',
		'-5m',
		'2026-03-02T14:05:30.1234567890Z',
		'2026-03-02T14:05:30.Z',
		'x2026-03-02T14:05:30Z',
		'2026-03-02T14:05:30Zx',
		'2026-03-02T14:05:30+0100',
		'12026-03-02T14:05:30Z',
		'2026-03-02T14:05:30+1:00',
	]) {
		assert.equal(readTime(wrong), undefined, wrong);
	}
});

test('a span before now is read in seconds, up to ten years', () => {
	assert.deepEqual(['-5m', '-1h30m', '-2d', '-0.5s', '-90s', '-0s', '-1.25m', '-3650d', '-0.000001s', '-10s'].map(text => readAgo(text)), [300, 5400, 172_800, 0.5, 90, 0, 75, 315_360_000, 0.000_001, 10]);
	for (const wrong of ['', '5m', '-', '-5', '-m', '-5x', '-5m ', 'x-5m', '-3650d1s', '-3651d', '-.5s', '-5.s', '-0.1234567s', '-1234567890s', '--5m', '-5m x']) {
		assert.equal(readAgo(wrong), undefined, wrong);
	}
});

for (const utc of [true, false]) {
	const date = (year: number, month: number, day: number, hours = 0, minutes = 0, seconds = 0): number => utc ? Date.UTC(year, month - 1, day, hours, minutes, seconds) : new Date(year, month - 1, day, hours, minutes, seconds).getTime();
	const time = (milliseconds: number, fraction = '000000'): string => `${new Date(milliseconds).toISOString().slice(0, -5)}.${fraction}Z`;
	const now = date(2026, 3, 1, 14, 5, 30);
	const read = (text: string): string | undefined => readMoment(text, {now, utc});

	test(`a moment is read from a clock ${utc ? 'in UTC' : 'on the wall'}`, () => {
		assert.equal(read('2026-02-28'), time(date(2026, 2, 28)));
		assert.equal(read('2026-02-28 1:02'), time(date(2026, 2, 28, 1, 2)));
		assert.equal(read('2026-02-28T23:59'), time(date(2026, 2, 28, 23, 59)));
		assert.equal(read(' 2026-02-28 23:59:58 '), time(date(2026, 2, 28, 23, 59, 58)));
		assert.equal(read('2026-02-28 23:59:59.25'), time(date(2026, 2, 28, 23, 59, 59), '250000'));
		assert.equal(read('2026-02-28 23:59:59.123456'), time(date(2026, 2, 28, 23, 59, 59), '123456'));
		assert.equal(read('2030-01-01'), time(date(2030, 1, 1)), 'whether it has been is for the database to say');
		assert.equal(read('2021-12-21T21:04:07.807378Z'), '2021-12-21T21:04:07.807378Z');
		assert.equal(read(' -1h30m '), '-1h30m');
	});

	test(`a time of day alone is the last that has been on a clock ${utc ? 'in UTC' : 'on the wall'}`, () => {
		assert.equal(read('14:05:30'), time(now));
		assert.equal(read('14:05'), time(date(2026, 3, 1, 14, 5)));
		assert.equal(read('9:00:01'), time(date(2026, 3, 1, 9, 0, 1)));
		assert.equal(read('14:05:31'), time(date(2026, 2, 28, 14, 5, 31)));
		assert.equal(read('23:59:59.5'), time(date(2026, 2, 28, 23, 59, 59), '500000'));
		assert.equal(read('0:00'), time(date(2026, 3, 1)));
	});

	test(`what no clock ${utc ? 'in UTC' : 'on the wall'} shows is read as none`, () => {
		for (const wrong of ['', 'x', '25:00', '24:00', '14:60', '14:05:60', '2026-02-30', '2026-13-01', '2026-00-10', '2026-02-28 24:00', '2026-02-28 12:60', '5m', '-5', '-', '-5m ago', '-4000d', '14', '14:5', '2026-2-3', '2026-02-2814:05', 'x14:05', '14:05x', '14:05:30.1234567', '114:05', '2026-02-28x14:05', '2026-02-28 ']) {
			assert.equal(read(wrong), wrong === '2026-02-28 ' ? time(date(2026, 2, 28)) : undefined, wrong);
		}
	});
}
