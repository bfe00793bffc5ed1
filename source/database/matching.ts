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

/**
The approved computers of the colony `$1` as `kinds`, those that are alike as one: what they may run of work that names no computer. `but`: computers (a parameter, an array of ids) that are left out.
*/
export const kindsOfComputers = (but?: string): string => `kinds as materialized (
	select distinct c.status, ''::bytea as computer_id, c.computer_type, c.cores, c.mem, c.gpus from colonies.computers c where c.colony_id = $1 and c.status = 1 ${but === undefined ? '' : `and c.computer_id <> all (${but}::bytea[])`}
)`;

/**
That some approved computer of the colony `$1` may run `d`: of the `kinds` above, or one that `d` names, which is found by its id.
*/
export const somebodyMayRun = (but?: string): string => `case when d.target_computer_ids = '{}' then exists (select from kinds c where ${mayRunPredicate})
	else exists (select from unnest(d.target_computer_ids) as t(id) join colonies.computers c on c.colony_id = $1 and c.computer_id = t.id where ${mayRunPredicate} ${but === undefined ? '' : `and c.computer_id <> all (${but}::bytea[])`}) end`;
