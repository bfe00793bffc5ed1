import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import {type ColoniesError, Conflict, NotAllowed, NotFound, Unavailable} from '../source/core/errors.ts';
import {processStates, type ProcessState} from '../source/core/types.ts';
import {applyPlan, listSize, type Reported, tallyOf, tallyText} from '../source/operations/apply-plan.ts';
import {decide, makePlan, plannable, type PlannableName, reasonsOf, sampleOf, type Seen, titleOf} from '../source/operations/plan.ts';
import {openAny, openColony} from './support/colony.ts';

const states = fc.constantFrom<ProcessState>(...processStates);
const aSeen = fc.record({id: fc.nat(30).map(String), label: fc.constant('gpu'), state: states, since: fc.constantFrom('a', 'b'), retries: fc.nat(1)}) as fc.Arbitrary<Seen>;
const byId = (seen: readonly Seen[]): Map<string, Seen> => new Map(seen.map(each => [each.id, each]));

suite('what a plan takes in', () => {
	test('is decided for each: what is there as it was seen, in a state that the action is for; all others are left out with a reason', () => {
		const names = fc.constantFrom<PlannableName>('process.retry', 'process.cancel', 'process.remove');
		fc.assert(fc.property(names, fc.array(fc.nat(30).map(String)), fc.array(aSeen), fc.array(aSeen), (name, ids, seen, there) => {
			const [before, now] = [byId(seen), byId(there)];
			const {entries, leftOut} = decide(name, ids, {before, now});
			assert.deepEqual([...entries, ...leftOut].map(({id}) => id).sort(), [...new Set(ids)].sort());
			for (const entry of entries) {
				const was = before.get(entry.id);
				assert.equal(entry, now.get(entry.id));
				assert.ok((plannable[name].from as readonly string[]).includes(entry.state));
				assert.ok(was === undefined || (was.state === entry.state && was.since === entry.since && was.retries === entry.retries));
			}

			for (const {id, reason} of leftOut) {
				const [was, is] = [before.get(id), now.get(id)];
				const expected = is === undefined ? /^there is no such process/ : (was && (was.state !== is.state || was.since !== is.since || was.retries !== is.retries) ? /^it has changed since/ : /^it is (?:waiting|running|successful|failed): only a/);
				assert.match(reason, expected);
			}
		}), {numRuns: 2000});
	});

	test('is sampled over its whole length, and its reasons are counted', () => {
		const entries = Array.from({length: 100}, (_, index): Seen => ({id: String(index), label: '', state: 'failed'}));
		assert.deepEqual(sampleOf({entries}, 4).map(({id}) => id), ['0', '25', '50', '75']);
		assert.equal(sampleOf({entries: entries.slice(0, 2)}, 5).length, 2);
		assert.deepEqual(reasonsOf({leftOut: [{id: '1', label: '', reason: 'a'}, {id: '2', label: '', reason: 'b'}, {id: '3', label: '', reason: 'b'}]}), [{reason: 'b', count: 2}, {reason: 'a', count: 1}]);
		assert.equal(titleOf({name: 'process.retry', entries}), 'retry 100 processes');
		assert.equal(titleOf({name: 'computer.approve', entries: entries.slice(0, 1)}), 'approve 1 computer');
	});
});

const colony = await openColony(await openAny());
const caller = {identity: colony.owner};
const making = {context: colony.broker, caller, colonyid: colony.id};

suite('a plan is made', () => {
	test('of a filter, page by page, up to so many; that there are more is said', async () => {
		const computer = await colony.computer({computertype: 'planned'});
		const specs = Array.from({length: 30}, () => ({spec: {targetcolonyid: colony.id, computertype: 'planned'}}));
		await colony.broker.runMany({identity: colony.owner}, 'process.submit', specs);
		for (let index = 0; index < 10; index++) {
			await colony.close(computer, await colony.assign(computer), 'failed');
		}

		const found: number[] = [];
		const plan = await makePlan({...making, name: 'process.retry', tell: count => found.push(count)}, {filter: {computertype: 'planned'}});
		assert.deepEqual([plan.entries.length, plan.leftOut.length, plan.more], [10, 20, false]);
		assert.deepEqual(reasonsOf(plan), [{reason: 'it is waiting: only a closed process can be retried', count: 20}]);
		assert.deepEqual(found, [30]);
		const cut = await makePlan({...making, name: 'process.cancel', most: 25}, {filter: {computertype: 'planned', state: 'waiting'}});
		assert.deepEqual([cut.entries.length, cut.more], [20, false]);
		const short = await makePlan({...making, name: 'process.remove', most: 25}, {filter: {computertype: 'planned'}});
		assert.deepEqual([short.entries.length, short.more], [25, true]);
		const exact = await makePlan({...making, name: 'process.remove', most: 30}, {filter: {computertype: 'planned'}});
		assert.deepEqual([exact.entries.length, exact.more], [30, false]);
		const ids = exact.entries.map(({id}) => id);
		const named = await makePlan({...making, name: 'process.retry', most: 5}, {ids: [...ids, ...ids]});
		assert.deepEqual([named.entries.length + named.leftOut.length, named.more], [5, true]);
		const away = new AbortController();
		away.abort();
		await assert.rejects(makePlan({...making, name: 'process.retry', signal: away.signal}, {filter: {}}), {name: 'AbortError'});
	});

	test('of what somebody saw: what has changed since is left out', async () => {
		const computer = await colony.computer();
		const [one, two] = [await colony.running(computer), await colony.running(computer)];
		const seen = [one, two].map(({processid: id, starttime}): Seen => ({id, label: '', state: 'running', since: starttime, retries: 0}));
		await colony.close(computer, one);
		const plan = await makePlan({...making, name: 'process.cancel'}, {seen: [...seen, {id: 'f'.repeat(64), label: 'x', state: 'running'}]});
		assert.deepEqual(plan.entries.map(({id}) => id), [two.processid]);
		assert.deepEqual(plan.leftOut.map(({reason}) => reason), ['it has changed since it was seen: running, now successful', 'there is no such process (any more)']);
		const pending = await colony.computer({state: 'pending', name: 'new'});
		const computers = await makePlan({...making, name: 'computer.approve'}, {seen: [{id: pending.id, label: 'new', state: 'pending'}, {id: computer.id, label: 'lab', state: 'approved'}, {id: two.processid, label: 'x', state: 'pending'}]});
		assert.deepEqual(computers.entries, [{id: pending.id, label: 'new', state: 'pending'}]);
		assert.deepEqual(computers.leftOut.map(({reason}) => reason), ['it is approved already', 'there is no such computer (any more)']);
	});
});

