import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {dropSchema, migrate, placeText} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {openColony, type Colony, root} from './support/colony.ts';
import {
	noPostgres, openMemory, openOwn, openTimescale,
} from './support/databases.ts';
import {sealAll, verified} from './support/tampering.ts';

/** The pieces in which the history lies, by name, with how many rows are in each. */
async function piecesOf(database: Database): Promise<Record<string, number>> {
	const {rows: pieces} = await database.query<{name: string; table: string}>('select c.relname as name, i.inhrelid::regclass::text as table from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass(\'colonies.history\') order by 1');
	const counts: Record<string, number> = {};
	for (const {name, table} of pieces) {
		const {rows: [row]} = await database.query<{count: number}>(`select count(*)::int as count from ${table}`);
		counts[name] = row!.count;
	}

	return counts;
}

const make = async (database: Database, day: string, byDay?: boolean): Promise<boolean> => {
	const {rows: [row]} = await database.query<{made: boolean}>('select colonies.make_piece(\'history\', \'at\', $1::date, coalesce($2, (select days <= 31 from colonies.retention), false)) as made', [day, byDay]);
	return row!.made;
};

type Clock = {today: string; thisMonth: string; before: string[]; last: string};

/** By the clock of the database, in UTC: today, the piece of this month, of the three before it, and when the last of them began. */
async function clock(database: Database): Promise<Clock> {
	const {rows: [row]} = await database.query<Clock>(`select to_char(now, 'YYYY-MM-DD') as today, to_char(now, '"history_"YYYYMM') as "thisMonth", array(select to_char(now - n * interval '1 month', '"history_"YYYYMM') from generate_series(3, 1, -1) n) as before,
		to_char(date_trunc('month', now) - interval '1 month', 'YYYY-MM-DD') as last from (select now() at time zone 'UTC' as now) n`);
	return row!;
}

const opened: Database[] = [];
after(async () => Promise.all(opened.map(async database => database.close())));

const opening = async (open: () => Promise<Database>): Promise<Database> => {
	const database = await open();
	opened.push(database);
	await migrate(database);
	return database;
};

let embedded: Promise<Database> | undefined;
const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, async () => opening(openOwn)],
	['the embedded database', false, async () => {
		const database = await (embedded ??= opening(openMemory));
		await dropSchema(database);
		await migrate(database);
		return database;
	}],
];

/** Drops all that is due, once it is sealed what goes. */
async function keepAll({broker}: Colony, database: Database): Promise<void> {
	for (const _ of ['says', 'drops']) {
		await sealAll(database);
		for (let more = true; more;) {
			more = await broker.keepHistory();
		}
	}

	await sealAll(database);
}

const insertAt = async (database: Database, time: string, count: number, {id}: Colony): Promise<void> => {
	await database.query(
		`insert into colonies.history (at, actor, noun, subject_id, colony_id, what, from_state, to_state)
		select ${time} + n * interval '1 second', 'system', 'process', sha256(n::text::bytea), colonies.bytes_of($1), 'process.expire', 'running', 'failed' from generate_series(1, $2::int) n`,
		[id, count],
	);
};

