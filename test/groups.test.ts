import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database, Statement} from '../source/database/types.ts';
import {type Identity, verifyHttp} from '../source/identity/index.ts';
import {Broker, type InputOf, type OperationName} from '../source/operations/index.ts';
import {
	type Colony, openColony, outcomeOf, untilBlocked,
} from './support/colony.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {latch} from './support/latch.ts';
import {authority, signed, wire} from './support/server.ts';

const skip = noPostgres;
let database: Database;
let colony: Colony;
/** How many calls each group had that was sent. */
const groups: number[] = [];
/** What happens before a group is sent. */
let beforeFlight: (statements: readonly Statement[]) => Promise<void> = async () => undefined;

const listOf = (statements: readonly Statement[]): unknown[] => statements.at(-1)!.values.findLast((value): value is unknown[] => Array.isArray(value))!;

function watched(plain: Database): Database {
	return new Proxy(plain, {
		get(_, name) {
			if (name === 'flight') {
				return async (statements: readonly Statement[]) => {
					groups.push(listOf(statements).length);
					await beforeFlight(statements);
					return plain.flight(statements);
				};
			}

			const value: unknown = Reflect.get(plain, name, plain);
			return typeof value === 'function' ? (value as () => unknown).bind(plain) : value;
		},
	});
}

before(async () => {
	if (!skip) {
		database = await openPostgres({...await freshPlace(), poolSize: 6});
		colony = await openColony(database, new Broker(watched(database), {local: true}));
		// Its kind of work is there from then on.
		await colony.submit();
		await colony.submit({computertype: 'a'});
		await database.query('delete from colonies.live');
	}
});

after(async () => database?.close());

const signer = <Name extends OperationName>(identity: Identity, name: Name, input: InputOf<Name>) => ({signer: verifyHttp({...signed(identity, wire(name, input)), authority}, {now: Date.now()})});
const numbers = (count: number): number[] => Array.from({length: count}, (_, index) => index);
const clear = async () => {
	await database.query('delete from colonies.live');
	groups.length = 0;
};

test('what arrives together goes together, at most 64 at once, and each has its own answer', {skip}, async () => {
	await clear();
	const labels = numbers(200).map(index => `job ${index}`);
	const processes = await Promise.all(labels.map(async label => colony.submit({in: {label}})));
	assert.deepEqual(processes.map(({in: given}) => given![0]!.value), labels);
	assert.ok(groups.every(length => length <= 64) && groups.length <= 8, groups.join(' '));
	assert.equal(groups.reduce((sum, length) => sum + length, 0), 200);
	const times = processes.map(({submissiontime}) => submissiontime);
	assert.deepEqual(times.slice(0, 64), times.slice(0, 64).sort(), 'In the order in which they came.');
	for (const process of [processes[0]!, processes[130]!, processes[199]!]) {
		assert.deepEqual(await colony.get(process), process);
	}
});

test('large submissions do not all go in one statement', {skip}, async () => {
	await clear();
	const value = 'x'.repeat(300_000);
	const processes = await Promise.all(numbers(12).map(async index => colony.submit({in: {index: String(index), value}})));
	assert.deepEqual(groups, [3, 3, 3, 3]);
	assert.deepEqual(processes.map(({in: given}) => given![0]!.value), numbers(12).map(String));
});

test('a call that nobody waits for any more gets nothing', {skip}, async () => {
	await clear();
	const computer = await colony.computer();
	await colony.submit();
	const stop = new AbortController();
	const assigning = outcomeOf(colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait: 1}, {signal: stop.signal}));
	stop.abort();
	assert.equal(await assigning, 'nothing-to-assign');
	assert.equal((await colony.own('process.count')).waiting, 1);
});

test('computers that are alike get the oldest, each one', {skip}, async () => {
	await clear();
	const computers = await Promise.all(numbers(8).map(async () => colony.computer()));
	const submitted = [];
	for (const _ of numbers(20)) {
		submitted.push(await colony.submit());
	}

	// Known here, so that they go together.
	await Promise.all(computers.map(async computer => colony.assign(computer)));
	groups.length = 0;
	const assigned = await Promise.all(computers.map(async computer => colony.assign(computer)));
	assert.ok(groups.length <= 2, groups.join(' '));
	assert.deepEqual(new Set(assigned.map(({processid}) => processid)), new Set(submitted.slice(8, 16).map(({processid}) => processid)));
	for (const [index, process] of assigned.entries()) {
		assert.equal(process.assignedcomputerid, computers[index]!.id);
		assert.deepEqual(await colony.get(process), process);
	}
});

test('work that names a computer is given to none but it, also where several ask at once', {skip}, async () => {
	await clear();
	const computers = await Promise.all(numbers(6).map(async () => colony.computer()));
	const [one, two] = computers as [Identity, Identity];
	const mine = await colony.submit({targetcomputerids: [one.id]});
	const ours = await colony.submit({targetcomputerids: [one.id, two.id]});
	const anyones = await colony.submit();
	const assigned = await Promise.all([two, one, ...computers.slice(2)].map(async computer => colony.assign(computer).catch(() => undefined)));
	assert.deepEqual(assigned.slice(0, 2).map(process => process?.processid), [ours.processid, mine.processid]);
	assert.deepEqual(assigned.slice(2).map(process => process?.processid).filter(id => id !== undefined), [anyones.processid]);
});

