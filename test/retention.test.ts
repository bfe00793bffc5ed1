import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {chunksOf} from '../source/database/compression.ts';
import {eventsAfter, placeText, readPlace, seals} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {
	inTurn, noPostgres, openMemory, openOwn, openTimescale,
} from './support/databases.ts';
import {type Colony, openColony, refused, root} from './support/colony.ts';
import {sealAll, tampering, verified} from './support/tampering.ts';

/** A colony whose history goes back so many days, sealed. */
async function openHistory(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	await sealAll(database);
	for (const days of [40, 30, 20, 10, 5]) {
		await database.query(
			`insert into colonies.history (at, actor, noun, subject_id, colony_id, what, from_state, to_state, detail)
			select now() - $1 * interval '1 day' - n * interval '1 minute', 'system', 'process', colonies.bytes_of_any('p' || n), colonies.bytes_of($2), 'process.expire', 'running', 'failed', '{"computer": "c"}' from generate_series(1, 700) n`,
			[days, colony.id],
		);
		await sealAll(database);
	}

	await colony.submit();
	await sealAll(database);
	return {database, colony};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openOwn],
	['the embedded database', false, openMemory],
	['TimescaleDB', false, openTimescale],
];

const count = async (database: Database, where = 'true'): Promise<number> => {
	const {rows: [row]} = await database.query<{count: number}>(`select count(*)::int as count from colonies.history where ${where}`);
	return row!.count;
};

/** Drops all that is due. Nothing goes before the row is sealed that says so. */
async function keepAll({broker}: Colony, database: Database) {
	for (const _ of ['says', 'drops']) {
		await sealAll(database);
		for (let more = true; more;) {
			more = await broker.keepHistory();
		}
	}

	await sealAll(database);
}

const opened = await inTurn(kinds, async ([, skip, open]) => skip ? undefined : openHistory(open));

for (const [index, [name, skip]] of kinds.entries()) {
	const old = 'at < now() - interval \'15 days\'';

	test(`in ${name} what is too old is dropped, sealed rows alone, and the rest verifies on the same chain`, {skip}, async () => {
		const {database, colony} = opened[index]!;
		const head = (await seals.lastSeal(database))!;
		const before = await count(database);
		assert.equal(await colony.broker.keepHistory(), false);
		assert.equal(await count(database), before);
		const kept = await colony.broker.run(root, 'history.retention', {days: 15});
		assert.deepEqual([kept.days, kept.droppedbefore], [15, null]);
		// One that nobody has sealed yet stays, however old it is.
		await database.query('insert into colonies.history (at, actor, noun, subject_id, what) values (now() - interval \'39 days\', \'system\', \'process\', \'late\', \'process.expire\')');
		for (let more = true; more;) {
			more = await colony.broker.keepHistory();
		}

		// Nor does any, before the row is sealed that says what goes.
		assert.equal(await count(database), before + 3);
		await keepAll(colony, database);
		assert.equal(await count(database, old), 0);
		assert.ok(await count(database, 'at < now() - interval \'4 days\'') >= 1400);
		const {intact, fault, rows, dropped, droppedbefore: since} = await verified(database);
		assert.deepEqual([intact, fault, rows, dropped], [true, null, await count(database), 2101]);
		assert.equal((await verified(database, (await seals.lastSeal(database))!.hash)).intact, true);
		// A head that was kept before root shortened the history hears of it.
		const early = await verified(database, head.hash);
		assert.equal(early.fault?.kind, 'retention');
		assert.match(early.fault.message, /^\d+ rows of seal \d+ were dropped by a retention of 15 days that was set at .* after this head was kept/);
		const {rows: [drop]} = await database.query<{what: string; detail: {before: string; days: number}}>('select what, detail from colonies.history where what = \'history.drop\'');
		assert.equal(drop!.detail.days, 15);
		const {droppedbefore} = await colony.own('history.get');
		assert.deepEqual([droppedbefore, since], [drop!.detail.before, drop!.detail.before]);
		const {rows: lists} = await database.query<{number: number}>('select number from colonies.seals where entries is null');
		assert.ok(lists.length >= 3);
	});

	test(`in ${name} what goes without retention is found after it, too, and so is a row older than what was dropped`, {skip}, async () => {
		const {database} = opened[index]!;
		const {rows: [oldest]} = await database.query<{txid: number; history_id: number}>('select txid, history_id from colonies.history where at > now() - interval \'11 days\' order by txid, history_id limit 1');
		const fault = await tampering(database, async client => {
			await client.query('delete from colonies.history where txid = $1 and history_id = $2', [oldest!.txid, oldest!.history_id]);
			return (await verified(client)).fault;
		});
		assert.deepEqual([fault?.kind, fault?.row], ['dropped', `${oldest!.txid}.${oldest!.history_id}`]);
		const widened = await tampering(database, async client => {
			await client.query('update colonies.retention set dropped_before = now()');
			await client.query('delete from colonies.history where what = \'process.submit\'');
			return (await verified(client)).fault;
		});
		assert.equal(widened?.kind, 'dropped');
	});

	test(`in ${name} readers of events whose place was dropped go on with what is left`, {skip}, async () => {
		const {database, colony} = opened[index]!;
		const events = await eventsAfter(database, {after: {txid: 1, row: 1}, colony: colony.id, limit: 10_000});
		assert.ok(events.length > 1400);
		const {rows} = await colony.own('event.list', {after: placeText({txid: 1, row: 1}), count: 1});
		assert.deepEqual(readPlace(rows[0]!.id), readPlace(events[0]!.id));
	});

	test(`in ${name} the row that says how long the history is kept outlives what it had dropped`, {skip}, async () => {
		const {database, colony} = opened[index]!;
		const before = await count(database, 'what <> \'history.drop\'');
		// As if it had been set long ago, and sealed in time.
		const forgotten = await tampering(database, async client => {
			await client.query('delete from colonies.history where what = \'history.retention\'');
			return (await verified(client)).fault;
		});
		assert.equal(forgotten?.kind, 'dropped');
		await database.query('insert into colonies.history (at, actor, noun, subject_id, what, detail, request) select now() - interval \'33 days\', actor, noun, subject_id, what, detail, request from colonies.history where what = \'history.retention\'');
		await database.query('insert into colonies.history (at, actor, noun, subject_id, what) values (now() - interval \'33 days\', \'system\', \'process\', \'beside\', \'process.expire\')');
		await keepAll(colony, database);
		assert.equal(await count(database, 'subject_id = \'beside\''), 0);
		assert.equal(await count(database, 'what <> \'history.drop\''), before + 1);
		const {intact, fault} = await verified(database);
		assert.deepEqual([intact, fault], [true, null]);
	});

	test(`in ${name} the history is kept for ever again, and said so`, {skip}, async () => {
		const {database, colony} = opened[index]!;
		const before = await count(database, 'what <> \'history.drop\'') + 1;
		assert.equal((await colony.broker.run(root, 'history.retention', {days: 0})).days, null);
		assert.equal(await colony.broker.keepHistory(), false);
		assert.equal(await count(database, 'what <> \'history.drop\''), before);
		const {rows: [row]} = await colony.broker.run(root, 'audit.list', {what: 'history.retention'});
		assert.deepEqual([row!.actor, row!.from, row!.to], ['root', '15 days', 'for ever']);
		// Whoever writes into the table alone has nothing dropped.
		const {droppedbefore} = await colony.own('history.get');
		await database.query('update colonies.retention set days = 1');
		await keepAll(colony, database);
		assert.equal(await count(database, 'what <> \'history.drop\''), before);
		assert.equal((await verified(database)).intact, true);
		await database.query('update colonies.retention set days = null, dropped_before = $1', [droppedbefore]);
		await refused(colony.broker.run(root, 'history.retention', {}), 'invalid-input', /Neither/);
		await refused(colony.broker.run(root, 'history.retention', {days: 5, compressafter: 5}), 'invalid-input', /before it is compressed/);
	});
}

