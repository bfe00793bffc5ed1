import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {compare, type Explanation, type Reason} from '../source/core/explanation.ts';
import {unmet, type Worker} from '../source/core/matching.ts';
import type {Demand, Id, Process} from '../source/core/types.ts';
import {claim, explain} from '../source/database/index.ts';
import type {ComputerRow} from '../source/database/rows.ts';
import type {Client} from '../source/database/types.ts';
import {newProcessId} from '../source/identity/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {
	demands, later, place, placeComputers, workers, type Placed,
} from './support/worlds.ts';

const database = await openAny();
const first = await openColony(database);
const open = async () => openColony(database, first.broker);
type Colony = typeof first;

const why = async (colony: Colony, {processid}: Pick<Process, 'processid'>, more = {}): Promise<Explanation> => colony.own('process.explain', {processid, ...more});
const reasons = async (colony: Colony, ...processes: Array<Pick<Process, 'processid'>>): Promise<Reason[]> => colony.own('process.reasons', {processids: processes.map(({processid}) => processid)});

test('a process that nobody can run says so, names the computer that comes nearest, and what would help', async () => {
	const colony = await open();
	const process = await colony.submit({cores: 4, mem: 1000, gpus: 2});
	const none = await why(colony, process);
	assert.equal(none.says, 'Nobody can: it asks for 4 cores, 1000 MB, 2 gpus. The colony has no computers.');
	assert.deepEqual(none.computers, []);
	await colony.computer({name: 'lab1', gpus: 1});
	await colony.computer({name: 'small', cores: 1, gpus: 0, mem: 10});
	const answer = await why(colony, process);
	assert.equal(answer.verdict, 'nobody-can');
	assert.equal(answer.says, 'Nobody can: it asks for 4 cores, 1000 MB, 2 gpus. Nearest is lab1: gpus 1<2.');
	assert.deepEqual(answer.fix, {operation: 'computer.register', input: {colonyid: colony.id, spec: {computertype: '', cores: 4, mem: 1000, gpus: 2}}, says: 'Register a computer with 4 cores, 1000 MB, 2 gpus'});
	assert.deepEqual(answer.computers.map(({name, mayrun}) => [name, mayrun]), [['lab1', false], ['small', false]]);
	assert.deepEqual(answer.others, [{unmet: ['gpus'], count: 1}, {unmet: ['cores', 'mem', 'gpus'], count: 1}]);
	assert.deepEqual(await reasons(colony, process), [{processid: process.processid, verdict: 'nobody-can', says: 'nobody can'}]);
});

test('a process that waits for an approval says for which, and the fix does it', async () => {
	const colony = await open();
	const process = await colony.submit({gpus: 1});
	await colony.computer({name: 'lab0', gpus: 1, state: 'disapproved'});
	const lab2 = await colony.computer({name: 'lab2', gpus: 1, state: 'pending'});
	await colony.computer({name: 'lab1', gpus: 0});
	const answer = await why(colony, process);
	assert.equal(answer.verdict, 'one-fix-away');
	assert.equal(answer.says, 'One fix away: approve lab2.');
	assert.deepEqual(answer.fix, {operation: 'computer.approve', input: {colonyid: colony.id, computerid: lab2.id}, says: 'Approve lab2'});
	assert.deepEqual(answer.computers.map(({name}) => name), ['lab1', 'lab0', 'lab2']);
	const [short] = await reasons(colony, process);
	assert.deepEqual([short!.says, short!.fix], ['1 fix away', answer.fix]);
	await colony.own('computer.approve', {computerid: lab2.id});
	const after = await why(colony, process);
	assert.equal(after.verdict, 'being-taken');
	assert.deepEqual([after.front!.name, after.behind, after.computers[0]!.name], ['lab2', 0, 'lab2']);
	await colony.assign(lab2);
	const running = await why(colony, process);
	assert.deepEqual([running.verdict, running.state, running.says], ['running', 'running', 'It does not wait. It runs on lab2.']);
});

