// Several hosts: which of them is used, and a failover from one to the other.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {resolveTarget} from '../source/contexts/resolve.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {type Colony, openColony} from './support/colony.ts';
import {
	freePort, freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {noPooler, startPooler} from './support/poolers.ts';

const skip = noPostgres;

type Pair = {primary: Server; standby: Server; where: PostgresOptions; colony: Colony};

/** A primary with a colony, and its standby. */
async function openPair(): Promise<Pair> {
	const primary = await startPostgres();
	const where = await freshDatabase(primary);
	const database = await openPostgres(where);
	after(async () => database.close());
	const colony = await openColony(database);
	return {primary, standby: await startPostgres({standbyOf: primary}), where, colony};
}

const pair = skip ? undefined : await openPair();

async function openAt(hosts: string[], options: PostgresOptions = {}): Promise<Database> {
	const database = await openPostgres({...pair!.where, host: hosts.join(','), ...options});
	after(async () => database.close());
	return database;
}

const isStandby = async (database: Database): Promise<boolean> => {
	const {rows: [row]} = await database.query<{standby: boolean}>('select pg_is_in_recovery() as standby');
	return row!.standby;
};

test('of several hosts the primary is used, a standby or the first, as it is asked for, wherever it stands in the list', {skip}, async () => {
	const {primary, standby} = pair!;
	for (const hosts of [[primary.host, standby.host], [standby.host, primary.host]]) {
		assert.equal(await isStandby(await openAt(hosts)), false);
		assert.equal(await isStandby(await openAt(hosts, {target: 'prefer-standby'})), true);
		assert.equal(await isStandby(await openAt(hosts, {target: 'any'})), hosts[0] === standby.host);
	}
});

test('a connection string names several hosts and what is asked of them, as libpq reads it', {skip}, async () => {
	const {primary, standby, where} = pair!;
	const hosts = [standby, primary].map(({host}) => encodeURIComponent(host)).join(',');
	for (const [asked, expected] of [['', false], ['&target_session_attrs=prefer-standby', true], ['&target_session_attrs=primary', false]] as const) {
		const database = await openPostgres({connectionString: `postgresql://postgres@/${where.database}?host=${hosts}${asked}`});
		assert.equal(await isStandby(database), expected, asked);
		await database.close();
		const target = resolveTarget({}, {DATABASE_URL: `postgresql://postgres@/${where.database}?host=${hosts}${asked}`}, {contexts: {}, current: undefined, console: {}});
		assert.equal(target.kind, 'database');
		assert.deepEqual([target.host, target.port, target.target], [`${standby.host},${primary.host}`, 5432, asked === '' ? undefined : (expected ? 'prefer-standby' : 'read-write')]);
	}
});

test('a host that does not answer is passed over, and where none answers the error names them all', {skip}, async () => {
	const gone = `127.0.0.1:${await freePort()}`;
	assert.equal(await isStandby(await openAt([gone, pair!.primary.host])), false);
	await assert.rejects(openAt([gone, '127.0.0.1:1']), ({code, message}: {code: string; message: string}) =>
		code === 'unavailable' && message.includes(gone) && message.includes('or at 127.0.0.1:1'));
});

test('where no host takes changes, a standby serves what reads, and says so', {skip}, async () => {
	const {standby} = pair!;
	const database = await openAt([`127.0.0.1:${await freePort()}`, standby.host]);
	assert.equal(await isStandby(database), true);
	assert.equal(database.load().noChanges, 'standby');
});

test('a failover is followed: what is submitted meanwhile is refused or kept, and work goes on at the new primary', {skip}, async () => {
	const {primary, standby, colony} = pair!;
	const database = await openAt([primary.host, standby.host]);
	const there = await openColony(database);
	const stop = there.broker.news.watch(() => undefined);
	await eventually(() => database.load().listening, 'It does not hear the primary.');
	// What the standby has not got yet is lost with the primary: it is asynchronous.
	const {processid} = await there.submit();
	const onStandby = await openAt([standby.host]);
	await eventually(async () => {
		const {rows} = await onStandby.query('select from colonies.live where process_id = colonies.bytes_of($1)', [processid]);
		return rows.length === 1;
	}, 'The standby does not get it.');
	await primary.kill();
	await standby.promote();
	await eventually(async () => {
		try {
			await there.submit();
			return true;
		} catch {
			return false;
		}
	}, 'Nothing can be submitted.');
	assert.equal((await there.get({processid})).status, 0);
	assert.equal(await isStandby(database), false);
	await eventually(() => database.load().listening, 'It does not hear the new primary.');
	stop();
	await there.broker.close();
	await colony.broker.close();
});

test('a failover is followed behind a PgBouncer for each host, which accepts connections to a host that is down', {skip: skip || noPooler}, async t => {
	const primary = await startPostgres();
	const {database: name} = await freshDatabase(primary);
	const standby = await startPostgres({standbyOf: primary});
	const poolers = [await startPooler(primary), await startPooler(standby)];
	const database = await openPostgres({...poolers[0], database: name!, host: poolers.map(({host, port}) => `${host}:${port}`).join(',')});
	t.after(async () => database.close());
	assert.equal(await isStandby(database), false);
	await primary.kill();
	await standby.promote();
	await eventually(async () => {
		try {
			await database.query('create table if not exists written_after_the_failover ()');
			return true;
		} catch {
			return false;
		}
	}, 'Nothing can be written.');
});
