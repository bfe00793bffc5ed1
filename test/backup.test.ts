// The scripts of the examples that back up and restore, on real databases.
import assert from 'node:assert/strict';
import {execFile, type ExecFileException, spawnSync} from 'node:child_process';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {after, test} from 'node:test';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import {type Colony, openColony, rootPassword} from './support/colony.ts';
import {type Outcome, temporaryFolder} from './support/commands.ts';
import {
	environmentOf, freshDatabase, noPostgres, startPostgres,
} from './support/databases.ts';
import {deployPath, exampleFile, noProgram} from './support/deploy.ts';
import {live} from './support/lived.ts';

const skip = noPostgres;
const [here, elsewhere] = skip ? [] : [await startPostgres({tcp: true}), await startPostgres({tcp: true})];
const programs = skip ? '' : deployPath();

/** Where the scripts connect: over TCP, with the password. */
const overTcp = (where: PostgresOptions, {port, password}: {port: number; password: string}): PostgresOptions => ({...where, host: '127.0.0.1', port, password});

const runScript = async (name: string, words: readonly string[], where: PostgresOptions, env: Record<string, string> = {}): Promise<Outcome> => new Promise(resolve => {
	execFile(exampleFile(name), [...words], {
		env: {PATH: programs, COLONIES_HOME: temporaryFolder(), COLONIES_ROOT_PASSWORD: rootPassword, ...environmentOf(where), ...env},
	}, (error: ExecFileException | null, stdout, stderr) => {
		resolve({code: error ? Number(error.code) : 0, stdout, stderr});
	});
});

async function openInstallation(): Promise<{where: PostgresOptions; colony: Colony}> {
	const where = overTcp(await freshDatabase(here!), here!);
	const database = await openPostgres(where);
	after(async () => database.close());
	return {where, colony: await openColony(database)};
}

async function seal(colony: Colony): Promise<void> {
	while (await colony.broker.seal()) {
		// There is more.
	}
}

test('a backup is restored elsewhere, its history is verified, and work goes on there', {skip}, async () => {
	const {where, colony} = await openInstallation();
	await live(colony);
	await seal(colony);
	const folder = path.join(temporaryFolder(), 'backups');
	const {code, stdout, stderr} = await runScript('backup.sh', [folder], where);
	assert.deepEqual([code, stderr], [0, '']);
	const dump = stdout.trim();
	assert.match(dump, /\/colonies-\d{8}T\d{6}Z\.dump$/);
	assert.deepEqual(readdirSync(folder).map(name => path.extname(name)).sort(), ['.dump', '.head', '.sha256']);
	const before = (await colony.own('process.list', {state: 'waiting'})).rows.length;
	const later = await colony.submit();

	const target = overTcp(await freshDatabase(elsewhere!), elsewhere!);
	const restored = await runScript('restore.sh', [dump], target);
	assert.equal(restored.code, 0, restored.stderr);
	assert.equal((JSON.parse(restored.stdout) as {intact: boolean}).intact, true);
	const database = await openPostgres(target);
	after(async () => database.close());
	const there = colony.through((await openColony(database)).broker);
	const {rows} = await there.own('process.list', {state: 'waiting'});
	assert.equal(rows.length, before);
	assert.ok(!rows.some(({processid}) => processid === later.processid));
	const computer = await there.computer({name: 'new'});
	await there.close(computer, await there.running(computer));
	await seal(there);
	assert.ok((await there.own('audit.verify')).intact);

	const again = await runScript('restore.sh', [dump], target);
	assert.equal(again.code, 1);
	assert.match(again.stderr, /has a schema "colonies" already\. Restore into an empty database\. Nothing was restored\./);
});

