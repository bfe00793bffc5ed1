// A whole installation copied from one kind of database to another.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {copyInstallation} from '../source/database/copy.ts';
import {migrate, seals, spendNonce} from '../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker} from '../source/operations/index.ts';
import {
	type Colony, contents, openColony, refused,
} from './support/colony.ts';
import {
	freshPlace, noPostgres, openMemory, openTimescale,
} from './support/databases.ts';
import {countOn, nextTransaction} from './support/moving.ts';
import {sealAll, verified} from './support/tampering.ts';

const skip = noPostgres;

const opened: Database[] = [];
after(async () => Promise.all(opened.map(async database => database.close())));

/** Has a database closed after the tests of the file. */
const closing = (database: Database): Database => {
	opened.push(database);
	return database;
};

const fresh = async (): Promise<{where: PostgresOptions; database: Database}> => {
	const where = await freshPlace();
	return {where, database: closing(await openPostgres({poolSize: 3, ...where}))};
};

const countAll = async (broker: Broker): Promise<void> => {
	while (await broker.rollPulse()) {
		// There is more.
	}
};

const onCopy = (colony: Colony, database: Database): Colony => Object.assign(colony.through(new Broker(database, {local: true})), {database});

const key = 'the key of a submission';
/** Spends a nonce of a request that was signed now. @returns false when it was spent before */
const spend = async (database: Database, nonce: string, created = Math.floor(Date.now() / 1000)): Promise<boolean> =>
	database.transaction(async client => spendNonce(client, {nonce, created, signer: 'f'.repeat(64)}));

/** A colony with work in every state, by computers in every state; and what only some databases have seen: months of the past, long texts, values that are hard to write. */
async function fill(database: Database): Promise<{colony: Colony; moment: string}> {
	const colony = await openColony(database);
	const computer = await colony.computer();
	await colony.computer({state: 'pending', name: String.raw`späte "Ä" \ {x,y}`});
	await colony.computer({state: 'disapproved'});
	const odd = ['', 'NULL', '{a,"b"}', String.raw`\x00`, 'a\nb\t\u2028', '€ 🦆', 'x'.repeat(200_000)];
	for (const [index, value] of odd.entries()) {
		const process = await colony.running(computer, {in: {[`in ${index}`]: value}});
		await colony.add(computer, process, {key: 'out', value});
		if (index % 3 > 0) {
			await colony.close(computer, process, index % 3 === 1 ? 'successful' : 'failed');
		}
	}

	await colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {idempotencyKey: key});
	assert.ok(await spend(database, 'the nonce of a request'));
	// Closed long ago, in months that a fresh database has no pieces for.
	await database.query(`
		insert into colonies.closed (process_id, colony_id, assigned_computer_id, submission_time, start_time, deadline, mem, timeout, retries, max_retries, cores, gpus, computer_type, target_computer_ids, attributes, status, end_time)
		select sha256(convert_to(n || '', 'UTF8')), colony_id, assigned_computer_id, submission_time - n * interval '1 day', start_time - n * interval '1 day', null, mem, timeout, retries, max_retries, cores, gpus, computer_type, target_computer_ids,
			jsonb_build_object('in', jsonb_build_array(jsonb_build_object('n', n::text))), 2, end_time - n * interval '1 day'
		from (select * from colonies.closed limit 1) c, generate_series(1, 1200) n`);
	await sealAll(database);
	await countAll(colony.broker);
	const {rows: [row]} = await database.query<{moment: string}>('select statement_timestamp() as moment');
	await colony.submit();
	// When computers were last seen is written now and then.
	await colony.broker.close();
	return {colony: onCopy(colony, database), moment: row!.moment};
}

/** Every row of every table, but for what a copy is to change. */
async function rowsOf(client: Client): Promise<Record<string, string>> {
	const {rows: tables} = await client.query<{name: string}>('select relname as name from pg_catalog.pg_class where relnamespace = to_regnamespace(\'colonies\') and relkind in (\'r\', \'p\') and not relispartition order by 1');
	const all: Record<string, string> = {};
	for (const {name} of tables) {
		const {rows: [row]} = await client.query<{count: number; hash: string}>(`select count(*) as count, md5(coalesce(string_agg(t.row, e'\\n' order by t.row collate "C"), '')) as hash from (select (to_jsonb(t) - 'base')::text as row from colonies.${name} t) t`);
		all[name] = `${row!.count} ${row!.hash}`;
	}

	return all;
}