for (const [name, skip, open] of kinds) {
	test(`in ${name} the history lies by the month, and by the day where it is kept for a month at most`, {skip}, async () => {
		const database = await open();
		const {thisMonth} = await clock(database);
		const fresh = await piecesOf(database);
		// That of the next month is there already in the last days of one.
		assert.deepEqual(Object.keys(fresh).filter(piece => !/^history_\d+$/.test(piece)), ['history_before', 'history_other']);
		assert.ok(thisMonth in fresh);
		const colony = await openColony(database);
		const {broker} = colony;
		await broker.makePieces();
		assert.deepEqual(Object.keys(await piecesOf(database)), Object.keys(fresh), 'what is there is not made twice');
		const named = async () => Object.keys(await piecesOf(database)).filter(piece => piece >= 'history_2090' && piece < 'history_2100');

		assert.equal(await make(database, '2091-03-10'), true);
		await broker.run(root, 'history.retention', {days: 32});
		assert.equal(await make(database, '2091-04-10'), true);
		await broker.run(root, 'history.retention', {days: 31});
		assert.equal(await make(database, '2091-03-11'), false, 'of a month that has a piece no day is made');
		assert.equal(await make(database, '2091-05-31'), true);
		assert.equal(await make(database, '2091-05-31'), false);
		await broker.run(root, 'history.retention', {days: 0});
		assert.equal(await make(database, '2091-05-30'), true, 'a month that was begun by the day goes on by the day');
		assert.equal(await make(database, '2091-06-01'), true);
		assert.deepEqual(await named(), ['history_209103', 'history_209104', 'history_20910530', 'history_20910531', 'history_209106']);

		// Each takes what is of its own time, to the microsecond.
		const times = {history_209104: ['2091-04-01T00:00:00Z', '2091-04-30T23:59:59.999999Z'], history_20910530: ['2091-05-30T00:00:00Z', '2091-05-30T23:59:59.999999Z'], history_20910531: ['2091-05-31T23:59:59.999999Z'], history_209106: ['2091-06-01T00:00:00Z'], history_other: ['2091-05-29T23:59:59.999999Z', '2091-07-01T00:00:00Z'], history_before: ['1999-12-31T00:00:00Z']};
		const kept = await piecesOf(database);
		for (const [piece, all] of Object.entries(times)) {
			for (const time of all) {
				await database.query('insert into colonies.history (at, actor, noun, subject_id, what) values ($1, \'system\', \'process\', \'p\', \'process.expire\')', [time]);
			}

			assert.equal((await piecesOf(database))[piece], kept[piece]! + all.length, piece);
		}

		assert.equal(await make(database, '2091-05-29'), true);
		assert.deepEqual([(await piecesOf(database)).history_20910529, (await piecesOf(database)).history_other], [1, 1], 'what was written before there was a piece moves there');
	});

	test(`in ${name} what was written in a month without a piece moves there as it is when the piece is made`, {skip}, async () => {
		const database = await open();
		const {thisMonth} = await clock(database);
		for (const piece of Object.keys(await piecesOf(database)).filter(piece => piece >= thisMonth && /\d$/.test(piece))) {
			await database.query(`drop table colonies.${piece}`);
		}

		const colony = await openColony(database);
		const computer = await colony.computer();
		const process = await colony.close(computer, await colony.running(computer, {in: {key: 'value'}}));
		await sealAll(database);
		const before = await colony.history();
		const places = (await colony.own('event.list', {after: placeText({txid: 1, row: 1}), count: 100})).rows;
		assert.ok(places.length > 4);
		const {history_other: waiting} = await piecesOf(database);
		assert.ok(waiting! > before.length);
		const head = (await verified(database)).last!.hash;

		await colony.broker.makePieces();
		const pieces = await piecesOf(database);
		assert.deepEqual([pieces.history_other, pieces[thisMonth]], [0, waiting]);
		assert.deepEqual(await colony.history(), before);
		assert.deepEqual((await colony.own('event.list', {after: placeText({txid: 1, row: 1}), count: 100})).rows, places);
		assert.deepEqual([(await verified(database, head)).fault, (await verified(database, head)).rows], [null, waiting]);
		const {rows: indexes} = await database.query<{count: number}>('select count(*)::int as count from pg_indexes where schemaname = \'colonies\' and tablename in ($1, \'history_other\') group by tablename', [thisMonth]);
		assert.equal(indexes[0]!.count, indexes[1]!.count);
		await assert.rejects(database.query('update colonies.history set what = \'nothing\''), (error: Error) => String(error.cause).includes('append-only'));
		await assert.rejects(database.query(`update colonies.${thisMonth} set what = 'nothing'`), (error: Error) => String(error.cause).includes('append-only'));
		await colony.own('process.remove', {processid: process.processid});
		assert.equal((await piecesOf(database)).history_other, 0);
	});

	test(`in ${name} retention drops whole pieces, and of the one that is due in part what is due`, {skip}, async () => {
		const database = await open();
		const {thisMonth, before, last} = await clock(database);
		const colony = await openColony(database);
		// As if it had been at work for three months: the third of them without a piece of its own, by the day the rest.
		await database.query('drop table colonies.history_before');
		const begins = (piece: string) => `${piece.slice(8, 12)}-${piece.slice(12, 14)}-01`;
		for (const piece of before.slice(0, 2)) {
			assert.equal(await make(database, begins(piece), false), true);
		}

		for (const day of [1, 2, 3]) {
			assert.equal(await make(database, `${last.slice(0, 8)}0${day}`, true), true);
		}

		for (const piece of before) {
			await insertAt(database, `timestamptz '${begins(piece)}T00:00:00Z'`, 2500, colony);
		}

		// In the second of the months, far from its end, and on the second of the last one.
		await insertAt(database, `timestamptz '${begins(before[1]!)}T00:00:00Z' + interval '26 days'`, 300, colony);
		await insertAt(database, `timestamptz '${last}T00:00:00Z' + interval '1 day'`, 200, colony);
		await sealAll(database);
		const [oldest, second] = before as [string, string, string];
		const day = `history_${last.slice(0, 4)}${last.slice(5, 7)}`;
		const counts = async () => Object.fromEntries(Object.entries(await piecesOf(database)).filter(([, count]) => count > 0));
		const now = (await counts())[thisMonth]!;
		assert.deepEqual(await counts(), {[oldest]: 2500, [second]: 2800, [`${day}01`]: 2500, [`${day}02`]: 200, [thisMonth]: now});

		/** Sets how many days are kept, so that the bound lies at a time, and drops what is due. */
		const keepFrom = async (time: string): Promise<void> => {
			const {rows: [row]} = await database.query<{days: number}>('select ceil(extract(epoch from now() - $1::timestamptz) / 86400)::int as days', [time]);
			await colony.broker.run(root, 'history.retention', {days: row!.days});
			await keepAll(colony, database);
			const {intact, fault} = await verified(database);
			assert.deepEqual([intact, fault], [true, null]);
		};

		// Some time on the 10th of the second month at most: what was written on its first day goes, and stays on its 27th.
		await keepFrom(`${begins(second).slice(0, 8)}10T00:00:00Z`);
		const first = await counts();
		assert.ok(!(oldest in await piecesOf(database)), 'a month that is due is no table any more');
		assert.deepEqual([first[second], first[`${day}01`], first[`${day}02`]], [300, 2500, 200]);
		const {dropped, rows} = await verified(database);
		assert.deepEqual([dropped, rows], [5000, Object.values(first).reduce((sum, count) => sum + count, 0)]);

		// On the first of the last month, by the day: nothing of the day that is due in part.
		const {droppedbefore: reached} = await colony.own('history.get');
		assert.ok(reached! < `${begins(second).slice(0, 8)}11`);
		await database.query(
			'insert into colonies.history (at, actor, noun, subject_id, what, detail, request) select $1::timestamptz, actor, noun, subject_id, what, detail, request from colonies.history where what = \'history.retention\'',
			[`${last}T06:00:00Z`],
		);
		await keepFrom(`${last}T23:59:59.999999Z`);
		const pieces = await piecesOf(database);
		assert.ok(!(second in pieces));
		const {rows: [bound]} = await database.query<{at: string}>('select dropped_before as at from colonies.retention');
		assert.equal(bound!.at.slice(0, 10), last);
		assert.equal(pieces[`${day}01`], 2501, 'a day goes as a whole, or not yet');
		assert.equal(pieces[`${day}02`], 200);

		// And once it is over: all of it but the row that says how long the history is kept.
		await keepFrom(`${last.slice(0, 8)}03T00:30:00Z`);
		const rest = await piecesOf(database);
		assert.equal(rest[`${day}01`], 1);
		assert.deepEqual((await verified(database)).dropped, 5000 + 300 + 2500 + (`${day}02` in rest ? 0 : 200));
		const {rows: stays} = await database.query<{what: string}>(`select what from colonies.${day}01`);
		assert.deepEqual(stays, [{what: 'history.retention'}]);
	});
}

test('somebody who reads the history for long holds up nobody who writes, and its pieces are made when that is over', {skip: noPostgres}, async () => {
	const database = await opening(openOwn);
	const colony = await openColony(database);
	await database.transaction(async client => {
		await client.query('select count(*) from colonies.history');
		await assert.rejects(database.transaction(async other => {
			await other.query('set local lock_timeout = \'200ms\'');
			await other.query('select colonies.make_piece(\'history\', \'at\', \'2091-01-01\', false)');
		}));
		await colony.submit();
	});
	assert.ok(!('history_209101' in await piecesOf(database)));
	assert.equal(await make(database, '2091-01-01'), true);
});

test('TimescaleDB makes the pieces of the history by itself', async () => {
	const database = await opening(openTimescale);
	const colony = await openColony(database);
	await colony.broker.makePieces();
	assert.equal(await make(database, '2091-01-01'), false);
	const pieces = Object.keys(await piecesOf(database));
	assert.ok(pieces.length > 0 && pieces.every(piece => piece.endsWith('_chunk')), pieces.join(' '));
});
