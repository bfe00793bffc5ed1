import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {groupBy} from '../../source/core/group-by.ts';

test('groups keep the order of their items and of their first appearance', () => {
	fc.assert(fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat())), items => {
		const groups = groupBy(items, ([key]) => key);
		assert.deepEqual([...groups.keys()], [...new Set(items.map(([key]) => key))]);
		assert.ok([...groups].every(([key, group]) => group.every((item, index) => item === items.filter(([other]) => other === key)[index])));
		assert.equal([...groups.values()].flat().length, items.length);
	}));
});
