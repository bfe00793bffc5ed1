import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {type Id, processStates, type Time} from '../source/core/types.ts';
import {chunksOf} from '../source/database/compression.ts';
import {
	dropSchema, migrate, placeText, pulse, rollPulse, seals,
} from '../source/database/index.ts';
import {migrations} from '../source/database/migrations/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Client, Database} from '../source/database/types.ts';
import type {Identity} from '../source/identity/index.ts';
import {type Colony, type HistoryRow, openColony, root} from './support/colony.ts';
import {
	freshPlace, noPostgres, openMemory, openTimescale,
} from './support/databases.ts';
import {readAll} from './support/past.ts';
import {sealAll, verified} from './support/tampering.ts';

const olderSchema = migrations.filter(({number}) => number <= 9);

/** Tables that schema 9 has as they are now, in an order in which they can be filled. */
const unchanged = ['installation', 'colonies', 'computers', 'process_retention', 'seen', 'demands', 'live', 'outputs', 'closed', 'retention'];

const historyColumns = 'history_id, txid, at, since, actor, colony_id, subject_id, noun, what, from_state, to_state, detail, request, signature';

/** How long ago there was work, in days: before any month that gets a piece of its own, and in some of those. */
const ages = [900, 70, 40, 12];

async function columnsOf(client: Client, table: string): Promise<string> {
	const {rows} = await client.query<{column: string}>('select column_name as column from information_schema.columns where table_schema = \'colonies\' and table_name = $1 order by ordinal_position', [table]);
	return rows.map(({column}) => column).join(', ');
}

/** Steps of processes of long ago, which nobody finds any more. */
async function writeLongAgo(database: Database, colony: Id, computer: Id): Promise<void> {
	await database.query(
		`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail)
		select now() - age * interval '1 day' - n * interval '1 minute' + step.after, case when step.what = 'submit' then colonies.bytes_of($1) when step.what = 'expire' then 'system' else colonies.bytes_of($2) end,
			colonies.bytes_of($1), 'process', sha256((age || ' ' || n)::bytea), 'process.' || step.what, step."from", step."to", jsonb_strip_nulls(jsonb_build_object('type', 'type' || n % 3, 'computer', case when step."from" is not null then $2::text end, 'wait', step.wait, 'run', step.run))
		from unnest($3::int[]) age cross join generate_series(1, 60) n cross join (values
			(interval '0', 'submit', null, 'waiting', null, null), (interval '5 s', 'assign', 'waiting', 'running', 5000000, null), (interval '12 s', 'expire', 'running', 'failed', null, 7000000)
		) as step(after, what, "from", "to", wait, run)`,
		[colony, computer, ages],
	);
}

type World = {database: Database; colony: Colony; other: Colony; computer: Identity; moments: Time[]};

/** Work of every kind in two colonies, through the operations; and moments between its steps. */
async function openWorld(database: Database): Promise<World> {
	await migrate(database);
	const colony = await openColony(database);
	const other = await openColony(database, colony.broker);
	const computer = await colony.computer({computertype: 'gpu'});
	await writeLongAgo(database, colony.id, computer.id);
	await colony.broker.run(root, 'history.retention', {days: 5000});
	const moments: Time[] = [];
	const pass = async () => {
		const {rows: [row]} = await database.query<{at: Time}>('select clock_timestamp() as at');
		moments.push(row!.at);
	};

	await colony.passDeadlines(await colony.running(computer, {timeout: 600}));
	await colony.broker.endExpired();
	for (let turn = 0; turn < 2; turn++) {
		const first = await colony.running(computer, {computertype: 'gpu', in: {turn: String(turn)}});
		await colony.add(computer, first, {key: 'result', value: `é ${turn}`});
		await pass();
		await colony.close(computer, first, turn % 2 === 0 ? 'failed' : 'successful');
		const second = await colony.running(computer, {in: {b: '1', a: '2'}, maxretries: 2});
		await colony.add(computer, second, {key: 'step', value: '7', type: 'err'});
		await colony.own('computer.disapprove', {computerid: computer.id});
		await pass();
		await colony.own('computer.approve', {computerid: computer.id});
		await colony.own('computer.rename', {computerid: computer.id, name: `lab ${turn}`});
		await pass();
		await (turn % 2 === 0 ? colony.own('process.retry', {processid: first.processid}) : colony.own('process.remove', {processid: first.processid}));
		await colony.own('process.cancel', {processid: (await colony.submit({in: {bare: ''}})).processid});
		await other.submit({computertype: 'cpu'});
		await pass();
	}

	const gone = await colony.computer({name: 'gone'});
	await colony.own('computer.remove', {computerid: gone.id});
	await pass();
	return {database, colony, other, computer, moments};
}

