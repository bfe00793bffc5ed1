import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {shortId} from '../source/core/text.ts';
import {seals} from '../source/database/index.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker, type Compared} from '../source/operations/index.ts';
import {comparePresent} from '../source/operations/present.ts';
import {
	inTurn, noPostgres, openMemory, openPlain, openTimescale,
} from './support/databases.ts';
import {openColony, refused, root} from './support/colony.ts';
import {agingClosed, closingByHand, keepInFull, tampering} from './support/tampering.ts';

/** Compares to the end. */
async function compared(client: Client, colonyid?: string): Promise<Pick<Compared, 'deviations' | 'compared'>> {
	const all: Pick<Compared, 'deviations' | 'compared'> = {deviations: [], compared: {colonies: 0, computers: 0, processes: 0, attributes: 0, rows: 0, unknown: 0}};
	for (let position: string | undefined; ;) {
		const step = await comparePresent(client, {colonyid, position});
		all.deviations.push(...step.deviations);
		for (const [name, count] of Object.entries(step.compared)) {
			all.compared[name as keyof Compared['compared']] += count;
		}

		if (!step.more) {
			return all;
		}

		position = step.position!;
	}
}

/** A colony in which everything that can happen to a process and a computer has happened. */
async function openLife(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	const lab = await colony.computer({name: 'lab1', computertype: 'gpu'});
	const closed = await colony.running(lab, {in: {given: 'one', other: 'é\u0001'}, timeout: 60, maxretries: 2});
	await colony.add(lab, closed, {key: 'result', value: 'first'});
	await colony.add(lab, closed, {key: 'result', value: 'second'});
	await colony.close(lab, closed);
	const failed = await colony.running(lab);
	await colony.add(lab, failed, {key: 'why', value: 'no', type: 'err'});
	await colony.close(lab, failed, 'failed');
	const retried = await colony.running(lab, {in: {a: 'b'}});
	await colony.add(lab, retried, {key: 'result', value: 'lost'});
	await colony.close(lab, retried, 'failed');
	await colony.own('process.retry', {processid: retried.processid});
	const again = await colony.assign(lab);
	assert.equal(again.processid, retried.processid);
	await colony.add(lab, retried, {key: 'result', value: 'kept'});
	const late = await colony.running(lab, {timeout: 60, maxretries: 1});
	await colony.passDeadlines(late);
	await colony.broker.endExpired();
	const spent = await colony.running(lab, {timeout: 60, targetcomputerids: [lab.id]});
	await colony.passDeadlines(spent);
	await colony.broker.endExpired();
	// As if its time had passed by itself.
	await database.query('update colonies.closed set deadline = start_time + timeout * interval \'1 s\' where process_id = colonies.bytes_of($1)', [spent.processid]);
	await colony.own('process.cancel', {processid: (await colony.submit()).processid});
	await colony.own('process.cancel', {processid: (await colony.running(await colony.computer({name: 'lab2'}))).processid});
	await colony.own('process.remove', {processid: (await colony.submit({in: {x: 'y'}})).processid});
	const away = await colony.computer({name: 'lab3'});
	await colony.running(away);
	await colony.own('computer.disapprove', {computerid: away.id});
	await colony.own('computer.remove', {computerid: (await colony.computer({name: 'lab4'})).id});
	await openColony(database, colony.broker).then(async other => {
		await other.submit();
		await other.computer();
		await colony.broker.run(root, 'colony.remove', {colonyid: other.id});
	});
	const waiting = await colony.submit({cores: 3});
	return {database, colony, lab, away, closed, retried, waiting};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openPlain],
	['the embedded database', false, openMemory],
	['TimescaleDB', false, openTimescale],
];

const lives = await inTurn(kinds, async ([, skip, open]) => skip ? undefined : openLife(open));

