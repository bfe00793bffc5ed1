import assert from 'node:assert/strict';
import process from 'node:process';
import {after, test} from 'node:test';
import {microseconds} from '../source/core/time.ts';
import {computerStates, type Id, type Process, processStates} from '../source/core/types.ts';
import {migrate} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {noPostgres, openMemory, openPlain} from './support/databases.ts';
import {root} from './support/colony.ts';
import {readAll, type Recorded, Workload} from './support/past.ts';
import {Random} from './support/random.ts';
import {keepInFull} from './support/tampering.ts';

/** How many moments are looked back at; PAST_MOMENTS sets how many on PostgreSQL. */
const moments = {postgres: Number(process.env.PAST_MOMENTS ?? 500), embedded: 80};

const entered = ({status, submissiontime, starttime, endtime}: Process): string => status === 0 ? submissiontime : (status === 1 ? starttime : endtime);
const compare = (left: string, right: string): number => left < right ? -1 : (left > right ? 1 : 0);

/** Some filter, and the processes among those that were recorded which it means, in the order of their list. */
function filtered({processes, computers, at}: Recorded, random: Random): {filter: Record<string, unknown>; expected: Process[]} {
	const state = random.pick([undefined, undefined, ...processStates]);
	const one = random.pick(processes);
	const seconds = random.below(100) / 10;
	const ago = (process: Process) => Number(microseconds(at)! - microseconds(entered(process))!) / 1_000_000;
	const [filter, fits] = random.pick<[Record<string, unknown>, (process: Process) => boolean]>([
		[{}, () => true],
		[{computertype: 'gpu'}, ({computertype}) => computertype === 'gpu'],
		[{computerid: computers[0]?.computerid ?? '0'.repeat(64)}, ({assignedcomputerid}) => assignedcomputerid !== '' && assignedcomputerid === computers[0]?.computerid],
		[{text: 'PU'}, ({computertype}) => computertype !== ''],
		[{text: one?.processid.slice(0, 1) ?? 'x'}, ({processid, computertype}) => processid.startsWith(one.processid.slice(0, 1)) || computertype.includes(one.processid.slice(0, 1))],
		[{olderthan: seconds}, process => ago(process) >= seconds],
		[{youngerthan: seconds}, process => ago(process) < seconds],
	]);
	const found = processes.filter(process => (state === undefined || processStates[process.status] === state) && fits(process));
	const ascending = state === 'waiting' || state === 'running';
	const expected = found.sort((left, right) => (compare(entered(left), entered(right)) || compare(left.processid, right.processid)) * (ascending ? 1 : -1));
	return {filter: {...filter, state}, expected};
}

async function check(recorded: Recorded, random: Random): Promise<void> {
	const {at, colony, processes, computers, counts, computerCounts, colonies} = recorded;
	const count = random.pick([3, 20, 1000]);
	const direction = random.pick(['after', 'before'] as const);
	const all = await readAll(async page => {
		const answer = await colony.own('process.list', {...page, at, count: Math.max(count, 20)});
		assert.equal(answer.at, at);
		return answer;
	}, direction);
	assert.deepEqual(all, processes);
	assert.deepEqual(await readAll(async page => colony.own('computer.list', {...page, at, count}), direction), computers);
	assert.deepEqual(await colony.own('process.count', {at}), counts);
	assert.deepEqual(await colony.own('computer.count', {at}), computerCounts);
	assert.deepEqual(await readAll(async page => colony.broker.run(root, 'colony.list', {...page, at, count}), direction), colonies);
	const {filter, expected} = filtered(recorded, random);
	const answer = await colony.own('process.list', {...filter, at, count: 1000, attributes: false});
	assert.deepEqual(answer.rows.map(({processid}) => processid), expected.map(({processid}) => processid), JSON.stringify(filter));
	const one = random.pick(processes);
	if (one) {
		assert.deepEqual(await colony.own('process.get', {processid: one.processid, at}), one);
	}

	const computer = random.pick(computers);
	if (computer) {
		assert.deepEqual(await colony.own('computer.get', {computerid: computer.computerid, at}), computer);
		const state = random.pick(computerStates);
		assert.deepEqual((await colony.own('computer.list', {state, at, count: 1000})).rows, computers.filter(({status}) => computerStates[status] === state));
	}
}

/** Every step of some processes as people are told of it, with what is kept of it. */
async function stepsOf(database: Database, {colonies}: Workload): Promise<unknown[]> {
	const {rows} = await database.query<{colony: Id; process: Id}>('select distinct colony_id as colony, subject_id as process from colonies.history where noun = \'process\' and what in (\'process.requeue\', \'process.retry\', \'process.remove\') and colony_id in (select colony_id from colonies.colonies) order by 2 limit 60');
	return Promise.all(rows.map(async ({colony: id, process}) => {
		const colony = colonies.find(each => each.id === id)!;
		const {rows: steps} = await colony.own('process.history', {processid: process, count: 1000});
		const {rows: entries} = await colony.own('audit.list', {subject: process, all: true, count: 1000});
		return [steps, await Promise.all(entries.map(async entry => colony.own('audit.get', {entry: entry.id})))];
	}));
}

/** Keeps half of the history as it was kept before schema 7: what is said about processes stays the same. */
async function checkInFull(database: Database, workload: Workload): Promise<void> {
	const before = await stepsOf(database, workload);
	assert.ok(before.length > 5);
	await database.transaction(async client => {
		await client.query('set local session_replication_role = replica');
		assert.ok(await keepInFull(client) > 20);
	});
	assert.deepEqual(await stepsOf(database, workload), before);
}

async function record(database: Database, many: number, seed: number): Promise<void> {
	await migrate(database);
	const random = new Random(seed);
	const workload = new Workload(database, random);
	await workload.begin(2);
	await workload.beginRare();
	for (let step = 0; step < many; step++) {
		await workload.step();
		if (step % 10 === 0) {
			await check(random.pick(workload.recorded.slice(-20)), random);
		}
	}

	for (const recorded of workload.recorded) {
		await check(recorded, random);
	}

	await checkInFull(database, workload);
	for (const [index, recorded] of workload.recorded.entries()) {
		if (index % 5 === 0) {
			await check(recorded, random);
		}
	}

	if (workload.recorded.length < moments.postgres) {
		// So few moments need not have seen everything.
		return;
	}

	const {rows} = await database.query<{what: string}>('select distinct what from colonies.history order by what');
	assert.deepEqual(rows.map(({what}) => what), [
		'attribute.add',
		'colony.register',
		'colony.remove',
		'colony.rename',
		'computer.approve',
		'computer.disapprove',
		'computer.register',
		'computer.rekey',
		'computer.remove',
		'computer.rename',
		'database.firstrootpassword',
		'process.assign',
		'process.cancel',
		'process.expire',
		'process.failed',
		'process.remove',
		'process.requeue',
		'process.retry',
		'process.submit',
		'process.successful',
	]);
}

test(`on PostgreSQL the lists of ${moments.postgres} moments are told as they were seen then`, {skip: noPostgres}, async () => {
	const database = await openPlain();
	after(async () => database.close());
	await record(database, moments.postgres, 1);
});

test(`on the embedded database the lists of ${moments.embedded} moments are told as they were seen then`, async () => {
	const database = await openMemory();
	after(async () => database.close());
	await record(database, moments.embedded, 2);
});
