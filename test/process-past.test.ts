import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {differences} from '../source/core/differences.ts';
import type {Attribute, Process} from '../source/core/types.ts';
import type {Step} from '../source/operations/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';

const colony = await openColony(await openAny());
const {broker} = colony;

const history = async (processid: string, input: Record<string, unknown> = {}): Promise<Step[]> => {
	const {rows} = await colony.own('process.history', {processid, count: 100, ...input});
	return rows;
};

test('the history of a process tells who ran it, when, why it came back, and what each attempt wrote', async () => {
	const first = await colony.computer({name: 'first'});
	const second = await colony.computer({name: 'second'});
	const {processid} = await colony.submit({timeout: 600, maxretries: 1, targetcomputerids: [first.id, second.id], in: {key: 'value'}}, first);
	const attempt = await colony.assign(first);
	await colony.add(first, attempt, {key: 'step', value: '7'});
	await colony.add(first, attempt, {key: 'warning', value: 'hot', type: 'err'});
	await colony.own('computer.disapprove', {computerid: first.id});
	const late = await colony.assign(second);
	await colony.passDeadlines(late);
	await broker.endExpired();
	const last = await colony.assign(second);
	const closed = await colony.close(second, last, 'failed');
	await colony.own('process.retry', {processid});
	await colony.assign(second);
	await colony.own('computer.remove', {computerid: second.id});
	await colony.own('process.cancel', {processid});
	const steps = await history(processid);
	assert.deepEqual(steps.map(({what, from, to, actorname, actor, computername, why}) => [what, from, to, actorname ?? (actor === colony.id ? 'the owner' : actor), computername, why]), [
		['process.submit', null, 'waiting', 'first', null, null],
		['process.assign', 'waiting', 'running', 'first', 'first', null],
		['process.requeue', 'running', 'waiting', 'the owner', 'first', 'computer disapproved'],
		['process.assign', 'waiting', 'running', 'second', 'second', null],
		['process.requeue', 'running', 'waiting', 'system', 'second', 'deadline exceeded'],
		['process.assign', 'waiting', 'running', 'second', 'second', null],
		['process.failed', 'running', 'failed', 'second', 'second', null],
		['process.retry', 'failed', 'waiting', 'the owner', 'second', null],
		['process.assign', 'waiting', 'running', 'second', 'second', null],
		['process.requeue', 'running', 'waiting', 'the owner', 'second', 'computer removed'],
		['process.cancel', 'waiting', 'failed', 'the owner', null, null],
	]);
	assert.deepEqual(steps[2]!.attributes!.map(({key, value}) => [key, value]), [['step', '7'], ['warning', 'hot']]);
	assert.deepEqual(steps[4]!.attributes, []);
	assert.deepEqual([steps[1]!.starttime, steps[2]!.starttime], [attempt.starttime, attempt.starttime]);
	assert.deepEqual([steps[7]!.starttime, steps[7]!.endtime], [last.starttime, closed.endtime]);
	assert.ok(steps[2]!.endtime! > attempt.starttime);
	assert.ok((await history(processid, {attributes: false})).every(({attributes}) => attributes === null));
	await colony.own('process.remove', {processid});
	const gone = await history(processid);
	assert.deepEqual(gone.slice(0, -1), steps);
	assert.deepEqual([gone.at(-1)!.what, gone.at(-1)!.to], ['process.remove', null]);
});

test('a history goes on page by page, in both directions', async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer);
	for (const to of ['failed', 'successful', 'failed'] as const) {
		await colony.close(computer, process, to);
		await colony.own('process.retry', {processid: process.processid});
		await colony.assign(computer);
	}

	const all = await history(process.processid);
	assert.equal(all.length, 11);
	const pages: Step[] = [];
	for (let position: string | undefined, more = true; more;) {
		const page = await colony.own('process.history', {processid: process.processid, count: 3, position});
		pages.push(...page.rows);
		[position, more] = [page.positions.at(-1), page.more.after];
	}

	assert.deepEqual(pages, all);
	const latest = await colony.own('process.history', {processid: process.processid, count: 2, direction: 'before'});
	assert.deepEqual(latest.rows, all.slice(-2));
});

