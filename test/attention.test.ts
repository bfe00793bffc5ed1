import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {AttentionLine} from '../source/core/attention.ts';
import {newProcessId} from '../source/identity/index.ts';
import {Broker, type OperationName} from '../source/operations/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {later, place, type Placed} from './support/worlds.ts';

const database = await openAny();
const first = await openColony(database);
const open = async () => openColony(database, first.broker);
type Colony = typeof first;

async function lines(colony: Colony): Promise<AttentionLine[]> {
	const {rows} = await colony.own('attention.list');
	return rows;
}

const told = async (colony: Colony) => (await lines(colony)).map(({severity, name, text}) => `${severity}: ${name} ${text}`);

/** Does what a line offers. */
async function mend(colony: Colony, {fix}: AttentionLine): Promise<void> {
	assert.ok('operation' in fix);
	await colony.own(fix.operation as OperationName, fix.input);
}

/** Sets times of a process back, as if so many seconds had gone by. */
const pass = async ({processid}: {processid: string}, seconds: number) => database.query(
	'update colonies.live set start_time = start_time - $2::float8 * interval \'1 second\', deadline = deadline - $2::float8 * interval \'1 second\', entered_at = entered_at - $2::float8 * interval \'1 second\' where process_id = colonies.bytes_of($1)',
	[processid, seconds],
);

test('nothing in a colony at its work asks for attention', async () => {
	const colony = await open();
	assert.deepEqual(await lines(colony), []);
	const lab = await colony.computer({name: 'lab'});
	await colony.running(lab, {timeout: 3600, maxretries: 3});
	await colony.running(lab);
	await colony.close(lab, await colony.running(lab));
	await colony.close(lab, await colony.running(lab, {timeout: 100}), 'failed');
	await colony.submit();
	await colony.computer({state: 'disapproved'});
	assert.deepEqual(await lines(colony), []);
});

test('a deadline that is near or passed', async () => {
	const colony = await open();
	const lab = await colony.computer({name: 'lab'});
	const process = await colony.running(lab, {timeout: 1000, computertype: 'train'});
	await colony.sees(lab, '1 minute');
	await pass(process, 890);
	assert.deepEqual(await lines(colony), []);
	await pass(process, 20);
	const [near] = await lines(colony);
	assert.deepEqual([near!.kind, near!.severity, near!.text, near!.id], ['deadline', 'medium', 'near its deadline on lab: under a tenth of 16m40s left', process.processid]);
	await pass(process, 120);
	assert.deepEqual(await told(colony), ['high: train past its deadline, and still runs on lab']);
	await colony.broker.endExpired();
	const [failed] = await lines(colony);
	assert.deepEqual([failed!.kind, failed!.text, failed!.fix.says.slice(0, 5)], ['spent', 'failed, deadline exceeded; it has no retries', 'Retry']);
	await mend(colony, failed!);
	assert.deepEqual(await lines(colony), []);
});

test('a process on its last try, and one that has spent its retries', async () => {
	const colony = await open();
	const lab = await colony.computer({name: 'lab'});
	const process = await colony.running(lab, {timeout: 1000, maxretries: 1});
	for (let attempt = 0; attempt < 2; attempt++) {
		await colony.passDeadlines(process);
		await colony.broker.endExpired();
		if (attempt === 0) {
			assert.deepEqual(await lines(colony), []);
			await colony.assign(lab);
			assert.deepEqual(await told(colony), ['low:  runs its last try on lab, 1 of 1 retries used']);
		}
	}

	assert.deepEqual(await told(colony), ['medium:  failed, deadline exceeded; 1 of 1 retries used']);
	await database.query('update colonies.closed set end_time = end_time - interval \'8 days\', deadline = deadline - interval \'8 days\' where process_id = colonies.bytes_of($1)', [process.processid]);
	assert.deepEqual(await lines(colony), []);
});