test('a process that waits its turn says behind how many, where these are the fewest', async () => {
	const colony = await open();
	const [large, small] = [await colony.computer({name: 'large', cores: 64}), await colony.computer({name: 'small', cores: 2})];
	await colony.sees(large);
	await colony.sees(small);
	for (let index = 0; index < 5; index++) {
		await colony.submit({cores: 32});
		await colony.submit({targetcomputerids: [small.id], mem: index});
	}

	await colony.submit({targetcomputerids: [small.id]});

	await colony.submit({cores: 1});
	const process = await colony.submit({cores: 1});
	assert.deepEqual([(await why(colony, process)).says, (await reasons(colony, process))[0]!.says], ['Behind 6 on large.', 'behind 6']);
	for (let index = 0; index < 3; index++) {
		await colony.assign(large);
	}

	assert.equal((await why(colony, process)).says, 'Behind 3 on large.');
	await colony.own('computer.disapprove', {computerid: large.id});
	assert.equal((await why(colony, process)).says, 'Behind 7 on small.');
});

test('what goes before a process is counted to a limit, and reasons to a nearer one', async () => {
	const colony = await open();
	await colony.sees(await colony.computer());
	const queue = Array.from({length: 10_050}, (_, index): Placed => ({
		processid: newProcessId(), status: 0, entered: later('2026-01-02T03:04:05.000000Z', index), targetcomputerids: [], computertype: '', cores: 0, mem: index % 3, gpus: 0,
	}));
	await place(database, colony.id, queue);
	const at = async (index: number) => [(await why(colony, queue[index]!)).says, (await reasons(colony, queue[index]!))[0]!.says];
	assert.deepEqual(await at(0), ['Being taken: it is the next on lab.', 'being taken']);
	assert.deepEqual(await at(999), ['Behind 999 on lab.', 'behind 999']);
	assert.deepEqual(await at(1000), ['Behind 1000 on lab.', 'behind 1000']);
	assert.deepEqual(await at(1001), ['Behind 1001 on lab.', 'behind ~1k']);
	assert.deepEqual(await at(10_000), ['Behind 10000 on lab.', 'behind ~1k']);
	assert.deepEqual(await at(10_001), ['Behind ~10k on lab.', 'behind ~1k']);
	const many = await reasons(colony, ...queue.slice(0, 200));
	assert.deepEqual(many.map(({behind}) => behind), queue.slice(0, 200).map((_, index) => index));
});

test('a silent computer is no less the next, but it is said that it is silent', async () => {
	const colony = await open();
	const computer = await colony.computer({name: 'lab1'});
	const process = await colony.submit();
	await colony.sees(computer, '11 minutes');
	const {says, front} = await why(colony, process);
	assert.equal(says, 'It is the next on lab1. lab1 has not been seen at work for more than 10 minutes: is it running?');
	assert.equal(front!.silent, true);
	assert.deepEqual((await reasons(colony, process)).map(({says, verdict}) => [says, verdict]), [['not fetched', 'being-taken']]);
	await colony.sees(await colony.computer({name: 'lab2'}));
	assert.equal((await why(colony, process)).says, 'Being taken: it is the next on lab2.', 'of those that are alike the one at work is told of');
});

test('the answer is bounded, and nothing is said about what another colony has', async () => {
	const [colony, other] = [await open(), await open()];
	const process = await colony.submit({gpus: 9});
	await placeComputers(database, colony.id, Array.from({length: 300}, (_, index) => ({computerid: newProcessId(), name: `lab${index}`, status: 1 as const, cores: 1, mem: 1, gpus: index % 3})));
	const answer = await why(colony, process, {count: 5});
	assert.equal(answer.computers.length, 5);
	assert.deepEqual(answer.others, [{unmet: ['gpus'], count: 300}]);
	await refused(why(other, process), 'not-found');
	assert.deepEqual(await reasons(other, process), []);
	await refused(colony.own('process.reasons', {processids: Array.from({length: 201}, () => newProcessId())}), 'invalid-input', /at most 200/);
});

/** A colony with a few computers and a few processes; half of these wait alike. */
type World = {computers: Worker[]; asked: Demand[]};
const worlds: fc.Arbitrary<World> = fc.record({
	computers: fc.uniqueArray(workers, {maxLength: 3, selector: ({computerid}) => computerid}),
	asked: fc.array(demands, {minLength: 1, maxLength: 4}),
});

type Made = World & {colony: Id; queue: Placed[]};
const start = '2026-01-02T03:04:05.000000Z';

