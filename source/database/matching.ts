import {type Condition, conditions} from '../core/matching.ts';

/** For whom a demand is, in short: the one computer that it names, `*` for several, or nothing for all. */
const audience = (demand: string): string => `(case cardinality(${demand}.target_computer_ids) when 0 then '' when 1 then ${demand}.target_computer_ids[1] else '*' end collate "C")`;

const predicates = {
	approved: () => 'c.status = 1',
	// The first half follows from the second, and has an index.
	'named-or-none': () => `(${audience('d')} = any (array['', '*', c.computer_id]) and (d.target_computer_ids = '{}' or c.computer_id = any (d.target_computer_ids)))`,
	'equal-or-empty': () => '(c.computer_type = \'\' or d.computer_type = any (array[\'\', c.computer_type]))',
	'at-least': (condition: Condition) => 'field' in condition ? `d.${condition.field} <= c.${condition.field}` : 'true',
} as const satisfies Record<Condition['kind'], (condition: Condition) => string>;

/** The predicate of one condition of core/matching.ts, between a computer `c` and a demand (or process) `d` of its colony. */
export const predicateOf = (condition: Condition): string => predicates[condition.kind](condition);

/** That a process `d` may run on a computer `c` of the same colony: every condition of core/matching.ts. */
export const mayRunPredicate = conditions.map(condition => predicateOf(condition)).join(' and ');
