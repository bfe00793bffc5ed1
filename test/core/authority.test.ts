import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	allows, anyMember, approvedSelf, colonyOwner, member, memberOrSelf, ownerOrRoot, root, roles, type Rule,
} from '../../source/core/authority.ts';

/** Domain.md, "Who may do what": the columns of its table for each kind of row. `self` is about the caller's own record or process. */
const table: Array<[Rule, Array<true | 'self' | false>]> = [
	// Root, owner, approved, pending, disapproved, stranger
	[root, [true, false, false, false, false, false]],
	[anyMember, [true, true, true, false, false, false]],
	[ownerOrRoot, [true, true, false, false, false, false]],
	[colonyOwner, [false, true, false, false, false, false]],
	[member, [false, true, true, false, false, false]],
	[memberOrSelf, [false, true, true, 'self', 'self', false]],
	[approvedSelf, [false, false, 'self', false, false, false]],
];

test('a rule lets through whom the table names', () => {
	for (const [rule, columns] of table) {
		for (const [index, role] of roles.entries()) {
			assert.equal(allows(rule, role, true), columns[index] !== false, `${rule.refusal} ${role}`);
			assert.equal(allows(rule, role, false), columns[index] === true, `${rule.refusal} ${role}`);
		}
	}
});

test('a refusal says who may do it', () => {
	const people: Record<string, string> = {root: 'root', owner: 'colony owner', approved: 'approved computer'};
	for (const [rule] of table) {
		assert.match(rule.refusal, /^Only .*\bmay do this\.$/);
		for (const [role, name] of Object.entries(people)) {
			assert.equal(rule.refusal.includes(name), allows(rule, role as keyof typeof people & 'root', true), rule.refusal);
		}
	}
});
