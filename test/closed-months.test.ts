import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Id} from '../source/core/types.ts';
import type {Database} from '../source/database/types.ts';
import {openColony} from './support/colony.ts';
import {
	noPostgres, openMemory, openOwn, openTimescale,
} from './support/databases.ts';

/** The pieces of `closed` for a month, by name. */
async function piecesOf(database: Database): Promise<string[]> {
	const {rows} = await database.query<{name: string}>('select tablename as name from pg_catalog.pg_tables where schemaname = \'colonies\' and tablename ~ \'^closed_[0-9]+$\' order by 1');
	return rows.map(({name}) => name);
}

/** The names of such pieces for this month and the next, by the clock of the database. */
async function monthsAhead(database: Database): Promise<string[]> {
	const {rows} = await database.query<{name: string}>('select \'closed_\' || to_char((now() at time zone \'UTC\') + months * interval \'1 month\', \'YYYYMM\') as name from generate_series(0, 1) months order by 1');
	return rows.map(({name}) => name);
}

async function pieceWith(database: Database, process: Id): Promise<string> {
	const {rows: [row]} = await database.query<{name: string}>('select c.relname as name from colonies.closed p join pg_class c on c.oid = p.tableoid where p.process_id = colonies.bytes_of($1)', [process]);
	return row!.name;
}

async function openWorld(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	return {database, colony, computer: await colony.computer()};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openOwn],
	['the embedded database', false, openMemory],
];

for (const [name, skip, open] of kinds) {
	test(`in ${name} what ends in a month without a place of its own is kept, and moves there when it is made`, {skip}, async () => {
		const {database, colony, computer} = await openWorld(open);
		const months = await monthsAhead(database);
		await colony.broker.makePieces();
		assert.deepEqual((await piecesOf(database)).filter(piece => piece >= months[0]!), months);
		const first = await colony.close(computer, await colony.running(computer));
		assert.equal(await pieceWith(database, first.processid), months[0]);

		// As if nobody had kept time for months.
		for (const piece of months) {
			await database.query(`drop table colonies.${piece}`);
		}

		const closed = await colony.close(computer, await colony.running(computer, {in: {key: 'value'}}), 'failed');
		assert.equal(await pieceWith(database, closed.processid), 'closed_other');
		assert.deepEqual(await colony.get(closed), closed);
		await colony.broker.makePieces();
		assert.deepEqual((await piecesOf(database)).filter(piece => piece >= months[0]!), months);
		assert.equal(await pieceWith(database, closed.processid), months[0]);
		assert.deepEqual(await colony.get(closed), closed);
		const {rows} = await colony.own('process.list', {state: 'failed'});
		assert.deepEqual(rows, [closed]);
		const {rows: indexes} = await database.query<{count: number}>('select count(*)::int as count from pg_indexes where schemaname = \'colonies\' and tablename in ($1, \'closed_other\') group by tablename', [months[0]]);
		assert.equal(indexes[0]!.count, indexes[1]!.count);
	});
}

test('somebody who reads what is closed for long holds up nobody who closes, and the months are made when that is over', {skip: noPostgres}, async () => {
	const {database, colony, computer} = await openWorld(openOwn);
	const months = await monthsAhead(database);
	await database.query(`drop table colonies.${months[1]!}`);
	await database.transaction(async client => {
		await client.query('select count(*) from colonies.processes');
		await assert.rejects(colony.broker.makePieces());
		const closed = await colony.close(computer, await colony.running(computer));
		assert.equal(closed.status, 2);
	});
	assert.ok(!(await piecesOf(database)).includes(months[1]!));
	await colony.broker.makePieces();
	assert.ok((await piecesOf(database)).includes(months[1]!));
});

test('TimescaleDB makes its pieces by itself', async () => {
	const {database, colony, computer} = await openWorld(openTimescale);
	await colony.broker.makePieces();
	assert.deepEqual(await piecesOf(database), []);
	const closed = await colony.close(computer, await colony.running(computer));
	assert.deepEqual(await colony.get(closed), closed);
	assert.match(await pieceWith(database, closed.processid), /_chunk$/);
});
