import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {after, test} from 'node:test';
import {
	type Attribute, type AttributeType, type Id, type Process, processStates, type ProcessStatus, type Time, unsetTime,
} from '../source/core/types.ts';
import {demandIds} from '../source/database/demands.ts';
import {dropSchema, migrate} from '../source/database/index.ts';
import {migrations} from '../source/database/migrations/index.ts';
import type {Database} from '../source/database/types.ts';
import {bytesOf} from '../source/database/values.ts';
import {attributeId, createIdentity, newProcessId} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {Colony, refused} from './support/colony.ts';
import {
	noPostgres, openMemory, openPlain, openTimescale,
} from './support/databases.ts';
import {later} from './support/worlds.ts';

type Texts = ReadonlyArray<readonly [key: string, value: string]>;
type Made = Partial<Pick<Process, 'targetcomputerids' | 'computertype' | 'submissiontime' | 'timeout' | 'retries' | 'maxretries' | 'mem' | 'cores' | 'gpus'>> & {
	status: ProcessStatus; computer?: Id; started?: Time; ended?: Time; deadline?: Time; in?: Texts; out?: Texts; err?: Texts;
};

const submitted = '2026-01-02T03:04:05.000001Z';
const odd: Texts = [['z', ''], ['10', 'ten'], ['__proto__', '{"polluted": true}'], ['2', 'two'], ['漢字', '𝔘 \u2028\u007F\u0001'], ['constructor', '"\\\n\t\''], ['in', 'x'.repeat(100_000)], ['key', 'value'], ['a', ' ']];
const byKey = (texts: Texts): Texts => [...texts].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
const oddType = '"gpu" \\n\\ l\'été\u0001\t漢';

const attributesOf = (processid: Id, attributetype: AttributeType, texts: Texts | undefined): Attribute[] | null => texts
	? texts.map(([key, value]) => ({attributeid: attributeId(processid, key, attributetype), targetid: processid, attributetype, key, value}))
	: null;

/** A process as it is shown. */
function processOf(colony: Id, {status, computer, started, ended, deadline, in: given, out, err, ...each}: Made): Process {
	const processid = newProcessId();
	return {
		processid, targetcolonyid: colony, targetcomputerids: [], assignedcomputerid: computer ?? '', status, isassigned: computer !== undefined, computertype: '', submissiontime: submitted,
		starttime: started ?? unsetTime, endtime: ended ?? unsetTime, deadline: deadline ?? unsetTime, timeout: -1, retries: 0, maxretries: 0, mem: 0, cores: 0, gpus: 0, ...each,
		in: attributesOf(processid, 0, given), out: attributesOf(processid, 1, out), err: attributesOf(processid, 2, err),
	};
}

/** When it entered its state. */
const enteredOf = ({status, submissiontime, starttime, endtime}: Process): Time => [submissiontime, starttime, endtime, endtime][status]!;
const timeOf = (time: Time): Time | null => time === unsetTime ? null : time;

/** The row of `demands` for what a process asks, as schema 6 has it. */
async function keepDemand(database: Database, each: Process): Promise<number> {
	const fingerprint = createHash('sha256').update(JSON.stringify([each.computertype, each.cores, each.mem, each.gpus, [...new Set(each.targetcomputerids)].sort()])).digest('hex');
	const {rows} = await database.query<{demand_id: number}>(
		`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (colony_id, fingerprint) do update set cores = excluded.cores returning demand_id`,
		[each.targetcolonyid, fingerprint, each.targetcomputerids, each.computertype, each.cores, each.mem, each.gpus],
	);
	return rows[0]!.demand_id;
}

