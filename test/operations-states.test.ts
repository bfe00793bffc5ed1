import assert from 'node:assert/strict';
import {test} from 'node:test';
import {mayChange} from '../source/core/states.ts';
import {
	processStates, unsetTime, type Process, type ProcessState,
} from '../source/core/types.ts';
import type {Identity} from '../source/identity/index.ts';
import {openAny, openColony, refused, refusedUnchanged} from './support/colony.ts';

const colony = await openColony(await openAny());
const {database} = colony;
const computer = await colony.computer();

/** A process brought into a state, with an attribute of each list where it has run. */
async function inState(state: ProcessState): Promise<Process> {
	const submitted = await colony.submit({targetcomputerids: [computer.id], in: {key: 'value'}, timeout: 1000, maxretries: 3});
	if (state !== 'waiting') {
		await colony.assign(computer);
		await colony.add(computer, submitted, {key: 'out', value: 'x'});
		await colony.add(computer, submitted, {key: 'err', value: 'y', type: 'err'});
	}

	if (state === 'successful' || state === 'failed') {
		await colony.close(computer, submitted, state);
	}

	const process = await colony.get(submitted);
	assert.equal(processStates[process.status], state);
	return process;
}

/** What makes each transition on purpose, beside assign, which takes what waits. */
const changes = {
	successful: async (process: Process) => colony.close(computer, process, 'successful'),
	failed: async (process: Process) => colony.close(computer, process, 'failed'),
	cancel: async (process: Process) => colony.own('process.cancel', {processid: process.processid}),
	retry: async (process: Process) => colony.own('process.retry', {processid: process.processid}),
};

for (const [name, change] of Object.entries(changes) as Array<[keyof typeof changes, (process: Process) => Promise<Process>]>) {
	for (const state of processStates) {
		test(`${name} of a ${state} process ${mayChange(name, state) ? 'is done' : 'is a conflict and changes nothing'}`, async () => {
			const process = await inState(state);
			if (mayChange(name, state)) {
				const result = await change(process);
				assert.deepEqual(await colony.get(process), result);
				await refusedUnchanged(database, async () => change(process), 'conflict');
			} else {
				const error = await refusedUnchanged(database, async () => change(process), 'conflict');
				assert.ok(error.message.includes('..'));
				assert.deepEqual(await colony.get(process), process);
			}

			await colony.own('process.remove', {processid: process.processid});
			await refusedUnchanged(database, async () => change(process), 'not-found');
			await refused(colony.get(process), 'not-found');
		});
	}
}

test('an assigned process has its computer, its start and its deadline', async () => {
	const submitted = await colony.submit({targetcomputerids: [computer.id], timeout: 90, in: {b: '2', a: '1'}});
	assert.deepEqual([submitted.status, submitted.isassigned, submitted.assignedcomputerid, submitted.starttime, submitted.deadline], [0, false, '', unsetTime, unsetTime]);
	const assigned = await colony.assign(computer);
	assert.deepEqual({
		...assigned, starttime: unsetTime, deadline: unsetTime,
	}, {
		...submitted, status: 1, isassigned: true, assignedcomputerid: computer.id,
	});
	assert.equal(Date.parse(assigned.deadline) - Date.parse(assigned.starttime), 90_000);
	assert.equal(assigned.deadline.slice(-7), assigned.starttime.slice(-7));
	assert.deepEqual(assigned.in!.map(({key}) => key), ['b', 'a']);
	const closed = await colony.close(computer, assigned);
	assert.deepEqual({...closed, endtime: unsetTime}, {...assigned, status: 2});
	assert.ok(closed.isassigned && closed.endtime >= closed.starttime && closed.starttime >= closed.submissiontime);
});

test('a timeout of -1 or 0 sets no deadline', async () => {
	for (const timeout of [-1, 0]) {
		const process = await colony.running(computer, {timeout});
		assert.equal(process.deadline, unsetTime);
		await colony.close(computer, process);
	}
});

test('another\'s process is neither closed nor written to', async () => {
	const another = await colony.computer();
	const process = await inState('running');
	await refusedUnchanged(database, async () => colony.close(another, process), 'conflict', /another computer/);
	await refusedUnchanged(database, async () => colony.add(another, process, {key: 'key', value: 'value'}), 'conflict');
});