test('one that is refused harms none of its group, and its request is spent', {skip}, async () => {
	await clear();
	const pending = await colony.computer({state: 'pending'});
	const input = {spec: {targetcolonyid: colony.id}};
	const refused = signer(pending, 'process.submit', input);
	const outcomes = await Promise.all([...numbers(10).map(() => signer(colony.owner, 'process.submit', input)), refused].map(async caller => outcomeOf(colony.broker.run(caller, 'process.submit', input))));
	assert.deepEqual(outcomes, [...numbers(10).map(() => 'done'), 'not-allowed']);
	await colony.own('computer.approve', {computerid: pending.id});
	assert.equal(await outcomeOf(colony.broker.run(refused, 'process.submit', input)), 'unauthenticated');
});

test('a request that comes many times at once is carried out once', {skip}, async () => {
	await clear();
	const input = {spec: {targetcolonyid: colony.id}};
	const caller = signer(colony.owner, 'process.submit', input);
	const outcomes = await Promise.all(numbers(20).map(async () => outcomeOf(colony.broker.run(caller, 'process.submit', input))));
	assert.deepEqual(outcomes.sort(), ['done', ...numbers(19).map(() => 'unauthenticated')]);
	assert.equal((await colony.own('process.count')).waiting, 1);
});

test('the same idempotency key many times at once has one answer', {skip}, async () => {
	await clear();
	const computer = await colony.computer();
	await colony.submit();
	const submitted = await Promise.all(numbers(20).map(async () => colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {idempotencyKey: 'many'})));
	assert.equal(new Set(submitted.map(({processid}) => processid)).size, 1);
	const assigned = await Promise.all(numbers(20).map(async () => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id}, {idempotencyKey: 'many too'})));
	assert.equal(new Set(assigned.map(({processid}) => processid)).size, 1);
	assert.deepEqual(await colony.own('process.count'), {waiting: 1, running: 1, successful: 0, failed: 0});
});

test('where a group fails as a whole, each is tried by itself', {skip}, async () => {
	await clear();
	const input = {spec: {targetcolonyid: colony.id}};
	beforeFlight = async () => {
		await database.query('select 1 / 0');
	};

	const callers = numbers(5).map(() => signer(colony.owner, 'process.submit', input));
	const outcomes = await Promise.all(callers.map(async caller => outcomeOf(colony.broker.run(caller, 'process.submit', input))));
	beforeFlight = async () => undefined;
	assert.deepEqual(outcomes, numbers(5).map(() => 'done'));
	assert.equal((await colony.own('process.count')).waiting, 5);
});

test('what is written to a process while it is closed is kept with it, or refused', {skip}, async () => {
	await clear();
	const computer = await colony.computer();
	for (const turn of numbers(40)) {
		const process = await colony.running(computer);
		const [written, closed] = await Promise.all([
			outcomeOf(colony.add(computer, process, {key: 'result', value: String(turn)})),
			outcomeOf(colony.close(computer, process)),
		]);
		assert.equal(closed, 'done');
		const {out} = await colony.get(process);
		assert.deepEqual(out?.map(({value}) => value), written === 'done' ? [String(turn)] : undefined);
	}

	assert.deepEqual((await database.query('select from colonies.outputs')).rows, []);
});

test('an attribute whose transaction began before a close and ends after it began is kept', {skip}, async () => {
	await clear();
	const computer = await colony.computer();
	const process = await colony.running(computer);
	const {held, letGo} = latch();
	const {held: begin, letGo: begun} = latch();
	const writing = database.transaction(async client => {
		await client.query('select from colonies.live where process_id = colonies.bytes_of($1) for update', [process.processid]);
		await client.query('insert into colonies.outputs (process_id, attribute_type, key, value) values (colonies.bytes_of($1), 1, \'late\', \'yes\')', [process.processid]);
		begun();
		await held;
	});
	await begin;
	const closing = colony.close(computer, process);
	await untilBlocked(database, closing);
	letGo();
	await writing;
	assert.deepEqual((await closing).out?.map(({key}) => key), ['late']);
});

test('a computer that is disapproved while it asks with others gets nothing', {skip}, async () => {
	await clear();
	const computers = await Promise.all(numbers(4).map(async () => colony.computer()));
	await Promise.all(numbers(10).map(async () => colony.submit()));
	await Promise.all(computers.map(async computer => colony.assign(computer)));
	const {held, letGo} = latch();
	const {held: begin, letGo: begun} = latch();
	const disapproving = database.transaction(async client => {
		await client.query('update colonies.computers set status = 2 where computer_id = colonies.bytes_of($1)', [computers[0]!.id]);
		begun();
		await held;
	});
	await begin;
	const assigning = Promise.all(computers.map(async computer => outcomeOf(colony.assign(computer))));
	await untilBlocked(database, assigning);
	letGo();
	await disapproving;
	assert.deepEqual(await assigning, ['not-allowed', 'done', 'done', 'done']);
});

test('with 31 colonies whose callers never pause, the 32nd gets at least half of its share', {skip}, async () => {
	const colonies = [];
	for (const _ of numbers(32)) {
		colonies.push(await openColony(database, colony.broker));
	}

	await Promise.all(colonies.map(async each => each.submit()));
	const done = colonies.map(() => 0);
	const total = () => done.reduce((sum, count) => sum + count, 0);
	await Promise.all(colonies.flatMap((each, index) => numbers(index === 31 ? 4 : 16).map(async () => {
		while (total() < 4000) {
			await each.submit();
			done[index]!++;
		}
	})));
	const share = total() * 4 / ((31 * 16) + 4);
	assert.ok(done[31]! >= share / 2, `${done[31]!} of ${share}`);
});