for (const [index, [name, skip]] of kinds.entries()) {
	const opened = () => lives[index]!;
	const found = async (...statements: string[]) => tampering(opened().database, async client => {
		for (const statement of statements) {
			await client.query(statement);
		}

		return (await compared(client)).deviations;
	});

	test(`in ${name} whatever the program does agrees with its history`, {skip}, async () => {
		const {database, colony} = opened();
		const {deviations, compared: {unknown, rows, ...counts}} = await compared(database);
		assert.deepEqual(deviations, []);
		const {rows: [there]} = await database.query<any>('select (select count(*)::int from colonies.colonies) as colonies, (select count(*)::int from colonies.computers) as computers, (select count(*)::int from colonies.processes) as processes, (select sum(jsonb_array_length(list))::int from colonies.processes p cross join jsonb_each(p.attributes) a(kind, list)) as attributes');
		assert.deepEqual([counts, unknown], [there, 0]);
		assert.ok(rows > 50);
		assert.deepEqual((await compared(database, colony.id)).deviations, []);
	});

	test(`in ${name} rows of the history of before schema 7, beside those since, agree too`, {skip}, async () => {
		const {database, waiting} = opened();
		const [before, {changed, after, found}] = [await compared(database), await tampering(database, async client => {
			const changed = await keepInFull(client);
			const after = await compared(client);
			await client.query('update colonies.live set mem = 77 where process_id = colonies.bytes_of($1)', [waiting.processid]);
			await client.query('update colonies.closed set attributes = jsonb_set(attributes, \'{in,0,given}\', \'"two"\') where attributes->\'in\' @> \'[{"given": "one"}]\'');
			return {changed, after, found: (await compared(client)).deviations};
		})];
		assert.ok(changed > 5, `${changed}`);
		assert.deepEqual(after, before);
		assert.deepEqual(found.map(({noun, kind}) => `${noun} ${kind}`).sort(), ['attribute altered', 'process altered']);
	});

	test(`in ${name} what somebody changed by hand is found and named`, {skip}, async () => {
		const {lab, away, closed, retried, waiting, colony} = opened();
		const process = (each: {processid: string}) => `process_id = colonies.bytes_of('${each.processid}')`;
		const short = ({processid}: {processid: string}) => shortId(processid).replaceAll('.', String.raw`\.`);
		const cases: Array<[statement: string, kind: string, noun: string, message: RegExp]> = [
			[`update colonies.computers set status = 1 where computer_id = colonies.bytes_of('${away.id}')`, 'altered', 'computer', /^The computer "lab3" \(.*\) has the state "approved"; by the history \(row \d+\.\d+, .*Z\) it is "disapproved"\.$/],
			[`update colonies.computers set cores = 77 where computer_id = colonies.bytes_of('${lab.id}')`, 'altered', 'computer', /cores 77; by the history .* it is 8/],
			[`update colonies.computers set name = 'other' where computer_id = colonies.bytes_of('${lab.id}')`, 'altered', 'computer', /name "other"; .* "lab1"/],
			[`update colonies.computers set computer_type = '' where computer_id = colonies.bytes_of('${lab.id}')`, 'altered', 'computer', /type none; .* "gpu"/],
			[`delete from colonies.computers where computer_id = colonies.bytes_of('${lab.id}')`, 'dropped', 'computer', /^The computer .* is gone; by the history .* it is approved\.$/],
			[`insert into colonies.computers select colony_id, colonies.bytes_of(repeat('ab', 32)), 'mole', computer_type, cpu, cores, mem, gpu, gpus, 1 from colonies.computers where computer_id = colonies.bytes_of('${lab.id}')`, 'added', 'computer', /"mole" .* is not in the history: it was put in/],
			['update colonies.colonies set name = \'mine\'', 'altered', 'colony', /name "mine"; .* "mycolony"/],
			[closingByHand(waiting.processid, 2), 'altered', 'process', new RegExp(String.raw`^The process ${short(waiting)} has the state "successful"; by the history .* it is "waiting"\.$`)],
			[closingByHand(retried.processid, 2), 'altered', 'process', /"successful"; .* "running"/],
			[`update colonies.live set assigned_computer_id = colonies.bytes_of('${away.id}') where ${process(retried)}`, 'altered', 'process', /has the computer/],
			[`update colonies.closed set retries = 5 where ${process(closed)}`, 'altered', 'process', /count of retries 5; .* 0/],
			[`update colonies.closed set end_time = end_time + interval '1 s' where ${process(closed)}`, 'altered', 'process', /has the end/],
			[`update colonies.closed set deadline = deadline + interval '1 h' where ${process(closed)}`, 'altered', 'process', /has the deadline/],
			[`update colonies.live set timeout = 0 where ${process(waiting)}`, 'altered', 'process', /timeout 0/],
			[`update colonies.closed set max_retries = 9 where ${process(closed)}`, 'altered', 'process', /maxretries 9; .* 2/],
			[`update colonies.closed set target_computer_ids = '{}' where ${process(closed)}`, 'altered', 'process', /list of computers \[]/],
			[`update colonies.live set submission_time = submission_time - interval '1 day', entered_at = entered_at - interval '1 day' where ${process(waiting)}`, 'altered', 'process', /time of submission/],
			[`update colonies.live set demand_id = (select max(demand_id) from colonies.demands where cores <> 3) where ${process(waiting)}`, 'altered', 'process', /place among those that ask the same/],
			[`delete from colonies.closed where ${process(closed)}`, 'dropped', 'process', new RegExp(String.raw`^The process ${short(closed)} is gone; by the history .* it is successful\.$`)],
			[`insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus) select colonies.bytes_of(repeat('cd', 32)), colony_id, demand_id, now(), now(), target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus from colonies.live where ${process(waiting)}`, 'added', 'process', /is not in the history: it was put in/],
			[`update colonies.closed set attributes = jsonb_set(attributes, '{out,0,result}', '"rewritten"') where ${process(closed)}`, 'altered', 'attribute', new RegExp(String.raw`^The out attribute "result" of the process ${short(closed)} is not as the history has it \(row .*\)\.$`)],
			[`update colonies.closed set attributes = jsonb_set(attributes, '{out,0,result}', '"first"') where ${process(closed)}`, 'altered', 'attribute', /is not as the history has it/],
			[`update colonies.closed set attributes = jsonb_set(attributes, '{in,0,given}', '"two"') where ${process(closed)}`, 'altered', 'attribute', /^The in attribute "given"/],
			[`update colonies.live set attributes = null where ${process(retried)}`, 'dropped', 'attribute', /^The in attribute "a" .* is gone; the history has it/],
			[`delete from colonies.outputs where ${process(retried)} and key = 'result'`, 'dropped', 'attribute', /^The out attribute "result" .* is gone/],
			[`update colonies.outputs set value = 'lost' where ${process(retried)} and key = 'result'`, 'altered', 'attribute', /^The out attribute "result" .* is not as the history has it/],
			[`insert into colonies.outputs (process_id, attribute_type, key, value) values (colonies.bytes_of('${retried.processid}'), 2, 'why', 'mine')`, 'added', 'attribute', /^The err attribute "why" .* is not in the history: it was put in/],
			[`update colonies.live set attributes = '{"out": [{"result": "mine"}]}' where ${process(waiting)}`, 'added', 'attribute', /is not in the history: it was put in/],
			[`update colonies.closed set attributes = attributes || '{"err": [{"why": "mine"}]}' where ${process(closed)}`, 'added', 'attribute', /^The err attribute "why"/],
		];
		for (const [statement, kind, noun, message] of cases) {
			const deviations = await found(statement);
			const named = deviations.filter(({message: text}) => message.test(text));
			assert.equal(named.length, 1, `${statement}\n${JSON.stringify(deviations)}`);
			assert.deepEqual([named[0]!.kind, named[0]!.noun, named[0]!.colonyid], [kind, noun, colony.id]);
			// What is not told of is what goes with it: the attributes of a process that is gone, say.
			assert.ok(deviations.every(each => each === named[0] || each.noun === 'attribute'), JSON.stringify(deviations));
		}

		const several = await found('update colonies.computers set status = 1', `update colonies.closed set retries = 7, attributes = jsonb_set(attributes, '{in,1,other}', '"x"') where ${process(closed)}`);
		assert.deepEqual(new Set(several.map(({noun}) => noun)), new Set(['computer', 'process', 'attribute']));
		// The value itself is told to nobody.
		assert.ok(!JSON.stringify(several).includes('first'));
	});

	test(`in ${name} an owner hears of the own colony alone, and a position that no step gave is refused`, {skip}, async () => {
		const {database, colony, closed} = opened();
		const other = await openColony(database, colony.broker);
		const theirs = await other.submit();
		const {own, all} = await tampering(database, async client => {
			await client.query('update colonies.closed set retries = 7 where process_id = colonies.bytes_of($1)', [closed.processid]);
			await client.query('update colonies.live set retries = 7 where process_id = colonies.bytes_of($1)', [theirs.processid]);
			return {own: await compared(client, other.id), all: await compared(client)};
		});
		assert.deepEqual(own.deviations.map(({subject}) => subject), [theirs.processid]);
		assert.deepEqual([own.compared.colonies, own.compared.processes], [1, 1]);
		assert.equal(all.deviations.length, 2);
		const {agrees, more, position, share} = await other.own('audit.present');
		assert.deepEqual([agrees, more, position, share], [true, false, null, 1]);
		for (const [stage, ...key] of [['nowhere'], ['processes', '\0'], ['processes', 'x; drop'], ['history', 'yesterday', '1'], ['history', '2026-01-01T00:00:00.000000Z', '1e400']]) {
			const position = Buffer.from(JSON.stringify([stage, '2026-01-01T00:00:00.000000Z', ...key])).toString('base64url');
			await refused(other.own('audit.present', {position}), 'invalid-input', /no position in this comparison/);
		}
	});

	test(`in ${name} what retention has dropped is missed by nobody`, {skip}, async () => {
		const {database, colony, closed} = opened();
		const {deviations, compared: counts} = await tampering(database, async client => {
			// As if all of it had happened long ago, and root had set a retention in time.
			await client.query('create temporary table aged on commit drop as select * from colonies.history');
			await client.query('delete from colonies.history');
			await client.query('delete from colonies.seals');
			await client.query('update colonies.live set submission_time = submission_time - interval \'40 days\', entered_at = entered_at - interval \'40 days\', start_time = start_time - interval \'40 days\'');
			await client.query(agingClosed('40 days'));
			await client.query('update colonies.computers set registered_at = registered_at - interval \'40 days\'');
			await client.query('update colonies.colonies set registered_at = registered_at - interval \'40 days\'');
			await client.query('insert into colonies.history (txid, at, actor, noun, subject_id, what, detail) values (txid_current() - 2, now() - interval \'50 days\', \'root\', \'installation\', \'history\', \'history.retention\', \'{"days": 30}\')');
			await client.query('insert into colonies.history (txid, actor, noun, subject_id, what, detail) select txid_current() - 1, \'system\', \'installation\', \'history\', \'history.drop\', jsonb_build_object(\'before\', to_char((now() - interval \'30 days\') at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'), \'days\', 30)');
			await seals.seal(client);
			// Of one that was closed since, the closing alone is left.
			await client.query('insert into colonies.history (txid, at, actor, noun, subject_id, colony_id, what, from_state, to_state, detail) select txid_current() - 3, now(), actor, noun, subject_id, colony_id, what, from_state, to_state, detail from aged where subject_id = colonies.bytes_of($1) and what = \'process.successful\'', [closed.processid]);
			await client.query('update colonies.closed set retries = 9, computer_type = \'forgotten\' where process_id = colonies.bytes_of($1)', [closed.processid]);
			return compared(client);
		});
		assert.deepEqual(deviations.map(({noun, subject, message}) => [noun, subject, /count of retries 9; by the history .* 0/.test(message)]), [['process', closed.processid, true]]);
		assert.equal(counts.unknown, counts.processes + counts.computers + counts.colonies - 1);
		assert.equal((await colony.get(closed)).retries, 0);
	});
}

