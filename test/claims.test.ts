import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {mayRun, type Worker} from '../source/core/matching.ts';
import type {Id} from '../source/core/types.ts';
import type {ProcessMoved} from '../source/database/history.ts';
import {claim, standingOf, waitingDemands} from '../source/database/index.ts';
import type {ComputerRow} from '../source/database/rows.ts';
import type {Client} from '../source/database/types.ts';
import {newProcessId, sha3} from '../source/identity/index.ts';
import {noPostgres} from './support/databases.ts';
import {
	openAny, openColony, refused, untilBlocked, type Colony,
} from './support/colony.ts';
import {
	demands, later, names, place, placeComputers, workers, type Placed,
} from './support/worlds.ts';

const colony = await openColony(await openAny());
const {database} = colony;
const past = '2026-01-02T03:04:05.000000Z';
const compare = (left: Placed, right: Placed): number => left.entered < right.entered || (left.entered === right.entered && left.processid < right.processid) ? -1 : 1;

/** The record of a computer as authorising finds and holds it. */
async function held(client: Client, colonyid: Id, computerid: Id): Promise<ComputerRow> {
	const {role, computer} = await standingOf(client, colonyid, computerid, {hold: true});
	assert.equal(role, 'approved');
	return computer!;
}

/** A colony without an owner, and work for one computer in it. */
async function freshWork(processes: readonly Placed[], computer: Parameters<typeof placeComputers>[2][number]): Promise<Id> {
	const id = newProcessId();
	await database.query('insert into colonies.colonies (colony_id, name) values (colonies.bytes_of($1), \'claims\')', [id]);
	await placeComputers(database, id, [computer]);
	await place(database, id, processes);
	return id;
}

test('claims of several at once give out the same processes in the same order as one by one, whatever is asked', async () => {
	// Up to a hundred sizes: from some number on, claims look along the queue before they look at every kind of work.
	const sizes = fc.constantFrom(2, 60, 100);
	const world = fc.record({
		computer: workers.map(worker => ({...worker, status: 1 as const, mem: 70})),
		work: sizes.chain(size => fc.array(fc.record({demand: demands, mem: fc.integer({min: 1, max: size}), at: fc.nat(50), first: fc.boolean()}), {minLength: size, maxLength: size * 2})),
		counts: fc.infiniteStream(fc.constantFrom(1, 2, 5, 40)),
	});
	await fc.assert(fc.asyncProperty(world, async ({computer, work, counts}) => {
		const processes = work.map(({demand, mem, at}): Placed => ({
			...demand, mem, processid: newProcessId(), status: 0, entered: later(past, at),
		}));
		const id = await freshWork(processes, computer);
		const expected = processes.filter(process => mayRun(computer, process)).sort(compare).map(({processid}) => processid);
		const given: Id[] = [];
		for (const count of counts) {
			const batch = await database.transaction(async client => claim(client, await held(client, id, computer.computerid), count));
			assert.deepEqual(batch.changes.map(({subject}) => subject), batch.result.map(({processid}) => processid));
			given.push(...batch.result.map(({processid}) => processid));
			if (batch.result.length < count) {
				break;
			}
		}

		assert.deepEqual(given, expected);
	}), {numRuns: 60});
});

test('among many kinds of work, what fits is found behind a long queue that does not', async () => {
	const computer = {computerid: names[0]!, status: 1 as const, cores: 4, mem: 1000, gpus: 0};
	const blocked = Array.from({length: 200}, (_, index): Placed => ({
		processid: sha3(`blocked ${index}`), status: 0, entered: later(past, index), targetcomputerids: [], computertype: '', cores: 5 + index, mem: 0, gpus: 0,
	}));
	const fitting = Array.from({length: 100}, (_, index): Placed => ({
		processid: sha3(`fitting ${index}`), status: 0, entered: later(past, 1000 + index), targetcomputerids: [], computertype: '', cores: 0, mem: index, gpus: 0,
	}));
	const id = await freshWork([...blocked, ...fitting], computer);
	for (const {processid} of fitting.slice(0, 5)) {
		const {result: [process]} = await database.transaction(async client => claim(client, await held(client, id, computer.computerid), 1));
		assert.equal(process!.processid, processid);
	}
});

/** A computer that may run everything below, and work for it. */
const roomy = {computerid: names[0]!, status: 1 as const, cores: 4, mem: 1000, gpus: 0};
const light = {status: 0 as const, targetcomputerids: [], computertype: '', cores: 0, mem: 0, gpus: 0};

test('of work submitted at the same moment the lowest id comes first, in one kind of work or in many', async () => {
	const kinds: Array<(index: number) => number> = [() => 0, index => index % 40];
	for (const mem of kinds) {
		const processes = Array.from({length: 120}, (_, index): Placed => ({...light, processid: newProcessId(), entered: past, mem: mem(index)}));
		const id = await freshWork(processes, roomy);
		const expected = processes.map(({processid}) => processid).sort();
		for (const processid of expected.slice(0, 10)) {
			const {result: [process]} = await database.transaction(async client => claim(client, await held(client, id, roomy.computerid), 1));
			assert.equal(process!.processid, processid);
		}
	}
});

