// A database that is restored into a server whose transaction counter is far behind.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {createContexts} from '../source/contexts/index.ts';
import {
	continueNumbers, endOfHistory, eventsAfter, placeText, readPlace, seals,
} from '../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../source/database/postgres.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker} from '../source/operations/index.ts';
import {freshHome} from './support/commands.ts';
import {type Colony, openColony, untilBlocked} from './support/colony.ts';
import {
	freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {countOn, dumpAndRestore, nextTransaction} from './support/moving.ts';
import {sealAll, verified} from './support/tampering.ts';

const skip = noPostgres;

const open = async (where: PostgresOptions): Promise<Database> => {
	const database = await openPostgres({poolSize: 3, ...where});
	after(async () => database.close());
	return database;
};

const lastPlace = async (client: Client): Promise<string> => {
	const {rows: [row]} = await client.query<{place: string}>('select txid || \'.\' || history_id as place from colonies.history order by txid desc, history_id desc limit 1');
	return row!.place;
};

const rowsOf = async (client: Client): Promise<number> => {
	const {rows: [row]} = await client.query<{count: number}>('select count(*)::int as count from colonies.history');
	return row!.count;
};

const countAll = async (broker: Broker): Promise<void> => {
	while (await broker.rollPulse()) {
		// There is more.
	}
};

/** A colony with sealed and counted work, and some that is neither; its server has counted far. */
async function makeSource(server: Server): Promise<{where: PostgresOptions; colony: Colony}> {
	const where = await freshDatabase(server);
	const database = await open(where);
	await countOn(database, 5000);
	const colony = await openColony(database);
	const computer = await colony.computer();
	for (let index = 0; index < 5; index++) {
		await colony.close(computer, await colony.running(computer));
	}

	await sealAll(database);
	await countAll(colony.broker);
	await colony.submit();
	return {where, colony};
}

const servers = skip ? undefined : {old: await startPostgres(), next: await startPostgres()};
const source = skip ? undefined : await makeSource(servers!.old);

/** A copy of it on the other server, as it is before anything of ours has opened it. */
async function restored(): Promise<{where: PostgresOptions; database: Database; place: string; before: number}> {
	const where = await freshDatabase(servers!.next);
	dumpAndRestore(source!.where, where);
	const database = await open(where);
	const place = await lastPlace(database);
	assert.equal(place, await lastPlace(source!.colony.database));
	assert.ok(await nextTransaction(database) + 2000 < readPlace(place).txid, 'The other server has counted as far.');
	return {where, database, place, before: await rowsOf(database)};
}

const submittedIn = async (colony: Colony): Promise<number> => {
	const {totals} = await colony.own('pulse.get', {span: '15m'});
	return totals.submitted;
};

/** Work goes on: what is done now comes after all that was, for seals, events and Pulse. */
async function worksOn({database, place, before}: {database: Database; place: string; before: number}): Promise<void> {
	const colony = Object.assign(source!.colony.through(new Broker(database, {local: true})), {database});
	const submitted = await submittedIn(source!.colony);
	const sealed = (await seals.lastSeal(database))!.number;
	const processes = [await colony.submit(), await colony.submit(), await colony.submit()];
	const events = await eventsAfter(database, {after: readPlace(place), colony: colony.id, limit: 100});
	assert.deepEqual(events.map(({subject, what}) => [subject, what]), processes.map(({processid}) => [processid, 'process.submit']));

	const end = await endOfHistory(database);
	assert.ok(end.txid >= readPlace(await lastPlace(database)).txid, `The end is ${placeText(end)}.`);
	assert.equal(await submittedIn(colony), submitted + 3);
	await countAll(colony.broker);
	assert.equal(await submittedIn(colony), submitted + 3);

	await sealAll(database);
	assert.equal((await seals.lastSeal(database))!.number, sealed + 1);
	const {intact, rows} = await verified(database);
	assert.deepEqual({intact, rows}, {intact: true, rows: before + 3});
}

test('a restored database that a context opens goes on after its history', {skip}, async () => {
	const copy = await restored();
	const home = freshHome();
	const contexts = createContexts({env: {}, folders: home.folders, settings: home.settings});
	const {host, port, user, database: name} = copy.where;
	const context = await contexts.open({dbhost: host!, dbport: port!, dbuser: user!, dbname: name!});
	await context.close();
	assert.equal(await continueNumbers(copy.database), false);
	await worksOn(copy);
});

test('a server that stands while its database is restored elsewhere writes nothing below what is sealed, and goes on', {skip}, async () => {
	// Nothing has looked at the numbers of this one: the first write does.
	await worksOn(await restored());
});

test('of many that open it at once one raises the base, and by as much as is needed', {skip}, async () => {
	const {where, database, place} = await restored();
	const others = await Promise.all(Array.from({length: 6}, async () => open({...where, poolSize: 1})));
	const raised = await Promise.all(others.map(async each => continueNumbers(each)));
	assert.equal(raised.filter(Boolean).length, 1);
	const {rows: [row]} = await database.query<{least: number}>('select txid_snapshot_xmin(txid_current_snapshot()) + base as least from colonies.txid_base');
	const {txid} = readPlace(place);
	assert.ok(row!.least > txid && row!.least < txid + 1000, `The least number is now ${row!.least}, the newest was ${txid}.`);
	assert.equal(await continueNumbers(database), false);
});

test('whoever writes meanwhile is waited for, and what it has written is still read', {skip}, async () => {
	const {database, where} = await restored();
	const colony = Object.assign(source!.colony.through(new Broker(database, {local: true})), {database});
	const other = await open(where);
	const slow = await open(where);
	let waiting: Promise<boolean> | undefined;
	await slow.transaction(async client => {
		// With the number that the server gives, as older versions wrote it.
		await client.query('insert into colonies.history (actor, noun, subject_id, colony_id, what) values (\'system\', \'process\', \'slow\', colonies.bytes_of($1), \'process.expire\')', [colony.id]);
		waiting = continueNumbers(other);
		await untilBlocked(database, waiting);
		assert.deepEqual(await eventsAfter(database, {after: {txid: 0, row: 0}, colony: colony.id, limit: 10}), []);
	});
	assert.equal(await waiting, true);
	const {processid} = await colony.submit();
	const subjects = (await eventsAfter(database, {after: {txid: 0, row: 0}, limit: 1000})).map(({subject}) => subject);
	assert.equal(subjects.at(-1), processid);
	assert.ok(subjects.includes('slow'));
	assert.equal(subjects.length, await rowsOf(database));
});