test('only where TimescaleDB is can it be compressed, and what was compressed verifies, is listed and is dropped', async () => {
	for (const each of opened.slice(0, 2)) {
		if (each) {
			await refused(each.colony.broker.run(root, 'history.retention', {compressafter: 3}), 'invalid-input', /TimescaleDB/);
		}
	}

	const {database, colony} = opened[2]!;
	const rows = await count(database);
	await colony.broker.run(root, 'history.retention', {compressafter: 3});
	const compressed = async () => {
		const {rows: [row]} = await database.query<{count: number}>('select count(*)::int as count from timescaledb_information.chunks where hypertable_schema = \'colonies\' and hypertable_name = \'history\' and is_compressed');
		return row!.count;
	};

	for (let more = true; more;) {
		more = await colony.broker.keepHistory();
	}

	// Where TimescaleDB has workers of its own, one of them does it by its policy, which is not waited for.
	const {functions} = (await chunksOf(database, 'history'))!;
	await database.query(`select ${functions}.compress_chunk(chunk, true) from ${functions}.show_chunks('colonies.history', older_than => interval '3 days') chunk`);
	assert.ok(await compressed() >= 2);
	await sealAll(database);
	const {intact, fault, rows: checked} = await verified(database);
	assert.deepEqual([intact, fault, checked], [true, null, rows + 1]);
	const {rows: jobs} = await database.query('select from timescaledb_information.jobs where hypertable_schema = \'colonies\' and hypertable_name = \'history\' and proc_name = \'policy_compression\'');
	assert.equal(jobs.length, 1);
	const listed = await colony.own('audit.list', {all: true, count: 1000});
	assert.equal(listed.rows.length, 1000);
	const altered = await tampering(database, async client => {
		await client.query('update colonies.history set actor = \'x\' where history_id = (select min(history_id) from colonies.history where at < now() - interval \'4 days\')');
		return (await verified(client)).fault;
	});
	assert.equal(altered?.kind, 'altered');
	await colony.broker.run(root, 'history.retention', {days: 7, compressafter: 0});
	await keepAll(colony, database);
	assert.equal(await count(database, 'at < now() - interval \'9 days\' and what <> \'history.retention\''), 0);
	assert.equal((await verified(database)).intact, true);
	const {rows: gone} = await database.query('select from timescaledb_information.jobs where hypertable_schema = \'colonies\' and hypertable_name = \'history\' and proc_name = \'policy_compression\'');
	assert.equal(gone.length, 0);
});
