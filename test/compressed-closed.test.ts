// Closed processes that TimescaleDB has compressed: they are told as before, and can be retried and removed.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Process} from '../source/core/types.ts';
import * as compression from '../source/database/compression.ts';
import type {Database} from '../source/database/types.ts';
import {openColony, outcomeOf, root} from './support/colony.ts';
import {openTimescale} from './support/databases.ts';
import {agingClosed, agingHistory, sealAll, verified} from './support/tampering.ts';

type Chunks = {compressed: number; open: number};

async function chunksOf(database: Database): Promise<Chunks> {
	const {rows: [row]} = await database.query<Chunks>(`select count(*) filter (where is_compressed)::int as compressed, count(*) filter (where not is_compressed)::int as open
		from timescaledb_information.chunks where hypertable_schema = 'colonies' and hypertable_name = 'closed'`);
	return row!;
}

async function openWorld() {
	const database = await openTimescale();
	after(async () => database.close());
	const colony = await openColony(database);
	const [computer, other] = [await colony.computer(), await colony.computer()];
	const closed: Process[] = [];
	const close = async (many: number) => {
		for (let index = 0; index < many; index++) {
			const by = index % 2 === 0 ? computer : other;
			const process = await colony.running(by, {computertype: `type${index % 3}`, in: {job: String(index)}});
			await colony.add(by, process, {key: 'loss', value: `0.${index}`, type: 'out'});
			closed.push(await colony.close(by, process, index % 5 === 0 ? 'failed' : 'successful'));
		}
	};

	await close(40);
	await database.query(agingHistory('100 days'));
	await database.query(agingClosed('100 days'));
	await close(6);
	await sealAll(database);
	return {database, colony, computer, other, old: closed.slice(0, 40), recent: closed.slice(40)};
}

type World = Awaited<ReturnType<typeof openWorld>>;

async function answersOf({database, colony, computer, old}: World): Promise<unknown> {
	const first = await colony.own('process.list', {state: 'successful', count: 10});
	const pages = await Promise.all([
		{},
		{state: 'failed'},
		{state: 'successful', count: 10, position: first.positions.at(-1)},
		{state: 'successful', count: 10, direction: 'before'},
		{computertype: 'type1'},
		{computerid: computer.id},
		{attribute: 'job=7'},
		{text: old[0]!.processid.slice(0, 12)},
		{filter: 'state:failed out.loss:0.5'},
		{at: old[20]!.endtime},
	].map(async input => colony.own('process.list', {count: 100, ...input})));
	return {
		first, pages, counts: await colony.own('process.count'), each: await Promise.all(old.map(async process => colony.get(process))),
		steps: await colony.own('process.history', {processid: old[3]!.processid}), pulse: (await colony.own('pulse.get', {span: '366d'})).totals, seal: (await verified(database)).intact,
	};
}

/** Compresses what is older than a week: the broker does, or where TimescaleDB has workers of its own their policy, which is not waited for. */
async function compressOld({database, colony}: Pick<World, 'database' | 'colony'>): Promise<void> {
	await colony.broker.run(root, 'history.retention', {compressafter: 7});
	while (await colony.broker.keepHistory()) {
		// Until there is no more.
	}

	const {functions} = (await compression.chunksOf(database, 'closed'))!;
	await database.query(`select ${functions}.compress_chunk(chunk, true) from ${functions}.show_chunks('colonies.closed', older_than => interval '7 days') chunk`);
}

async function compressAll(world: World): Promise<void> {
	await compressOld(world);
	const {database} = world;
	const {compressed, open} = await chunksOf(database);
	assert.ok(compressed > 0 && open > 0, `${compressed} compressed, ${open} open`);
}

const agrees = async ({database, colony}: World): Promise<void> => {
	await sealAll(database);
	assert.equal((await verified(database)).intact, true);
	assert.deepEqual((await colony.own('audit.present')).deviations, []);
};