test('a process of another colony has no history here', async () => {
	const other = await openColony(colony.database, broker);
	const {processid} = await other.submit();
	await refused(history(processid), 'not-found');
	await refused(history('0'.repeat(64)), 'not-found');
	await refused(colony.own('process.compare', {processid}), 'not-found');
});

test('a failed process is put beside the last successful one of its type', async () => {
	const small = await colony.computer({name: 'small', cores: 1, computertype: 'cmp'});
	const large = await colony.computer({name: 'large', cores: 16, computertype: 'cmp'});
	const run = async (computer: typeof small, input: Record<string, string>, to: 'successful' | 'failed', outcome: Record<string, string>) => {
		const process = await colony.running(computer, {computertype: 'cmp', mem: computer === small ? 10 : 20, in: input});
		for (const [key, value] of Object.entries(outcome)) {
			await colony.add(computer, process, {key, value});
		}

		return colony.close(computer, process, to);
	};

	const lonely = await run(small, {}, 'failed', {});
	await refused(colony.own('process.compare', {processid: lonely.processid}), 'not-found', /^No other process of the type "cmp" has been successful\.$/);
	await run(large, {rate: '1'}, 'successful', {});
	const good = await run(large, {rate: '1', api_key: 'hidden', same: 'x', only: 'y'}, 'successful', {loss: '0.1'});
	const bad = await run(small, {rate: '2', api_key: 'other', same: 'x', long: 'z'.repeat(10_000)}, 'failed', {});
	await colony.own('computer.remove', {computerid: large.id});
	const told = await colony.own('process.compare', {processid: bad.processid});
	const rows = Object.fromEntries(told.map(({part, name, value, other}) => [`${part} ${name}`, [value, other]]));
	assert.deepEqual(rows['process processid'], [bad.processid, good.processid]);
	assert.deepEqual(rows['process state'], ['failed', 'successful']);
	assert.deepEqual(rows['spec mem'], ['10', '20']);
	assert.deepEqual(rows['in rate'], ['2', '1']);
	assert.deepEqual(rows['in api_key'], ['***', '***']);
	assert.deepEqual(rows['in only'], [null, 'y']);
	assert.deepEqual(rows['in same'], undefined);
	assert.equal(rows['in long']![0]!.length, 4097);
	assert.deepEqual(rows['computer name'], ['small', 'large']);
	assert.deepEqual(rows['computer cores'], ['1', '16']);
	assert.deepEqual(rows['out loss'], [null, '0.1']);
	assert.ok(!JSON.stringify(told).includes('hidden'));
	const back = await colony.own('process.compare', {processid: good.processid, with: bad.processid});
	assert.deepEqual(new Set(back.map(({name, value, other}) => [name, other, value].join(' '))), new Set(told.map(({name, value, other}) => [name, value, other].join(' '))));
});

test('values that differ are told apart however long they are', async () => {
	const bare = await colony.submit();
	const process = (value: string): Process => ({...bare, in: [{attributeid: '', targetid: '', attributetype: 0, key: 'key', value} satisfies Attribute]});
	fc.assert(fc.property(fc.string(), fc.nat(20_000), fc.nat(20_000), fc.string(), (word, before, after, other) => {
		fc.pre(word !== other);
		const [one, two] = [word, other].map(middle => `${'a'.repeat(before)}${middle}${'b'.repeat(after)}`) as [string, string];
		fc.pre(one !== two);
		const found = differences({process: process(one)}, {process: process(two)}).find(({part}) => part === 'in')!;
		assert.notEqual(found.value, found.other);
		assert.ok(found.value!.length <= 4098);
	}), {numRuns: 500});
});