test('a process that runs longer than 99 of 100 of its type', async () => {
	const colony = await open();
	const lab = await colony.computer({name: 'lab'});
	const done = (count: number) => Array.from({length: count}, (_, index): Placed => ({
		processid: newProcessId(), status: 2, entered: later('2026-01-02T03:04:05.000000Z', index), targetcomputerids: [], computertype: 'train', cores: 0, mem: 0, gpus: 0, assignedcomputerid: lab.id,
	}));
	await place(database, colony.id, done(99));
	await database.query('update colonies.closed set start_time = end_time - interval \'60 seconds\' where colony_id = colonies.bytes_of($1)', [colony.id]);
	const process = await colony.running(lab, {computertype: 'train'});
	await pass(process, 300);
	assert.deepEqual(await lines(colony), [], 'ninety-nine say nothing yet');
	await place(database, colony.id, done(150));
	await database.query('update colonies.closed set start_time = end_time - interval \'60 seconds\' where colony_id = colonies.bytes_of($1)', [colony.id]);
	const [slow] = await lines(colony);
	assert.deepEqual([slow!.kind, slow!.text, slow!.fix.says.slice(0, 6)], ['slow', 'runs on lab longer than 99 of 100 of its type (1m00s)', 'Cancel']);
	await pass(process, -235);
	assert.deepEqual(await lines(colony), []);
});

test('a computer that is silent while it runs something', async () => {
	const colony = await open();
	const [lab, idle] = [await colony.computer({name: 'lab'}), await colony.computer({name: 'idle'})];
	await colony.sees(idle, '2 days');
	const process = await colony.running(lab);
	await colony.sees(lab, '20 minutes');
	assert.deepEqual(await lines(colony), [], 'it took something just now');
	await pass(process, 1100);
	const [silent] = await lines(colony);
	assert.deepEqual([silent!.kind, silent!.id, silent!.text, silent!.count], ['silent', lab.id, 'silent while it runs 1 process', 1]);
	await colony.sees(lab, '1 minute');
	assert.deepEqual(await lines(colony), []);
	await colony.sees(lab, '20 minutes');
	await mend(colony, silent!);
	assert.equal(await colony.state(process), 'waiting');
	assert.deepEqual((await lines(colony)).map(({kind}) => kind), ['nobody']);
});

test('a computer is seen when it asks for work, and not when somebody looks around with its key', async () => {
	const colony = await open();
	const lab = await colony.computer();
	const seen = async (act: (through: Colony) => Promise<unknown>) => {
		const server = new Broker(database, {local: true});
		await act(colony.through(server));
		await server.close();
		return (await colony.own('computer.get', {computerid: lab.id})).lastseen !== undefined;
	};

	assert.equal(await seen(async through => through.as(lab, 'colony.get', {colonyid: colony.id})), false);
	assert.equal(await seen(async through => through.as(lab, 'process.list', {colonyid: colony.id, runnableby: lab.id})), false);
	assert.equal(await seen(async through => refused(through.assign(lab), 'nothing-to-assign')), true);
});

test('work that no computer can run, by what it asks, with the approval that it lacks', async () => {
	const colony = await open();
	await colony.computer({name: 'small', gpus: 0});
	const oldest = await colony.submit({gpus: 2, computertype: 'train'});
	await colony.submit({gpus: 2, computertype: 'train'});
	await colony.submit({gpus: 8});
	await colony.submit();
	const lab2 = await colony.computer({name: 'lab2', gpus: 4, state: 'pending'});
	const [eight, two, approval] = await lines(colony);
	assert.deepEqual([eight!.text, eight!.fix.says], ['no computer can run 1 waiting: 8 gpus', 'Register a computer with 8 gpus']);
	assert.deepEqual([two!.text, two!.count, two!.id, two!.fix.says], ['no computer can run 2 waiting: train, 2 gpus', 2, oldest.processid, 'Approve lab2']);
	assert.deepEqual([approval!.kind, approval!.severity, approval!.id, approval!.text], ['pending', 'medium', lab2.id, 'waits for approval']);
	await mend(colony, two!);
	assert.deepEqual((await lines(colony)).map(({text}) => text), [eight!.text]);
});

test('of each kind there are ten lines, and one for the rest', async () => {
	const colony = await open();
	for (let index = 0; index < 13; index++) {
		await colony.computer({name: `lab${String(index).padStart(2, '0')}`, state: 'pending'});
	}

	const all = await lines(colony);
	assert.equal(all.length, 11);
	const rest = all.find(({id}) => id === '')!;
	assert.deepEqual([rest.text, rest.count, rest.fix], ['and 3 more: computers wait for approval', 3, {screen: 'computers', filter: 'state:pending', says: 'Show them'}]);
	const other = await open();
	assert.deepEqual(await lines(other), []);
});
