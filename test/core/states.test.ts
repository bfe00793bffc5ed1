import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	afterDeadline, mayChange, stateOf, statusOf, transitions, type Transition,
} from '../../source/core/states.ts';
import {processStates, type ProcessState} from '../../source/core/types.ts';

/** Every transition of domain.md, "States": from where, and to where. All others are conflicts. */
const allowed: Record<Transition, Partial<Record<ProcessState, ProcessState>>> = {
	assign: {waiting: 'running'},
	successful: {running: 'successful'},
	failed: {running: 'failed'},
	cancel: {waiting: 'failed', running: 'failed'},
	requeue: {running: 'waiting'},
	expire: {running: 'failed'},
	retry: {successful: 'waiting', failed: 'waiting'},
};

test('a process changes as the rules of its states say, and in no other way', () => {
	assert.deepEqual(Object.keys(transitions).sort(), Object.keys(allowed).sort());
	for (const [transition, {to}] of Object.entries(transitions) as Array<[Transition, {to: ProcessState}]>) {
		for (const from of processStates) {
			assert.equal(mayChange(transition, from), from in allowed[transition], `${transition} from ${from}`);
			assert.ok(!(from in allowed[transition]) || allowed[transition][from] === to);
		}
	}
});

test('a closed process is final but for a retry', () => {
	for (const transition of Object.keys(transitions) as Transition[]) {
		assert.equal(mayChange(transition, 'successful'), transition === 'retry');
		assert.equal(mayChange(transition, 'failed'), transition === 'retry');
	}
});

test('a state and its number stand for each other', () => {
	assert.deepEqual(processStates.map(state => statusOf(state)), [0, 1, 2, 3]);
	assert.deepEqual(([0, 1, 2, 3] as const).map(status => stateOf(status)), [...processStates]);
});

test('a deadline brings another attempt as long as retries are left', () => {
	fc.assert(fc.property(fc.nat(20), maxretries => {
		let attempts = 1;
		for (let retries = 0; afterDeadline({retries, maxretries}) === 'requeue'; retries++) {
			attempts++;
		}

		assert.equal(attempts, maxretries + 1);
	}));
});

test('a deadline brings another attempt or ends the process', () => {
	assert.deepEqual([[0, 0], [0, 1], [1, 1], [2, 1]].map(([retries, maxretries]) => afterDeadline({retries: retries!, maxretries: maxretries!})), ['expire', 'requeue', 'expire', 'expire']);
});
