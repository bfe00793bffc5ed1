import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {processStates, type Id} from '../source/core/types.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {Broker} from '../source/operations/index.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {openColony, outcomeOf, type Colony} from './support/colony.ts';

/** What may become of an act that comes too late or too early; anything else is a fault. */
const expected = new Set(['done', 'conflict', 'not-found', 'nothing-to-assign', 'not-allowed']);

/** Random numbers that are the same in every run. */
function randomFrom(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = ((state * 1_103_515_245) + 12_345) % 2_147_483_648;
		return Math.floor(state / 65_536) % below;
	};
}

test('whatever many do at once, the history of every process is one unbroken chain that ends in its state', {skip: noPostgres}, async () => {
	const where = await freshPlace();
	const databases = await Promise.all([1, 2].map(async () => openPostgres({...where, poolSize: 6})));
	after(async () => Promise.all(databases.map(async database => database.close())));
	const first = await openColony(databases[0]!);
	const servers = [first, first.through(new Broker(databases[1]!, {local: true}))];
	const computers = await Promise.all(Array.from({length: 4}, async () => first.computer()));
	const ids: Id[] = [];

	const acts: Array<(at: Colony, random: (below: number) => number) => Promise<unknown>> = [
		async (at, random) => {
			const {processid} = await at.submit({timeout: random(2), maxretries: random(3), mem: random(3), in: {key: 'value'}});
			ids.push(processid);
		},
		async (at, random) => at.assign(computers[random(4)]!),
		async (at, random) => at.assign(computers[random(4)]!),
		async (at, random) => {
			const computer = computers[random(4)]!;
			const process = await at.assign(computer);
			await outcomeOf(at.add(computer, process, {key: 'error', value: 'x', type: 'err'}));
			await at.close(computer, process, random(2) === 0 ? 'successful' : 'failed');
		},
		async (at, random) => at.close(computers[random(4)]!, {processid: ids[random(ids.length)]!}),
		async (at, random) => at.own(`process.${(['retry', 'cancel', 'remove'] as const)[random(3)]!}`, {processid: ids[random(ids.length)]}),
		async (at, random) => at.own(random(2) === 0 ? 'computer.disapprove' : 'computer.approve', {computerid: computers[random(4)]!.id}),
		async at => {
			await at.database.query('update colonies.live set deadline = statement_timestamp() where process_id in (select process_id from colonies.live where status = 1 and deadline is not null for update skip locked)');
			await at.broker.endExpired();
		},
		async at => {
			await at.database.query('update colonies.demands set created_at = now() - interval \'2 hours\' where demand_id in (select demand_id from colonies.demands for update skip locked)');
			await at.broker.tidy();
		},
	];

	await first.submit();
	ids.push((await first.submit()).processid);
	await Promise.all(Array.from({length: 12}, async (_, index) => {
		const random = randomFrom(index + 1);
		for (let step = 0; step < 50; step++) {
			const outcome = await outcomeOf(acts[random(acts.length)]!(servers[index % 2]!, random));
			assert.ok(expected.has(outcome), outcome);
		}
	}));

	const {rows: steps} = await first.database.query<{subject_id: Id; what: string; from_state: string | null; to_state: string | null}>('select subject_id, what, from_state, to_state from colonies.history where noun = \'process\' order by history_id');
	const states = new Map<Id, string | null>();
	for (const {subject_id: id, what, from_state: from, to_state: to} of steps) {
		assert.equal(from, states.get(id) ?? null, `${what} of ${id}`);
		states.set(id, to);
	}

	const {rows} = await first.database.query<{process_id: Id; status: number}>('select process_id, status from colonies.processes');
	assert.deepEqual(Object.fromEntries([...states].filter(([, state]) => state !== null).sort()), Object.fromEntries(rows.map(row => [row.process_id, processStates[row.status]]).sort()));
	const {rows: lost} = await first.database.query('select from colonies.live p where not exists (select from colonies.demands d where d.demand_id = p.demand_id)');
	assert.deepEqual(lost, [], 'All that waits or runs has its kind of work.');
	const {rows: orphans} = await first.database.query('select from colonies.outputs o where not exists (select from colonies.live p where p.process_id = o.process_id and p.status = 1)');
	assert.deepEqual(orphans, [], 'What was written belongs to what runs.');
	assert.ok(new Set(steps.map(({what}) => what)).size >= 8, 'All kinds of changes happened.');
});
