import assert from 'node:assert/strict';
import process from 'node:process';
import {after, suite, test} from 'node:test';
import type {Process} from '../source/core/types.ts';
import type {Progress} from '../source/work/index.ts';
import {outcomeOf, refused} from './support/colony.ts';
import {noPostgres, openMemory, openPlain} from './support/databases.ts';
import {happening} from './support/outcomes.ts';
import {
	FragileStore, hurriedClock, openYard, startComputer, type Yard,
} from './support/working.ts';

const rejections: unknown[] = [];
process.on('unhandledRejection', reason => {
	rejections.push(reason);
});
after(() => {
	assert.deepEqual(rejections, []);
});

const valuesOf = ({out, err}: Process) => ({
	out: Object.fromEntries((out ?? []).map(({key, value}) => [key, value])),
	err: Object.fromEntries((err ?? []).map(({key, value}) => [key, value])),
});

/** Something that is held up until it is let go. */
function gate() {
	let open: () => void;
	const opened = new Promise<void>(resolve => {
		open = resolve;
	});
	return {
		opened,
		open() {
			open();
		},
	};
}

const untilAborted = async (signal: AbortSignal): Promise<void> => new Promise(resolve => {
	signal.addEventListener('abort', () => {
		resolve();
	}, {once: true});
});

/** A test that ends, whatever is wrong. */
const check = (name: string, work: () => Promise<void>): void => {
	test(name, {timeout: 60_000}, work);
};

