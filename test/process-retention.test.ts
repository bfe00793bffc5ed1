import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {closedDrops} from '../source/database/index.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker, type Compared} from '../source/operations/index.ts';
import {comparePresent} from '../source/operations/present.ts';
import {
	inTurn, noPostgres, openMemory, openOwn, openTimescale,
} from './support/databases.ts';
import {type Colony, openColony, refused, root} from './support/colony.ts';
import {agingClosed, agingHistory, sealAll, tampering, verified} from './support/tampering.ts';

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openOwn],
	['the embedded database', false, openMemory],
	['TimescaleDB', false, openTimescale],
];

async function deviations(client: Client, colonyid?: string): Promise<Compared['deviations']> {
	const all: Compared['deviations'] = [];
	for (let position: string | undefined; ;) {
		const step = await comparePresent(client, {colonyid, position});
		all.push(...step.deviations);
		if (!step.more) {
			return all;
		}

		position = step.position!;
	}
}

const agrees = async (database: Database): Promise<void> => {
	await sealAll(database);
	assert.deepEqual(await deviations(database), []);
	const {intact, fault} = await verified(database);
	assert.deepEqual([intact, fault], [true, null]);
};

const count = async (database: Client, where = 'true'): Promise<number> => {
	const {rows: [row]} = await database.query<{count: number}>(`select count(*)::int as count from colonies.closed where ${where}`);
	return row!.count;
};

/** Closed processes as if they had run so many days ago, one a second, with the rows of the history about their ends. */
async function closedLongAgo(colony: Colony, {computer, days, many, state}: {computer: string; days: string; many: number; state: 'successful' | 'failed'}): Promise<void> {
	await colony.database.query(
		`with made as (
			select sha256(convert_to($1 || ' ' || $3 || ' ' || $4 || ' ' || n, 'UTF8')) as id, date_trunc('second', now()) - $3::interval - n * interval '1 second' as ended from generate_series(1, $2::integer) n
		), put as (
			insert into colonies.closed (process_id, colony_id, assigned_computer_id, submission_time, start_time, mem, timeout, max_retries, cores, gpus, computer_type, target_computer_ids, status, end_time)
			select id, colonies.bytes_of($1), colonies.bytes_of($5), ended - interval '2 seconds', ended - interval '1 second', 0, 0, 0, 0, 0, '', '{}', case $4 when 'failed' then 3 else 2 end, ended from made
		)
		insert into colonies.history (at, actor, noun, subject_id, colony_id, what, from_state, to_state, detail)
		select ended + interval '1 millisecond', colonies.bytes_of($5), 'process', id, colonies.bytes_of($1), 'process.' || $4, 'running', $4, jsonb_build_object(
			'computer', $5::text, 'start', to_char((ended - interval '1 second') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'retries', 0, 'type', '', 'run', 1000000
		) from made`,
		[colony.id, many, days, state, computer],
	);
}

async function dropAll(broker: Broker, database: Database): Promise<void> {
	await sealAll(database);
	while (await broker.dropClosed()) {
		// Until there is no more.
	}
}

type Told = {actor: string; what: string; from: string; detail: closedDrops.Drop; request: string | null};

async function drops({database, id}: Colony): Promise<Told[]> {
	const {rows} = await database.query<Told>('select colonies.text_of(actor) as actor, what, from_state as "from", detail, request from colonies.history where what = \'process.drop\' and colony_id = colonies.bytes_of($1) order by history_id', [id]);
	return rows;
}

const pieces = async (database: Database): Promise<string[]> => {
	const {rows} = await database.query<{name: string}>('select c.relname::text as name from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = \'colonies.closed\'::regclass order by 1');
	return rows.map(({name}) => name);
};

