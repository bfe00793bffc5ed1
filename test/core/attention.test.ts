import assert from 'node:assert/strict';
import {test} from 'node:test';
import {type AttentionLine, attentionKinds, byUrgency, severities} from '../../source/core/attention.ts';

const line = (name: string, severity: AttentionLine['severity'], since: string, id = name): AttentionLine => ({
	kind: 'pending', severity, text: '', since, noun: 'computer', id, name, count: 1, fix: {screen: 'computers', filter: '', says: ''},
});

test('the most severe comes first, of those the newest, and what stands for the rest of a kind last', () => {
	const sorted = [
		line('high and new', 'high', '2026-01-02'),
		line('high and old', 'high', '2026-01-01'),
		line('the rest of high', 'high', '2026-01-03', ''),
		line('medium', 'medium', '2026-01-04'),
		line('low and new', 'low', '2026-01-06'),
		line('low and old', 'low', '2026-01-05'),
	];
	for (let turn = 0; turn < sorted.length; turn++) {
		assert.deepEqual([...sorted.slice(turn), ...sorted.slice(0, turn)].sort(byUrgency).map(({name}) => name), sorted.map(({name}) => name));
	}

	assert.deepEqual([...sorted].reverse().sort(byUrgency), sorted);
});

test('lines that are alike keep their order', () => {
	const [one, other] = [line('one', 'low', '2026-01-01'), line('other', 'low', '2026-01-01')];
	assert.equal(byUrgency(one, other), 0);
	assert.deepEqual(severities, ['high', 'medium', 'low']);
	assert.equal(new Set(attentionKinds).size, 7);
});
