import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, beforeEach, test} from 'node:test';
import {Unavailable} from '../source/core/errors.ts';
import {mayRun} from '../source/core/matching.ts';
import {isSecretKey} from '../source/core/text.ts';
import type {Computer, Id, Process, ProcessState} from '../source/core/types.ts';
import {brokerContext} from '../source/contexts/local.ts';
import {migrate} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {type Keychain, openKeychain} from '../source/keychain/index.ts';
import type {Context, OperationName} from '../source/operations/index.ts';
import {fleetPlan} from '../source/work/demo/fleet.ts';
import {planAttempt, workKinds} from '../source/work/demo/workload.ts';
import {type Clock, startDemo} from '../source/work/demo.ts';
import {openMemory} from './support/databases.ts';

const root = 'demo';
let database: Database;
let context: Context;
let folder: string;
let keys: Keychain;
let count = 0;

before(async () => {
	folder = mkdtempSync(path.join(tmpdir(), 'colonies-demo-'));
	database = await openMemory();
	await migrate(database);
	context = brokerContext(database, {kind: 'embedded', name: 'demo', local: true});
});

after(async () => {
	await context.close();
	rmSync(folder, {recursive: true, force: true});
});

// A keychain of its own makes a colony of its own in the same database.
beforeEach(() => {
	keys = openKeychain({folder: path.join(folder, String(count++))});
});

/** A small seeded generator (of Lehmer, with the numbers of Park and Miller). */
const seeded = (seed: number) => () => {
	seed = (seed * 48_271) % 2_147_483_647;
	return seed / 2_147_483_647;
};

/** A clock that stands still until it is moved on; moving it on waits for the work that falls due. */
function manualClock(): Clock & {advance(milliseconds: number): Promise<void>} {
	let time = 0;
	let next: {at: number; work: () => Promise<void>} | undefined;
	return {
		now: () => time,
		after(milliseconds, work) {
			const mine = {at: time + milliseconds, work};
			next = mine;
			return () => {
				next = next === mine ? undefined : next;
			};
		},
		async advance(milliseconds) {
			const until = time + milliseconds;
			while (next && next.at <= until) {
				const {at, work} = next;
				next = undefined;
				time = at;
				await work();
			}

			time = until;
		},
	};
}

type Options = Partial<Parameters<typeof startDemo>[0]> & {seed?: number};

/** A started demo, its clock, and what its owner sees. `notices` has to stay empty where nothing is wrong. */
async function start({seed = 1, ...options}: Options = {}) {
	const clock = manualClock();
	const notices: string[] = [];
	const {colonyid, stop} = await startDemo({context, root, keys, random: seeded(seed), clock, notice: sentence => notices.push(sentence), ...options});
	const owner = {identity: await keys.identity(colonyid)};
	const own = async (name: OperationName, input: Record<string, unknown> = {}) => context.run(owner, name, {colonyid, ...input});
	const computers = async () => (await own('computer.list', {count: 100}) as {rows: Computer[]}).rows;
	const computer = async (name: string) => (await computers()).find(each => each.name === name)!;
	const processes = async (state?: ProcessState) => (await own('process.list', {state, count: 1000}) as {rows: Process[]}).rows;
	return {clock, notices, colonyid, stop, own, computers, computer, processes, advance: clock.advance};
}

const jobOf = ({in: given}: Process): string => given!.find(({key}) => key === 'job')!.value;
const byState = (computers: Computer[]): string[] => computers.map(({name, status}) => `${name} ${status}`).sort();
const planned = fleetPlan.map(({spec, state}) => `${spec.name} ${['pending', 'approved', 'disapproved'].indexOf(state)}`).sort();

/** A context whose store can go away after some calls: the last is carried out, but its answer is lost. */
function unsteady() {
	let [lent, left] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
	const run: Context['run'] = async (...call) => {
		left--;
		const answer = left >= -1 ? await context.run(...call) : undefined;
		if (left < 0) {
			throw new Unavailable('The database is away.');
		}

		return answer!;
	};

	return {
		context: {...context, run},
		/** Calls since `lend`. */
		calls: () => lent - left,
		lend(calls: number) {
			[lent, left] = [calls, calls];
		},
	};
}

