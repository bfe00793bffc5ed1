import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	approval, asked, compare, conditionText, inShort, obstacles, registration, roughly, silentMinutes, verdicts,
} from '../../source/core/explanation.ts';
import type {Computer, Demand} from '../../source/core/types.ts';

const lab: Computer = {computerid: 'c'.repeat(64), name: 'lab1', colonyid: 'a'.repeat(64), computertype: 'gpu', cpu: '', cores: 8, mem: 8000, gpu: '', gpus: 1, status: 1};
const anything: Demand = {targetcomputerids: [], computertype: '', cores: 0, mem: 0, gpus: 0};

test('a computer beside what a process asks tells for each condition what it has and what is asked', () => {
	const answer = compare(lab, {targetcomputerids: [lab.computerid], computertype: 'gpu', cores: 4, mem: 1000, gpus: 1});
	assert.deepEqual(answer, {
		computerid: lab.computerid, name: 'lab1', status: 1, mayrun: true, conditions: [
			{name: 'approved', ok: true, has: 'approved', asks: 'approved'},
			{name: 'target', ok: true, has: lab.computerid, asks: lab.computerid},
			{name: 'type', ok: true, has: 'gpu', asks: 'gpu'},
			{name: 'cores', ok: true, has: 8, asks: 4},
			{name: 'mem', ok: true, has: 8000, asks: 1000},
			{name: 'gpus', ok: true, has: 1, asks: 1},
		],
	});
	assert.equal(obstacles(answer), '');
	assert.equal(compare(lab, {...anything, cores: 9}).mayrun, false);
	assert.equal(compare({...lab, lastseen: '2026-01-01T00:00:00.000000Z'}, anything).lastseen, '2026-01-01T00:00:00.000000Z');
});

test('what keeps a computer from a process is told in short, on one line', () => {
	const answer = compare({...lab, status: 0, computertype: 'cpu'}, {targetcomputerids: ['1', '2'], computertype: 'gpu', cores: 9, mem: 16_000, gpus: 2});
	assert.equal(answer.mayrun, false);
	assert.equal(answer.conditions[1]!.asks, 'one of 2');
	assert.deepEqual(answer.conditions.map(condition => conditionText(condition)), ['pending', 'not named', 'cpu≠gpu', '8<9', '8000<16000', '1<2']);
	assert.equal(obstacles(answer), 'pending, not named, type cpu≠gpu, cores 8<9, mem 8000<16000, gpus 1<2');
	assert.equal(obstacles(compare({...lab, status: 2}, {...anything, gpus: 2})), 'disapproved, gpus 1<2');
	assert.deepEqual(compare({...lab, computertype: undefined}, anything).conditions.map(condition => conditionText(condition)), ['ok', 'ok', 'ok', 'ok', 'ok', 'ok']);
	assert.deepEqual(compare({...lab, computertype: undefined}, anything).conditions.slice(1, 3), [{name: 'target', ok: true, has: lab.computerid, asks: ''}, {name: 'type', ok: true, has: '', asks: ''}]);
});

test('a count that stopped at a limit is told as about that many', () => {
	assert.deepEqual([roughly(31, false), roughly(31, true), roughly(999, true), roughly(1000, true), roughly(10_001, true), roughly(10_001, false)], ['31', '~31', '~999', '~1k', '~10k', '10001']);
});

test('what a process asks is told in a line', () => {
	assert.equal(asked(anything), 'anything');
	assert.equal(asked({...anything, computertype: 'gpu', cores: 1, mem: 1, gpus: 1}), 'gpu, 1 core, 1 MB, 1 gpu');
	assert.equal(asked({...anything, cores: 2, gpus: 2}), '2 cores, 2 gpus');
	assert.equal(asked({...anything, targetcomputerids: [lab.computerid]}), 'on cccc..cccc');
	assert.equal(asked({...anything, mem: 5, targetcomputerids: ['1', '2', '3']}), '5 MB, on one of 3 computers');
});

test('a fix names its operation and says what it does', () => {
	assert.deepEqual(approval(lab.colonyid, lab), {operation: 'computer.approve', input: {colonyid: lab.colonyid, computerid: lab.computerid}, says: 'Approve lab1'});
	assert.deepEqual(registration(lab.colonyid, {...anything, computertype: 'gpu', cores: 4, mem: 3, gpus: 2}), {
		operation: 'computer.register', input: {colonyid: lab.colonyid, spec: {computertype: 'gpu', cores: 4, mem: 3, gpus: 2}}, says: 'Register a computer with gpu, 4 cores, 3 MB, 2 gpus',
	});
	assert.equal(registration(lab.colonyid, {...anything, targetcomputerids: ['1']}), undefined);
});

test('a verdict is told in a few words', () => {
	assert.deepEqual(verdicts.map(verdict => inShort(verdict)), ['nobody can', '1 fix away', 'behind 0', 'being taken', 'running', 'successful', 'failed']);
	assert.deepEqual([inShort('behind', 31), inShort('behind', 1000, true), inShort('failed', 31, true)], ['behind 31', 'behind ~1k', 'failed']);
	assert.equal(silentMinutes, 10);
});
