import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
	mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {
	after, before, describe, test,
} from 'node:test';
import type {ColoniesError} from '../source/core/errors.ts';
import {openEmbedded} from '../source/database/embedded/index.ts';
import {Upkeep} from '../source/database/embedded/upkeep.ts';
import {isOutcomeUnknown} from '../source/database/sqlstate.ts';
import type {Client, Database} from '../source/database/types.ts';
import {openBare} from './support/databases.ts';
import {closeAfter, failureOf, happening, turned} from './support/outcomes.ts';

const fill = 'insert into filled select repeat(md5(random()::text), 250) from generate_series(1, 500)';

/** Writes until it fails. */
async function fillUntilFailure(client: Client): Promise<ColoniesError> {
	for (;;) {
		try {
			await client.query(fill);
		} catch (error) {
			return error as ColoniesError;
		}
	}
}

void describe('the engine of an embedded database', () => {
	const top = mkdtempSync(path.join(tmpdir(), 'colonies-engine-'));

	after(() => {
		rmSync(top, {recursive: true, force: true});
	});

	void test('is started again after a panic, with what was committed, and goes on listening', async t => {
		const folder = path.join(top, 'panic');
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		await database.execute(database, 'create table filled (a text); create table kept (a int); insert into kept values (1)');
		const heard = happening<string>();
		const gaps = happening();
		await database.listen('news', heard.tell, gaps.tell);

		// Its log cannot be written any more: PostgreSQL panics, and the thread with it.
		const log = path.join(folder, 'data', 'pg_wal');
		renameSync(log, `${log}-aside`);
		const failure = await failureOf(database.transaction(async client => {
			await client.query('insert into kept values (2)');
			throw await fillUntilFailure(client);
		}));
		assert.equal(failure.code, 'unavailable');
		assert.ok(failure.nothingDone && !isOutcomeUnknown(failure));
		assert.match(await turned(database, false), /^The embedded database/);
		const refused = await failureOf(database.query('select 1'));
		assert.deepEqual([refused.code, refused.nothingDone], ['unavailable', true]);

		renameSync(`${log}-aside`, log);
		await turned(database, true);
		await gaps.next();
		assert.deepEqual((await database.query('select a from kept')).rows, [{a: 1}]);
		await database.notify('news', 'still here');
		assert.equal(await heard.next(), 'still here');
		await database.close();
		assert.ok(!readdirSync(folder).includes('lock'));
	});

	void test('may be closed while it is down', async t => {
		const folder = path.join(top, 'closed');
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		await database.query('create table filled (a text)');
		const log = path.join(folder, 'data', 'pg_wal');
		renameSync(log, `${log}-aside`);
		const failure = await fillUntilFailure(database);
		assert.ok(isOutcomeUnknown(failure) && !failure.nothingDone);
		await turned(database, false);
		await database.close();
		assert.ok(!readdirSync(folder).includes('lock'));
	});

	void test('lets statements go beside each other and everybody have a turn', async t => {
		const database = await openBare();
		closeAfter(t, database);
		await database.query('create table t (a serial, b text)');
		const order: string[] = [];
		const named = async (name: string, work: Promise<unknown>) => {
			await work;
			order.push(name);
		};

		await Promise.all([
			named('first', database.transaction(async client => client.query('insert into t (b) values (\'first\')'))),
			named('second', database.query('insert into t (b) values (\'second\')')),
			named('third', database.transaction(async client => client.query('insert into t (b) values (\'third\')'))),
			named('fourth', database.query('insert into t (b) values (\'fourth\')')),
		]);
		assert.deepEqual(order, ['first', 'second', 'third', 'fourth']);
		const {rows} = await database.query<{b: string}>('select b from t order by a');
		assert.deepEqual(rows.map(({b}) => b), order);
		await database.close();
	});

	void test('does not stop this thread', async t => {
		const database = await openBare();
		closeAfter(t, database);
		let turns = 0;
		const timer = setInterval(() => {
			turns++;
		}, 1);
		await database.query('select count(*) from generate_series(1, 3000000)');
		clearInterval(timer);
		assert.ok(turns > 5, `The event loop turned ${turns} times.`);
		await database.close();
	});

	void test('vacuums after many changes, and keeps in mind when it did', async () => {
		const folder = path.join(top, 'vacuum');
		const vacuumed = async (database: Database) => {
			const {rows: [row]} = await database.query<{pages: number}>('select relpages as pages from pg_class where relname = \'filled\'');
			return row!.pages > 0;
		};

		let database = await openEmbedded({folder});
		await database.query('create table filled (a text)');
		await database.close();
		database = await openEmbedded({folder});
		await database.query(fill);
		await database.close();
		database = await openEmbedded({folder});
		assert.equal(await vacuumed(database), false);
		// More than 16 MB of log.
		await database.query('insert into filled select md5(random()::text) from generate_series(1, 250000)');

		const upkeep = new Upkeep(database, path.join(folder, 'vacuumed'));
		await upkeep.finish(database);
		assert.equal(await vacuumed(database), true);
		await database.close();
	});
});

void describe('a full disk', () => {
	const top = mkdtempSync(path.join(tmpdir(), 'colonies-full-'));
	const disk = path.join(top, 'disk');
	let isMounted = false;

	before(() => {
		mkdirSync(disk);
		try {
			execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=90m', 'tmpfs', disk], {stdio: 'ignore'});
			isMounted = true;
		} catch {
			// Only root may mount, and not everywhere.
		}
	});

	after(() => {
		if (isMounted) {
			execFileSync('umount', [disk]);
		}

		rmSync(top, {recursive: true, force: true});
	});

	void test('is said, loses nothing, and is got over when there is space again', async t => {
		if (!isMounted) {
			t.skip('A small disk cannot be mounted here.');
			return;
		}

		const folder = path.join(disk, 'embedded');
		const filler = path.join(disk, 'filler');
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		await database.execute(database, 'create table filled (a text); create table kept (a int); insert into kept values (1)');
		const {bavail, bsize} = statfsSync(disk);
		writeFileSync(filler, Buffer.alloc((bavail * bsize) - 2_000_000));
		const failure = await fillUntilFailure(database);
		assert.equal(failure.code, 'disk-full');
		assert.ok(failure.hint);
		rmSync(filler);
		await turned(database, true);
		assert.deepEqual((await database.query('select a from kept')).rows, [{a: 1}]);
		await database.query('insert into kept values (2)');
		await database.close();
	});

	void test('is said at the first start, and the next one begins anew', async t => {
		if (!isMounted) {
			t.skip('A small disk cannot be mounted here.');
			return;
		}

		const folder = path.join(disk, 'another');
		const filler = path.join(disk, 'filler');
		rmSync(path.join(disk, 'embedded'), {recursive: true, force: true});
		const {bavail, bsize} = statfsSync(disk);
		writeFileSync(filler, Buffer.alloc((bavail * bsize) - 20_000_000));
		assert.equal((await failureOf(openEmbedded({folder}))).code, 'disk-full');
		rmSync(filler);
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
		await database.close();
	});
});