test('a computer that asks for several gets no more than that, wherever in the queue they stand', async () => {
	// Two that fit are among the longest waiting, and many more kinds of work that fit are far behind.
	const near = [0, 1].map((index): Placed => ({...light, processid: sha3(`near ${index}`), entered: later(past, index)}));
	const blocked = Array.from({length: 100}, (_, index): Placed => ({...light, processid: sha3(`too large ${index}`), entered: later(past, 10 + index), cores: 5}));
	const far = Array.from({length: 100}, (_, index): Placed => ({...light, processid: sha3(`far ${index}`), entered: later(past, 1000 + index), mem: 1 + index}));
	const id = await freshWork([...near, ...blocked, ...far], roomy);
	const {result} = await database.transaction(async client => claim(client, await held(client, id, roomy.computerid), 5));
	assert.deepEqual(result.map(({processid}) => processid), [...near, ...far.slice(0, 3)].map(({processid}) => processid));
});

test('work that came back to the queue has waited since then, and not since it was submitted', async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	const {processid} = await fresh.running(computer);
	await fresh.close(computer, {processid}, 'failed');
	await fresh.own('process.retry', {processid});
	await database.query('update colonies.live set submission_time = submission_time - interval \'1 hour\', entered_at = entered_at - interval \'1 hour\', returned_at = returned_at - interval \'1 minute\' where process_id = colonies.bytes_of($1)', [processid]);
	await fresh.assign(computer);
	const waits = (await fresh.history(processid)).filter(({what}) => what === 'process.assign').map(({detail}) => (detail as {wait: number}).wait);
	const minute = 60_000_000;
	assert.equal(waits.length, 2);
	assert.ok(waits[1]! >= minute && waits[1]! < 10 * minute, `It waited ${waits[1]} microseconds.`);
});

test('what other claims hold is passed over, however much it is', {skip: noPostgres}, async () => {
	const kinds: Array<(index: number) => number> = [() => 0, index => index];
	for (const mem of kinds) {
		const computer = {computerid: names[0]!, status: 1 as const, cores: 4, mem: 1000, gpus: 0};
		const processes = Array.from({length: 100}, (_, index): Placed => ({
			processid: newProcessId(), status: 0, entered: later(past, index), targetcomputerids: [], computertype: '', cores: 0, mem: mem(index), gpus: 0,
		}));
		const id = await freshWork(processes, computer);
		const take = async (client: Client) => {
			const {result: [process]} = await claim(client, await held(client, id, computer.computerid), 1);
			return processes.findIndex(({processid}) => processid === process?.processid);
		};

		for (const count of [1, 20, 90]) {
			await database.transaction(async client => {
				await client.query('select from colonies.live where process_id = any (colonies.bytes_of_all($1)) for update', [processes.slice(0, count).map(({processid}) => processid)]);
				const other = await database.transaction(async beside => {
					const index = await take(beside);
					await beside.query('update colonies.live set status = 0, assigned_computer_id = null, entered_at = submission_time where process_id = colonies.bytes_of($1)', [processes[index]!.processid]);
					return index;
				});
				assert.equal(other, count);
			});
		}

		await database.transaction(async client => {
			await client.query('select from colonies.live where colony_id = colonies.bytes_of($1) for update', [id]);
			assert.equal(await database.transaction(take), -1);
		});
	}
});

/** Stops every claim of a transaction of which this is the search path when it has begun to look, until this lock is free: a function of that name in a schema of its own is found before PostgreSQL's. */
const pausing = {path: 'colonies_test_pause, pg_catalog', lock: 4321};

test('what another claim takes while this one looks is given out once', {skip: noPostgres}, async () => {
	await database.query('create schema colonies_test_pause');
	await database.query(`create function colonies_test_pause.unnest(anyarray) returns setof anyelement language plpgsql as
		$$begin perform pg_advisory_xact_lock(${pausing.lock}); return query select pg_catalog.unnest($1); end$$`);
	const [slow, quick] = [0, 1].map(index => ({computerid: names[index]!, status: 1 as const, cores: 4, mem: 1000, gpus: 0})) as [Worker, Worker];
	const id = await freshWork([{processid: newProcessId(), status: 0, entered: past, targetcomputerids: [], computertype: '', cores: 0, mem: 0, gpus: 0}], slow);
	await placeComputers(database, id, [quick]);
	let looking: ReturnType<typeof claim> | undefined;
	const taken = await database.transaction(async holder => {
		await holder.query('select pg_advisory_xact_lock($1)', [pausing.lock]);
		looking = database.transaction(async client => {
			const computer = await held(client, id, slow.computerid);
			await client.query(`set local search_path = ${pausing.path}`);
			return claim(client, computer, 1);
		});
		await untilBlocked(database, looking);
		return database.transaction(async client => claim(client, await held(client, id, quick.computerid), 1));
	});
	assert.equal(taken.result.length, 1);
	assert.deepEqual((await looking!).result, []);
});

