import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Process} from '../source/core/types.ts';
import {
	computerChanges, expire, processes, record, removeUnusedDemands,
} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {attributeId, newProcessId} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {
	openColony, outcomeOf, refused, root, untilBlocked,
} from './support/colony.ts';

const skip = noPostgres;

/** Two servers on one database, with four connections each. */
async function openServers() {
	const where = await freshPlace();
	const databases = await Promise.all([1, 2].map(async () => openPostgres({...where, poolSize: 4})));
	after(async () => Promise.all(databases.map(async database => database.close())));
	const [database, other] = databases;
	return {database: database!, colony: await openColony(database!), broker: new Broker(other!, {local: true})};
}

const {database, colony, broker} = skip ? {} as unknown as Awaited<ReturnType<typeof openServers>> : await openServers();
/** The same colony through the second server. */
const beside = skip ? colony : colony.through(broker);

/** How often each pair of acts is let loose on each other. */
const rounds = Array.from({length: 25}, (_, index) => index);

/** Runs acts at the same time, and tells what became of each. */
const race = async (...acts: Array<() => Promise<unknown>>) => Promise.all(acts.map(async act => outcomeOf(act())));

const stepsOf = async ({processid}: Pick<Process, 'processid'>): Promise<string[]> => {
	const rows = await colony.history(processid);
	return rows.filter(({noun}) => noun === 'process').map(({what}) => what);
};

test('thirty-two claimers at two servers share five hundred processes: none twice, none lost, in order', {skip}, async () => {
	const work = await openColony(database, colony.broker);
	const workers = await Promise.all(Array.from({length: 8}, async () => work.computer()));
	const submitted: string[] = [];
	await database.transaction(async client => {
		const submissions = Array.from({length: 500}, (_, index) => ({
			processid: newProcessId(), attributes: [], spec: {targetcolonyid: work.id, targetcomputerids: [], computertype: '', timeout: -1, maxretries: 0, mem: index % 90, cores: 0, gpus: 0, in: {}},
		}));
		const done = await processes.submit(client, work.id, submissions);
		submitted.push(...done.map(({result}) => result.processid));
	});

	const given: string[] = [];
	const claimers = Array.from({length: 32}, (_, index) => ({computer: workers[index % 8]!, at: index % 2 === 0 ? work : work.through(broker)}));
	await Promise.all(claimers.map(async ({computer, at}) => {
		let last = -1;
		for (;;) {
			const outcome = await at.assign(computer).catch((error: unknown) => error as {code: string});
			if ('code' in outcome) {
				assert.equal(outcome.code, 'nothing-to-assign');
				return;
			}

			const index = submitted.indexOf(outcome.processid);
			assert.ok(index > last, 'A claimer never gets an older one later.');
			last = index;
			given.push(outcome.processid);
		}
	}));
	assert.equal(new Set(given).size, given.length);
	assert.deepEqual([...given].sort(), [...submitted].sort());
	for (const [at, processid] of given.entries()) {
		assert.ok(Math.abs(at - submitted.indexOf(processid)) < 64, 'Nobody is passed over by more than there are claimers at work.');
	}

	const {rows} = await database.query('select from colonies.processes where colony_id = colonies.bytes_of($1) and (status <> 1 or assigned_computer_id is null)', [work.id]);
	assert.equal(rows.length, 0);
	const {rows: [told]} = await database.query<{count: number}>('select count(distinct subject_id)::int as count from colonies.history where colony_id = colonies.bytes_of($1) and what = \'process.assign\'', [work.id]);
	assert.equal(told!.count, 500);
});

test('nothing runs on a computer once it is disapproved, or removed', {skip}, async () => {
	for (const round of rounds) {
		const computer = await colony.computer();
		const waiting = await Promise.all([1, 2, 3].map(async () => colony.submit({targetcomputerids: [computer.id]})));
		const end = round % 2 === 0 ? 'computer.disapprove' as const : 'computer.remove' as const;
		const outcomes = await race(
			async () => colony.assign(computer),
			async () => beside.own(end, {computerid: computer.id}),
			async () => beside.assign(computer),
			async () => colony.assign(computer),
		);
		assert.equal(outcomes[1], 'done');
		assert.ok(outcomes.every(outcome => outcome === 'done' || outcome === 'not-allowed'), outcomes.join(' '));
		for (const process of waiting) {
			assert.equal(await colony.state(process), 'waiting');
			const steps = await stepsOf(process);
			assert.ok(['process.submit', 'process.submit process.assign process.requeue'].includes(steps.join(' ')));
		}
	}
});