const entries = (count: number): Seen[] => Array.from({length: count}, (_, index) => ({id: String(index), label: 'gpu', state: 'failed', version: '1'}));

type Answer = {result: never} | ColoniesError;

/** Applies a plan of so many to a store that answers as it is told: by the number of the request and its inputs. `stop`: whether it is stopped then. */
async function applied(count: number, answer: (request: number, inputs: ReadonlyArray<Record<string, unknown>>, key: string) => Answer[], {stop = () => false, rate = 1_000_000}: {stop?: (told: readonly Reported[]) => boolean; rate?: number} = {}) {
	const stopping = new AbortController();
	const told: Reported[] = [];
	const waits: string[] = [];
	let requests = 0;
	const reported = await applyPlan({
		context: {async runMany(_, __, inputs, options) {
			return answer(requests++, inputs, options!.idempotencyKey!);
		}},
		caller, plan: {name: 'process.retry', colonyid: colony.id, entries: entries(count), leftOut: [], more: false}, rate: () => rate, signal: stopping.signal,
		tell(progress) {
			told.push(...progress.reported);
			if (progress.waits) {
				waits.push(progress.waits);
			}

			if (stop(told) || (progress.waits && stop([]))) {
				stopping.abort();
			}
		},
	});
	assert.deepEqual(told, reported);
	assert.equal(reported.length, count);
	return {reported, waits, requests, tally: tallyText(tallyOf(reported))};
}

const well = {result: undefined as never};
const done = (inputs: readonly unknown[]): Answer[] => inputs.map(() => well);

suite('a plan is applied', () => {
	test('in small lists, each entry once, with what was expected of it', async () => {
		const asked: unknown[] = [];
		const {tally, requests} = await applied(60, (_, inputs) => {
			asked.push(...inputs);
			return done(inputs);
		});
		assert.equal(tally, '60 done');
		assert.equal(requests, 3);
		assert.deepEqual(asked, entries(60).map(({id}) => ({colonyid: colony.id, processid: id, ifstate: 'failed', ifversion: '1'})));
		assert.deepEqual([0.1, 1, 4, 10, 50, 100, 5000].map(rate => listSize(rate)), [1, 1, 1, 3, 13, 25, 25]);
	});

	test('and reports for each what became of it', async () => {
		const {reported, tally} = await applied(4, () => [well, new Conflict('It has changed.'), new NotFound('It is gone.'), new NotAllowed('No.')]);
		assert.deepEqual(reported.map(({fate, reason}) => [fate, reason]), [['done', undefined], ['changed', 'It has changed.'], ['gone', 'It is gone.'], ['refused', 'No.']]);
		assert.equal(tally, '1 done, 1 changed since, 1 gone, 1 refused');
	});

	test('and stopped before the next list', async () => {
		const {tally} = await applied(100, (_, inputs) => done(inputs), {stop: told => told.length >= 50});
		assert.equal(tally, '50 done, 50 not tried');
	});

	test('and goes on after a lost connection, with the same request under the same key', async () => {
		const keys: string[] = [];
		const {tally, waits} = await applied(50, (request, inputs, key) => {
			keys.push(key);
			if (request === 1 || request === 2) {
				throw new Unavailable(`Lost ${request}.`);
			}

			return done(inputs);
		});
		assert.equal(tally, '50 done');
		assert.deepEqual(waits, ['Lost 1.', 'Lost 2.']);
		assert.equal(new Set(keys).size, 2);
		assert.equal(keys[1], keys[3]);
	});

	test('and stopped while an answer is lost, what it held is not known; nothing after it is tried', async () => {
		const lose = (nothingDone: boolean) => () => {
			throw Object.assign(new Unavailable('Lost.'), {nothingDone});
		};

		assert.equal((await applied(30, lose(false), {stop: () => true})).tally, '25 not known, 5 not tried');
		assert.equal((await applied(30, lose(true), {stop: () => true})).tally, '30 not tried');
	});

	test('and ends when all of a list is refused', async () => {
		const {reported, tally, requests} = await applied(60, (request, inputs) => {
			if (request === 1) {
				throw new NotAllowed('Only the owner may.');
			}

			return done(inputs);
		});
		assert.deepEqual([tally, requests], ['25 done, 25 refused, 10 not tried', 2]);
		assert.ok(reported.slice(25).every(({reason}) => reason === 'Only the owner may.'));
	});
});
