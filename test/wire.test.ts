import assert from 'node:assert/strict';
import {test} from 'node:test';
import {type AnyOperation, decodeRequest, encodeCall, operations, parseInput} from '../source/operations/index.ts';

const colonyid = 'ab'.repeat(32);

test('what was checked before it is sent says the same when it has come: a filter, an attribute, a moment', () => {
	const operation: AnyOperation = operations['process.list'];
	for (const given of [
		{filter: 'state:failed ended<1d -type:"a b" cores>=4 wörd err~"out of"'},
		{filter: ''},
		{attribute: 'key=a=b &+'},
		{at: '-5m', count: 3, reversed: true, attributes: false},
	]) {
		const value = parseInput(operation.input, {colonyid, ...given});
		const {target} = encodeCall(operation, value);
		const query = Object.fromEntries(new URL(target, 'https://localhost').searchParams);
		const decoded = decodeRequest(operation, operation.route, {path: {colonyid}, query, body: undefined}, {most: 1});
		assert.ok('input' in decoded);
		assert.deepEqual(parseInput(operation.input, decoded.input), value);
	}
});