/** Makes months of the past, as an installation has them that is old. */
async function asIfOld(database: Database, kind: string): Promise<void> {
	if (kind === 'TimescaleDB') {
		return;
	}

	await database.transaction(async client => {
		await client.query('create table moved as select * from colonies.closed_before');
		await client.query('drop table colonies.closed_before');
		await client.query('select colonies.make_piece(\'closed\', \'end_time\', (now() - months * interval \'1 month\')::date, false) from generate_series(1, 8) months');
		await client.query('insert into colonies.closed select * from moved');
		await client.query('drop table moved');
	});
}

async function openWorld(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	const computer = await colony.computer();
	return {database, colony, computer, other: await openColony(database, colony.broker)};
}

const worlds = await inTurn(kinds, async ([, skip, open]) => skip ? undefined : openWorld(open));

for (const [index, [name, skip]] of kinds.entries()) {
	const world = () => worlds[index]!;

	test(`in ${name} an owner says how long the colony keeps what is closed, and root what holds where nothing is said`, {skip}, async () => {
		const {colony, computer, other} = world();
		const {broker} = colony;
		const kept = async () => colony.own('process.kept');
		assert.deepEqual(await kept(), {colonyid: colony.id, successful: 'off', failed: 'off', own: {successful: null, failed: null}, installation: {successful: 'off', failed: 'off'}, due: 0, lastremoved: null, lastcount: 0});
		await broker.run(root, 'process.retention', {successful: '60d', failed: '90d'});
		await colony.own('process.retention', {successful: '36h'});
		const {successful, failed, own, installation} = await kept();
		assert.deepEqual([successful, failed, own, installation], ['1d12h', '90d', {successful: '1d12h', failed: null}, {successful: '60d', failed: '90d'}]);
		assert.equal((await other.own('process.kept')).successful, '60d');
		assert.equal((await colony.as(computer, 'process.kept', {colonyid: colony.id})).failed, '90d');
		await colony.own('process.retention', {successful: 'off', failed: 'off'});
		assert.deepEqual((await kept()).own, {successful: 'off', failed: 'off'});
		await colony.own('process.retention', {successful: 'default', failed: 'default'});
		assert.deepEqual([(await kept()).successful, (await kept()).failed], ['60d', '90d']);
		const {rows: [row]} = await colony.own('audit.list', {what: 'process.retention'});
		assert.deepEqual([row!.actor, row!.from, row!.to, row!.signed], [colony.id, 'successful off, failed off', 'successful default, failed default', true]);
		const entry = await colony.own('audit.get', {entry: row!.id});
		assert.deepEqual(entry.detail, {successful: null, failed: null, before: {successful: 0, failed: 0}});
		await refused(colony.as(computer, 'process.retention', {colonyid: colony.id, failed: '30d'}), 'not-allowed');
		await refused(other.as(other.owner, 'process.retention', {colonyid: colony.id, failed: '30d'}), 'not-allowed');
		await refused(other.as(other.owner, 'process.retention', {failed: '30d'}), 'not-allowed', /root/);
		await refused(broker.run(root, 'process.retention', {colonyid: colony.id, failed: '30d'}), 'not-allowed', /by its owner/);
		await refused(colony.own('process.retention'), 'invalid-input', /Neither/);
		for (const given of ['1h', 'never', '30', '-1d', '40000d']) {
			await refused(colony.own('process.retention', {failed: given}), 'invalid-input', /span of at least 1d/);
		}

		await broker.run(root, 'process.retention', {successful: 'off', failed: 'off'});
		await agrees(colony.database);
	});

	test(`in ${name} what is due goes by portions, with one row of the history for each, and the rest stays`, {skip}, async () => {
		const {database, colony, computer, other} = world();
		await closedLongAgo(colony, {computer: computer.id, days: '40 days', many: 2300, state: 'successful'});
		await closedLongAgo(colony, {computer: computer.id, days: '40 days', many: 3, state: 'failed'});
		await closedLongAgo(other, {computer: computer.id, days: '39 days', many: 5, state: 'successful'});
		const recent = await colony.close(computer, await colony.running(computer));
		await agrees(database);
		const all = await count(database);
		await dropAll(colony.broker, database);
		assert.equal(await count(database), all);
		await colony.own('process.retention', {successful: '30d'});
		// Before the setting is sealed nothing goes, nor by what somebody writes into the table.
		assert.equal(await colony.broker.dropClosed(), false);
		await sealAll(database);
		assert.equal((await colony.own('process.kept')).due, 2300);
		await tampering(database, async client => {
			await client.query('update colonies.process_retention set successful = 86400, failed = 86400');
			const {changes} = await closedDrops.dropPortion(client, new Map());
			assert.deepEqual(changes, []);
		});
		assert.equal(await colony.broker.dropClosed(), true);
		assert.ok(await count(database) > all - 2001);
		// Another server goes on where this one ended.
		await dropAll(new Broker(database, {local: true}), database);
		await dropAll(colony.broker, database);
		assert.equal(await count(database), all - 2300);
		assert.equal(await count(database, `colony_id = colonies.bytes_of('${other.id}')`), 5);
		const rows = await drops(colony);
		assert.deepEqual([rows.map(({actor, from, request}) => [actor, from, request]), rows.reduce((sum, {detail}) => sum + detail.count, 0)], [rows.map(() => ['system', 'successful', null]), 2300]);
		assert.equal(rows.length, 2);
		assert.ok(rows.every(({detail}) => detail.from < detail.before && detail.except === undefined));
		const {due, lastremoved, lastcount} = await colony.own('process.kept');
		assert.deepEqual([due, lastremoved !== null, lastcount], [0, true, rows.at(-1)!.detail.count]);
		assert.deepEqual(await colony.get(recent), recent);
		await agrees(database);
		assert.deepEqual(await deviations(database, colony.id), []);
	});

	test(`in ${name} a month in which everything is due is dropped at a stroke, and so is one that is empty`, {skip}, async () => {
		const {database, colony, computer, other} = world();
		await asIfOld(database, name);
		const before = await drops(colony);
		const names = await pieces(database);
		await closedLongAgo(colony, {computer: computer.id, days: '100 days', many: 210, state: 'failed'});
		await closedLongAgo(colony, {computer: computer.id, days: '100 days 1 hour', many: 7, state: 'successful'});
		await closedLongAgo(other, {computer: computer.id, days: '100 days', many: 4, state: 'failed'});
		await agrees(database);
		await colony.broker.run(root, 'process.retention', {failed: '60d'});
		await dropAll(colony.broker, database);
		assert.equal(await count(database, 'end_time < now() - interval \'90 days\''), 0);
		const told = (await drops(colony)).slice(before.length);
		assert.deepEqual(told.map(({from, detail}) => `${from} ${detail.count}`).sort(), ['failed 210', 'successful 7']);
		assert.deepEqual((await drops(other)).map(({from, detail}) => [from, detail.count]), [['failed', 4]]);
		const left = await pieces(database);
		if (name === 'TimescaleDB') {
			assert.ok(left.length <= names.length);
		} else {
			assert.deepEqual(names.filter(piece => !left.includes(piece)).length >= 2, true);
		}

		await agrees(database);
	});

	test(`in ${name} a row that says what no setting allowed is found, and so is one that says otherwise, and what went without any`, {skip}, async () => {
		const {database, colony, other, computer} = world();
		const found = async (work: (client: Client) => Promise<unknown>) => tampering(database, async client => {
			await work(client);
			return deviations(client);
		});
		const steal = 'with gone as (delete from colonies.closed where colony_id = colonies.bytes_of($1) returning process_id, end_time, status) select encode(process_id, \'hex\') as process_id, end_time, status from gone';
		const insert = 'insert into colonies.history (actor, noun, subject_id, colony_id, what, from_state, detail) values (colonies.bytes_of_any($1), \'installation\', \'closed\', colonies.bytes_of($2), \'process.drop\', $3, $4)';
		const forge = async (client: Client, drop: closedDrops.Drop, actor = 'system') => client.query(insert, [actor, other.id, 'successful', drop]);
		const stolen = async (client: Client) => (await client.query<{process_id: string; end_time: string; status: number}>(steal, [other.id])).rows;
		const alone = await found(stolen);
		assert.deepEqual(alone.map(({kind, noun}) => `${noun} ${kind}`), Array.from({length: 5}, () => 'process dropped'));
		// Successful ones are kept for ever there.
		const forged = await found(async client => forge(client, closedDrops.dropOf(await stolen(client))));
		assert.equal(forged.length, 6);
		assert.match(forged.at(-1)!.message, /5 successful processes .* no setting of then allowed it\.$/);
		const early = await found(async client => {
			const [one] = (await client.query<{process_id: string; end_time: string}>('delete from colonies.closed where colony_id = colonies.bytes_of($1) and status = 3 returning process_id, end_time', [colony.id])).rows;
			await client.query(insert, ['system', colony.id, 'failed', closedDrops.dropOf([one!])]);
		});
		assert.ok(early.some(({message}) => message.includes('no setting of then allowed it')), JSON.stringify(early));
		const altered = await found(async client => client.query('update colonies.history set detail = jsonb_set(detail, \'{count}\', to_jsonb((detail->>\'count\')::integer - 1)) where what = \'process.drop\' and (detail->>\'count\')::integer > 1000'));
		assert.ok(altered.length > 0 && altered.every(({kind, message}) => kind === 'altered' && /1999 .* by the history others had ended so/.test(message)), JSON.stringify(altered));
		const nobody = await found(async client => forge(client, closedDrops.dropOf(await stolen(client)), other.id));
		assert.match(nobody.at(-1)!.message, /has no request/);
		assert.equal(nobody.length, 6);
		// A retry that came after it is none that it takes in.
		const recent = await colony.close(computer, await colony.running(computer));
		const lost = await found(async client => client.query('delete from colonies.closed where process_id = colonies.bytes_of($1)', [recent.processid]));
		assert.deepEqual(lost.map(({kind, subject}) => [kind, subject]), [['dropped', recent.processid]]);
		await agrees(database);
	});

	test(`in ${name} many closed ones that are removed in one call leave a row for each state, signed by their owner; a few leave their images`, {skip}, async () => {
		const {database, colony, computer} = world();
		const made = [];
		for (const [index, state] of Array.from({length: 15}, (_, index) => index % 3 === 0 ? 'failed' as const : 'successful' as const).entries()) {
			made.push(await colony.close(computer, await colony.running(computer, {in: {n: String(index)}}), state));
		}

		const cancelled = await colony.own('process.cancel', {processid: (await colony.submit()).processid});
		const waiting = await colony.submit();
		const caller = {identity: colony.owner};
		const before = await drops(colony);
		const ids = [waiting, ...made, cancelled, {processid: 'f'.repeat(64)}].map(({processid}) => ({colonyid: colony.id, processid}));
		const options = {idempotencyKey: 'once'};
		const answers = await colony.broker.runMany(caller, 'process.remove', ids, options);
		assert.deepEqual(answers.map(answer => answer instanceof Error ? answer.message.slice(0, 12) : answer.result.processid), [...ids.slice(0, -1).map(({processid}) => processid), 'There is no ']);
		const rows = (await drops(colony)).slice(before.length);
		assert.deepEqual(rows.map(({actor, from, detail}) => [actor, from, detail.count]).sort(), [[colony.id, 'failed', 6], [colony.id, 'successful', 10]]);
		assert.equal(rows.find(({from}) => from === 'failed')!.detail.ids, closedDrops.hashOfIds([...made.filter(({status}) => status === 3), cancelled].map(({processid}) => processid)));
		const images = async (...subjects: Array<{processid: string}>) => (await database.query('select from colonies.history where what = \'process.remove\' and subject_id = any (colonies.bytes_of_all($1))', [subjects.map(({processid}) => processid)])).rows.length;
		assert.equal(await images(waiting), 1);
		assert.equal(await images(...made, cancelled), 0);
		await agrees(database);
		// The same request again hears the same, as far as the history tells.
		const again = await colony.broker.runMany(caller, 'process.remove', ids, options);
		assert.deepEqual(again.map(answer => answer instanceof Error ? 'none' : [answer.result.processid, answer.result.status]), [[waiting.processid, 0], ...made.map(({processid, status}) => [processid, status]), [cancelled.processid, 3], 'none']);
		assert.equal((await drops(colony)).length, before.length + 2);
		const {rows: steps} = await colony.own('process.history', {processid: made[0]!.processid});
		assert.deepEqual(steps.map(({what}) => what), ['process.submit', 'process.assign', 'process.failed']);
		// Whoever makes the row say that another was removed is found by the request.
		const fault = await tampering(database, async client => {
			await client.query('update colonies.history set detail = jsonb_set(detail, \'{which}\', \'"1"\') where what = \'process.drop\' and request is not null');
			return deviations(client);
		});
		assert.ok(fault.some(({message}) => message.includes('has a request for something else than what was removed')), JSON.stringify(fault));

		const few = [];
		for (const _ of Array.from({length: 10})) {
			few.push(await colony.close(computer, await colony.running(computer)));
		}

		await colony.broker.runMany(caller, 'process.remove', few.map(({processid}) => ({colonyid: colony.id, processid})));
		assert.equal(await images(...few), 10);
		assert.equal((await drops(colony)).length, before.length + 2);
		await agrees(database);
	});
}

