import type {Computer, Demand} from './types.ts';

/**
The rule of domain.md, "Which process next", stated once, as data: a process may run on a computer of its colony when every condition holds.
`meets` below reads it for one pair in memory; `database/matching.ts` turns the same rows into the predicate that assign, psw and explain run on.
*/
export const conditions = [
	{name: 'approved', kind: 'approved'},
	{name: 'target', kind: 'named-or-none'},
	{name: 'type', kind: 'equal-or-empty'},
	{name: 'cores', kind: 'at-least', field: 'cores'},
	{name: 'mem', kind: 'at-least', field: 'mem'},
	{name: 'gpus', kind: 'at-least', field: 'gpus'},
] as const;

export type Condition = (typeof conditions)[number];
export type ConditionName = Condition['name'];

export type Worker = Pick<Computer, 'computerid' | 'status' | 'computertype' | 'cores' | 'mem' | 'gpus'>;

/** Whether one condition holds between a computer and what a process asks. */
export function meets(condition: Condition, computer: Worker, demand: Demand): boolean {
	switch (condition.kind) {
		case 'approved': {
			return computer.status === 1;
		}

		case 'named-or-none': {
			return demand.targetcomputerids.length === 0 || demand.targetcomputerids.includes(computer.computerid);
		}

		case 'equal-or-empty': {
			return demand.computertype === '' || (computer.computertype ?? '') === '' || computer.computertype === demand.computertype;
		}

		case 'at-least': {
			return computer[condition.field] >= demand[condition.field];
		}
	}
}

/** The conditions that keep this computer (of the same colony) from running the process; empty when it may. */
export function unmet(computer: Worker, demand: Demand): ConditionName[] {
	return conditions.filter(condition => !meets(condition, computer, demand)).map(condition => condition.name);
}

/** Whether the process may run on this computer of its colony. */
export const mayRun = (computer: Worker, demand: Demand): boolean => unmet(computer, demand).length === 0;