test('a changed history, a damaged dump and a missing file are named', {skip}, async () => {
	const {where, colony} = await openInstallation();
	await live(colony);
	await seal(colony);
	const folder = temporaryFolder();
	const dump = (await runScript('backup.sh', [folder], where)).stdout.trim();

	await colony.database.query('alter table colonies.history disable trigger user');
	await colony.database.query('update colonies.history set actor = decode(repeat(\'ab\', 32), \'hex\') where what = \'process.submit\'');
	const forgedFolder = temporaryFolder();
	const forged = (await runScript('backup.sh', [forgedFolder], where)).stdout.trim();
	const verified = await runScript('restore.sh', [forged], overTcp(await freshDatabase(elsewhere!), elsewhere!));
	assert.equal(verified.code, 14, verified.stderr);
	assert.match(verified.stderr, /does not match the audit head [\da-f]{64}\. Start no server on it\./);

	const bytes = readFileSync(dump);
	bytes.writeUInt8(255 - bytes.readUInt8(bytes.length - 100), bytes.length - 100);
	writeFileSync(dump, bytes);
	const empty = overTcp(await freshDatabase(elsewhere!), elsewhere!);
	const damaged = await runScript('restore.sh', [dump], empty);
	assert.equal(damaged.code, 1);
	assert.match(damaged.stderr, /The backup .*\.dump is damaged/);
	const missing = await runScript('restore.sh', [path.join(folder, 'none.dump')], empty);
	assert.equal(missing.code, 2);
	assert.match(missing.stderr, /none\.dump is missing or not readable/);
});

test('only the newest backups are kept, and a failed one removes nothing and leaves nothing', {skip}, async () => {
	const {where, colony} = await openInstallation();
	await seal(colony);
	const folder = temporaryFolder();
	const old = ['20250101T000000Z', '20250102T000000Z', '20250103T000000Z'].flatMap(time => ['dump', 'head', 'sha256'].map(kind => `colonies-${time}.${kind}`));
	for (const name of [...old, 'notes.dump']) {
		writeFileSync(path.join(folder, name), 'old');
	}

	const refusals: Array<[words: string[], env: Record<string, string>, code: number, why: RegExp]> = [
		[[], {}, 2, /No folder given/],
		[[folder, '0'], {}, 2, /The count "0" is not a number of 1 or more/],
		[[folder, '1'], {COLONIES_DBHOST: 'a,b'}, 2, /COLONIES_DBHOST is "a,b"\. Name the one host/],
		[[folder, '1'], {COLONIES_ROOT_PASSWORD: ''}, 2, /COLONIES_ROOT_PASSWORD is not set/],
		[[folder, '1'], {COLONIES_ROOT_PASSWORD: 'not the one that is kept'}, 1, /The audit head cannot be read\. No backup was made\./],
		[[folder, '1'], {COLONIES_DBPASSWORD: 'wrong'}, 1, /cannot be read\. No backup was made\./],
	];
	for (const [words, env, code, why] of refusals) {
		const refused = await runScript('backup.sh', words, where, env);
		assert.equal(refused.code, code, refused.stderr);
		assert.match(refused.stderr, why);
		assert.doesNotMatch(refused.stderr, new RegExp(`${rootPassword}|${where.password!}`));
		assert.deepEqual(readdirSync(folder).sort(), [...old, 'notes.dump'].sort());
	}

	const {code, stderr, stdout} = await runScript('backup.sh', [folder, '2'], where);
	assert.equal(code, 0, stderr);
	assert.deepEqual(readdirSync(folder).sort(), [
		...old.slice(-3),
		...['dump', 'head', 'sha256'].map(kind => path.basename(stdout.trim()).replace(/dump$/, kind)),
		'notes.dump',
	].sort());
});

test('a schema with hypertables is refused before anything is dumped', {skip}, async () => {
	const {where, colony} = await openInstallation();
	await seal(colony);
	// The catalog of TimescaleDB, which is not installed here.
	await colony.database.query('create schema _timescaledb_catalog');
	await colony.database.query('create table _timescaledb_catalog.hypertable as select \'colonies\'::name as schema_name, \'history\'::name as table_name');
	const folder = temporaryFolder();
	const {code, stderr} = await runScript('backup.sh', [folder], where);
	assert.equal(code, 2);
	assert.match(stderr, /has TimescaleDB hypertables/);
	assert.deepEqual(readdirSync(folder), []);
});

test('shellcheck finds nothing in the scripts', {skip: noProgram('shellcheck')}, () => {
	const {status, stdout, stderr} = spawnSync('shellcheck', ['backup.sh', 'restore.sh', 'database.sh', 'entrypoint.sh'].map(name => exampleFile(name)), {encoding: 'utf8'});
	assert.equal(status, 0, stdout + stderr);
});
