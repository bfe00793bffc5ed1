import {type ProcessState, type ProcessStatus, processStates} from './types.ts';

/**
Every way a process may change, as domain.md ("States") has it. What is not here is a conflict and changes nothing.
`requeue` is what a deadline, a disapproval or a removal of the computer does.
*/
export const transitions = {
	assign: {from: ['waiting'], to: 'running'},
	successful: {from: ['running'], to: 'successful'},
	failed: {from: ['running'], to: 'failed'},
	cancel: {from: ['waiting', 'running'], to: 'failed'},
	requeue: {from: ['running'], to: 'waiting'},
	expire: {from: ['running'], to: 'failed'},
	retry: {from: ['successful', 'failed'], to: 'waiting'},
} as const satisfies Record<string, {from: readonly ProcessState[]; to: ProcessState}>;

export type Transition = keyof typeof transitions;

/** Whether a process in this state may make the transition. */
export function mayChange(transition: Transition, from: ProcessState): boolean {
	return (transitions[transition].from as readonly ProcessState[]).includes(from);
}

/** What becomes of a running process whose deadline has passed: another try while retries are left, else failed. */
export function afterDeadline({retries, maxretries}: {retries: number; maxretries: number}): Extract<Transition, 'requeue' | 'expire'> {
	return retries < maxretries ? 'requeue' : 'expire';
}

/** The number that stands for a state in JSON and in the database. */
export const statusOf = (state: ProcessState): ProcessStatus => processStates.indexOf(state) as ProcessStatus;

/** The name of a status. */
export const stateOf = (status: ProcessStatus): ProcessState => processStates[status];