/** What members are told, in lists, of the past, by Pulse and by the audit. */
async function answersOf(colony: Colony, moment: string): Promise<unknown> {
	const lists = await Promise.all((['waiting', 'running', 'successful', 'failed'] as const).flatMap(state => [{}, {at: moment}].map(async more => colony.own('process.list', {state, count: 1000, ...more}))));
	const {from, to, now, ...pulse} = await colony.own('pulse.get', {span: '6h'});
	return {
		lists: lists.map(({rows}) => rows),
		computers: await colony.own('computer.list', {count: 100}),
		pulse: pulse.totals,
		audit: await verified(colony.database),
		events: await colony.own('event.list', {count: 100}),
	};
}

/** Work goes on in the copy. */
async function worksOn(colony: Colony): Promise<void> {
	const before = (await seals.lastSeal(colony.database))!.number;
	const {rows: [{last}]} = await colony.database.query<any>('select max(txid) as last from colonies.history');
	const again = await colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {idempotencyKey: key});
	const {rows: kept} = await colony.database.query('select from colonies.history where subject_id = colonies.bytes_of($1) and txid > $2', [again.processid, last]);
	assert.equal(kept.length, 0, 'A request with a key was carried out again.');
	const computer = await colony.computer();
	await colony.close(computer, await colony.running(computer));
	const {rows: [{first}]} = await colony.database.query<any>('select min(txid) as first from colonies.history where txid > $1', [last]);
	assert.ok(first > last);
	await sealAll(colony.database);
	assert.ok((await seals.lastSeal(colony.database))!.number > before);
	assert.equal((await verified(colony.database)).intact, true);
}

test('a whole installation goes from the embedded database to PostgreSQL, to TimescaleDB and back', {skip}, async t => {
	const origin = closing(await openMemory());
	// Far ahead of the servers that it is copied to.
	await countOn(origin, 3000);
	const {colony, moment} = await fill(origin);
	const rows = await rowsOf(origin);
	const answers = await answersOf(colony, moment);
	const kinds: Array<[name: string, open: () => Promise<Database>]> = [
		['PostgreSQL', async () => (await fresh()).database],
		['TimescaleDB', async () => closing(await openTimescale())],
		['the embedded database', async () => closing(await openMemory())],
	];
	const sources = [origin];
	const timescale = await kinds[1]![1]();
	await migrate(timescale);
	const {rows: [{pulse}]} = await timescale.query<any>('select to_regclass(\'colonies.pulse_rolled\') is not null as pulse');
	const notThere = (name: string) => name === 'TimescaleDB' && !pulse && 'Pulse is counted by continuous aggregates there.';
	for (const [name, open] of kinds) {
		await t.test(`to ${name}`, {skip: notThere(name)}, async () => {
			const source = sources.at(-1)!;
			const target = await open();
			const told: Array<[number, number]> = [];
			const copied = await copyInstallation(source, target, {tell: (...numbers) => told.push(numbers)});
			assert.deepEqual(await rowsOf(target), rows);
			assert.deepEqual(await answersOf(onCopy(colony, target), moment), answers);
			assert.deepEqual(copied.tables.find(({table}) => table === 'closed'), {table: 'closed', rows: 1204});
			assert.equal(copied.head!.hash, (await seals.lastSeal(origin))!.hash);
			assert.deepEqual(told.at(-1), [copied.rows, copied.rows]);
			assert.deepEqual(await rowsOf(source), rows);
			sources.push(target);
		});
	}

	for (const [name, open] of kinds) {
		await t.test(`work goes on in ${name}`, {skip: notThere(name)}, async () => {
			const target = await open();
			assert.ok(await nextTransaction(target) < await nextTransaction(origin));
			const now = Math.floor(Date.now() / 1000);
			assert.ok(await spend(origin, `before the copy to ${name}`, now));
			await copyInstallation(origin, target);
			assert.equal(await spend(target, `before the copy to ${name}`, now), false);
			assert.ok(await spend(target, 'another one', now), 'Its time is over.');
			await worksOn(onCopy(colony, target));
		});
	}
});

