import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {type ChangeForetold, type Forecast, changesForetold, forecastSentences} from '../source/core/forecast.ts';
import {toColoniesError} from '../source/core/errors.ts';
import {mayRun, type Worker} from '../source/core/matching.ts';
import type {Demand, Id} from '../source/core/types.ts';
import {computerChanges, forecast, forecastMany} from '../source/database/index.ts';
import type {Client} from '../source/database/types.ts';
import {newProcessId} from '../source/identity/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {
	demands, later, place, placeComputers, workers, type Placed,
} from './support/worlds.ts';

const database = await openAny();
const first = await openColony(database);
const open = async () => openColony(database, first.broker);

const ask = async (colony: typeof first, computer: {id: Id}, change: ChangeForetold): Promise<Forecast> => colony.own('computer.forecast', {computerid: computer.id, change});

test('approving says what can run then, and what nobody else could', async () => {
	const colony = await open();
	await colony.computer({name: 'small', cores: 2});
	const lab2 = await colony.computer({name: 'lab2', cores: 8, state: 'pending'});
	for (const cores of [1, 4, 8, 16]) {
		await colony.submit({cores});
	}

	const answer = await ask(colony, lab2, 'approve');
	assert.deepEqual(answer, {computerid: lab2.id, name: 'lab2', change: 'approve', fitting: 3, runnable: 2, stranded: 0, requeued: 0});
	assert.deepEqual(forecastSentences(answer), ['2 waiting processes can run then that nobody else could.', 'It may run 3 waiting processes in all.']);
	await colony.own('computer.approve', {computerid: lab2.id});
	await refused(ask(colony, lab2, 'approve'), 'conflict', /approved already/);
});

test('disapproving and removing say what goes back to waiting, and what is left with nobody', async () => {
	const colony = await open();
	const lab = await colony.computer({name: 'lab', cores: 8});
	await colony.running(lab);
	await colony.submit();
	const pinned = await colony.submit({targetcomputerids: [lab.id]});
	const expected = {computerid: lab.id, name: 'lab', fitting: 2, runnable: 0, stranded: 3, requeued: 1};
	assert.deepEqual(await ask(colony, lab, 'disapprove'), {...expected, change: 'disapprove'});
	assert.deepEqual(await ask(colony, lab, 'remove'), {...expected, change: 'remove'});
	await colony.computer({name: 'other'});
	const answer = await ask(colony, lab, 'remove');
	assert.deepEqual(forecastSentences(answer), ['1 running process goes back to waiting.', 'That leaves 2 waiting processes that nobody can run.']);
	await colony.own('process.cancel', {processid: pinned.processid});
	await colony.own('computer.disapprove', {computerid: lab.id});
	assert.deepEqual(forecastSentences(await ask(colony, lab, 'remove')), ['Nothing runs on it.', 'Nothing waits for it alone.']);
	await refused(ask(colony, lab, 'disapprove'), 'conflict', /disapproved already/);
	await refused(ask(colony, {id: newProcessId()}, 'remove'), 'not-found');
});

test('what waits is counted to a limit', async () => {
	const colony = await open();
	const lab = await colony.computer({state: 'pending'});
	await place(database, colony.id, Array.from({length: 10_050}, (_, index): Placed => ({
		processid: newProcessId(), status: 0, entered: later('2026-01-02T03:04:05.000000Z', index), targetcomputerids: [], computertype: '', cores: 0, mem: index % 7, gpus: 0,
	})));
	const answer = await ask(colony, lab, 'approve');
	assert.deepEqual([answer.fitting, answer.runnable], [10_001, 10_001]);
	assert.match(forecastSentences(answer)[0]!, /^~10k waiting processes/);
});

type World = {computers: Worker[]; asked: Demand[]; running: Demand[]; change: ChangeForetold};
const worlds: fc.Arbitrary<World> = fc.record({
	computers: fc.uniqueArray(workers, {minLength: 1, maxLength: 4, selector: ({computerid}) => computerid}),
	asked: fc.array(demands, {maxLength: 6}),
	running: fc.array(demands, {maxLength: 4}),
	change: fc.constantFrom(...changesForetold),
});

/** How many wait, and how many of them for nobody, as the rule in memory has it. */
async function waitingIn(client: Client, colony: Id): Promise<{waiting: number; stranded: number}> {
	const {rows: able} = await client.query<{computerid: Id; status: 0 | 1 | 2; computertype: string; cores: number; mem: number; gpus: number}>('select computer_id as computerid, status, computer_type as computertype, cores, mem, gpus from colonies.computers where colony_id = colonies.bytes_of($1)', [colony]);
	const {rows} = await client.query<Demand>('select target_computer_ids as targetcomputerids, computer_type as computertype, cores, mem, gpus from colonies.processes where colony_id = colonies.bytes_of($1) and status = 0', [colony]);
	return {waiting: rows.length, stranded: rows.filter(demand => !able.some(computer => mayRun(computer, demand))).length};
}

