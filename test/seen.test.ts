import assert from 'node:assert/strict';
import {test} from 'node:test';
import {keepSeen} from '../source/database/seen.ts';
import {Sightings} from '../source/operations/sightings.ts';
import {openAny, openColony} from './support/colony.ts';
import {databaseClock} from './support/database-clock.ts';

const database = await openAny();
const colony = await openColony(database);
const atTime = await databaseClock(database);

/** When a computer was last seen, as its list says. */
const lastSeen = async ({id}: {id: string}): Promise<string | undefined> => (await colony.own('computer.get', {computerid: id})).lastseen;

const seenAt = async (time: string, computer: {id: string}, ago: number): Promise<void> =>
	atTime(time, async client => keepSeen(client, [{colony: colony.id, computer: computer.id, ago}]));

test('a computer was last seen so many milliseconds before now', async () => {
	const computer = await colony.computer();
	await seenAt('2026-11-26T12:00:00Z', computer, 1500.25);
	assert.equal(await lastSeen(computer), '2026-11-26T11:59:58.499750Z');
	await seenAt('2026-11-26T12:00:10Z', computer, 0);
	assert.equal(await lastSeen(computer), '2026-11-26T12:00:10.000000Z');
});

test('what a server writes down late does not set back what another wrote', async () => {
	const computer = await colony.computer();
	await seenAt('2026-11-26T12:00:00Z', computer, 100);
	await seenAt('2026-11-26T12:00:05Z', computer, 9000);
	assert.equal(await lastSeen(computer), '2026-11-26T11:59:59.900000Z');
});

test('a computer that was removed meanwhile, or never was, is left out; the others are kept', async () => {
	const [computer, removed] = [await colony.computer(), await colony.computer()];
	await colony.own('computer.remove', {computerid: removed.id});
	await atTime('2026-11-26T12:00:00Z', async client => keepSeen(client, [computer.id, removed.id, 'f'.repeat(64)].map(id => ({colony: colony.id, computer: id, ago: 0}))));
	assert.equal(await lastSeen(computer), '2026-11-26T12:00:00.000000Z');
	const {rows} = await database.query('select from colonies.seen where computer_id = any (colonies.bytes_of_all($1))', [[removed.id, 'f'.repeat(64)]]);
	assert.equal(rows.length, 0);
});

test('sightings that are written later tell when they were', async t => {
	const [early, late] = [await colony.computer(), await colony.computer()];
	let clock = 1000;
	t.mock.method(performance, 'now', () => clock);
	const sightings = new Sightings(database);
	sightings.note(colony.id, early.id);
	clock += 7000;
	sightings.note(colony.id, late.id);
	clock += 1000;
	await sightings.flush();
	const {rows: [seen]} = await database.query<{apart: number; now: boolean}>(
		`select extract(epoch from l.seen_at - e.seen_at)::float8 as apart, l.seen_at between statement_timestamp() - interval '1 hour' and statement_timestamp() - interval '1 second' as now
		from colonies.seen e, colonies.seen l where e.computer_id = colonies.bytes_of($1) and l.computer_id = colonies.bytes_of($2)`,
		[early.id, late.id],
	);
	assert.deepEqual(seen, {apart: 7, now: true});
});

test('a computer that is seen often is written down once, as it was seen last', async t => {
	const computer = await colony.computer();
	let clock = 1000;
	t.mock.method(performance, 'now', () => clock);
	const sightings = new Sightings(database);
	for (; clock < 11_000; clock += 1000) {
		sightings.note(colony.id, computer.id);
	}

	await sightings.flush();
	const {rows: [first]} = await database.query<{xmin: string; seen_at: string}>('select xmin::text, seen_at from colonies.seen where computer_id = colonies.bytes_of($1)', [computer.id]);
	await sightings.flush();
	assert.deepEqual(await database.query('select xmin::text, seen_at from colonies.seen where computer_id = colonies.bytes_of($1)', [computer.id]), {rows: [first], rowCount: 1});
});

test('sightings are written ten seconds after the first', async t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	let statements = 0;
	const written = new Promise<void>(resolve => {
		const sightings = new Sightings({
			...database,
			async query(text, values) {
				statements++;
				const done = await database.query<any>(text, values);
				resolve();
				return done;
			},
		});
		sightings.note(colony.id, 'f'.repeat(64));
		t.mock.timers.tick(9999);
		sightings.note(colony.id, 'f'.repeat(64));
	});
	assert.equal(statements, 0);
	t.mock.timers.tick(1);
	await written;
	assert.equal(statements, 1);
});

test('sightings that cannot be written are let go without a word', async () => {
	const sightings = new Sightings({...database, query: async () => assert.fail('The database is away.')});
	sightings.note(colony.id, 'f'.repeat(64));
	await sightings.flush();
});
