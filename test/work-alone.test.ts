import assert from 'node:assert/strict';
import {test} from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import {NothingToAssign, Unavailable} from '../source/core/errors.ts';
import {unsetTime, type Process} from '../source/core/types.ts';
import {createIdentity} from '../source/identity/index.ts';
import {sha3} from '../source/identity/hash.ts';
import type {Context} from '../source/operations/index.ts';
import type {Progress, WorkOptions} from '../source/work/index.ts';
import {work, type ComputerOptions} from '../source/work/work.ts';
import {failureOf, happening} from './support/outcomes.ts';
import {hurriedClock} from './support/working.ts';

const {identity} = createIdentity();
const colonyid = sha3('colony');

const timeOf = (milliseconds: number) => new Date(milliseconds).toISOString().replace('Z', '000Z');

const running = (n: number, more: Partial<Process> = {}): Process => ({
	processid: sha3(`${n}`), targetcolonyid: colonyid, targetcomputerids: [], assignedcomputerid: identity.id, status: 1, isassigned: true, computertype: '',
	submissiontime: timeOf(0), starttime: timeOf(0), endtime: unsetTime, deadline: unsetTime, timeout: -1, retries: 0, maxretries: 0, mem: 0, cores: 0, gpus: 0, in: null, out: null, err: null, ...more,
});

type Answers = {assign: (n: number) => Promise<Process[]>};

/** A store that is made up, so that whatever a test wants comes of a request. */
function storeOf({assign}: Answers): Pick<Context, 'run' | 'runMany'> {
	let asked = 0;
	const answer = async (name: string): Promise<any[]> => name === 'process.assign' ? assign(asked++) : [{}];
	return {
		async run(_caller, name) {
			const [result] = await answer(name);
			if (result === undefined) {
				throw new NothingToAssign('No process was assigned.');
			}

			return result; // eslint-disable-line @typescript-eslint/no-unsafe-return
		},
		async runMany(_caller, name, inputs) {
			const results = await answer(name);
			return inputs.map((_, index) => name !== 'process.assign' || results[index] ? {result: results[index]} : new NothingToAssign('No process was assigned.'));
		},
	};
}

const start = (answers: Answers, options: Partial<ComputerOptions> = {}) => work({context: storeOf(answers), identity, colonyid, handler: () => undefined, notice: () => undefined, clock: hurriedClock(), ...options});

test('what can never work is refused', async () => {
	const {message} = await failureOf((async () => {
		start({assign: async () => []}, {concurrency: 0});
	})());
	assert.equal(message, 'concurrency must be a whole number from 1 to 1000, not "0".');
	assert.throws(() => start({assign: async () => []}, {wait: 61}), {message: 'wait must be a whole number from 1 to 60, not "61".'});
	const {InvalidInput} = await import('../source/core/errors.ts');
	const worker = start({async assign() {
		throw new InvalidInput('colonyid must be 64 hex digits.');
	}});
	await assert.rejects(worker.done, {code: 'invalid-input'});
	await worker.stop();
});

test('requests that come back too soon with nothing are not made in a rush', async () => {
	const clock = hurriedClock();
	const enough = happening();
	const worker = start({async assign(n) {
		if (n === 12) {
			enough.tell();
		}

		return [];
	}}, {clock});
	await enough.next();
	await worker.stop();
	assert.ok(clock.pauses.length >= 12);
	assert.ok(clock.pauses[11]! > 2000, `${clock.pauses.join(' ')}`);
});

test('the deadline is told by the clock of the server, also when the answer was asked for again', async () => {
	const now = performance.now();
	// The server's clock shows another year, and moves on as ours does.
	const serverTime = (age: number) => timeOf(1_000_000_000_000 + Math.round(performance.now() - now) - age);
	const of = (n: number, age: number, seconds: number) => [running(n, {starttime: serverTime(age), deadline: serverTime(age - (seconds * 1000)), timeout: seconds})];
	const ended = happening<Progress>();
	let tries = 0;
	const worker = start({async assign(n) {
		switch (n) {
			case 0: {
				return of(0, 0, 3600);
			}

			case 1: {
				tries++;
				throw new Unavailable('The answer was lost.');
			}

			// It was assigned most of its time ago; the next one all of it.
			case 2: {
				return of(1, 3_599_900, 3600);
			}

			case 3: {
				throw new Unavailable('The answer was lost.');
			}

			case 4: {
				return of(2, 3_600_100, 3600);
			}

			default: {
				return [];
			}
		}
	}}, {
		async handler({process, signal}) {
			if (process.processid !== sha3('0')) {
				await new Promise(resolve => {
					signal.addEventListener('abort', resolve, {once: true});
				});
			}
		},
		report(progress) {
			if (progress.state !== 'started') {
				ended.tell(progress);
			}
		},
	});
	assert.equal((await ended.next()).state, 'successful');
	const {state, span, reason} = await ended.next();
	assert.deepEqual({state, reason, tries}, {state: 'gone', reason: 'Its deadline has passed.', tries: 1});
	assert.ok(span < 2000, `${span}`);
	await worker.stop();
	assert.equal(worker.running, 0);
});

test('callbacks that throw harm nothing', async () => {
	const fail = () => {
		throw new Error('of the callback');
	};

	const options: WorkOptions = {notice: fail, report: fail};
	const done = happening();
	const worker = start({async assign(n) {
		if (n === 0) {
			throw new Unavailable('away');
		}

		if (n === 3) {
			done.tell();
		}

		return n === 1 ? [running(1)] : [];
	}}, options);
	await done.next();
	await worker.stop();
});

test('memory stays flat over many processes', async () => {
	v8.setFlagsFromString('--expose_gc');
	const collectGarbage = vm.runInNewContext('gc') as () => void;
	const used = () => {
		collectGarbage();
		return process.memoryUsage().heapUsed;
	};

	const [warm, all] = [happening<number>(), happening<number>()];
	const worker = start({async assign(n) {
		if (n === 2000) {
			warm.tell(used());
		} else if (n === 12_000) {
			all.tell(used());
		}

		return Array.from({length: 4}, (_, index) => running((n * 4) + index, {deadline: timeOf(60_000), timeout: 60, in: [{attributeid: '', targetid: '', attributetype: 0, key: 'k', value: 'x'.repeat(1000)}]}));
	}}, {concurrency: 4, handler: async ({out}) => out('key', 'value')});
	const before = await warm.next();
	const grown = await all.next() - before;
	await worker.stop();
	assert.ok(grown < 4_000_000, `${grown} bytes more after 40,000 processes`);
});