test('what is claimed runs from then on, up to its time limit where it has one, and waits no more', async () => {
	const computer = {computerid: names[0]!, status: 1 as const, cores: 4, mem: 1000, gpus: 0};
	const timeouts = [-1, 0, 1, 90];
	const processes = timeouts.map((_, index): Placed => ({processid: newProcessId(), status: 0, entered: later(past, index), targetcomputerids: [], computertype: '', cores: 0, mem: 0, gpus: 0}));
	const id = await freshWork(processes, computer);
	for (const [index, {processid}] of processes.entries()) {
		await database.query('update colonies.live set timeout = $1 where process_id = colonies.bytes_of($2)', [timeouts[index], processid]);
	}

	const {result, changes} = await database.transaction(async client => claim(client, await held(client, id, computer.computerid), 4));
	assert.deepEqual(result.map(({assignedcomputerid, status}) => [assignedcomputerid, status]), processes.map(() => [computer.computerid, 1]));
	const {rows} = await database.query<{limit: number | null; enters: boolean; waited: number}>(
		`select extract(epoch from deadline - start_time)::int as limit, entered_at = start_time as enters, (extract(epoch from start_time - submission_time) * 1000000)::bigint as waited
		from colonies.processes where colony_id = colonies.bytes_of($1) order by submission_time`,
		[id],
	);
	assert.deepEqual(rows.map(({limit}) => limit), [null, null, 1, 90]);
	assert.ok(rows.every(({enters}) => enters));
	assert.equal((await waitingDemands(database, [id], 10)).size, 0);
	const moves = changes.map(change => change as ProcessMoved);
	assert.deepEqual(moves.map(({noun, what, from, to}) => [noun, what, from, to]), processes.map(() => ['process', 'process.assign', 'waiting', 'running']));
	assert.deepEqual(moves.map(({attempt}) => (attempt as {wait: number}).wait), rows.map(({waited}) => waited));
});

test('work that asks for the same shares one kind', async () => {
	const fresh = await openColony(database, colony.broker);
	const asked = {computertype: 'gpu', cores: 1, mem: 2, gpus: 3, targetcomputerids: [names[0]!, names[1]!]};
	await fresh.submit(asked);
	await fresh.submit({...asked, targetcomputerids: [names[1]!, names[0]!, names[1]!], timeout: 5, maxretries: 1, in: {key: 'value'}});
	await fresh.submit({...asked, gpus: 4});
	await fresh.submit({...asked, targetcomputerids: []});
	const {rows} = await database.query<{count: number}>('select count(*)::int as count from colonies.demands where colony_id = colonies.bytes_of($1)', [fresh.id]);
	assert.deepEqual(rows, [{count: 3}]);
});

/** Kinds of work of a colony, by how much memory they ask. */
const kindsOf = async ({id}: Colony): Promise<number[]> => {
	const {rows} = await database.query<{mem: number}>('select mem from colonies.demands where colony_id = colonies.bytes_of($1) order by mem', [id]);
	return rows.map(({mem}) => mem);
};

test('a kind of work that nothing waits or runs for is cleared away after an hour, and made again when it is asked for', async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	await fresh.submit({mem: 1});
	const first = await fresh.assign(computer);
	await fresh.submit({mem: 2});
	await fresh.broker.tidy();
	assert.deepEqual(await kindsOf(fresh), [1, 2]);
	await database.query('update colonies.demands set created_at = now() - interval \'61 minutes\' where colony_id = colonies.bytes_of($1)', [fresh.id]);
	await fresh.broker.tidy();
	assert.deepEqual(await kindsOf(fresh), [1, 2], 'the first may come back to wait');
	await fresh.close(computer, first);
	await fresh.broker.tidy();
	assert.deepEqual(await kindsOf(fresh), [2]);
	const process = await fresh.submit({mem: 1});
	await fresh.assign(computer);
	const assigned = await fresh.assign(computer);
	assert.equal(assigned.processid, process.processid);
	await refused(fresh.assign(computer), 'nothing-to-assign');
});

test('a computer without a type, or for which a process names it among others, is found', async () => {
	const fresh = await openColony(database, colony.broker);
	const [typed, untyped] = [await fresh.computer({computertype: 'gpu'}), await fresh.computer()];
	const forAll = await fresh.submit();
	const forCpu = await fresh.submit({computertype: 'cpu'});
	const forBoth = await fresh.submit({targetcomputerids: [typed.id, untyped.id], computertype: 'gpu'});
	const forOne = await fresh.submit({targetcomputerids: [typed.id]});
	const given = [await fresh.assign(untyped), await fresh.assign(untyped), await fresh.assign(typed), await fresh.assign(typed)];
	assert.deepEqual(given.map(({processid}) => processid), [forAll, forCpu, forBoth, forOne].map(({processid}) => processid));
});
