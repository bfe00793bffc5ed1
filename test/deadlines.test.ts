import assert from 'node:assert/strict';
import {test} from 'node:test';
import {keepTime} from '../source/contexts/keep-time.ts';
import {unsetTime} from '../source/core/types.ts';
import {demandIds} from '../source/database/demands.ts';
import {Broker} from '../source/operations/index.ts';
import {openAny, openColony, refused, refusedUnchanged} from './support/colony.ts';

const colony = await openColony(await openAny());
const {database, broker} = colony;
const computer = await colony.computer();

test('past its deadline a process waits again with one retry more, until none is left', async () => {
	const submitted = await colony.submit({timeout: 600, maxretries: 2, in: {key: 'value'}, targetcomputerids: [computer.id]});
	for (const retries of [1, 2]) {
		const running = await colony.assign(computer);
		assert.equal(running.retries, retries - 1);
		await colony.add(computer, running, {key: 'step', value: String(retries)});
		await colony.passDeadlines(running);
		assert.equal(await broker.endExpired(), 1);
		assert.deepEqual(await colony.get(submitted), {...submitted, retries});
	}

	const last = await colony.assign(computer);
	await colony.passDeadlines(last);
	assert.equal(await broker.endExpired(), 1);
	const failed = await colony.get(submitted);
	assert.deepEqual([failed.status, failed.retries, failed.submissiontime, failed.assignedcomputerid], [3, 2, submitted.submissiontime, computer.id]);
	assert.deepEqual(failed.err!.map(({key, value}) => [key, value]), [['error', 'deadline exceeded']]);
	assert.ok(failed.endtime > failed.starttime);
	assert.equal(await broker.endExpired(), 0);
});

test('with maxretries 0 a process fails at its first deadline', async () => {
	const process = await colony.running(computer, {timeout: 600});
	await colony.passDeadlines(process);
	await broker.endExpired();
	assert.equal(await colony.state(process), 'failed');
});

test('a deadline that has not passed, and a process without one, are left alone', async () => {
	const processes = [await colony.running(computer, {timeout: 1000, maxretries: 1}), await colony.running(computer, {maxretries: 1})];
	assert.equal(await broker.endExpired(), 0);
	assert.deepEqual([await colony.get(processes[0]!), await colony.get(processes[1]!)], processes);
	for (const process of processes) {
		await colony.close(computer, process);
	}
});

test('a late close is a conflict, whether the deadline was seen to or not', async () => {
	const another = await colony.computer();
	const process = await colony.running(computer, {timeout: 600, maxretries: 1, targetcomputerids: [computer.id, another.id]});
	await colony.passDeadlines(process);
	for (const to of ['successful', 'failed'] as const) {
		await refusedUnchanged(database, async () => colony.close(computer, process, to), 'conflict', /deadline .* has passed/);
	}

	await refusedUnchanged(database, async () => colony.add(computer, process, {key: 'late', value: 'x'}), 'conflict');
	await broker.endExpired();
	await refusedUnchanged(database, async () => colony.close(computer, process), 'conflict', /waiting/);
	await colony.assign(another);
	await refusedUnchanged(database, async () => colony.close(computer, process), 'conflict', /another computer/);
	await colony.close(another, process);
	await refusedUnchanged(database, async () => colony.close(computer, process), 'conflict', /successful already/);
});

test('assign sees to the deadlines of its colony first, and may take what has just expired', async () => {
	const worker = await colony.computer();
	const process = await colony.running(computer, {timeout: 600, maxretries: 1, targetcomputerids: [computer.id, worker.id]});
	await colony.passDeadlines(process);
	const again = await colony.assign(worker);
	assert.deepEqual([again.processid, again.retries, again.assignedcomputerid], [process.processid, 1, worker.id]);
	await colony.close(worker, process);

	const spent = await colony.running(computer, {timeout: 600});
	await colony.passDeadlines(spent);
	await refused(colony.assign(worker), 'nothing-to-assign');
	assert.equal(await colony.state(spent), 'failed');
});

