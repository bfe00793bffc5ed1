import {type Condition, conditions} from '../core/matching.ts';

const predicates = {
	approved: () => 'c.status = 1',
	'named-or-none': () => '(d.target_computer_ids = \'{}\' or c.computer_id = any (d.target_computer_ids))',
	'equal-or-empty': () => '(c.computer_type = \'\' or d.computer_type = any (array[\'\', c.computer_type]))',
	'at-least': (condition: Condition) => 'field' in condition ? `d.${condition.field} <= c.${condition.field}` : 'true',
} as const satisfies Record<Condition['kind'], (condition: Condition) => string>;

/** The predicate of one condition of core/matching.ts, between a computer `c` and a demand (or process) `d` of its colony. */
export const predicateOf = (condition: Condition): string => predicates[condition.kind](condition);

/** That a process `d` may run on a computer `c` of the same colony: every condition of core/matching.ts. */
export const mayRunPredicate = conditions.map(condition => predicateOf(condition)).join(' and ');
