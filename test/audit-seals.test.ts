import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {migrate, seals} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker} from '../source/operations/index.ts';
import {
	freshDatabase, noPostgres, openMemory, openTimescale, postgresProgram, startPostgres,
} from './support/databases.ts';
import {openColony} from './support/colony.ts';
import {sealAll, verified} from './support/tampering.ts';

const skip = noPostgres;
const server = skip ? undefined : await startPostgres();
const where = skip ? undefined : await freshDatabase(server!);
const open = async (options = {}): Promise<Database> => {
	const database = await openPostgres({...where, ...options});
	after(async () => database.close());
	return database;
};

const database = skip ? undefined : await open({poolSize: 12});
const colony = skip ? undefined : await openColony(database!);

const placesOf = async (client: Client) => {
	const {rows} = await client.query<{place: string}>('select txid || \'.\' || history_id as place from colonies.history order by txid, history_id');
	return rows.map(({place}) => place);
};

const sealedPlaces = async (client: Client): Promise<string[]> => {
	const {rows} = await client.query<{entries: string}>('select entries from colonies.seals order by number');
	return rows.flatMap(({entries}) => seals.readEntries(Buffer.from(entries, 'hex')).map(({txid, row}) => `${txid}.${row}`));
};

test('of many sealers at once one seals, and writers at work meanwhile lose no row', {skip}, async () => {
	const others = await Promise.all([1, 2, 3].map(async () => open({poolSize: 3})));
	const brokers = others.map(each => new Broker(each, {local: true}));
	const over = new AbortController();
	const sealing = brokers.flatMap(broker => [broker, broker]).map(async broker => {
		while (!over.signal.aborted) {
			await broker.seal();
		}
	});
	await Promise.all(Array.from({length: 4}, async () => {
		for (let index = 0; index < 25; index++) {
			await colony!.submit();
		}
	}));
	over.abort();
	await Promise.all(sealing);
	await sealAll(database!);
	assert.deepEqual(await sealedPlaces(database!), await placesOf(database!));
	const {intact, rows} = await verified(database!);
	assert.deepEqual([intact, rows], [true, (await placesOf(database!)).length]);
});

test('nobody waits for a sealer that stands still, and another one that comes meanwhile leaves it to that', {skip}, async () => {
	await colony!.submit();
	const before = (await seals.lastSeal(database!))!.number;
	await database!.transaction(async client => {
		assert.ok((await seals.seal(client)).rows > 0);
		const {rows: [{wait}]} = await client.query<any>('select txid_current() as wait');
		assert.ok(wait > 0);
		await colony!.submit();
		await colony!.submit();
		assert.equal(await colony!.broker.seal(), false);
		assert.equal((await seals.lastSeal(database!))!.number, before);
	});
	await sealAll(database!);
	assert.deepEqual(await sealedPlaces(database!), await placesOf(database!));
});

test('what a slow transaction wrote is sealed once it has ended, and nothing that comes after it sooner', {skip}, async () => {
	await sealAll(database!);
	const before = (await seals.lastSeal(database!))!;
	await database!.transaction(async client => {
		await client.query('insert into colonies.history (actor, noun, subject_id, what) values (\'system\', \'process\', \'slow\', \'process.expire\')');
		await colony!.submit();
		assert.equal(await sealAll(database!), 0);
	});
	assert.ok(await sealAll(database!) >= 2);
	const entries = seals.readEntries((await seals.keptEntries(database!, before.number + 1))!);
	const {rows} = await database!.query<{history_id: number}>('select history_id from colonies.history where subject_id = \'slow\'');
	assert.equal(entries[0]!.row, rows[0]!.history_id);
	assert.equal((await verified(database!)).intact, true);
});

/** Puts rows of about this many kilobytes each into the history. */
const insertLarge = async (count: number, kilobytes: number) => database!.query(
	`insert into colonies.history (actor, noun, subject_id, what, detail)
	select 'system', 'process', colonies.bytes_of_any(n::text), 'process.expire', to_jsonb((select string_agg(md5(n * m * random() || ''), '') from generate_series(1, $2::int * 32) m)) from generate_series(1, $1::int) n`,
	[count, kilobytes],
);