test('what the plan of work asks of the computers', () => {
	const who = new Map(workKinds.map(({job, targets, ...demand}) => [job, new Set(fleetPlan
		.filter(({spec}) => mayRun({...spec, computerid: spec.name, status: 1}, {...demand, targetcomputerids: [...targets]}))
		.map(({state}) => state))]));
	const only = (state: string) => [...who].filter(([, states]) => states.size === 1 && states.has(state as never)).map(([job]) => job);
	assert.deepEqual([...who].filter(([, states]) => states.size === 0).map(([job]) => job), ['anneal', 'forecast']);
	assert.deepEqual(only('pending'), ['pretrain', 'assemble-genome']);
	assert.ok([...who].every(([job, states]) => states.has('approved') || ['anneal', 'forecast', 'pretrain', 'assemble-genome'].includes(job)));
	assert.equal(new Set(workKinds.map(({mem}) => mem)).size, workKinds.length);
	assert.equal(workKinds.filter(({targets}) => targets.length > 0).flatMap(({targets}) => targets).every(name => fleetPlan.some(({spec}) => spec.name === name)), true);
});

test('the attempts: most succeed, some fail, some take long, some exceed their limit', () => {
	const random = seeded(7);
	const attempts = Array.from({length: 4000}, () => planAttempt(0, random));
	const spans = attempts.map(({reports}) => reports.at(-1)!.after);
	const share = (found: unknown[]) => found.length / attempts.length;
	const isNear = (value: number, expected: number) => Math.abs(value - expected) < 0.02;
	assert.ok(isNear(share(attempts.filter(({to}) => to === 'successful')), 0.85));
	assert.ok(isNear(share(spans.filter(span => span >= 60_000)), 0.02));
	assert.ok(spans.every(span => span >= 1500));
	const limited = Array.from({length: 4000}, () => planAttempt(20_000, random));
	assert.ok(isNear(share(limited.filter(({reports}) => reports.at(-1)!.after === 27_000)), 0.15));
	for (const {to, reports} of attempts) {
		assert.ok(reports.every(({after}, index) => after >= (reports[index - 1]?.after ?? 0)));
		const {key, type} = reports.at(-1)!;
		assert.deepEqual([key, type], to === 'successful' ? ['result', 'out'] : ['error', 'err']);
	}

	const values = new Map(attempts.flatMap(({reports}) => reports).map(({key, value}) => [key, value]));
	assert.ok(isSecretKey([...values.keys()].find(key => key === 'api_token')!));
	assert.ok(values.get('banner')!.includes('\u001B'));
	assert.ok(values.get('log')!.includes('\n'));
	assert.ok(values.get('trace')!.length > 4096);
	assert.deepEqual(Array.from({length: 50}, () => planAttempt(0, seeded(3))), Array.from({length: 50}, () => planAttempt(0, seeded(3))));
});

test('the first start registers a colony and its computers, and names their keys', async () => {
	const {colonyid, own, computers, stop} = await start();
	assert.deepEqual(await own('colony.get'), {colonyid, name: 'demo'});
	assert.deepEqual(byState(await computers()), planned);
	const labels = (await keys.list()).map(({label}) => label);
	assert.equal(labels.filter(label => label?.kind === 'colony' && label.name === 'demo').length, 1);
	assert.deepEqual(labels.filter(label => label?.kind === 'computer').map(label => label!.name).sort(), fleetPlan.map(({spec}) => spec.name).sort());
	await stop();
});

test('a repeated start goes on with the same colony, leaves the operator\'s decisions and takes up what runs', async () => {
	const first = await start();
	await first.advance(3000);
	const running = await first.processes('running');
	assert.ok(running.length > 0);
	await first.stop();
	await first.stop();
	await first.advance(60_000);
	assert.deepEqual((await first.processes('running')).map(({processid}) => processid), running.map(({processid}) => processid));

	await first.own('computer.approve', {computerid: (await first.computer('gpu-c')).computerid});
	await first.own('computer.disapprove', {computerid: (await first.computer('edge-1')).computerid});
	await first.own('computer.remove', {computerid: (await first.computer('lab-3')).computerid});
	// Another colony of the same name, made by the operator, is not mistaken for the demo's own.
	const {identity: other} = await keys.create();
	await keys.describe(other.id, {kind: 'colony', name: 'demo', colonyid: other.id});
	await context.run({root}, 'colony.register', {colonyid: other.id, spec: {name: 'demo'}});

	const second = await start({root: 'no longer asked for', seed: 2});
	assert.equal(second.colonyid, first.colonyid);
	assert.equal((await keys.list()).length, 1 + fleetPlan.length + 1);
	assert.deepEqual(byState(await second.computers()), planned.map(line => line.replace('gpu-c 0', 'gpu-c 1').replace('edge-1 1', 'edge-1 2')));
	await second.advance(12_000);
	const states = await Promise.all(running.map(async ({processid}) => (await second.own('process.get', {processid}) as Process).status));
	assert.ok(states.some(status => status >= 2));
	assert.deepEqual(second.notices, []);
	await second.stop();
});