test('what changes while it is looked at is no deviation', {skip: noPostgres}, async () => {
	const database = await openPlain({poolSize: 12});
	after(async () => database.close());
	const colony = await openColony(database);
	const through = colony.through(new Broker(database, {local: true}));
	const computers = await Promise.all([1, 2, 3, 4].map(async () => colony.computer()));
	const over = new AbortController();
	let steps = 0;
	const work = computers.map(async (computer, place) => {
		const mine = place % 2 === 0 ? colony : through;
		for (let turn = 0; turn < 25; turn++) {
			const process = await mine.running(computer, {in: {turn: String(turn)}});
			await mine.add(computer, process, {key: 'result', value: String(turn)});
			if (turn % 5 === 0) {
				await mine.own('computer.disapprove', {computerid: computer.id});
				await mine.own('computer.approve', {computerid: computer.id});
			} else {
				await mine.close(computer, process, turn % 2 === 0 ? 'failed' : 'successful');
				await (turn % 3 === 0 ? mine.own('process.retry', {processid: process.processid}) : (turn % 4 === 0 ? mine.own('process.remove', {processid: process.processid}) : undefined));
			}
		}
	});
	const looking = (async () => {
		do {
			const {deviations} = await compared(database);
			assert.deepEqual(deviations, []);
			steps++;
		} while (!over.signal.aborted);
	})();
	const working = Promise.all(work).finally(() => {
		over.abort();
	});
	// Both end before the database is closed, whichever failed.
	for (const outcome of await Promise.allSettled([working, looking])) {
		if (outcome.status === 'rejected') {
			throw outcome.reason; // eslint-disable-line @typescript-eslint/only-throw-error -- it is the error as it was thrown
		}
	}

	assert.ok(steps > 0);
});