/** Seals until there is nothing more to seal. @returns what each step said */
async function sealSteps(): Promise<Array<{rows: number; more: boolean}>> {
	const steps = [];
	for (;;) {
		const step = await database!.transaction(async client => seals.seal(client));
		steps.push(step);
		if (!step.more) {
			return steps;
		}
	}
}

test('a seal takes no more than so many rows and so much of what belongs to them, and says whether there are more', {skip}, async () => {
	await sealAll(database!);
	await database!.query('insert into colonies.history (actor, noun, subject_id, what) select \'system\', \'process\', colonies.bytes_of_any(n::text), \'process.expire\' from generate_series(1, 4500) n');
	assert.deepEqual(await sealSteps(), [{rows: 2000, more: true}, {rows: 2000, more: true}, {rows: 500, more: false}]);
	await insertLarge(5, 900);
	assert.deepEqual(await sealSteps(), [{rows: 2, more: true}, {rows: 2, more: true}, {rows: 1, more: false}]);
	assert.deepEqual(await sealSteps(), [{rows: 0, more: false}]);
	assert.equal((await verified(database!)).intact, true);
});

test('a change that is larger than a seal may be has a seal of its own, and holds up nothing', {skip}, async () => {
	await sealAll(database!);
	await insertLarge(1, 3000);
	await colony!.submit();
	assert.deepEqual((await sealSteps()).map(({rows, more}) => [rows > 0, more]), [[true, true], [true, false]]);
	const last = (await seals.lastSeal(database!))!;
	assert.equal((await seals.unsealed(database!, last.to, 10)).rows, 0);
	const [large] = await seals.sealsFrom(database!, last.number - 1, 1);
	assert.equal(large!.rows, 1);
});

test('a seal says of when the earliest and the latest of its changes are, in any order of writing', {skip}, async () => {
	await sealAll(database!);
	const times = ['2026-03-02T00:00:00.000000Z', '2026-03-01T00:00:00.000000Z', '2026-03-04T00:00:00.000000Z', '2026-03-03T00:00:00.000000Z'];
	for (const time of times) {
		await database!.query('insert into colonies.history (at, actor, noun, subject_id, what) values ($1, \'system\', \'process\', \'early\', \'process.expire\')', [time]);
	}

	await sealAll(database!);
	const {oldest, newest, rows} = (await seals.lastSeal(database!))!;
	assert.deepEqual({oldest, newest, rows}, {oldest: times[1], newest: times[2], rows: times.length});
});

test('a dump that is restored elsewhere is as intact', {skip}, async () => {
	await sealAll(database!);
	const head = (await seals.lastSeal(database!))!.hash;
	const target = await freshDatabase(server!);
	const at = ({host, port, user}: typeof target) => ['-h', host!, '-p', String(port), '-U', user!];
	const dump = execFileSync(postgresProgram('pg_dump'), [...at(where!), '-n', 'colonies', where!.database!], {maxBuffer: 1_073_741_824});
	execFileSync(postgresProgram('psql'), [...at(target), '-q', '-v', 'ON_ERROR_STOP=1', target.database!], {input: dump, stdio: ['pipe', 'ignore', 'inherit']});
	const restored = await openPostgres(target);
	after(async () => restored.close());
	const {intact, fault, rows} = await verified(restored, head);
	assert.deepEqual([intact, fault, rows], [true, null, (await placesOf(database!)).length]);
});

/** The row of docs/audit.md. */
const putVector = async (client: Client) => client.query(`insert into colonies.history (txid, history_id, at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail, request, signature, since)
	values (7, 1, '2026-01-02T03:04:05.000006Z', 'system', null, 'process', 'p1', 'process.expire', 'running', 'failed', '{"deadline": null, "computer": "é"}', null, null, '2026-01-02T03:04:00Z')`);

