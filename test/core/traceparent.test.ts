import assert from 'node:assert/strict';
import {test} from 'node:test';
import {readTraceparent, writeTraceparent} from '../../source/core/traceparent.ts';

const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

test('a traceparent is read and written', () => {
	for (const [text, traceFlags] of [[`00-${traceId}-${spanId}-01`, 1], [`00-${traceId}-${spanId}-00`, 0], [`00-${traceId}-${spanId}-ff`, 255]] as const) {
		assert.deepEqual(readTraceparent(text), {traceId, spanId, traceFlags});
		assert.equal(writeTraceparent(readTraceparent(text)!), text);
	}
});

test('of a later version what is known is read', () => {
	for (const text of [`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-03-what-comes-after`]) {
		assert.equal(writeTraceparent(readTraceparent(text)!), `00-${traceId}-${spanId}-01`);
	}
});

test('what is no traceparent is not read', () => {
	const wrong = [
		'',
		'x',
		`00-${traceId}-${spanId}`,
		`00-${traceId}-${spanId}-1`,
		`ff-${traceId}-${spanId}-01`,
		`00-${'0'.repeat(32)}-${spanId}-01`,
		`00-${traceId}-${'0'.repeat(16)}-01`,
		`00-${traceId}-${spanId}-01-more`,
		`00-${traceId.toUpperCase()}-${spanId}-01`,
		`00-${traceId}-${spanId}-01\n`,
		` 00-${traceId}-${spanId}-01`,
		`01-${traceId}-${spanId}-01.more`,
		`00-${traceId}-${spanId}-0g`,
	];
	for (const text of wrong) {
		assert.equal(readTraceparent(text), undefined, JSON.stringify(text));
	}
});
