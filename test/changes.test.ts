import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {test} from 'node:test';
import {ColoniesError} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import {recover} from '../source/identity/index.ts';
import type {OperationName} from '../source/operations/index.ts';
import {openAny, openColony, refused, refusedUnchanged} from './support/colony.ts';

const colony = await openColony(await openAny());
const {broker, database, owner} = colony;
const colonyid = colony.id;

type Item = Record<string, unknown>;

/** What a list was answered, in short: `done`, or the code of the refusal. */
async function changeMany(name: OperationName, items: readonly Item[], idempotencyKey?: string): Promise<string[]> {
	const answers = await broker.runMany({identity: owner}, name, items.map(item => ({colonyid, ...item})), {idempotencyKey});
	return answers.map(answer => answer instanceof ColoniesError ? answer.code : 'done');
}

/** What somebody sees of a process, and means when they change it. */
async function seen({processid}: Pick<Process, 'processid'>) {
	const {version, since, retries} = await colony.own('process.version', {processid});
	return {processid, ifversion: version, ifsince: since, ifretries: retries};
}

const computer = await colony.computer();

/** Whatever can happen to a process, and how it was before. */
const happenings: Record<string, {before: 'waiting' | 'running' | 'closed'; happen: (process: Process) => Promise<unknown>}> = {
	'is assigned': {before: 'waiting', happen: async () => colony.assign(computer)},
	'is assigned and taken away again, so that it waits as before': {before: 'waiting', async happen() {
		await colony.assign(computer);
		await colony.own('computer.disapprove', {computerid: computer.id});
		await colony.own('computer.approve', {computerid: computer.id});
	}},
	'is cancelled and retried, so that it waits as before': {before: 'waiting', async happen({processid}) {
		await colony.own('process.cancel', {processid});
		await colony.own('process.retry', {processid});
	}},
	'is closed': {before: 'running', happen: async process => colony.close(computer, process)},
	'passes its deadline': {before: 'running', async happen(process) {
		await colony.passDeadlines(process);
		await broker.endExpired();
	}},
	'is retried': {before: 'closed', happen: async ({processid}) => colony.own('process.retry', {processid})},
	'is retried and fails again': {before: 'closed', async happen(process) {
		await colony.own('process.retry', {processid: process.processid});
		await colony.assign(computer);
		await colony.close(computer, process, 'failed');
	}},
};

for (const [name, {before, happen}] of Object.entries(happenings)) {
	test(`a process that ${name} is left alone by whoever saw it before`, async () => {
		const process = before === 'waiting' ? await colony.submit({targetcomputerids: [computer.id]}) : await colony.running(computer, {timeout: 600, maxretries: 3});
		if (before === 'closed') {
			await colony.close(computer, process, 'failed');
		}

		const expectation = await seen(process);
		await happen(process);
		for (const change of ['process.retry', 'process.cancel', 'process.remove'] as const) {
			await refusedUnchanged(database, async () => colony.own(change, expectation), 'conflict', /^The process "[\da-f]{4}\.\.[\da-f]{4}" has changed since it was looked at: it is (?:waiting|running|successful|failed) now, since .*Z, with \d retries\. Nothing was changed\.$/);
		}

		assert.equal((await colony.own('process.remove', await seen(process))).processid, process.processid);
	});
}

test('each part of an expectation is looked at by itself, and what is left out is not', async () => {
	const process = await colony.submit({targetcomputerids: [computer.id]});
	const {ifversion, ifsince, ifretries} = await seen(process);
	const {processid} = process;
	for (const wrong of [{ifstate: 'running'}, {ifsince: '2021-12-21T21:04:07.807378Z'}, {ifretries: 1}, {ifversion: '1'}]) {
		await refusedUnchanged(database, async () => colony.own('process.cancel', {processid, ifstate: 'waiting', ifsince, ifretries, ifversion, ...wrong}), 'conflict', /has changed since it was looked at: it is waiting now/);
	}

	for (const wrong of [{ifsince: 'yesterday'}, {ifsince: '2021-13-21T21:04:07Z'}, {ifretries: -1}, {ifstate: 'lost'}]) {
		await refused(colony.own('process.cancel', {processid, ...wrong}), 'invalid-input');
	}

	assert.equal((await colony.own('process.cancel', {processid, ifstate: 'waiting', ifsince, ifretries, ifversion})).status, 3);
	assert.equal((await colony.own('process.retry', {processid, ifstate: 'failed'})).status, 0);
	assert.equal((await colony.own('process.remove', {processid})).status, 0);
});