/** What is told of the past and of the present, which a migration leaves as it is. How far it is sealed, and when computers were last seen, is written now and then. */
async function answersOf({colony, other, database, moments}: World): Promise<Record<string, unknown>> {
	const answers: Record<string, unknown> = {};
	for (const [name, owner] of Object.entries({colony, other})) {
		for (const at of [...moments, undefined]) {
			const to = at === undefined ? {} : {at};
			answers[`${name} at ${at}`] = {
				all: await readAll(async page => owner.own('process.list', {...page, ...to, count: 20})),
				states: await Promise.all(processStates.map(async state => (await owner.own('process.list', {...to, state, count: 100})).rows)),
				counts: await owner.own('process.count', to),
				computers: (await owner.own('computer.list', {...to, count: 100})).rows,
				computerCounts: await owner.own('computer.count', to),
				colonies: (await owner.broker.run(root, 'colony.list', {...to, count: 100})).rows,
			};
		}

		const {rows: processes} = await owner.own('process.list', {count: 100});
		answers[`${name} steps`] = await Promise.all(processes.map(async ({processid}) => (await owner.own('process.history', {processid, count: 100})).rows));
		const audited = await readAll(async page => owner.own('audit.list', {...page, all: true, count: 300}));
		answers[`${name} audit`] = audited;
		answers[`${name} changes`] = await readAll(async page => owner.own('audit.list', {...page, count: 100}));
		answers[`${name} found`] = (await owner.own('audit.list', {text: 'lab', count: 100})).rows;
		answers[`${name} entries`] = await Promise.all(audited.slice(0, 40).map(async ({id}) => owner.own('audit.get', {entry: id})));
		answers[`${name} events`] = (await owner.own('event.list', {after: placeText({txid: 1, row: 1}), count: 1000})).rows;
		answers[`${name} present`] = (await owner.own('audit.present')).compared;
		const end = Math.ceil(Date.parse(moments.at(-1)!) / 7_200_000) * 7200;
		answers[`${name} pulse`] = await Promise.all((['none', 'type', 'computer'] as const).flatMap(by => ([[10, 20_000], [7200, 86_400 * 60]] as const).map(async ([level, span]) =>
			pulse.readRange(database, {colony: owner.id, by, level, step: level, most: 5, counted: 100}, {now: moments[0]!, from: end - (Math.ceil(span / level) * level), to: end}))));
	}

	return JSON.parse(JSON.stringify(answers, (name, value: unknown) => ['sealed', 'seal', 'lastseen'].includes(name) ? undefined : value)) as Record<string, unknown>;
}

/** What Pulse has counted, with and without what is still to be counted; of schema 9, which had a view of it, or as it is now. */
async function countsOf(client: Client, isOld: boolean): Promise<unknown> {
	const counted = 'axis, level, at, encode(colony_id, \'hex\') as colony, key, move, cell';
	const from = isOld
		? 'select axis, level, at, colony_id as colony, key, move, cell, n from colonies.pulse where colony_id is not null'
		: `select ${counted}, n from colonies.pulse_rolled union all select ${counted}, 1 from colonies.pulse_moves where (txid, history_id) > (select txid, history_id from colonies.pulse_place)`;
	const {rows} = await client.query(`select axis, level, at, colony, key, move, cell, sum(n)::int as n from (${from}) p group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, p.key collate "C", 6, 7`);
	return rows;
}