test('assign leaves the deadlines of other colonies alone', async () => {
	const other = await openColony(database, broker);
	const theirs = await other.computer();
	const process = await other.running(theirs, {timeout: 600});
	await other.passDeadlines(process);
	await refused(colony.assign(computer), 'nothing-to-assign');
	assert.equal(await other.state(process), 'running');
	assert.equal(await broker.endExpired(), 1);
	assert.equal(await other.state(process), 'failed');
});

test('a requeued process has no trace of its last attempt', async () => {
	const process = await colony.running(computer, {timeout: 600, maxretries: 1});
	await colony.add(computer, process, {key: 'out', value: 'x'});
	await colony.passDeadlines(process);
	await broker.endExpired();
	const waiting = await colony.get(process);
	assert.deepEqual([waiting.starttime, waiting.endtime, waiting.deadline, waiting.assignedcomputerid, waiting.isassigned, waiting.out], [unsetTime, unsetTime, unsetTime, '', false, null]);
	await colony.own('process.remove', {processid: process.processid});
});

test('several brokers that end at once end each process exactly once', async () => {
	const many = await Promise.all(Array.from({length: 60}, async (_, index) => colony.submit({timeout: 600, maxretries: index % 2, targetcomputerids: [computer.id]})));
	for (const _ of many) {
		await colony.assign(computer);
	}

	await colony.passDeadlines(...many);
	const brokers = Array.from({length: 6}, () => new Broker(database, {local: true}));
	const ended = await Promise.all(brokers.map(async each => each.endExpired()));
	assert.equal(ended.reduce((sum, count) => sum + count, 0), many.length);
	const {rows} = await database.query<{what: string; count: number}>(
		'select what, count(*)::int as count from colonies.history where subject_id = any (colonies.bytes_of_all($1)) and actor = \'system\' and noun = \'process\' group by what order by what',
		[many.map(({processid}) => processid)],
	);
	assert.deepEqual(rows, [{what: 'process.expire', count: 30}, {what: 'process.requeue', count: 30}]);
	const states = await database.query<{status: number; retries: number; count: number}>(
		'select status, retries, count(*)::int as count from colonies.processes where process_id = any (colonies.bytes_of_all($1)) group by 1, 2 order by 1',
		[many.map(({processid}) => processid)],
	);
	assert.deepEqual(states.rows, [{status: 0, retries: 1, count: 30}, {status: 3, retries: 0, count: 30}]);
});

test('more than one batch is ended batch by batch', async () => {
	const other = await openColony(database, broker);
	const [demand] = await demandIds(database, other.id, [{targetcomputerids: [], computertype: '', mem: 0, cores: 0, gpus: 0}]);
	await database.query(
		`insert into colonies.live (process_id, colony_id, demand_id, status, entered_at, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus)
		select colonies.bytes_of(lpad(to_hex(n), 64, '0')), colonies.bytes_of($1), $2, 1, now(), now(), now(), now() - n * interval '1 second', colonies.bytes_of(repeat('c', 64)), '{}', '', 1, n % 2, 0, 0, 0 from generate_series(1, 75) n`,
		[other.id, demand],
	);
	assert.deepEqual([await broker.endExpired(), await broker.endExpired(), await broker.endExpired()], [50, 25, 0]);
	assert.deepEqual(await other.own('process.count'), {waiting: 38, running: 0, successful: 0, failed: 37});
});

test('whoever keeps the time ends attempts by itself, and tells the watchers', async () => {
	const process = await colony.running(computer, {timeout: 600});
	await colony.passDeadlines(process);
	const told = new Promise<ReadonlySet<string>>(resolve => {
		broker.news.watch(topics => {
			// What ran before may still be told of; only an end by deadline touches attributes here.
			if (topics.has('attributes')) {
				resolve(topics);
			}
		});
	});
	const stop = keepTime(broker);
	// The timer of the keeper does not keep the program running.
	const alive = setInterval(() => undefined, 1000);
	const topics = await told;
	clearInterval(alive);
	await stop();
	assert.ok(topics.has('processes'));
	assert.equal(await colony.state(process), 'failed');
	await broker.news.close();
});