test('a forecast is what then really happens', async () => {
	const seen = {runnable: 0, stranded: 0, requeued: 0, refused: 0};
	await fc.assert(fc.asyncProperty(worlds, async ({computers: some, asked, running, change}) => database.transaction(async client => {
		const colony = newProcessId();
		const [computer] = some as [Worker];
		await client.query('insert into colonies.colonies (colony_id, name) values (colonies.bytes_of($1), \'forecast\')', [colony]);
		await placeComputers(client, colony, some);
		const fits = computer.status === 1 ? running.filter(demand => mayRun(computer, demand)) : [];
		await place(client, colony, [
			...asked.map((demand): Placed => ({...demand, processid: newProcessId(), status: 0, entered: '2026-01-02T03:04:05.000000Z'})),
			...fits.map((demand): Placed => ({...demand, processid: newProcessId(), status: 1, entered: '2026-01-02T03:04:05.000000Z', assignedcomputerid: computer.computerid})),
		]);
		const before = await waitingIn(client, colony);
		const promised = await outcome(async () => forecast(client, {colony, computer: computer.computerid, change, limit: 100}));
		const done = await outcome(async () => accepted(await computerChanges[change](client, colony, [{computerid: computer.computerid}])));
		assert.equal(promised.error, done.error);
		if (!promised.result) {
			seen.refused++;
			return;
		}

		const after = await waitingIn(client, colony);
		const {runnable, stranded, requeued} = promised.result;
		assert.deepEqual({runnable, stranded, requeued}, {
			runnable: Math.max(0, before.stranded - after.stranded), stranded: Math.max(0, after.stranded - before.stranded), requeued: after.waiting - before.waiting,
		});
		for (const name of ['runnable', 'stranded', 'requeued'] as const) {
			seen[name] += promised.result[name] > 0 ? 1 : 0;
		}
	})), {numRuns: 400});
	assert.ok(Object.values(seen).every(count => count > 5), JSON.stringify(seen));
});

test('what is foretold of many together is what happens when it is done to each', async () => {
	const seen = {runnable: 0, stranded: 0, requeued: 0};
	await fc.assert(fc.asyncProperty(worlds, fc.integer({min: 1, max: 4}), async ({computers: some, asked, running, change}, many) => database.transaction(async client => {
		const colony = newProcessId();
		const changed = some.slice(0, many);
		await client.query('insert into colonies.colonies (colony_id, name) values (colonies.bytes_of($1), \'forecast\')', [colony]);
		await placeComputers(client, colony, some);
		await place(client, colony, [
			...asked.map((demand): Placed => ({...demand, processid: newProcessId(), status: 0, entered: '2026-01-02T03:04:05.000000Z'})),
			...running.flatMap((demand, index): Placed[] => {
				const able = some.filter(computer => mayRun(computer, demand));
				return able.length === 0 ? [] : [{...demand, processid: newProcessId(), status: 1, entered: '2026-01-02T03:04:05.000000Z', assignedcomputerid: able[index % able.length]!.computerid}];
			}),
		]);
		const before = await waitingIn(client, colony);
		const computers = changed.map(({computerid}) => computerid);
		const {runnable, stranded, requeued} = await forecastMany(client, {colony, computers: [...computers, newProcessId()], change, limit: 100});
		await computerChanges[change](client, colony, computers.map(computerid => ({computerid})));
		const after = await waitingIn(client, colony);
		const happened = {runnable: Math.max(0, before.stranded - after.stranded), stranded: Math.max(0, after.stranded - before.stranded), requeued: after.waiting - before.waiting};
		assert.deepEqual({runnable, stranded, requeued}, happened);
		for (const name of ['runnable', 'stranded', 'requeued'] as const) {
			seen[name] += happened[name] > 0 ? 1 : 0;
		}
	})), {numRuns: 300});
	assert.ok(Object.values(seen).every(count => count > 5), JSON.stringify(seen));
});

function accepted([answer]: unknown[]): unknown {
	if (answer instanceof Error) {
		throw answer;
	}

	return answer;
}

/** What came of something: its result, or why it was refused. */
async function outcome<Result>(work: () => Promise<Result>): Promise<{result?: Result; error?: string}> {
	try {
		return {result: await work()};
	} catch (error) {
		return {error: toColoniesError(error).message};
	}
}
