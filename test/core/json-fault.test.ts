import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {jsonFault} from '../../source/core/json-fault.ts';

const isJson = (text: string): boolean => {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
};

test('a text has a fault if and only if it is no JSON', () => {
	fc.assert(fc.property(fc.json(), text => {
		assert.equal(jsonFault(text), undefined);
		assert.equal(jsonFault(JSON.stringify(JSON.parse(text), undefined, '\t')), undefined);
	}));
	const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', '0', '01', '1.5', '1.', '.5', '1e5', '1e', '1E+2', 'true', 'false', 'null', 'nul', ' ', '\n', '\r', '\t', '\f', String.raw`"\n"`, String.raw`"\x"`, String.raw`"\u00e9"`, String.raw`"\u00g9"`, '"\u0001"', '"é"', 'x');
	fc.assert(fc.property(fc.array(pieces, {maxLength: 7}).map(parts => parts.join('')), text => {
		assert.equal(jsonFault(text) === undefined, isJson(text), text);
	}), {numRuns: 3000});
	for (const text of ['', ' ', '{}', '[]', '[1,2]', '{"a":1,"b":[{}]}', '[1,]', '{"a":1,}', '{,}', '[,1]', '{"a"}', '{"a":}', '{1:2}', '{"a":1 "b":2}', '[1 2]', '1 2', '[1}', '{"a":1]', ']', '}', ':', ',', '{"a":"b":"c"}', '["a":1]', '-', '-1', '00', '0.10', '1e', '1e+', '"\\', String.raw`"\"`, '"\t"', '[[[]]]', '[[[]]', '{"a":{"b":{}}}', '{"a":1,2}', '"a" "b"', '{"a" 1}', '{}{}', '[]]', '[],']) {
		assert.equal(jsonFault(text) === undefined, isJson(text), text);
	}
});

test('the fault is told by its line and column, in characters', () => {
	for (const [text, line, column] of [
		['', 1, 1],
		['{', 1, 2],
		['[1,]', 1, 4],
		['{"a": x}', 1, 7],
		['{"a":1,}', 1, 8],
		['{"a" "b"}', 1, 6],
		['["é👍", x]', 1, 8],
		['{\n\t"a": 1,\n\t"b" 2\n}', 3, 6],
		['[\r\n1,\r2,\nx]', 4, 1],
		['"abc', 1, 5],
		['["abc\n"]', 1, 6],
		[String.raw`["a\x"]`, 1, 4],
		['[1}', 1, 3],
		['{"a":1]', 1, 7],
		['[] []', 1, 4],
		['{"a":1 "b":2}', 1, 8],
		['{"a": "b" "c"}', 1, 11],
		['[1, "abc', 1, 9],
		['  ', 1, 3],
		['[\n', 2, 1],
	] as const) {
		assert.deepEqual(jsonFault(text), {line, column}, text);
	}
});