test('whoever is at a process that is due keeps it, and loses nothing', {skip: noPostgres}, async () => {
	const {database, colony, computer} = await openWorld(openOwn);
	const closed = [];
	for (const _ of Array.from({length: 8})) {
		closed.push(await colony.close(computer, await colony.running(computer), 'failed'));
	}

	await database.query(agingHistory('40 days'));
	await database.query(agingClosed('40 days'));
	await colony.own('process.retention', {failed: '30d'});
	await agrees(database);
	const [retried, left] = [closed[3]!, closed[5]!];
	await database.transaction(async client => {
		await client.query('select from colonies.closed where process_id = any (colonies.bytes_of_all($1)) for update', [[retried.processid, left.processid]]);
		await dropAll(colony.broker, database);
		assert.equal(await count(database), 2);
	});
	const [row] = await drops(colony);
	assert.deepEqual([row!.detail.count, row!.detail.except], [6, [retried.processid, left.processid].sort()]);
	await colony.own('process.retry', {processid: retried.processid});
	await agrees(database);
	await dropAll(colony.broker, database);
	assert.equal(await colony.state(retried), 'waiting');
	assert.equal(await count(database), 0);
	assert.deepEqual((await drops(colony)).map(({detail}) => detail.count), [6, 1]);
	await agrees(database);
	await colony.close(computer, await colony.assign(computer));
	await agrees(database);
});

test('a month is not dropped while somebody reads for long; what is due in it goes by portions meanwhile', {skip: noPostgres}, async () => {
	const {database, colony, computer} = await openWorld(openOwn);
	await closedLongAgo(colony, {computer: computer.id, days: '100 days', many: 30, state: 'failed'});
	await colony.own('process.retention', {failed: '30d'});
	const names = await pieces(database);
	await database.transaction(async client => {
		await client.query('select count(*) from colonies.closed');
		await dropAll(colony.broker, database);
	});
	assert.deepEqual([await count(database), await pieces(database)], [0, names]);
	await dropAll(colony.broker, database);
	assert.ok((await pieces(database)).length < names.length);
	await agrees(database);
});