test('the worked example of docs/audit.md holds on every kind of database', async () => {
	const page = readFileSync(new URL('../docs/audit.md', import.meta.url), 'utf8');
	const blocks = [...page.matchAll(/```text\n(.*?)```/gs)].map(([, text]) => text!);
	const [row, seal] = [blocks.find(text => text.startsWith('colonies.history/1'))!, blocks.find(text => text.startsWith('colonies.seal/1'))!];
	const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
	const numbers = Buffer.alloc(24);
	numbers.writeBigInt64BE(7n, 0);
	numbers.writeBigInt64BE(1n, 8);
	numbers.writeBigInt64BE(1_767_323_045_000_006n, 16);
	const entry = Buffer.concat([numbers, Buffer.from(sha256(row), 'hex')]);
	for (const value of [sha256(row), entry.toString('hex'), sha256(entry), sha256(seal)]) {
		assert.ok(page.includes(value), value);
	}

	assert.equal(seal.split('\n')[7], sha256(entry));
	for (const open of [openMemory, openTimescale, ...(skip ? [] : [async () => openPostgres(await freshDatabase(server!))])]) {
		const database = await open();
		await migrate(database);
		await putVector(database);
		assert.equal((await seals.entriesBetween(database, {txid: 0, row: 0}, {txid: 9, row: 9})).toString('hex'), entry.toString('hex'));
		await sealAll(database);
		const made = (await seals.lastSeal(database))!;
		assert.equal(made.content, sha256(entry));
		assert.equal(seals.sealText({...made, madeat: seal.split('\n')[8]!}), seal);
		assert.equal(sha256(seals.sealText(made)), made.hash);
		await database.close();
	}
});

test('text, numbers and times of every kind are told apart in canonical form, and are the same on every kind of database', async () => {
	const databases = await Promise.all([openMemory(), openTimescale(), ...(skip ? [] : [openPostgres(await freshDatabase(server!))])]);
	const text = fc.string({unit: 'binary', maxLength: 20}).map(text => text.replaceAll('\0', ''));
	const row = fc.record({
		at: fc.date({min: new Date('2026-01-01'), max: new Date('2026-01-02'), noInvalidDate: true}).chain(date => fc.nat(999).map(rest => `${date.toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`)),
		actor: text, noun: text, subject_id: text, what: text, from_state: fc.option(text), to_state: fc.option(text), request: fc.option(text),
		detail: fc.option(fc.jsonValue({maxDepth: 3}).map(value => JSON.stringify(value).replaceAll(String.raw`\u0000`, '').replaceAll(/\\ud[89a-f][\da-f]{2}/gi, '').replaceAll('-0', '0'))),
	});
	for (const each of databases) {
		await migrate(each);
	}

	await fc.assert(fc.asyncProperty(fc.array(row, {minLength: 200, maxLength: 200}), async rows => {
		const given = JSON.stringify(rows.map((each, index) => ({...each, txid: index + 1})));
		const [first, ...others] = await Promise.all(databases.map(async each => {
			await each.query('delete from colonies.history');
			await each.query(`insert into colonies.history (txid, history_id, at, actor, noun, subject_id, what, from_state, to_state, detail, request)
				select txid, txid, at, colonies.bytes_of_any(actor), noun, colonies.bytes_of_any(subject_id), what, from_state, to_state, detail::jsonb, request
				from jsonb_to_recordset($1::jsonb) as r(txid bigint, at timestamptz, actor text, noun text, subject_id text, what text, from_state text, to_state text, detail text, request text)`, [given]);
			return (await seals.entriesBetween(each, {txid: 0, row: 0}, {txid: 1000, row: 999})).toString('hex');
		}));
		for (const other of others) {
			assert.equal(other, first);
		}
	}), {numRuns: 5, endOnFailure: true});
	await Promise.all(databases.map(async each => each.close()));
});
