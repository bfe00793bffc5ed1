import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {ColoniesError} from '../source/core/errors.ts';
import {parseFilter, parseSpan, type Filter} from '../source/core/filter.ts';
import {formatSpan} from '../source/core/time.ts';

const refuses = (work: () => unknown, pattern: RegExp): void => {
	assert.throws(work, (error: unknown) => error instanceof ColoniesError && error.code === 'invalid-input' && Boolean(error.hint) && pattern.test(error.message));
};

test('a span is read in seconds', () => {
	const spans: Record<string, number> = {'0s': 0, '90s': 90, '5m': 300, '1h30m': 5400, '2d': 172_800, '1d2h3m4s': 93_784, '1.5h': 5400, '0.5s': 0.5};
	assert.deepEqual(Object.fromEntries(Object.keys(spans).map(text => [text, parseSpan(text)])), spans);
});

test('a span that is told can be read again', () => {
	fc.assert(fc.property(fc.nat(10 * 365 * 86_400), seconds => {
		const text = formatSpan(seconds * 1000);
		assert.equal(formatSpan(parseSpan(text) * 1000), text);
	}));
});

test('what is no span is refused with an example', () => {
	for (const text of ['', '5', 'm', '5x', '-5m', '5m ', ' 5m', '5 m', '1h-30m', '5M', '1,5h', '.5h', '5.m', '1e3s', 'Infinitys', '5m5']) {
		refuses(() => parseSpan(text), /is no span of time/);
	}
});

test('a filter is read term by term', () => {
	const filters: Record<string, Filter> = {
		'': {},
		'   ': {},
		train: {text: 'train'},
		'two  words': {text: 'two words'},
		'type:gpu': {computertype: 'gpu'},
		'computer:4c60': {computerid: '4c60'},
		'age>5m': {olderthan: 300},
		'age>=5m': {olderthan: 300},
		'wait>90s': {olderthan: 90},
		'age<1h': {youngerthan: 3600},
		'wait<=1h30m': {youngerthan: 5400},
		'key=value': {attribute: 'key=value'},
		'out.key=a=b': {attribute: 'key=a=b'},
		'key=': {attribute: 'key='},
		'=value': {text: '=value'},
		'type:a type:b': {computertype: 'b'},
		'type:gpu age>5m\ttest key=value age<1d': {computertype: 'gpu', olderthan: 300, youngerthan: 86_400, text: 'test', attribute: 'key=value'},
	};
	for (const [text, filter] of Object.entries(filters)) {
		assert.deepEqual(parseFilter(text), filter, text);
	}
});

test('a term without a value, or with a wrong one, is refused', () => {
	for (const text of ['type:', 'x computer:', 'age>', 'wait<=']) {
		refuses(() => parseFilter(text), /has no value/);
	}

	refuses(() => parseFilter('type:gpu age>soon'), /"soon" is no span/);
});

const word = fc.string({unit: fc.constantFrom(...'abcxyz0189_-'), minLength: 1, maxLength: 8});

test('the order of different terms and the space between them do not matter', () => {
	const terms = fc.record({
		computertype: word, computerid: word, olderthan: fc.nat(999), youngerthan: fc.nat(999), attribute: fc.tuple(word, word).map(([key, value]) => `${key}=${value}`), text: word,
	}, {requiredKeys: [], noNullPrototype: true});
	const written: Record<string, (value: any) => string> = {
		computertype: value => `type:${value}`, computerid: value => `computer:${value}`, olderthan: value => `age>${value}s`, youngerthan: value => `age<${value}s`, attribute: String, text: String,
	};
	fc.assert(fc.property(terms, fc.infiniteStream(fc.nat()), fc.constantFrom(' ', '  ', '\t'), (filter, random, space) => {
		const parts = Object.entries(filter).map(([name, value]) => ({text: written[name]!(value), at: random.next().value as number}));
		const text = parts.sort((left, right) => left.at - right.at).map(part => part.text).join(space);
		assert.deepEqual(parseFilter(`${space}${text}${space}`), filter);
	}));
});

test('a filter is read or refused, whatever is typed', () => {
	fc.assert(fc.property(fc.oneof(fc.string(), fc.string({unit: fc.constantFrom(...'type:age><=.5mhs =')})), text => {
		try {
			parseFilter(text);
		} catch (error) {
			assert.ok(error instanceof ColoniesError && error.code === 'invalid-input');
		}
	}));
});
