import assert from 'node:assert/strict';
import {
	existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync,
} from 'node:fs';
import {tmpdir, userInfo} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, describe, test} from 'node:test';
import type {ColoniesError} from '../source/core/errors.ts';
import {postgresMajor} from '../source/database/embedded/folder.ts';
import {openEmbedded} from '../source/database/embedded/index.ts';
import {openMemory} from './support/databases.ts';
import {closeAfter, failureOf} from './support/outcomes.ts';
import {startHolder} from './support/processes.ts';

const top = mkdtempSync(path.join(tmpdir(), 'colonies-folder-'));
after(() => {
	rmSync(top, {recursive: true, force: true});
});

let count = 0;
const newFolder = (): string => path.join(top, `folder-${++count}`, 'embedded');

const refused = async (folder: string): Promise<ColoniesError> => failureOf(openEmbedded({folder}));

/** A folder with a database that was closed. */
async function closedFolder(): Promise<string> {
	const folder = newFolder();
	const database = await openEmbedded({folder});
	await database.execute(database, 'create table kept (a int); insert into kept values (1), (2)');
	await database.close();
	return folder;
}

void describe('the folder of an embedded database', () => {
	void test('is made for its owner only, keeps what was written, and is locked while it is open', async t => {
		const folder = newFolder();
		let wasHeld = false;
		const first = await openEmbedded({folder, onHeld() {
			wasHeld = existsSync(path.join(folder, 'lock')) && !existsSync(path.join(folder, 'data'));
		}});
		assert.ok(wasHeld);
		await first.execute(first, 'create table kept (a int); insert into kept values (1)');
		assert.equal((await refused(folder)).code, 'in-use');
		await first.close();

		const second = await openEmbedded({folder});
		closeAfter(t, second);
		assert.deepEqual((await second.query('select a from kept')).rows, [{a: 1}]);
		assert.equal((await second.describe()).place, `embedded in ${folder}`);
		await second.close();
		for (const name of ['', 'data']) {
			assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o700); // eslint-disable-line no-bitwise -- a mode is a set of bits
		}

		assert.deepEqual(readdirSync(folder).sort(), ['data', 'vacuumed']);
	});

	void test('brings the PostgreSQL that it says it brings', async t => {
		const database = await openMemory();
		closeAfter(t, database);
		const {rows} = await database.query('select current_setting(\'server_version_num\')::int / 10000 as major');
		assert.deepEqual(rows, [{major: postgresMajor}]);
		await database.close();
	});

	void test('may be one that a first start left half made', async t => {
		const folder = newFolder();
		const half = path.join(folder, 'data.new-0123abcd');
		mkdirSync(path.join(half, 'base'), {recursive: true});
		writeFileSync(path.join(half, 'PG_VERSION'), `${postgresMajor}\n`);
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
		await database.close();
		assert.ok(!existsSync(half));
	});

	void test('is whole after its very first start was killed, whenever that was', async t => {
		const folder = newFolder();
		const other = startHolder();
		const opening = other.ask(`open ${folder}`);
		// As soon as anything of the data is there.
		while (!existsSync(folder) || !readdirSync(folder).some(name => name.startsWith('data'))) {
			await new Promise(setImmediate);
		}

		await other.kill();
		await opening;
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		assert.deepEqual((await database.query('select 1 as one')).rows, [{one: 1}]);
		await database.close();
		assert.deepEqual(readdirSync(folder).sort(), ['data', 'vacuumed']);
	});

	void test('is refused with one clear sentence when its data is of another version or damaged', async t => {
		const folder = await closedFolder();
		const version = path.join(folder, 'data', 'PG_VERSION');
		const before = readFileSync(version);
		const cases: Array<[content: string | undefined, code: string, message: RegExp]> = [
			[`${postgresMajor + 1}\n`, 'newer-database', /was made by PostgreSQL 19; this program brings PostgreSQL 18\.$/],
			[`${postgresMajor - 1}\n`, 'damaged', /was made by PostgreSQL 17; this program brings PostgreSQL 18, which cannot read it\.$/],
			['\0\0\0', 'damaged', /is damaged: PG_VERSION is not a number\.$/],
			[undefined, 'damaged', /is damaged: PG_VERSION is missing\.$/],
		];
		for (const [content, code, message] of cases) {
			if (content === undefined) {
				rmSync(version);
			} else {
				writeFileSync(version, content);
			}

			const failure = await refused(folder);
			assert.equal(failure.code, code);
			assert.match(failure.message, message);
			assert.ok(failure.message.startsWith(`The embedded database in ${folder} `));
			assert.ok(failure.hint);
			assert.ok(!existsSync(path.join(folder, 'lock')));
		}

		writeFileSync(version, before);
		const database = await openEmbedded({folder});
		closeAfter(t, database);
		assert.deepEqual((await database.query('select count(*) as count from kept')).rows, [{count: 2}]);
		await database.close();
	});

	void test('is refused with what PostgreSQL said when it does not start', async () => {
		const folder = await closedFolder();
		const control = path.join(folder, 'data', 'global', 'pg_control');
		truncateSync(control, 100);
		const failure = await refused(folder);
		assert.equal(failure.code, 'damaged');
		assert.match(failure.message, /does not start: .*pg_control/);
		rmSync(control);
		assert.match((await refused(folder)).message, /is damaged: global\/pg_control is missing\.$/);
	});

	void test('is refused when it may not be written or cannot be made', async () => {
		const file = path.join(top, 'a-file');
		writeFileSync(file, '');
		const inFile = await refused(path.join(file, 'embedded'));
		assert.equal(inFile.code, 'unavailable');
		assert.match(inFile.message, /is a file\.$/);

		const closed = path.join(top, 'closed');
		mkdirSync(closed, {mode: 0o555});
		const isRoot = userInfo().uid === 0;
		if (isRoot) {
			// Root may write anywhere.
			process.seteuid!(65_534);
		}

		const denied = await refused(path.join(closed, 'embedded')).finally(() => {
			if (isRoot) {
				process.seteuid!(0);
			}
		});
		assert.equal(denied.code, 'unavailable');
		assert.match(denied.message, /may not be written: no permission/);
	});
});