function tests(yard: () => Yard): void {
	const fresh = async () => {
		const {colony, context} = yard();
		return {...yard(), colony, store: new FragileStore(context), computer: await colony.computer()};
	};

	check('a process is run with its attributes, and closed with what came of it', async () => {
		const {computer, ...place} = await fresh();
		const {colony} = place;
		const {ended, notices, worker} = startComputer(place, computer, async job => {
			await job.out('greeting', `Hello, ${job.in.name}!`);
			await job.err('warning', 'none');
			return {length: job.in.name!.length, none: undefined};
		});
		const {processid} = await colony.submit({targetcomputerids: [computer.id], in: {name: 'Ada', other: 'x'}});
		const {state, process: {processid: reported}} = await ended();
		assert.deepEqual({state, reported}, {state: 'successful', reported: processid});
		const closed = await colony.get({processid});
		assert.equal(closed.status, 2);
		assert.deepEqual(valuesOf(closed), {out: {greeting: 'Hello, Ada!', length: '3'}, err: {warning: 'none'}});
		assert.deepEqual(notices, []);
		await worker.stop();
	});

	check('so many run at once, and no more', async () => {
		const {computer, ...place} = await fresh();
		const all = gate();
		let [running, most] = [0, 0];
		const {ended, started} = startComputer(place, computer, async () => {
			running++;
			most = Math.max(most, running);
			await all.opened;
			running--;
		}, {concurrency: 3});
		for (let n = 0; n < 8; n++) {
			await place.colony.submit({targetcomputerids: [computer.id]});
		}

		await Promise.all([started(), started(), started()]);
		all.open();
		for (let n = 0; n < 8; n++) {
			assert.equal((await ended()).state, 'successful');
		}

		assert.equal(most, 3);
		assert.ok(place.store.named('process.assign').some(({count}) => count === 3), 'It asks for as many as there are places.');
	});

	check('an error fails the process, whatever was thrown', async () => {
		const {computer, ...place} = await fresh();
		const throws = [
			[new Error('broken'), 'broken'],
			['text', 'text'],
			[new Error('a\0b\uD800'), 'a\uFFFDb\uFFFD'],
			[undefined, 'undefined'],
			[new Error(''), 'It failed without a message.'], // eslint-disable-line unicorn/error-message
			[Object.create(null), 'It failed with something that is no error.'],
			[new Error('x'.repeat(200_000)), 'x'.repeat(100_000)],
		] as const;
		let at = 0;
		const {ended} = startComputer(place, computer, () => {
			throw throws[at++]![0]; // eslint-disable-line @typescript-eslint/only-throw-error
		});
		for (const [, message] of throws) {
			await place.colony.submit({targetcomputerids: [computer.id]});
			const {state, process, reason} = await ended();
			assert.deepEqual({state, reason}, {state: 'failed', reason: message});
			const closed = await place.colony.get(process);
			assert.equal(closed.status, 3);
			assert.deepEqual(valuesOf(closed), {out: {}, err: {error: message}});
		}
	});

	check('what a handler does not wait for is written in order, and a refusal of it fails the process', async () => {
		const {computer, ...place} = await fresh();
		const {ended, notices} = startComputer(place, computer, job => {
			for (const value of ['one', 'two', 'three']) {
				void job.out('key', value);
			}

			if (job.in.bad === undefined) {
				return {};
			}

			void job.out('', 'a key may not be empty');
			return {};
		});
		await place.colony.submit({targetcomputerids: [computer.id]});
		const {process} = await ended();
		assert.deepEqual(valuesOf(await place.colony.get(process)).out, {key: 'three'});
		await place.colony.submit({targetcomputerids: [computer.id], in: {bad: ''}});
		const {state, reason} = await ended();
		assert.equal(state, 'failed');
		assert.match(reason!, /^key must be/);
		assert.match(notices.join('\n'), /was not written: key must be/);
	});

	check('what is no set of texts fails the process', async () => {
		const {computer, ...place} = await fresh();
		const answers = [{list: [1]}, 'done', ['x']];
		const {ended} = startComputer(place, computer, () => answers.shift() as any); // eslint-disable-line @typescript-eslint/no-unsafe-return
		for (const pattern of [/The output "list" must be text/, /no object/, /no object/]) {
			await place.colony.submit({targetcomputerids: [computer.id]});
			assert.match((await ended()).reason!, pattern);
		}
	});

	check('an assignment whose answer is lost is run all the same, once', async () => {
		const {computer, ...place} = await fresh();
		const ran: string[] = [];
		place.store.failNext('process.assign', 'away', 'lost', 'away', 'away');
		const {ended, notices, started} = startComputer(place, computer, ({process}) => {
			ran.push(process.processid);
		}, {concurrency: 2});
		const submitted = [await place.colony.submit({targetcomputerids: [computer.id]}), await place.colony.submit({targetcomputerids: [computer.id]})];
		await Promise.all([started(), started()]);
		await Promise.all([ended(), ended()]);
		assert.deepEqual(ran.sort(), submitted.map(({processid}) => processid).sort());
		const keys = place.store.named('process.assign').map(({options}) => options?.idempotencyKey);
		assert.equal(new Set(keys.slice(0, 5)).size, 1, 'It repeats the same request.');
		assert.equal(new Set(keys).size, keys.length - 4, 'Every other request has a key of its own.');
		assert.deepEqual(notices, ['This computer waits: The store is away.', 'This computer goes on.']);
	});

	check('an assignment that is no longer this computer\'s when its answer comes is left alone', async () => {
		const {computer, ...place} = await fresh();
		place.store.failNext('process.assign', 'lost');
		const {processid} = await place.colony.submit({targetcomputerids: [computer.id]});
		const cancelled = happening();
		place.store.before = async ({name}) => {
			if (name === 'process.assign' && place.store.named(name).length === 2) {
				await place.colony.own('process.cancel', {processid});
				cancelled.tell();
			}
		};

		const {reports, ended} = startComputer(place, computer, () => undefined);
		await cancelled.next();
		await place.colony.submit({targetcomputerids: [computer.id]});
		const {process} = await ended();
		assert.notEqual(process.processid, processid);
		assert.ok(reports.every(report => report.process.processid !== processid));
	});

	check('one that was removed meanwhile does not hold it up', async () => {
		const {computer, ...place} = await fresh();
		place.store.failNext('process.assign', 'lost');
		const {processid} = await place.colony.submit({targetcomputerids: [computer.id]});
		place.store.before = async ({name}) => {
			if (name === 'process.assign' && place.store.named(name).length === 2) {
				await place.colony.own('process.remove', {processid});
			}
		};

		const {ended, noticed} = startComputer(place, computer, () => undefined);
		await noticed();
		await place.colony.submit({targetcomputerids: [computer.id]});
		assert.equal((await ended()).state, 'successful');
	});

	check('a closing whose answer is lost counts as done', async () => {
		const {computer, ...place} = await fresh();
		place.store.failNext('process.successful', 'away', 'lost', 'away');
		place.store.failNext('process.get', 'away');
		place.store.failNext('attribute.add', 'lost', 'away');
		const {ended, notices} = startComputer(place, computer, () => ({result: 42}));
		await place.colony.submit({targetcomputerids: [computer.id]});
		const {state, process} = await ended();
		assert.equal(state, 'successful');
		const closed = await place.colony.get(process);
		assert.equal(closed.status, 2);
		assert.deepEqual(valuesOf(closed).out, {result: '42'});
		assert.deepEqual(notices, []);
	});

	check('a closing that comes too late is left to others, quietly', async () => {
		const {computer, ...place} = await fresh();
		let times = 0;
		const {ended, notices} = startComputer(place, computer, async ({process: {processid}}) => {
			times++;
			if (times === 1) {
				await place.colony.own('process.cancel', {processid});
				await place.colony.own('process.retry', {processid});
			}
		});
		await place.colony.submit({targetcomputerids: [computer.id]});
		const {state, reason} = await ended();
		assert.equal(state, 'gone');
		assert.match(reason!, /is waiting, not running/);
		assert.match(notices.join('\n'), /^The process "[\da-f.]+" was not closed: The process .*$/);
		assert.equal((await ended()).state, 'successful');
	});

	check('a process that is taken away tells its handler at the next attribute', async () => {
		const {computer, ...place} = await fresh();
		const {ended} = startComputer(place, computer, async ({process: {processid}, signal, out}) => {
			await out('first', '1');
			await place.colony.own('process.cancel', {processid});
			const aborted = untilAborted(signal);
			await assert.rejects(out('second', '2'), {code: 'conflict'});
			await aborted;
			assert.equal((signal.reason as {code?: string}).code, 'conflict');
			await assert.rejects(out('third', '3'), {code: 'conflict'});
		});
		await place.colony.submit({targetcomputerids: [computer.id]});
		const {state, process} = await ended();
		assert.equal(state, 'gone');
		assert.equal(place.store.named('attribute.add').length, 2);
		assert.deepEqual(valuesOf(await place.colony.get(process)), {out: {first: '1'}, err: {error: 'cancelled'}});
	});

	check('the deadline aborts the handler, and its work is left to others', async () => {
		const {computer, ...place} = await fresh();
		const {ended} = startComputer(place, computer, async ({signal}) => {
			await untilAborted(signal);
			signal.throwIfAborted();
		});
		await place.colony.submit({targetcomputerids: [computer.id], timeout: 1});
		const {state, span, process, reason} = await ended();
		assert.deepEqual({state, reason}, {state: 'gone', reason: 'Its deadline has passed.'});
		assert.ok(span >= 990 && span < 5000, `${span}`);
		assert.equal(place.store.named('process.failed').length, 0);
		// Its next request may have seen to the deadline already; the clocks may differ by a little.
		while (await place.colony.state(process) !== 'failed') {
			await place.colony.broker.endExpired();
		}
	});

	check('a computer that may not work yet waits and says so once', async () => {
		const {colony, store, ...place} = await fresh();
		const pending = await colony.computer({state: 'pending'});
		const {ended, notices, noticed} = startComputer({...place, colony, store}, pending, () => undefined);
		await noticed();
		await colony.submit({targetcomputerids: [pending.id]});
		const refusedAgain = happening();
		store.before = async ({name}) => {
			if (name === 'process.assign' && store.named(name).length >= 4) {
				refusedAgain.tell();
			}
		};

		await refusedAgain.next();
		await colony.own('computer.approve', {computerid: pending.id});
		assert.equal((await ended()).state, 'successful');
		assert.equal(notices.length, 2);
		assert.match(notices[0]!, /^This computer waits: Only an approved computer, for itself, may do this\. This computer is pending\. .*approve/);
		assert.equal(notices[1], 'This computer goes on.');
	});

	check('a computer that is disapproved while it works loses its process and comes back', async () => {
		const {computer, ...place} = await fresh();
		let times = 0;
		const {ended} = startComputer(place, computer, async ({out}) => {
			times++;
			if (times === 1) {
				await place.colony.own('computer.disapprove', {computerid: computer.id});
				await out('lost', 'work');
			}
		});
		const {processid} = await place.colony.submit({targetcomputerids: [computer.id]});
		assert.equal((await ended()).state, 'gone');
		assert.equal(await place.colony.state({processid}), 'waiting');
		await place.colony.own('computer.approve', {computerid: computer.id});
		assert.equal((await ended()).state, 'successful');
	});

	check('work on a process that is cancelled is given up soon', async () => {
		const {computer, ...place} = await fresh();
		const {ended, started} = startComputer(place, computer, async ({signal}) => untilAborted(signal), {heartbeat: 5});
		const {processid} = await place.colony.submit({targetcomputerids: [computer.id]});
		await started();
		await place.colony.own('process.cancel', {processid});
		const {state, reason} = await ended();
		assert.equal(state, 'gone');
		assert.match(reason!, /taken back, or closed by somebody else/);
		assert.equal(await place.colony.state({processid}), 'failed');
	});

	check('stopping waits for what runs and asks no more', async () => {
		const {computer, ...place} = await fresh();
		const finish = gate();
		const {worker, started, ended} = startComputer(place, computer, async () => finish.opened);
		await place.colony.submit({targetcomputerids: [computer.id]});
		const next = await place.colony.submit({targetcomputerids: [computer.id]});
		await started();
		const stopped = worker.stop();
		assert.ok(worker.stopping);
		assert.equal(worker.running, 1);
		finish.open();
		await stopped;
		await worker.done;
		assert.equal((await ended()).state, 'successful');
		assert.equal(worker.running, 0);
		assert.equal(await place.colony.state(next), 'waiting');
	});

	check('stopping ends a request that waits, at once', async () => {
		const {computer, ...place} = await fresh();
		const asked = happening();
		place.store.before = async ({name}) => {
			if (name === 'process.assign') {
				asked.tell();
			}
		};

		const controller = new AbortController();
		const {worker} = startComputer(place, computer, () => undefined, {wait: 60, signal: controller.signal});
		await asked.next();
		controller.abort();
		await worker.done;
	});

	check('what was assigned by a request that was cut short is run before it ends', async () => {
		const {computer, ...place} = await fresh();
		place.store.cuts = true;
		const [asked, hold] = [happening(), gate()];
		place.store.before = async ({name}) => {
			if (name === 'process.assign' && place.store.named(name).length === 1) {
				asked.tell();
				await hold.opened;
			}
		};

		const {processid} = await place.colony.submit({targetcomputerids: [computer.id]});
		const {worker, ended} = startComputer(place, computer, () => undefined);
		await asked.next();
		const stopped = worker.stop();
		hold.open();
		await stopped;
		const {state, process} = await ended();
		assert.deepEqual({state, processid: process.processid}, {state: 'successful', processid});
	});

	check('a request that waits on where nobody hears it gets nothing once it is found out that it got nothing', async () => {
		const {colony, computer, context} = await fresh();
		const ask = async (wait: number, idempotencyKey: string) => context.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait}, {idempotencyKey});
		const unheard = outcomeOf(ask(60, 'first'));
		await refused(ask(0, 'first'), 'nothing-to-assign');
		const next = ask(60, 'second');
		const {processid} = await colony.submit({targetcomputerids: [computer.id]});
		assert.equal(await unheard, 'nothing-to-assign');
		assert.equal((await next).processid, processid);
		await refused(ask(0, 'first'), 'nothing-to-assign');
		assert.equal((await ask(0, 'second')).processid, processid);
	});

	check('stopping while the store is away does not last', async () => {
		const {computer, ...place} = await fresh();
		place.store.fault = () => 'away';
		const {worker, noticed} = startComputer(place, computer, () => undefined);
		await noticed();
		await worker.stop();
	});

	check('stopping twice aborts what runs, which fails', async () => {
		const {computer, ...place} = await fresh();
		const {worker, started, ended} = startComputer(place, computer, async ({signal}) => {
			await untilAborted(signal);
			signal.throwIfAborted();
		});
		await place.colony.submit({targetcomputerids: [computer.id]});
		await started();
		void worker.stop();
		await worker.stop();
		const {state, reason, process} = await ended();
		assert.deepEqual({state, reason}, {state: 'failed', reason: 'The computer was stopped.'});
		assert.equal(await place.colony.state(process), 'failed');
	});

	check('a handler that hears nothing is not waited for for ever', async () => {
		const {computer, ...place} = await fresh();
		const finish = gate();
		const clock = hurriedClock();
		const {worker, started, notices, ended} = startComputer(place, computer, async () => finish.opened, {clock});
		await place.colony.submit({targetcomputerids: [computer.id]});
		await started();
		void worker.stop();
		await worker.stop();
		assert.match(notices.join('\n'), /1 handler did not end although aborted/);
		assert.ok(clock.pauses.includes(10_000));
		finish.open();
		assert.equal((await ended()).state, 'successful');
	});

	check('processes that end together are closed together', async () => {
		const {computer, ...place} = await fresh();
		const all = gate();
		const {started, ended} = startComputer(place, computer, async () => all.opened, {concurrency: 6});
		for (let n = 0; n < 6; n++) {
			await place.colony.submit({targetcomputerids: [computer.id]});
		}

		for (let n = 0; n < 6; n++) {
			await started();
		}

		all.open();
		for (let n = 0; n < 6; n++) {
			assert.equal((await ended()).state, 'successful');
		}

		assert.deepEqual(place.store.named('process.successful').map(({count}) => count), [1, 5]);
	});

	check('two computers under faults of all kinds end every process once', async () => {
		const {colony, context} = yard();
		const computers = [await colony.computer(), await colony.computer()];
		let seed = 7;
		const random = () => {
			seed = ((seed * 1_103_515_245) + 12_345) % 2_147_483_648;
			return seed / 2_147_483_648;
		};

		const ran = new Map<string, number>();
		const count = 60;
		const ending = happening<Progress>();
		for (const computer of computers) {
			const store = new FragileStore(context);
			store.fault = () => random() < 0.3 ? (random() < 0.5 ? 'lost' : 'away') : undefined;
			startComputer({colony, context, store}, computer, async ({process: {processid}}) => {
				ran.set(processid, (ran.get(processid) ?? 0) + 1);
				return {n: ran.size};
			}, {
				concurrency: 5,
				report(progress) {
					if (progress.state !== 'started') {
						ending.tell(progress);
					}
				},
			});
		}

		const spec = {targetcolonyid: colony.id, targetcomputerids: computers.map(({id}) => id)};
		const submitted = await colony.broker.runMany({identity: colony.owner}, 'process.submit', Array.from({length: count}, () => ({spec})));
		const ended = new Set<string>();
		for (let n = 0; n < count; n++) {
			const {process, state} = await ending.next();
			assert.equal(state, 'successful');
			ended.add(process.processid);
		}

		assert.deepEqual(ended, new Set(submitted.map(answer => 'result' in answer ? answer.result.processid : '')));
		assert.deepEqual([...ran.values()], Array.from({length: count}, () => 1));
	});
}

suite('a computer at work, embedded', async () => {
	const yard = await openYard(await openMemory());
	tests(() => yard);
});

suite('a computer at work, PostgreSQL', {skip: noPostgres}, async () => {
	const yard = await openYard(await openPlain());
	tests(() => yard);
});