/**
Makes the database one of schema 9, with all that is in it: the history with its texts and with `since`, sealed and counted by the program of then as far as the row `upto`.
*/
async function turnBack(database: Database, upto: number, compressAfter: number | null): Promise<void> {
	await database.query('create schema colonies_test_aside');
	for (const table of unchanged) {
		await database.query(`create table colonies_test_aside.${table} as select * from colonies.${table}`);
	}

	await database.query(`create table colonies_test_aside.history as select history_id, txid, at, case when from_state is not null and noun = 'process' then at - interval '1 second' end as since, colonies.text_of(actor) as actor, colonies.text_of(colony_id) as colony_id, colonies.text_of(subject_id) as subject_id,
		noun, what, from_state, to_state, detail, request, signature from colonies.history`);
	await dropSchema(database);
	assert.deepEqual(await migrate(database, olderSchema), olderSchema.map(({number}) => number));
	await database.transaction(async client => {
		await client.query('update colonies.migrations set at = now() - interval \'1000 days\'');
		await client.query('set local session_replication_role = replica');
		for (const table of unchanged) {
			const columns = await columnsOf(client, table);
			await client.query(`insert into colonies.${table} (${columns}) overriding system value select ${columns} from colonies_test_aside.${table}`);
		}

		await client.query('select setval(pg_get_serial_sequence(\'colonies.demands\', \'demand_id\'), (select max(demand_id) from colonies.demands))');
	});
	const fill = async (where: string) => database.query(`insert into colonies.history (${historyColumns}) overriding system value select ${historyColumns} from colonies_test_aside.history where ${where} order by txid, history_id`);
	await fill(`history_id <= ${upto}`);
	const {rows: [continuous]} = await database.query<{found: boolean}>('select to_regclass(\'colonies.pulse_rolled\') is null as found');
	// The texts of the history are what they are, as the program of then took them.
	await database.query('create function colonies.text_of(id text) returns text language sql immutable as $body$ select id $body$');
	await sealAll(database);
	if (continuous!.found) {
		for (const axis of [0, 1]) {
			for (const level of [10, 60, 900, 7200]) {
				await database.query(`call refresh_continuous_aggregate('colonies.pulse_${axis}_${level}', null, now() - interval '1 hour')`);
			}
		}
	} else {
		while (await rollPulse(database)) {
			// There is more.
		}
	}

	await fill(`history_id > ${upto}`);
	await database.query('select setval(pg_get_serial_sequence(\'colonies.history\', \'history_id\'), (select max(history_id) from colonies.history))');
	await database.query('drop schema colonies_test_aside cascade');
	if (compressAfter !== null) {
		await database.query('update colonies.retention set compress_after = $1', [compressAfter]);
		await database.query('alter table colonies.history set (timescaledb.compress, timescaledb.compress_segmentby = \'what\', timescaledb.compress_orderby = \'txid, history_id, at\')');
		await database.query('select add_compression_policy(\'colonies.history\', compress_after => make_interval(days => $1::int))', [compressAfter]);
		await database.query('select compress_chunk(chunk) from show_chunks(\'colonies.history\', older_than => now() - make_interval(days => $1::int)) chunk', [compressAfter]);
	}
}

const compression = async (database: Database): Promise<{chunks: number; policies: number}> => {
	const {rows: [row]} = await database.query<{chunks: number; policies: number}>(`select (select count(*)::int from timescaledb_information.chunks where hypertable_schema = 'colonies' and hypertable_name = 'history' and is_compressed) as chunks,
		(select count(*)::int from timescaledb_information.jobs where hypertable_schema = 'colonies' and hypertable_name = 'history' and proc_name = 'policy_compression') as policies`);
	return row!;
};

const everything = {txid: Number.MAX_SAFE_INTEGER, row: Number.MAX_SAFE_INTEGER};

