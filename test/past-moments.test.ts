import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {readAgo, readMoment, readTime} from '../source/core/moments.ts';
import {microseconds} from '../source/core/time.ts';
import {processStates} from '../source/core/types.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {Broker} from '../source/operations/index.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {Colony, openAny, openColony, refused, root} from './support/colony.ts';

const colony = await openColony(await openAny());
const {database} = colony;

const clock = async (): Promise<string> => {
	const {rows} = await database.query<{at: string}>('select clock_timestamp() as at');
	return rows[0]!.at;
};

test('a time of RFC 3339 keeps its microseconds, whatever its offset', () => {
	fc.assert(fc.property(fc.date({min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true}), fc.nat(999), fc.integer({min: -14 * 60, max: 14 * 60}), (date, extra, offset) => {
		const exact = `${date.toISOString().slice(0, -1)}${String(extra).padStart(3, '0')}`;
		const shifted = new Date(date.getTime() + (offset * 60_000)).toISOString().slice(0, -1);
		const minutes = Math.abs(offset);
		const sign = offset < 0 ? '-' : '+';
		fc.pre(/^\d{4}-/.test(shifted) && !shifted.startsWith('0000'));
		const zone = `${sign}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
		assert.equal(readTime(`${shifted}${String(extra).padStart(3, '0')}${zone}`), `${exact}Z`);
	}), {numRuns: 1000});
	for (const wrong of ['', 'soon', '2026-03-01', '2026-03-01T14:05:00', '2026-13-01T00:00:00Z', '2026-01-01T25:00:00Z', '0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '-5m']) {
		assert.equal(readTime(wrong), undefined, wrong);
	}
});

test('a moment is read from the clock that people see', () => {
	for (const utc of [true, false]) {
		const date = (year: number, month: number, day: number, hours = 0, minutes = 0, seconds = 0) => utc ? Date.UTC(year, month - 1, day, hours, minutes, seconds) : new Date(year, month - 1, day, hours, minutes, seconds).getTime();
		const now = date(2026, 3, 2, 14, 5, 30);
		const read = (text: string) => readMoment(text, {now, utc});
		const time = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, -1)}000Z`;
		assert.equal(read('14:05'), time(date(2026, 3, 2, 14, 5)));
		assert.equal(read('14:06'), time(date(2026, 3, 1, 14, 6)));
		assert.equal(read(' 9:00:01 '), time(date(2026, 3, 2, 9, 0, 1)));
		assert.equal(read('2026-02-28'), time(date(2026, 2, 28)));
		assert.equal(read('2026-02-28 23:59:59.25'), time(date(2026, 2, 28, 23, 59, 59) + 250));
		assert.equal(read('2026-02-28T23:59'), time(date(2026, 2, 28, 23, 59)));
		assert.equal(read('2021-12-21T21:04:07.807378Z'), '2021-12-21T21:04:07.807378Z');
		assert.equal(read('-1h30m'), '-1h30m');
		for (const wrong of ['', 'x', '25:00', '14:60', '2026-02-30', '2026-02-28 24:00', '5m', '-5', '-', '-5m ago', '-4000d']) {
			assert.equal(read(wrong), undefined, wrong);
		}
	}

	assert.deepEqual([readAgo('-5m'), readAgo('-1h30m'), readAgo('-2d'), readAgo('-0.5s')], [300, 5400, 172_800, 0.5]);
});

test('a span before now counts on the clock of the database', async () => {
	await colony.submit();
	await database.query('update colonies.migrations set at = at - interval \'1 hour\'');
	const before = microseconds(await clock())!;
	const page = await colony.own('process.list', {at: '-10m'});
	const between = microseconds(page.at!)! + 600_000_000n;
	assert.ok(between >= before && between <= microseconds(await clock())!);
	assert.deepEqual(page.rows, []);
	assert.deepEqual(await colony.own('process.count', {at: '-10m'}), {waiting: 0, running: 0, successful: 0, failed: 0});
	assert.equal((await colony.own('process.list', {at: '-0s'})).rows.length, 1);
});

test('what cannot be told of the past is refused in a sentence', async () => {
	const at = await clock();
	const {processid} = await colony.submit();
	const computer = await colony.computer();
	await refused(colony.own('process.list', {at: '9999-01-01T00:00:00Z'}), 'invalid-input', /^9999-01-01T00:00:00.000000Z is still to come: on the clock of the database it is 2/);
	await refused(colony.own('process.count', {at: '2000-01-01T00:00:00Z'}), 'invalid-input', /^The history begins at .*; how it was at 2000-01-01T00:00:00.000000Z cannot be told\.$/);
	await refused(colony.own('computer.list', {at: 'yesterday'}), 'invalid-input', /^at must be a time of RFC 3339.*not "yesterday"\.$/);
	await refused(colony.own('process.list', {at, runnableby: computer.id}), 'invalid-input', /told of now alone/);
	await refused(colony.own('process.get', {at, processid}), 'not-found', /^There was no process .* at 2/);
	await refused(colony.own('computer.get', {at, computerid: computer.id}), 'not-found', /^There was no computer .* at 2/);
	await refused(colony.broker.run(root, 'colony.list', {at: '0001-01-02T00:00:00Z'}), 'invalid-input', /The history begins/);
});

test('a computer that is not approved sees its own past and no other', async () => {
	await colony.computer({name: 'other'});
	const pending = await colony.computer({state: 'pending', name: 'mine'});
	const at = await clock();
	await colony.own('computer.disapprove', {computerid: pending.id});
	const {rows} = await colony.as(pending, 'computer.list', {colonyid: colony.id, at});
	assert.deepEqual(rows.map(({name, status}) => [name, status]), [['mine', 0]]);
});

test('between a change and the row that tells of it a process is as it was before, in lists, in counts and by itself', {skip: noPostgres}, async () => {
	const fresh = await openColony(database, new Broker(database, {local: true, groups: false}));
	const computer = await fresh.computer();
	const {processid} = await fresh.submit({maxretries: 1, timeout: 600});
	const assigned = await fresh.assign(computer);
	await fresh.own('computer.disapprove', {computerid: computer.id});
	const {rows: [returned]} = await database.query<{at: string}>('select returned_at as at from colonies.live where process_id = colonies.bytes_of($1)', [processid]);
	await fresh.own('computer.approve', {computerid: computer.id});
	const closed = await fresh.close(computer, await fresh.assign(computer));
	// Each of these moments is that of the row of the process; the history tells of it a little later, and that counts.
	const told = (await fresh.history(processid)).filter(({what}) => ['process.assign', 'process.requeue', 'process.successful'].includes(what)).map(({at}) => at);
	for (const [at, after, state] of [[assigned.starttime, told[0]!, 'waiting'], [returned!.at, told[1]!, 'running'], [closed.endtime, told[3]!, 'running']] as const) {
		assert.ok(at < after, `${at} ${after}`);
		const one = await fresh.own('process.get', {processid, at});
		assert.equal(processStates[one.status], state);
		assert.deepEqual((await fresh.own('process.list', {at})).rows, [one]);
		assert.deepEqual((await fresh.own('process.list', {at, state})).rows, [one]);
		assert.deepEqual(await fresh.own('process.count', {at}), {waiting: 0, running: 0, successful: 0, failed: 0, [state]: 1});
	}
});

test('at the exact time of a change that a group made, lists, counts and get show the process after it', {skip: noPostgres}, async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	// The kind of work and the computer are known from then on.
	await fresh.submit();
	await fresh.close(computer, await fresh.assign(computer));
	const {processid, submissiontime} = await fresh.submit();
	const assigned = await fresh.assign(computer);
	const closed = await fresh.close(computer, assigned);
	const told = (await fresh.history(processid)).map(({at}) => at);
	assert.deepEqual(told, [submissiontime, assigned.starttime, closed.endtime]);
	for (const [index, state] of (['waiting', 'running', 'successful'] as const).entries()) {
		const one = await fresh.own('process.get', {processid, at: told[index]});
		assert.equal(processStates[one.status], state);
		assert.deepEqual((await fresh.own('process.list', {at: told[index], state})).rows[0], one);
		assert.equal((await fresh.own('process.count', {at: told[index]}))[state], state === 'successful' ? 2 : 1);
	}
});

test('what a transaction that is still open has done comes after every moment that is told meanwhile', {skip: noPostgres}, async () => {
	const where = await freshPlace();
	const databases = await Promise.all([1, 2].map(async () => openPostgres(where)));
	after(async () => Promise.all(databases.map(async each => each.close())));
	const [first, second] = databases as [typeof databases[0], typeof databases[0]];
	const here = await openColony(first);
	await here.submit();
	const there = new Colony(second, here.broker);
	let told: string | undefined;
	await second.transaction(async client => {
		await client.query('insert into colonies.history (actor, colony_id, noun, subject_id, what, detail) values (colonies.bytes_of($1), colonies.bytes_of($2), \'colony\', colonies.bytes_of($1), \'colony.register\', \'{}\')', [there.id, here.id]);
		const page = await here.own('process.list', {at: '-0s'});
		const {rows: [open]} = await client.query<{at: string}>('select at from colonies.history where actor = colonies.bytes_of($1)', [there.id]);
		told = page.at!;
		assert.ok(told < open!.at);
	});
	const later = await here.own('process.list', {at: '-0s'});
	assert.ok(later.at! > told!);
	assert.equal((await here.own('process.list', {at: told})).at, told);
});
