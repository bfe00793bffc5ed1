import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {ColoniesError} from '../source/core/errors.ts';
import {createIdentity} from '../source/identity/index.ts';
import {type OperationName, operations} from '../source/operations/index.ts';
import {
	contents, openAny, openColony, refusedUnchanged,
} from './support/colony.ts';

// Here: an empty colony. There: one with a computer at work.
const colony = await openColony(await openAny());
const {database} = colony;
const computer = await colony.computer();
const other = await openColony(database, colony.broker);
const theirs = await other.computer();
const theirProcess = await other.running(theirs, {in: {key: 'value'}});
/** Ids of another colony's things, by the field that takes them. */
const ids: Record<string, string> = {computerid: theirs.id, runnableby: theirs.id, processid: theirProcess.processid, processids: theirProcess.processid, attributeid: theirProcess.in![0]!.attributeid};

const fields = (operation: OperationName): string[] => Object.entries(operations[operation].input).filter(([name, {kind}]) => kind === 'id' && name !== 'colonyid').map(([name]) => name);
/** Registering the computer of another colony makes a record of one's own; lists are empty, and what is foretold is nothing. */
const apart = new Set<string>(['computer.register', 'computer.forecastmany', 'process.list']);

test('things of another colony are not there', async () => {
	for (const operation of (Object.keys(operations) as OperationName[]).filter(name => fields(name).length > 0 && !apart.has(name))) {
		for (const identity of [colony.owner, computer]) {
			const known = Object.entries({colonyid: colony.id, key: 'key', value: 'value', change: 'remove', name: 'renamed', keyid: theirs.id, ...ids}).filter(([name]) => Object.hasOwn(operations[operation].input, name));
			const input = Object.fromEntries(known);
			const before = await contents(database);
			const [outcome] = await Promise.allSettled([colony.as(identity, operation, input)]);
			const answer = outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as ColoniesError).code;
			assert.ok((Array.isArray(answer) && answer.length === 0) || ['not-allowed', 'not-found', 'conflict'].includes(answer), `${operation}: ${JSON.stringify(answer)}`);
			assert.deepEqual(await contents(database), before);
		}
	}
});

test('what another colony would lose is not told', async () => {
	assert.deepEqual(await colony.own('computer.forecastmany', {computerids: [theirs.id], change: 'remove'}), {change: 'remove', computers: 1, fitting: 0, runnable: 0, stranded: 0, requeued: 0});
});

test('lists give nothing of another colony', async () => {
	for (const filter of [{computerid: ids.computerid}, {runnableby: ids.runnableby}, {text: ids.processid}, {attribute: 'key=value'}, {}]) {
		const {rows} = await colony.own('process.list', filter);
		assert.deepEqual(rows, []);
	}
});

test('closing a process of another colony, as its own computer there would', async () => {
	const input = {colonyid: colony.id, processid: ids.processid};
	await refusedUnchanged(database, async () => colony.as(computer, 'process.successful', input), 'not-found');
	await refusedUnchanged(database, async () => colony.as(computer, 'attribute.add', {...input, key: 'key', value: 'value'}), 'not-found');
});

test('a process goes to the colony that it names, when that lets its sender', async () => {
	await refusedUnchanged(database, async () => colony.as(colony.owner, 'process.submit', {spec: {targetcolonyid: other.id}}), 'not-allowed');
	// One beside the spec says nothing, and is refused as every unknown field is.
	await refusedUnchanged(database, async () => colony.as(colony.owner, 'process.submit', {colonyid: colony.id, spec: {targetcolonyid: other.id}}), 'invalid-input');
	const process = await colony.as(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id}});
	assert.equal(process.targetcolonyid, colony.id);
});

test('a computer goes into the colony of its signer, pending, whatever its spec says', async () => {
	const {id} = createIdentity().identity;
	for (const [name, value] of [['colonyid', other.id], ['computerid', createIdentity().identity.id], ['status', 1]]) {
		await refusedUnchanged(database, async () => colony.own('computer.register', {computerid: id, spec: {name: 'sly', [name as string]: value}}), 'invalid-input', /cannot set/);
	}

	await refusedUnchanged(database, async () => colony.as(colony.owner, 'computer.register', {colonyid: other.id, computerid: id, spec: {name: 'sly'}}), 'not-allowed');
	const registered = await colony.own('computer.register', {computerid: id, spec: {name: 'honest', colonyid: colony.id, computerid: id}});
	assert.deepEqual([registered.colonyid, registered.status], [colony.id, 0]);
});

test('a computer may be in two colonies, with a state of its own in each', async () => {
	await colony.own('computer.register', {computerid: ids.computerid, spec: {name: 'shared'}});
	const here = await colony.own('computer.get', {computerid: ids.computerid});
	const there = await other.own('computer.get', {computerid: ids.computerid});
	assert.deepEqual([here.status, there.status], [0, 1]);
	await other.own('computer.disapprove', {computerid: ids.computerid});
	await colony.own('computer.approve', {computerid: ids.computerid});
	const after = await other.own('computer.get', {computerid: ids.computerid});
	assert.equal(after.status, 2);
});

test('what a process is told to be, its submission cannot say', async () => {
	for (const name of ['processid', 'assignedcomputerid', 'status', 'isassigned', 'submissiontime', 'starttime', 'endtime', 'deadline', 'retries', 'out', 'err']) {
		await refusedUnchanged(database, async () => colony.submit({[name]: 1}), 'invalid-input', /cannot set/);
	}
});