test('attributes are added to a running process only, and the same key replaces its value', async () => {
	for (const state of processStates) {
		const process = await inState(state);
		const add = async (value: string, type: 'out' | 'err' = 'out') => colony.add(computer, process, {key: 'key', value, type});
		if (state === 'running') {
			const first = await add('1');
			assert.deepEqual(await add('2'), {...first, value: '2'});
			await add('3', 'err');
			const after = await colony.get(process);
			assert.deepEqual([after.in, after.out, after.err].map(list => list!.map(({key, value}) => `${key}=${value}`)), [['key=value'], ['key=2', 'out=x'], ['err=y', 'key=3']]);
			assert.deepEqual(await colony.own('attribute.get', {processid: process.processid, attributeid: first.attributeid}), {...first, value: '2'});
			assert.deepEqual(await colony.own('attribute.list', {processid: process.processid}), [...after.in!, ...after.out!, ...after.err!]);
		} else {
			await refusedUnchanged(database, async () => add('1'), 'conflict');
		}

		await colony.own('process.remove', {processid: process.processid});
	}

	await refusedUnchanged(database, async () => colony.add(computer, {processid: colony.id}, {key: 'key', value: 'value'}), 'not-found');
});

test('a retried process waits as when it was submitted, with no retries counted', async () => {
	const process = await inState('successful');
	await database.query('update colonies.live set retries = 2 where process_id = colonies.bytes_of($1)', [process.processid]);
	const waiting = await colony.own('process.retry', {processid: process.processid});
	assert.deepEqual(waiting, {
		...process, status: 0, isassigned: false, assignedcomputerid: '', starttime: unsetTime, endtime: unsetTime, deadline: unsetTime, retries: 0, out: null, err: null,
	});
	await colony.own('process.remove', {processid: process.processid});
});

test('a cancelled process fails and says why', async () => {
	for (const state of ['waiting', 'running'] as const) {
		const process = await inState(state);
		const cancelled = await colony.own('process.cancel', {processid: process.processid});
		assert.deepEqual([cancelled.status, cancelled.isassigned, cancelled.submissiontime], [3, state === 'running', process.submissiontime]);
		assert.ok(cancelled.endtime > process.submissiontime);
		assert.equal(cancelled.err!.find(({key}) => key === 'error')!.value, 'cancelled');
		assert.deepEqual(cancelled.out, process.out);
		await refusedUnchanged(database, async () => colony.close(computer, process), 'conflict', /failed already/);
	}
});

test('a process of any state is removed with its attributes, and is not given out any more', async () => {
	const worker = await colony.computer();
	const process = await colony.submit({targetcomputerids: [worker.id], in: {key: 'value'}});
	await colony.own('process.remove', {processid: process.processid});
	await refusedUnchanged(database, async () => colony.assign(worker), 'nothing-to-assign');
	await refused(colony.own('attribute.get', {processid: process.processid, attributeid: process.in![0]!.attributeid}), 'not-found');
	assert.deepEqual(await colony.own('attribute.list', {processid: process.processid}), []);
});

const takings: Record<string, (worker: Identity) => Promise<unknown>> = {
	disapproval: async worker => colony.own('computer.disapprove', {computerid: worker.id}),
	removal: async worker => colony.own('computer.remove', {computerid: worker.id}),
};

for (const [name, take] of Object.entries(takings)) {
	test(`${name} of a computer puts what it runs back to waiting, no retry counted, and nothing else`, async () => {
		const [worker, another] = [await colony.computer(), await colony.computer()];
		const running = [await colony.running(worker, {timeout: 100, maxretries: 1}), await colony.running(worker)];
		const closed = await colony.running(worker);
		await colony.close(worker, closed);
		const others = await colony.running(another);
		await colony.add(worker, running[0]!, {key: 'step', value: '1'});
		const kept = [await colony.get(closed), await colony.get(others)];

		await take(worker);
		for (const process of running) {
			assert.deepEqual(await colony.get(process), {
				...process, status: 0, isassigned: false, assignedcomputerid: '', starttime: unsetTime, deadline: unsetTime,
			});
			await refusedUnchanged(database, async () => colony.close(worker, process), 'not-allowed');
			await refusedUnchanged(database, async () => colony.close(another, process), 'conflict', /waiting/);
		}

		assert.deepEqual([await colony.get(closed), await colony.get(others)], kept);
	});
}

test('who is approved again goes on where it stood', async () => {
	const worker = await colony.computer();
	const process = await colony.running(worker);
	await colony.own('computer.disapprove', {computerid: worker.id});
	await refusedUnchanged(database, async () => colony.own('computer.disapprove', {computerid: worker.id}), 'conflict');
	await colony.own('computer.approve', {computerid: worker.id});
	await refusedUnchanged(database, async () => colony.own('computer.approve', {computerid: worker.id}), 'conflict');
	await refusedUnchanged(database, async () => colony.close(worker, process), 'conflict', /waiting/);
	const again = await colony.assign(worker);
	assert.equal(again.processid, process.processid);
});