/** Puts processes into tables of schema 6. What ran or waited again waited since `returned`. */
async function keep(database: Database, processes: readonly Process[], returned: Time): Promise<void> {
	for (const each of processes) {
		const demand = each.status === 0 ? await keepDemand(database, each) : null;
		await database.query(
			`insert into colonies.processes (process_id, colony_id, demand_id, status, entered_at, submission_time, start_time, end_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, returned_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
			[
				each.processid,
				each.targetcolonyid,
				demand,
				each.status,
				enteredOf(each),
				each.submissiontime,
				timeOf(each.starttime),
				timeOf(each.endtime),
				timeOf(each.deadline),
				each.assignedcomputerid || null,
				each.targetcomputerids,
				each.computertype,
				each.timeout,
				each.retries,
				each.maxretries,
				each.mem,
				each.cores,
				each.gpus,
				each.retries > 0 ? returned : null,
			],
		);
		// In no order of theirs: what goes in has a position, the rest is told by its key.
		const texts = [each.in, each.out, each.err].flatMap(list => (list ?? []).map((attribute, position) => ({...attribute, position: attribute.attributetype === 0 ? position : 0}))).reverse();
		for (const {attributeid, attributetype, key, value, position} of texts) {
			await database.query(
				'insert into colonies.attributes (attribute_id, colony_id, process_id, attribute_type, position, key, value) values ($1, $2, $3, $4, $5, $6, $7)',
				[attributeid, each.targetcolonyid, each.processid, attributetype, position, key, value],
			);
		}
	}
}

/** A database of schema 6 with two colonies in it, the first with a computer that runs something. */
async function openOld(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	await dropSchema(database);
	assert.deepEqual(await migrate(database, migrations.slice(0, 6)), [1, 2, 3, 4, 5, 6]);
	const broker = new Broker(database, {local: true});
	const [colony, other] = [new Colony(database, broker), new Colony(database, broker)];
	const computer = createIdentity().identity;
	for (const {id} of [colony, other]) {
		await database.query('insert into colonies.colonies (colony_id, name) values ($1, \'old\')', [id]);
	}

	await database.query(
		'insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status) values ($1, $2, \'lab\', $3, \'\', 8, 8000, \'\', 2, 1)',
		[colony.id, computer.id, oddType],
	);
	const {rows: [clock]} = await database.query<{now: Time}>('select now() as now');
	const second = 1_000_000;
	const [yesterday, today] = [later(clock!.now, -86_400 * second), later(clock!.now, -2 * second)];
	const gone = newProcessId();
	const running = {status: 1, computer: computer.id, started: later(submitted, 7)} as const;
	const made: Record<string, Made> = {
		waiting: {status: 0, in: odd, timeout: 60, maxretries: 3},
		waitingAgain: {status: 0, retries: 2, maxretries: 3, submissiontime: later(submitted, 1), computertype: oddType, mem: 2 ** 40, in: [['in', '1']]},
		waitingBare: {status: 0, submissiontime: later(submitted, 2)},
		runningBare: {...running},
		runningFull: {...running, computertype: oddType, cores: 2, mem: 7000, gpus: 1, targetcomputerids: [gone, computer.id], timeout: 3600, deadline: later(clock!.now, 3600 * second), retries: 1, maxretries: 2, in: odd, out: byKey(odd), err: byKey(odd)},
		runningAlike: {...running, in: [['job', 'x']], out: [['', '']]},
		runningToo: {...running, computertype: oddType, cores: 2, mem: 7000, gpus: 1, targetcomputerids: [computer.id, gone], err: [['why', 'not yet']]},
		successful: {status: 2, computer: computer.id, started: later(submitted, 5), ended: later(submitted, 9_000_000), in: odd, out: byKey(odd), retries: 1, maxretries: 1, timeout: 10, deadline: later(submitted, 10_000_005)},
		successfulBare: {status: 2, computer: gone, started: yesterday, ended: yesterday, targetcomputerids: [gone]},
		failed: {status: 3, computer: computer.id, started: yesterday, ended: today, computertype: oddType, in: [['b', '1'], ['a', '2']], err: [['error', 'deadline exceeded'], ['extra', '漢字']]},
		cancelledBeforeItRan: {status: 3, ended: today, err: [['error', 'cancelled']]},
	};
	const kept = Object.fromEntries(Object.entries(made).map(([name, each]) => [name, processOf(colony.id, each)])) as Record<string, Process>;
	const theirs = [processOf(other.id, {status: 0, in: odd}), processOf(other.id, {status: 1, computer: gone, started: today, out: byKey(odd)})];
	const returned = later(clock!.now, -5 * second);
	await keep(database, [...Object.values(kept), ...theirs], returned);
	return {database, colony, other, computer, kept, theirs, returned};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openPlain],
	['the embedded database', false, openMemory],
	['TimescaleDB', false, openTimescale],
];

for (const [name, skip, open] of kinds) {
	test(`in ${name} waiting, running and closed processes of schema 6 are told of as before`, {skip}, async () => {
		const {database, colony, other, computer, kept, theirs, returned} = await openOld(open);
		assert.deepEqual(await migrate(database), migrations.slice(6).map(({number}) => number));
		assert.deepEqual(await migrate(database), []);

		const {rows: [old]} = await database.query<{attributes: string | null; processes: string}>('select to_regclass(\'colonies.attributes\') as attributes, (select relkind from pg_class where oid = to_regclass(\'colonies.processes\')) as processes');
		assert.deepEqual(old, {attributes: null, processes: 'v'});

		for (const [owner, processes] of [[colony, Object.values(kept)], [other, theirs]] as const) {
			for (const process of processes) {
				assert.deepEqual(await owner.get(process), process);
				assert.deepEqual(await owner.own('attribute.list', {processid: process.processid}), [...process.in ?? [], ...process.out ?? [], ...process.err ?? []]);
			}

			for (const [status, state] of processStates.entries()) {
				const {rows} = await owner.own('process.list', {state});
				const expected = processes.filter(process => process.status === status).sort((one, other) => {
					const [left, right] = [`${enteredOf(one)} ${one.processid}`, `${enteredOf(other)} ${other.processid}`];
					return (left < right ? -1 : 1) * (status > 1 ? -1 : 1);
				});
				assert.deepEqual(rows, expected);
			}

			const {rows: found} = await owner.own('process.list', {attribute: '漢字=𝔘 \u2028\u007F\u0001'});
			assert.deepEqual(new Set(found.map(({processid}) => processid)), new Set(processes.filter(({in: given, out}) => [...given ?? [], ...out ?? []].some(({key}) => key === '漢字')).map(({processid}) => processid)));
		}

		assert.deepEqual(await colony.own('process.count'), {waiting: 3, running: 4, successful: 2, failed: 2});
		const {rows: again} = await database.query<{process_id: Id; returned_at: Time}>('select process_id, returned_at from colonies.live where returned_at is not null');
		assert.deepEqual(new Map(again.map(row => [row.process_id, row.returned_at])), new Map([kept.waitingAgain!, kept.runningFull!].map(({processid}) => [processid, returned])));

		// What ran stands among what asks the same, and a submission that asks that, too, makes no new kind of work.
		const demandOf = async ({processid}: Pick<Process, 'processid'>): Promise<number> => {
			const {rows: [row]} = await database.query<{demand_id: number}>('select demand_id from colonies.live where process_id = $1', [bytesOf(processid)]);
			return row!.demand_id;
		};

		const counted = async () => database.query('select count(*)::int as count from colonies.demands');
		const {rows: kindsBefore} = await counted();
		for (const process of Object.values(kept).filter(({status}) => status < 2)) {
			const {targetcomputerids, computertype, mem, cores, gpus} = process;
			const [demand] = await demandIds(database, colony.id, [{targetcomputerids: [...targetcomputerids].reverse(), computertype, mem, cores, gpus}]);
			assert.equal(await demandOf(process), demand);
		}

		assert.equal(await demandOf(await colony.submit()), await demandOf(kept.runningBare!));
		assert.deepEqual((await counted()).rows, kindsBefore);
		assert.notEqual(await demandOf(theirs[0]!), await demandOf(kept.waiting!), 'each colony has its own');

		// The old ones go on as any other.
		const {runningFull: full, runningAlike: alike, runningBare: bare, runningToo: too} = kept;
		await colony.add(computer, full!, {key: '漢字', value: 'new'});
		const closed = await colony.close(computer, full!);
		assert.deepEqual({...closed, endtime: unsetTime}, {...full, status: 2, out: full!.out!.map(attribute => attribute.key === '漢字' ? {...attribute, value: 'new'} : attribute)});
		assert.deepEqual(await colony.get(full!), closed);
		const cancelled = await colony.own('process.cancel', {processid: alike!.processid});
		assert.deepEqual([cancelled.status, cancelled.in, cancelled.out, cancelled.err!.map(({key, value}) => [key, value])], [3, alike!.in, alike!.out, [['error', 'cancelled']]]);
		await colony.own('computer.disapprove', {computerid: computer.id});
		for (const process of [bare!, too!]) {
			assert.deepEqual(await colony.get(process), {...process, status: 0, assignedcomputerid: '', isassigned: false, starttime: unsetTime, err: null});
		}

		assert.deepEqual(await colony.own('process.retry', {processid: kept.failed!.processid}), {...kept.failed, status: 0, assignedcomputerid: '', isassigned: false, starttime: unsetTime, endtime: unsetTime, err: null});
		await colony.own('process.remove', {processid: kept.successful!.processid});
		await refused(colony.get(kept.successful!), 'not-found');
		await colony.own('computer.approve', {computerid: computer.id});
		// All that have waited are as old as each other: they come by their ids.
		const oldest = [kept.waiting!, bare!, too!, kept.failed!].sort((one, other) => one.processid < other.processid ? -1 : 1);
		for (const process of oldest) {
			const {processid, in: given} = await colony.assign(computer);
			assert.deepEqual([processid, given], [process.processid, process.in]);
		}
	});
}