test('a start that was cut off anywhere is completed by the next', async () => {
	const store = unsteady();
	let demo: Awaited<ReturnType<typeof start>> | undefined;
	let cuts = 0;
	while (!demo) {
		store.lend(cuts);
		demo = await start({context: store.context}).catch((error: unknown) => {
			assert.ok(error instanceof Unavailable, String(error));
			return undefined;
		});
		cuts++;
	}

	assert.ok(cuts > fleetPlan.length, `${cuts} cuts`);
	assert.deepEqual(byState(await demo.computers()), planned);
	const entries = await keys.list();
	assert.equal(entries.length, 1 + fleetPlan.length);
	assert.ok(entries.every(({label}) => label));
	await demo.stop();
});

test('it lives: processes are submitted, run, succeed and fail', async () => {
	const {advance, processes, own, notices, stop} = await start({pace: 4});
	await advance(250 * 150);
	const counts = await own('process.count') as Record<ProcessState, number>;
	const sum = Object.values(counts).reduce((one, other) => one + other);
	assert.ok(sum > 85 && sum < 165, `${sum} submitted in 150 s`);
	assert.ok(counts.successful > 50 && counts.failed > 3 && counts.successful > 3 * counts.failed, JSON.stringify(counts));
	assert.ok(counts.running > 0);
	const [successful, failed] = await Promise.all([processes('successful'), processes('failed')]);
	assert.ok(successful.every(({out}) => out!.some(({key}) => key === 'result') && out!.some(({key}) => key === 'progress')));
	assert.ok(failed.every(({err}) => err!.some(({key}) => key === 'error')));
	assert.ok(new Set([...successful, ...failed].map(process => jobOf(process))).size >= 6);
	assert.ok(new Set(successful.map(({assignedcomputerid}) => assignedcomputerid)).size >= 4);
	const waiting = new Set((await processes('waiting')).map(process => jobOf(process)));
	assert.ok(waiting.has('pretrain') && waiting.has('assemble-genome'));
	assert.deepEqual(notices, []);
	await stop();
});

test('the same seed submits the same', async () => {
	const submitted = async () => {
		keys = openKeychain({folder: path.join(folder, String(count++))});
		const {advance, processes, stop} = await start({seed: 5});
		await advance(8000);
		await stop();
		const all = await processes();
		return all.sort((one, other) => one.submissiontime < other.submissiontime ? -1 : 1).map(({in: given}) => Object.fromEntries(given!.map(({key, value}) => [key, value])));
	};

	const first = await submitted();
	assert.ok(first.length > 12);
	assert.deepEqual(await submitted(), first);
});

test('approving a pending computer frees its work within a second', async () => {
	const {advance, computer, own, processes, stop} = await start();
	await advance(40_000);
	const {computerid} = await computer('gpu-c');
	const pretrain = (all: Process[]) => all.filter(process => jobOf(process) === 'pretrain').length;
	const before = pretrain(await processes('waiting'));
	assert.ok(before > 0);
	assert.equal(pretrain(await processes('running')), 0);
	// Heard after the demo has heard it, which began to watch earlier.
	const {promise: heard, resolve} = deferred();
	const unwatch = context.watch(topics => {
		if (topics.has('computers')) {
			resolve();
		}
	});
	await own('computer.approve', {computerid});
	await heard;
	unwatch();
	await advance(1000);
	assert.ok((await processes('running')).some(process => process.assignedcomputerid === computerid));
	await advance(30_000);
	assert.ok([...await processes('successful'), ...await processes('failed')].some(process => process.assignedcomputerid === computerid && jobOf(process) === 'pretrain'));
	await stop();
});

test('disapproving a computer at work breaks nothing; approved again, it works again', async () => {
	const {advance, computer, own, processes, notices, stop} = await start({seed: 4});
	const runsOn = async (id: Id) => (await processes('running')).filter(({assignedcomputerid}) => assignedcomputerid === id);
	const {computerid} = await computer('gpu-b');
	await advance(4000);
	for (let waited = 0; (await runsOn(computerid)).length === 0; waited++) {
		assert.ok(waited < 100);
		await advance(250);
	}

	await own('computer.disapprove', {computerid});
	assert.deepEqual(await runsOn(computerid), []);
	await advance(20_000);
	assert.deepEqual(await runsOn(computerid), []);
	await own('computer.approve', {computerid});
	await advance(9000);
	assert.ok((await runsOn(computerid)).length > 0);
	assert.deepEqual(notices, []);
	await stop();
});

