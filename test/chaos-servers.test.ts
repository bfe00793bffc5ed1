// What befalls servers, one thing after the other, while computers work: half of bench/chaos.ts, in short; and whether a soak is judged rightly.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {noPostgres} from './support/databases.ts';
import {endure, rate} from './support/soak/endure.ts';
import {type Fault, ofServers} from './support/soak/faults.ts';
import {type Found, Ledger, resultOf} from './support/soak/ledger.ts';
import {secondsToRecover} from './support/soak/recovery.ts';
import {Soak} from './support/soak/soak.ts';

let soak: Soak;
before(async () => {
	if (!noPostgres) {
		soak = await Soak.open({rate});
	}
});
after(async () => {
	await soak?.close();
});

const endureShared = (fault: Fault) => async (): Promise<void> => endure(soak, fault);
for (const fault of ofServers) {
	test(`${fault.name}: nothing is lost or done twice, and work goes on at both servers`, {skip: noPostgres}, endureShared(fault));
}

const done = {
	processid: 'a', number: '1', status: 2, assigned: 'lab1', result: resultOf('1'),
	steps: ['process.submit', 'process.assign', 'process.successful'], actors: ['owner', 'lab1', 'lab1'],
} satisfies Found;

function ledgerOf(...processids: string[]): Ledger {
	const ledger = new Ledger();
	for (const [index, processid] of processids.entries()) {
		ledger.acknowledge(String(index + 1), processid);
		ledger.start(processid);
		ledger.close(processid, 0, 0);
	}

	return ledger;
}

test('a soak that went well is judged so, and what was lost or done twice is named', () => {
	assert.deepEqual(ledgerOf('a').judge([done]), {lost: [], doubled: []});
	const losses: Array<[why: RegExp, found: Found[]]> = [
		[/acknowledged as a, which is not there/, []],
		[/never closed: process.submit process.assign$/m, [{...done, status: 1, steps: done.steps.slice(0, 2)}]],
		[/the closing of a was acknowledged, and it stands in state 0/, [{...done, status: 0}]],
		[/the result of a is nothing/, [{...done, result: null}]],
		[/acknowledged as a, which is 7/, [{...done, number: '7', result: resultOf('7')}]],
	];
	for (const [why, found] of losses) {
		assert.match(ledgerOf('a').judge(found).lost.join('\n'), why);
	}

	const [submit, assign, close] = done.steps as [string, string, string];
	const doubles: Array<[why: RegExp, found: Found[]]> = [
		[/1 is there twice: b was not acknowledged/, [done, {...done, processid: 'b'}]],
		[/1 went .*assign process.assign/, [{...done, steps: [submit, assign, assign, close], actors: ['owner', 'lab1', 'lab1', 'lab1']}]],
		[/1 went .*successful process.successful/, [{...done, steps: [submit, assign, close, close], actors: ['owner', 'lab1', 'lab1', 'lab1']}]],
		[/taken by lab2, closed by lab1/, [{...done, actors: ['owner', 'lab2', 'lab1']}]],
		[/is lab2's/, [{...done, assigned: 'lab2'}]],
	];
	for (const [why, found] of doubles) {
		assert.match(ledgerOf('a').judge(found).doubled.join('\n'), why);
	}

	const twice = ledgerOf('a');
	twice.start('a');
	twice.close('a', 0, 1);
	assert.deepEqual(twice.judge([done]).doubled, ['the closing of a was acknowledged 2 times', '1 was worked on 2 times']);
});

test('a soak has recovered when each half of the computers closes nine tenths of what it closed before', () => {
	const every = (milliseconds: number, from: number, to: number) => Array.from({length: (to - from) / milliseconds}, (_, index) => from + (index * milliseconds));
	const at = (...closings: number[][]) => secondsToRecover({closings, before: [10, 10], healedAt: 1000, now: 9000, window: 1000});
	assert.equal(at(every(100, 0, 9000), every(100, 0, 9000)), 0);
	// Back at 4 s: from 3.9 s on, nine of ten are in the second that follows.
	assert.equal(at(every(100, 0, 9000), every(100, 4000, 9000)), 2.9);
	assert.equal(at(every(100, 0, 9000), every(125, 0, 9000)), undefined);
	assert.equal(at(every(100, 0, 9000), []), undefined);
});