test('a claim waits for a disapproval that has not committed yet, and then sees it', {skip}, async () => {
	const computer = await colony.computer();
	const process = await colony.submit({targetcomputerids: [computer.id]});
	const claiming = await database.transaction(async client => {
		await computerChanges.disapprove(client, colony.id, [{computerid: computer.id}]);
		const claiming = beside.assign(computer);
		await untilBlocked(database, claiming);
		return {claiming};
	});
	await refused(claiming.claiming, 'not-allowed', /disapproved/);
	assert.deepEqual(await stepsOf(process), ['process.submit']);
});

test('a disapproval waits for a claim that has not committed yet, and takes its process away', {skip}, async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer);
	const disapproving = await database.transaction(async client => {
		await client.query('select from colonies.computers where computer_id = colonies.bytes_of($1) for share', [computer.id]);
		await client.query('update colonies.live set start_time = statement_timestamp() where process_id = colonies.bytes_of($1)', [process.processid]);
		const disapproving = beside.own('computer.disapprove', {computerid: computer.id});
		await untilBlocked(database, disapproving);
		return {disapproving};
	});
	await disapproving.disapproving;
	assert.equal(await colony.state(process), 'waiting');
});

test('of two that close a process one does', {skip}, async () => {
	const computer = await colony.computer();
	for (const _ of rounds) {
		const process = await colony.running(computer);
		const outcomes = await race(async () => colony.close(computer, process, 'successful'), async () => beside.close(computer, process, 'failed'), async () => colony.close(computer, process, 'successful'));
		assert.deepEqual([...outcomes].sort(), ['conflict', 'conflict', 'done']);
		assert.equal((await stepsOf(process)).length, 3);
	}
});

test('a close and a deadline that meet: one of them ends the attempt', {skip}, async () => {
	const computer = await colony.computer();
	for (const _ of rounds) {
		const process = await colony.running(computer, {timeout: 600, maxretries: 1});
		await database.query('update colonies.live set deadline = clock_timestamp() + interval \'2 milliseconds\' where process_id = colonies.bytes_of($1)', [process.processid]);
		const [closing] = await race(async () => colony.close(computer, process), async () => broker.endExpired(), async () => colony.broker.endExpired());
		let state = await colony.state(process);
		while (state === 'running') {
			await broker.endExpired();
			state = await colony.state(process);
		}

		assert.deepEqual([closing, state], closing === 'done' ? ['done', 'successful'] : ['conflict', 'waiting']);
		assert.deepEqual((await stepsOf(process)).slice(2), [closing === 'done' ? 'process.successful' : 'process.requeue']);
		await colony.own('process.remove', {processid: process.processid});
	}
});

const owners = {
	retry: async (at: typeof colony, {processid}: Process) => at.own('process.retry', {processid}),
	cancel: async (at: typeof colony, {processid}: Process) => at.own('process.cancel', {processid}),
	remove: async (at: typeof colony, {processid}: Process) => at.own('process.remove', {processid}),
};

test('what two owners\' keys do at once is done once', {skip}, async () => {
	const computer = await colony.computer();
	for (const _ of rounds) {
		const process = await colony.running(computer);
		await colony.close(computer, process);
		const retries = await race(async () => owners.retry(colony, process), async () => owners.retry(beside, process));
		assert.deepEqual([...retries].sort(), ['conflict', 'done']);
		const cancels = await race(async () => owners.cancel(colony, process), async () => owners.cancel(beside, process));
		assert.deepEqual([...cancels].sort(), ['conflict', 'done']);
		const removals = await race(async () => owners.remove(colony, process), async () => owners.remove(beside, process), async () => owners.retry(beside, process));
		assert.deepEqual(removals.slice(0, 2).sort(), ['done', 'not-found']);
		assert.ok(['done', 'not-found'].includes(removals[2]!));
	}
});

test('a submission whose kind of work is cleared away just then is made all the same', {skip}, async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	await fresh.submit();
	await fresh.close(computer, await fresh.assign(computer));
	await database.query('update colonies.demands set created_at = now() - interval \'2 hours\' where colony_id = colonies.bytes_of($1)', [fresh.id]);
	const submission = await database.transaction(async client => {
		assert.equal(await removeUnusedDemands(client), 1);
		const submission = fresh.through(broker).submit();
		await untilBlocked(database, submission);
		return {submission};
	});
	const process = await submission.submission;
	const assigned = await fresh.assign(computer);
	assert.equal(assigned.processid, process.processid);
});