test('passed deadlines, cancelled and removed processes are borne', async () => {
	const {advance, own, processes, colonyid, notices, stop} = await start({seed: 9});
	await advance(15_000);
	const {rowCount} = await database.query('update colonies.live set timeout = 5, max_retries = 0, deadline = statement_timestamp() - interval \'1 second\' where colony_id = colonies.bytes_of($1) and status = 1', [colonyid]);
	assert.ok(rowCount > 0);
	await advance(15_000);
	assert.ok((await processes('failed')).some(({err}) => err!.some(({value}) => value === 'deadline exceeded')));
	const [cancelled, removed] = await processes('running');
	assert.ok(cancelled && removed);
	await own('process.cancel', {processid: cancelled.processid});
	await own('process.remove', {processid: removed.processid});
	await advance(15_000);
	assert.deepEqual(notices, []);
	await stop();
});

test('what waits and what is kept stay within bounds', async () => {
	const {advance, computers, own, notices, stop} = await start({pace: 8, bounds: {waiting: 25, closed: 20}});
	await advance(250 * 80);
	const {successful, failed} = await own('process.count') as Record<ProcessState, number>;
	assert.ok(successful + failed >= 20 && successful + failed <= 35, `${successful} and ${failed} closed`);
	for (const {computerid, status} of await computers()) {
		if (status === 1) {
			await own('computer.disapprove', {computerid});
		}
	}

	await advance(250 * 60);
	const {waiting} = await own('process.count') as Record<ProcessState, number>;
	// Those that ran when their computers were disapproved wait on top.
	assert.ok(waiting >= 25 && waiting <= 25 + 16, `${waiting} wait`);
	assert.deepEqual(notices, []);
	await stop();
});

test('work that stands still leaves room for the rest', async () => {
	const {advance, computer, own, processes, stop} = await start({pace: 4});
	await own('computer.disapprove', {computerid: (await computer('gpu-b')).computerid});
	await advance(250 * 120);
	const jobs = (await processes('waiting')).map(process => jobOf(process));
	for (const {job, most} of workKinds) {
		assert.ok(jobs.filter(each => each === job).length <= most + 4, job);
	}

	assert.ok(jobs.length < 150);
	await stop();
});

test('a store that is away is waited out, with longer and longer pauses', async () => {
	const store = unsteady();
	const {advance, own, notices, stop} = await start({context: store.context});
	await advance(5000);
	store.lend(0);
	await advance(60_000);
	assert.deepEqual(notices, ['The demo waits: The database is away.']);
	assert.ok(store.calls() < 200, `${store.calls()} calls in a minute`);
	const before = await own('process.count') as Record<ProcessState, number>;
	store.lend(Number.POSITIVE_INFINITY);
	await advance(60_000);
	const now = await own('process.count') as Record<ProcessState, number>;
	assert.deepEqual(notices, ['The demo waits: The database is away.', 'The demo goes on.']);
	assert.ok(now.successful > before.successful);
	await stop();
});

test('a colony that was removed is waited for, and made again by the next start', async () => {
	const first = await start();
	await first.advance(2000);
	await context.run({root}, 'colony.remove', {colonyid: first.colonyid});
	await first.advance(60_000);
	assert.equal(first.notices.length, 1);
	await first.stop();
	const second = await start();
	assert.equal(second.colonyid, first.colonyid);
	assert.deepEqual(byState(await second.computers()), planned);
	await second.stop();
});

test('on the clock of the machine it begins by itself and stops when it is told', async () => {
	const {promise: heard, resolve} = deferred();
	const demo = await start({clock: undefined, pace: 20});
	const unwatch = context.watch(topics => {
		if (topics.has('attributes')) {
			resolve();
		}
	});
	await heard;
	unwatch();
	await demo.stop();
	assert.ok((await demo.processes()).length > 0);
	assert.deepEqual(demo.notices, []);
});

function deferred(): {promise: Promise<void>; resolve: () => void} {
	let settle!: () => void;
	const promise = new Promise<void>(resolve => {
		settle = resolve;
	});
	return {promise, resolve: settle};
}