/** Puts many colonies into the database with a few statements. */
async function make(client: Client, some: readonly World[]): Promise<Made[]> {
	const made = some.map((world): Made => ({...world, colony: newProcessId(), queue: world.asked.map((demand, index) => ({...demand, processid: newProcessId(), status: 0, entered: later(start, index)}))}));
	await client.query('insert into colonies.colonies (colony_id, name) select unnest(colonies.bytes_of_all($1)), \'random\'', [made.map(({colony}) => colony)]);
	await client.query(
		`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
		select colonies.bytes_of(i.colony), colonies.bytes_of(i.computerid), 'lab', i.computertype, '', i.cores, i.mem, '', i.gpus, i.status
		from jsonb_to_recordset($1::jsonb) as i(colony text, computerid text, computertype text, cores integer, mem bigint, gpus integer, status smallint)`,
		[JSON.stringify(made.flatMap(({colony, computers}) => computers.map(computer => ({...computer, colony, computertype: computer.computertype ?? ''}))))],
	);
	const queued = made.flatMap(({colony, queue}) => queue.map(process => ({...process, colony})));
	await client.query(
		`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
		select colonies.bytes_of(i.colony), colonies.bytes_of(i.processid), colonies.bytes_of_all(array(select jsonb_array_elements_text(i.targetcomputerids))), i.computertype, i.cores, i.mem, i.gpus
		from jsonb_to_recordset($1::jsonb) as i(colony text, processid text, targetcomputerids jsonb, computertype text, cores integer, mem bigint, gpus integer)`,
		[JSON.stringify(queued)],
	);
	await client.query(
		`insert into colonies.live (process_id, colony_id, demand_id, status, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus)
		select colonies.bytes_of(i.processid), d.colony_id, d.demand_id, 0, i.entered, i.entered, d.target_computer_ids, d.computer_type, -1, 0, d.mem, d.cores, d.gpus
		from jsonb_to_recordset($1::jsonb) as i(colony text, processid text, entered timestamptz) join colonies.demands d on d.colony_id = colonies.bytes_of(i.colony) and d.fingerprint = colonies.bytes_of(i.processid)`,
		[JSON.stringify(queued)],
	);
	return made;
}

const toRow = (colony: Id, {computerid, computertype = '', ...computer}: Worker): ComputerRow => ({
	...computer, computer_id: computerid, colony_id: colony, computer_type: computertype, name: 'lab', cpu: '', gpu: '',
});

test('in 10,000 random colonies, assign gives a process to a computer exactly when explain says that it may run there and nothing older may', async () => {
	const [batch, verdicts] = [1000, new Map<string, number>()];
	for (let round = 0; round < 10; round++) {
		await database.transaction(async client => {
			const some = await make(client, fc.sample(worlds, {numRuns: batch, seed: 20_261_124 + round}));
			await client.query('analyze colonies.computers, colonies.demands, colonies.live');
			const ids = some.flatMap(({queue}) => queue.map(({processid}) => processid));
			const tables = await explain.nearest(client, ids, 10);
			const fronts = await explain.inFront(client, ids, {limit: 10, silence: 600});
			const fixes = await explain.approvable(client, ids.filter(id => !fronts.has(id)));
			for (const {colony, computers, queue} of some) {
				/** As the answer has it. */
				const answers = queue.map(process => tables.get(process.processid)!.computers.map(computer => compare(computer, process)));
				const mayRunOn = (index: number, computer: Worker) => answers[index]!.find(({computerid}) => computerid === computer.computerid)!.mayrun;
				for (const [index, process] of queue.entries()) {
					const able = computers.filter(computer => mayRunOn(index, computer));
					assert.equal(tables.get(process.processid)!.others.find(({unmet}) => unmet.length === 0)?.count ?? 0, able.length);
					const before = able.map(computer => queue.filter((_, older) => older < index && mayRunOn(older, computer)).length);
					const front = fronts.get(process.processid);
					assert.deepEqual(front && [front.behind, front.more], able.length === 0 ? undefined : [Math.min(...before), false]);
					const fix = fixes.get(process.processid);
					assert.equal(fix !== undefined, able.length === 0 && computers.some(computer => unmet(computer, process).join(' ') === 'approved'));
					const verdict = front ? (front.behind === 0 ? 'being-taken' : 'behind') : (fix ? 'one-fix-away' : 'nobody-can');
					verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
				}

				for (const computer of computers.filter(({status}) => status === 1).slice(0, 1)) {
					const {result: [given]} = await claim(client, toRow(colony, computer), 1);
					assert.equal(given?.processid, queue.find((_, index) => mayRunOn(index, computer))?.processid);
				}
			}
		});
	}

	assert.equal(verdicts.size, 4);
	assert.ok([...verdicts.values()].every(count => count > 1000), JSON.stringify([...verdicts]));
});