test('a kind of work that is asked for just then is not cleared away', {skip}, async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	await fresh.submit();
	await fresh.close(computer, await fresh.assign(computer));
	await database.query('update colonies.demands set created_at = now() - interval \'2 hours\' where colony_id = colonies.bytes_of($1)', [fresh.id]);
	const spec = {targetcolonyid: fresh.id, targetcomputerids: [], computertype: '', timeout: -1, maxretries: 0, mem: 0, cores: 0, gpus: 0, in: {}};
	await database.transaction(async client => {
		await processes.submit(client, fresh.id, [{processid: newProcessId(), spec}]);
		await broker.tidy();
	});
	await fresh.assign(computer);
	const {rows} = await database.query('select from colonies.demands where colony_id = colonies.bytes_of($1)', [fresh.id]);
	assert.equal(rows.length, 1);
});

test('submissions and clearing away never fail each other', {skip}, async () => {
	const fresh = await openColony(database, colony.broker);
	for (const _ of rounds) {
		const outcomes = await race(async () => fresh.submit(), async () => broker.tidy(), async () => fresh.through(broker).submit({mem: 1}), async () => colony.broker.tidy(), async () => fresh.submit());
		assert.ok(outcomes.every(outcome => outcome === 'done'), outcomes.join(' '));
		const {rows} = await database.query('select from colonies.live p where colony_id = colonies.bytes_of($1) and not exists (select from colonies.demands d where d.demand_id = p.demand_id)', [fresh.id]);
		assert.equal(rows.length, 0);
		await database.query('delete from colonies.live where colony_id = colonies.bytes_of($1)', [fresh.id]);
		await database.query('update colonies.demands set created_at = now() - interval \'2 hours\' where colony_id = colonies.bytes_of($1)', [fresh.id]);
	}
});

test('nothing gets into a colony that is removed just then', {skip}, async () => {
	for (const _ of rounds.slice(0, 12)) {
		const fresh = await openColony(database, colony.broker);
		const other = fresh.through(broker);
		const computer = await fresh.computer();
		const late = await fresh.running(computer, {timeout: 600, maxretries: 1});
		await fresh.submit({mem: 5});
		await fresh.passDeadlines(late);
		const [removal, ...outcomes] = await race(
			async () => broker.run(root, 'colony.remove', {colonyid: fresh.id}),
			async () => fresh.computer({state: 'pending'}),
			async () => fresh.submit({mem: 1}),
			async () => other.assign(computer),
			async () => colony.broker.endExpired(),
			async () => fresh.own('computer.disapprove', {computerid: computer.id}),
		);
		assert.equal(removal, 'done');
		assert.ok(outcomes.every(outcome => ['done', 'not-allowed', 'nothing-to-assign'].includes(outcome)), outcomes.join(' '));
		for (const table of ['colonies', 'computers', 'demands', 'processes']) {
			const {rows} = await database.query(`select from colonies.${table} where colony_id = $1`, [fresh.id]);
			assert.equal(rows.length, 0, table);
		}

		const {rows: orphans} = await database.query('select from colonies.outputs o where not exists (select from colonies.live p where p.process_id = o.process_id)');
		assert.equal(orphans.length, 0);

		// Whatever was in it ended with a removal, from the state in which it was.
		const {rows} = await database.query<{subject_id: string; steps: string[]; states: string[]}>(
			`select subject_id, array_agg(what order by history_id) as steps, array_agg(coalesce(from_state, '') || '>' || coalesce(to_state, '') order by history_id) as states
			from colonies.history where colony_id = colonies.bytes_of($1) and noun in ('process', 'computer') group by subject_id`,
			[fresh.id],
		);
		for (const {steps, states} of rows) {
			assert.match(steps.at(-1)!, /\.remove$/);
			assert.equal(states.at(-1)!.split('>')[0], states.at(-2)!.split('>')[1], `${steps.join(' ')}: ${states.join(' ')}`);
		}
	}
});

test('removing a colony waits for a deadline that is just being seen to, and tells the state that this left', {skip}, async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	const process = await fresh.running(computer, {timeout: 600, maxretries: 1});
	await fresh.passDeadlines(process);
	const removing = await database.transaction(async client => {
		await record(client, {actor: 'system'}, await expire(client, {limit: 10}));
		const removing = broker.run(root, 'colony.remove', {colonyid: fresh.id});
		await untilBlocked(database, removing);
		return {removing};
	});
	await removing.removing;
	const rows = await fresh.history(process.processid);
	assert.deepEqual(rows.slice(-2).map(row => [row.what, row.from_state]), [['process.requeue', 'running'], ['process.remove', 'waiting']]);
});