test('in PostgreSQL what was closed lies by its months', {skip}, async () => {
	const {database: source} = await fresh();
	await fill(source);
	const {database: target} = await fresh();
	await copyInstallation(source, target);
	const {rows} = await target.query<{piece: string; wrong: number}>(`
		select replace(tableoid::regclass::text, 'colonies.', '') as piece, count(*) filter (where replace(tableoid::regclass::text, 'colonies.', '') not in ('closed_before', 'closed_' || to_char(end_time at time zone 'UTC', 'YYYYMM'))) as wrong from colonies.closed group by 1 order by 1`);
	assert.ok(rows.length >= 24, `There are ${rows.length} pieces.`);
	assert.deepEqual(rows.filter(({wrong}) => wrong > 0), []);
	assert.ok(rows.some(({piece}) => piece === 'closed_before'));
});

test('a target with anything in it is refused and left as it is; one with the schema alone is taken', {skip}, async () => {
	const {database: source} = await fresh();
	await openColony(source);
	const {database: target} = await fresh();
	await openColony(target);
	const before = await contents(target);
	const error = await refused(copyInstallation(source, target), 'conflict', /^The target is not empty: its table \w+ has rows\.$/);
	assert.match(error.hint!, /database drop/);
	assert.deepEqual(await contents(target), before);

	const {database: empty} = await fresh();
	await migrate(empty);
	await copyInstallation(source, empty);
	assert.deepEqual(await rowsOf(empty), await rowsOf(source));
});

test('of two that copy to the same target at once one does, and the other is refused', {skip}, async () => {
	const {database: source} = await fresh();
	await openColony(source);
	const {database: target, where} = await fresh();
	const other = closing(await openPostgres({poolSize: 3, ...where}));
	const results = await Promise.allSettled([copyInstallation(source, target), copyInstallation(source, other)]);
	assert.deepEqual(results.map(({status}) => status).sort(), ['fulfilled', 'rejected']);
	const {reason} = results.find(({status}) => status === 'rejected') as PromiseRejectedResult;
	assert.equal(reason.code, 'conflict', reason.stack);
	assert.deepEqual(await rowsOf(target), await rowsOf(source));
});

test('a copy that is interrupted, or fails, leaves the target as it was, and the next one works', {skip}, async () => {
	const {database: source} = await fresh();
	await fill(source);
	const {database: target} = await fresh();
	const isThere = async () => {
		const {rows: [row]} = await target.query<{there: boolean}>('select to_regnamespace(\'colonies\') is not null as there');
		return row!.there;
	};

	const stopping = new AbortController();
	await refused(copyInstallation(source, target, {
		signal: stopping.signal, tell(done) {
			if (done > 1000) {
				stopping.abort();
			}
		},
	}), 'cancelled');
	assert.equal(await isThere(), false);

	await migrate(target);
	const before = await contents(target);
	await assert.rejects(copyInstallation(source, target, {tell() {
		throw new Error('Something failed.');
	}}), /Something failed/);
	assert.deepEqual(await contents(target), before);

	await copyInstallation(source, target);
	assert.deepEqual(await rowsOf(target), await rowsOf(source));
});

test('what is written to the source meanwhile is not in the copy, and all that is belongs to one moment', {skip}, async () => {
	const {database: source} = await fresh();
	const {colony} = await fill(source);
	const {database: target} = await fresh();
	const before = await rowsOf(source);
	const writes: Array<Promise<unknown>> = [];
	await copyInstallation(source, target, {tell() {
		writes.push(colony.submit());
	}});
	await Promise.all(writes);
	assert.ok(writes.length > 3);
	assert.deepEqual(await rowsOf(target), before);
});
