import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Id} from '../source/core/types.ts';
import type {Database} from '../source/database/types.ts';
import {openColony} from './support/colony.ts';
import {
	noPostgres, openFresh, openMemory, openTimescale, startPostgres,
} from './support/databases.ts';

/** The pieces of `closed` for a day, by name. */
async function piecesOf(database: Database): Promise<string[]> {
	const {rows} = await database.query<{name: string}>('select tablename as name from pg_catalog.pg_tables where schemaname = \'colonies\' and tablename ~ \'^closed_[0-9]+$\' order by 1');
	return rows.map(({name}) => name);
}

/** The names of such pieces for today and the two days after, by the clock of the database. */
async function daysAhead(database: Database): Promise<string[]> {
	const {rows} = await database.query<{name: string}>('select \'closed_\' || to_char((now() at time zone \'UTC\')::date + days, \'YYYYMMDD\') as name from generate_series(0, 2) days order by 1');
	return rows.map(({name}) => name);
}

async function pieceWith(database: Database, process: Id): Promise<string> {
	const {rows: [row]} = await database.query<{name: string}>('select c.relname as name from closed p join pg_class c on c.oid = p.tableoid where p.process_id = $1', [process]);
	return row!.name;
}

async function openWorld(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	return {database, colony, computer: await colony.computer()};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, async () => openFresh(await startPostgres())],
	['the embedded database', false, openMemory],
];

for (const [name, skip, open] of kinds) {
	test(`in ${name} what ends on a day without a place of its own is kept, and moves there when it is made`, {skip}, async () => {
		const {database, colony, computer} = await openWorld(open);
		const days = await daysAhead(database);
		await colony.broker.makeDays();
		assert.deepEqual((await piecesOf(database)).filter(piece => piece >= days[0]!), days);
		const first = await colony.close(computer, await colony.running(computer));
		assert.equal(await pieceWith(database, first.processid), days[0]);

		// As if nobody had kept time for days.
		for (const piece of days) {
			await database.query(`drop table ${piece}`);
		}

		const closed = await colony.close(computer, await colony.running(computer, {in: {key: 'value'}}), 'failed');
		assert.equal(await pieceWith(database, closed.processid), 'closed_other');
		assert.deepEqual(await colony.get(closed), closed);
		await colony.broker.makeDays();
		assert.deepEqual((await piecesOf(database)).filter(piece => piece >= days[0]!), days);
		assert.equal(await pieceWith(database, closed.processid), days[0]);
		assert.deepEqual(await colony.get(closed), closed);
		const {rows} = await colony.own('process.list', {state: 'failed'});
		assert.deepEqual(rows, [closed]);
		const {rows: indexes} = await database.query<{count: number}>('select count(*)::int as count from pg_indexes where schemaname = \'colonies\' and tablename in ($1, \'closed_other\') group by tablename', [days[0]]);
		assert.equal(indexes[0]!.count, indexes[1]!.count);
	});
}

test('somebody who reads what is closed for long holds up nobody who closes, and the days are made when that is over', {skip: noPostgres}, async () => {
	const {database, colony, computer} = await openWorld(async () => openFresh(await startPostgres()));
	const days = await daysAhead(database);
	await database.query(`drop table ${days[2]!}`);
	await database.transaction(async client => {
		await client.query('select count(*) from processes');
		await assert.rejects(colony.broker.makeDays());
		const closed = await colony.close(computer, await colony.running(computer));
		assert.equal(closed.status, 2);
	});
	assert.ok(!(await piecesOf(database)).includes(days[2]!));
	await colony.broker.makeDays();
	assert.ok((await piecesOf(database)).includes(days[2]!));
});

test('TimescaleDB makes its pieces by itself', async () => {
	const {database, colony, computer} = await openWorld(openTimescale);
	await colony.broker.makeDays();
	assert.deepEqual(await piecesOf(database), []);
	const closed = await colony.close(computer, await colony.running(computer));
	assert.deepEqual(await colony.get(closed), closed);
	assert.match(await pieceWith(database, closed.processid), /_chunk$/);
});