/** Migrates a populated database of schema 9, and checks that all that it tells stays as it was. `meanwhile`: done between filling it and migrating it. */
async function check(database: Database, {compressAfter = null, meanwhile = async work => work()}: {compressAfter?: number | null; meanwhile?: (work: () => Promise<void>) => Promise<void>} = {}): Promise<World> {
	const world = await openWorld(database);
	const {colony, computer} = world;
	const answers = await answersOf(world);
	const history = await colony.history();
	assert.ok(history.length > 300);
	await turnBack(database, history.at(-30)!.history_id, compressAfter);
	const head = (await seals.lastSeal(database))!;
	const leaves = await seals.entriesBetween(database, {txid: 0, row: 0}, everything);
	const counts = await countsOf(database, true);
	assert.ok(leaves.length > 56 * 300);
	await database.query('drop function colonies.text_of(text)');
	const compressed = compressAfter === null ? undefined : await compression(database);

	await meanwhile(async () => {
		assert.deepEqual(await migrate(database), migrations.filter(({number}) => number > 9).map(({number}) => number));
		assert.deepEqual(await countsOf(database, false), counts);
	});
	assert.equal((await seals.entriesBetween(database, {txid: 0, row: 0}, everything)).toString('hex'), leaves.toString('hex'), 'the rows read as they were sealed');
	const {intact, fault} = await verified(database, head.hash);
	assert.deepEqual([intact, fault], [true, null]);
	assert.deepEqual(await answersOf(world), answers);
	const inShort = (rows: HistoryRow[]) => rows.map(({history_id: row, txid, at, actor, detail}) => ({row, txid, at, actor, detail: detail as unknown}));
	assert.deepEqual(inShort(await colony.history()), inShort(history));
	assert.deepEqual((await world.other.own('audit.present')).deviations, []);
	if (compressed) {
		assert.ok(compressed.chunks >= 3);
		assert.deepEqual(await compression(database), compressed);
	}

	// Pulse goes on where it was, and counts nothing twice.
	while (await rollPulse(database)) {
		// There is more.
	}

	assert.deepEqual(await countsOf(database, false), counts);
	const {rows: [uncounted]} = await database.query<{count: number}>('select count(*)::int as count from colonies.pulse_moves where (txid, history_id) > ((select txid from colonies.pulse_place), (select history_id from colonies.pulse_place))');
	assert.equal(uncounted!.count, 0);

	// And so do numbers, seals and work.
	const process = await colony.close(computer, await colony.running(computer));
	const steps = (await colony.history(process.processid)).slice(-2);
	assert.deepEqual(steps.map(({what, actor}) => [what, actor]), [['process.assign', computer.id], ['process.successful', computer.id]]);
	assert.ok(steps[0]!.history_id > Math.max(...history.map(({history_id: row}) => row)));
	assert.equal(new Set(steps.map(({history_id: row}) => row)).size, 2);
	assert.ok(await sealAll(database) > 30);
	assert.equal((await verified(database, head.hash)).intact, true);
	return world;
}

/** How many rows are in each piece that has some. */
async function piecesOf(database: Database): Promise<Map<string, number>> {
	const {rows} = await database.query<{name: string; count: number}>('select c.relname as name, count(*)::int as count from colonies.history h join pg_class c on c.oid = h.tableoid group by 1');
	return new Map(rows.map(({name, count}) => [name, count]));
}

/** Looks into the pieces of a month; where TimescaleDB is there are chunks in their place. */
async function checkPieces(database: Database): Promise<void> {
	if (await chunksOf(database, 'history')) {
		return;
	}

	const {rows: months} = await database.query<{name: string; count: number}>('select to_char(at at time zone \'UTC\', \'"history_"YYYYMM\') as name, count(*)::int as count from colonies.history where at > now() - interval \'100 days\' group by 1');
	assert.ok(months.length >= 3);
	assert.deepEqual(await piecesOf(database), new Map([...months.map(({name, count}): [string, number] => [name, count]), ['history_before', 180]]));
}

test('in PostgreSQL a history of schema 9 is told as before, also while another transaction is open', {skip: noPostgres}, async () => {
	const where = await freshPlace();
	const [database, other] = [await openPostgres(where), await openPostgres(where)];
	after(async () => Promise.all([database, other].map(async each => each.close())));
	await check(database, {meanwhile: async work => other.transaction(async client => {
		await client.query('select txid_current()');
		await work();
	})});
	await checkPieces(database);
});

test('in the embedded database a history of schema 9 is told as before', async () => {
	const database = await openMemory();
	after(async () => database.close());
	await check(database);
	await checkPieces(database);
});

for (const compressAfter of [null, 20]) {
	test(`in TimescaleDB a history of schema 9 is told as before, ${compressAfter === null ? 'as it is' : 'compressed'}`, async () => {
		const database = await openTimescale();
		after(async () => database.close());
		const {colony} = await check(database, {compressAfter});
		assert.ok([...(await piecesOf(database)).keys()].every(piece => piece.startsWith('_')));
		const {compressafter} = await colony.own('history.get');
		assert.equal(compressafter, compressAfter);
	});
}