test('what is compressed is listed, filtered, found and told as before', async () => {
	const world = await openWorld();
	const answers = await answersOf(world);
	await compressAll(world);
	assert.deepEqual(await answersOf(world), answers);
	await agrees(world);
	await world.colony.broker.run(root, 'history.retention', {compressafter: 0});
	assert.deepEqual(await answersOf(world), answers);
});

test('a compressed process is retried and removed once, and only as it was when it was looked at', async () => {
	const world = await openWorld();
	const {database, colony, old, computer} = world;
	await compressAll(world);
	const [retried, removed, twice, stale] = old as [Process, Process, Process, Process];
	const looked = await colony.own('process.retry', {processid: retried.processid, ifstate: 'failed', ifsince: (await colony.get(retried)).endtime});
	assert.equal(looked.status, 0);
	assert.deepEqual((await colony.get(retried)).in, retried.in);
	assert.equal((await colony.own('process.remove', {processid: removed.processid})).processid, removed.processid);
	assert.deepEqual((await Promise.all([1, 2].map(async () => outcomeOf(colony.own('process.retry', {processid: twice.processid}))))).sort(), ['conflict', 'done']);
	assert.equal(await outcomeOf(colony.own('process.remove', {processid: stale.processid, ifsince: retried.endtime})), 'conflict');

	const many = old.slice(10, 30).map(({processid}) => ({colonyid: colony.id, processid}));
	const answers = await colony.broker.runMany({identity: colony.owner}, 'process.remove', many);
	assert.deepEqual(answers.map(answer => answer instanceof Error ? answer.message : answer.result.processid), many.map(({processid}) => processid));
	const {rows: [left]} = await database.query<{count: number}>('select count(*)::int as count from colonies.closed where end_time < now() - interval \'90 days\'');
	assert.equal(left!.count, 40 - 3 - 20);
	const again = await colony.close(computer, await colony.assign(computer));
	assert.equal(again.status, 2);
	await agrees(world);
});

test('what is due goes from compressed chunks by portions, and at a stroke where all of it is', async () => {
	const world = await openWorld();
	const {database, colony} = world;
	await compressAll(world);
	const dropAll = async () => {
		await sealAll(database);
		while (await colony.broker.dropClosed()) {
			// Until there is no more.
		}
	};

	const oldOnes = async () => colony.own('process.list', {filter: 'age>90d', count: 100});
	await colony.own('process.retention', {failed: '30d'});
	await dropAll();
	assert.equal((await oldOnes()).rows.length, 32);
	assert.ok((await oldOnes()).rows.every(({status}) => status === 2));
	await agrees(world);
	await compressAll(world);
	const before = await chunksOf(database);
	await colony.own('process.retention', {successful: '30d'});
	await dropAll();
	assert.deepEqual((await oldOnes()).rows, []);
	assert.ok((await chunksOf(database)).compressed < before.compressed);
	await agrees(world);
});

test('compressed, they take less than a tenth of the room', async () => {
	const {database, colony, computer} = await openWorld();
	await database.query(
		`insert into colonies.closed (process_id, colony_id, assigned_computer_id, submission_time, start_time, mem, timeout, max_retries, cores, gpus, computer_type, target_computer_ids, status, end_time, attributes)
		select sha256(('p' || n)::bytea), colonies.bytes_of($1), colonies.bytes_of($2), t.at, t.at + interval '1 second', 1000, 60, 3, 1, 0, 'render', '{}', 2, t.at + interval '9 seconds', jsonb_build_object('in', jsonb_build_array(jsonb_build_object('frame', n::text)))
		from generate_series(1, 5000) n cross join lateral (select date_trunc('day', now()) - interval '200 days' + n * interval '8 seconds' as at) t`,
		[colony.id, computer.id],
	);
	await compressOld({database, colony});
	const {rows: [room]} = await database.query<{before: number; after: number}>(`select before_compression_total_bytes as before, after_compression_total_bytes as after from ${(await compression.chunksOf(database, 'closed'))!.functions}.hypertable_compression_stats('colonies.closed')`);
	assert.ok(room!.after < room!.before / 10, JSON.stringify(room));
});