test('a computer is left alone when it is not in the state that was seen', async () => {
	const {id: computerid} = await colony.computer({state: 'pending'});
	for (const change of ['computer.approve', 'computer.disapprove', 'computer.remove'] as const) {
		await refusedUnchanged(database, async () => colony.own(change, {computerid, ifstate: 'approved'}), 'conflict', /^The computer "lab" has changed since it was looked at: it is pending now\. Nothing was changed\.$/);
	}

	await colony.own('computer.approve', {computerid, ifstate: 'pending'});
	await colony.own('computer.disapprove', {computerid, ifstate: 'approved'});
	await colony.own('computer.remove', {computerid, ifstate: 'disapproved'});
});

test('in a list each stands for itself, and each is kept with the one request that was signed', async () => {
	const idle = await colony.computer();
	const [waiting, gone] = [await colony.submit({targetcomputerids: [idle.id]}), await colony.submit({targetcomputerids: [idle.id]})];
	const failed = await colony.running(computer);
	await colony.close(computer, failed, 'failed');
	const running = await colony.running(computer);
	const other = await colony.running(computer);
	await colony.close(computer, other, 'failed');
	const changed = await seen(other);
	await colony.own('process.retry', {processid: other.processid});
	await colony.own('process.remove', {processid: gone.processid});
	const third = await colony.own('process.cancel', {processid: waiting.processid});
	const items = [await seen(failed), {processid: gone.processid}, changed, {processid: running.processid}, await seen(third), {processid: failed.processid}];
	assert.deepEqual(await changeMany('process.retry', items), ['done', 'not-found', 'conflict', 'conflict', 'done', 'conflict']);
	const rows = (await colony.history()).filter(({what}) => what === 'process.retry').slice(-2);
	assert.deepEqual(rows.map(row => row.subject_id).sort(), [failed.processid, third.processid].sort());
	assert.equal(new Set(rows.map(({request}) => request)).size, 1);
	for (const {request, signature, actor} of rows) {
		assert.equal(actor, colonyid);
		assert.equal(recover(request!, signature!), colonyid);
		const {operation, inputs} = JSON.parse(request!) as {operation: string; inputs: Item[]};
		assert.deepEqual({operation, inputs}, {operation: 'process.retry', inputs: items.map(item => ({colonyid, ...item}))});
	}
});

test('computers are changed in a list, each for itself, and what they ran waits again', async () => {
	const [one, two, three] = [await colony.computer(), await colony.computer({state: 'pending'}), await colony.computer()];
	const process = await colony.running(one);
	const items = [one, two, three].map(({id: computerid}) => ({computerid, ifstate: 'approved'}));
	assert.deepEqual(await changeMany('computer.disapprove', [...items, {computerid: 'f'.repeat(64)}]), ['done', 'conflict', 'done', 'not-found']);
	assert.equal(await colony.state(process), 'waiting');
	assert.deepEqual(await changeMany('computer.approve', items.map(({computerid}) => ({computerid}))), ['done', 'done', 'done']);
	assert.deepEqual(await changeMany('computer.remove', items), ['done', 'done', 'done']);
});

test('a list that comes again under its key does nothing twice, and tells each what became of it', async () => {
	const idle = await colony.computer();
	const waiting = await Promise.all([1, 2, 3].map(async () => colony.submit({targetcomputerids: [idle.id]})));
	const running = await colony.running(computer);
	const items = [...waiting, running, {processid: 'f'.repeat(64)}].map(({processid}) => ({processid, ifstate: 'waiting'}));
	const key = randomUUID();
	const first = await changeMany('process.remove', items, key);
	assert.deepEqual(first, ['done', 'done', 'done', 'conflict', 'not-found']);
	const before = (await colony.history()).length;
	assert.deepEqual(await changeMany('process.remove', items, key), first);
	assert.equal((await colony.history()).length, before);
	const again = await broker.runMany({identity: owner}, 'process.remove', items.map(item => ({colonyid, ...item})), {idempotencyKey: key});
	const told = again.flatMap(answer => answer instanceof ColoniesError ? [] : [answer.result]);
	assert.ok(told.every(({status}) => status === 0));
	await refused(broker.runMany({identity: owner}, 'process.remove', [{colonyid, processid: running.processid}], {idempotencyKey: key}), 'conflict', /was used for another request/);
	const {id: computerid} = await colony.computer({state: 'pending'});
	const computerKey = randomUUID();
	assert.deepEqual(await changeMany('computer.approve', [{computerid, ifstate: 'pending'}], computerKey), ['done']);
	assert.deepEqual(await changeMany('computer.approve', [{computerid, ifstate: 'pending'}], computerKey), ['done']);
	assert.deepEqual(await changeMany('computer.approve', [{computerid, ifstate: 'pending'}]), ['conflict']);
});
