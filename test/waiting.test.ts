import assert from 'node:assert/strict';
import {getEventListeners} from 'node:events';
import {after, type TestContext, test} from 'node:test';
import {setImmediate} from 'node:timers/promises';
import {Unavailable} from '../source/core/errors.ts';
import type {Identity} from '../source/identity/index.ts';
import {News} from '../source/operations/news.ts';
import {type Turn, Waiting} from '../source/operations/waiting.ts';
import {openAny, openColony} from './support/colony.ts';

const database = await openAny();
const colony = await openColony(database);
const other = await openColony(database);
after(async () => Promise.all([colony.broker.close(), other.broker.close()]));

/** The computer as those who wait are held against work. */
const workerOf = ({id}: Identity, change: {computertype?: string; cores?: number} = {}) => ({computerid: id, status: 1 as const, computertype: '', cores: 8, mem: 8000, gpus: 1, ...change});

/** Computers that wait on another server than the colony's own, whose clock stands still: it never looks by itself, and nobody's time is over. */
function openWaiting(t: TestContext) {
	t.mock.timers.enable({apis: ['setInterval']});
	const news = new News(database);
	const waiting = new Waiting(database, news);
	t.after(async () => {
		await waiting.close();
		await news.close();
	});
	const later = performance.now() + 3_600_000;
	/** Waits in a place. Undefined for as long as nothing came of it. */
	const wait = (turn: Turn, computer: Identity, {until = later, signal, ...change}: {until?: number; signal?: AbortSignal; cores?: number; computertype?: string} = {}) => {
		const wait: {outcome?: boolean; over: Promise<boolean>} = {over: turn.next(workerOf(computer, change), until, signal)};
		void wait.over.then(outcome => {
			wait.outcome = outcome;
		});
		return wait;
	};

	const tick = () => {
		t.mock.timers.tick(2000);
	};

	return {news, waiting, wait, tick};
}

test('a computer that hears of work while it asks the database asks again at once', async t => {
	const {waiting, wait} = openWaiting(t);
	const [computer, beside] = [await colony.computer(), await colony.computer()];
	const asking = await waiting.enter(colony.id);
	// Whoever waits behind it hears of the work after it has.
	const behind = wait(await waiting.enter(colony.id), beside);
	await colony.submit();
	assert.equal(await behind.over, true);
	const again = wait(asking, computer);
	await setImmediate();
	assert.equal(again.outcome, true);
	const third = wait(asking, computer);
	await setImmediate();
	assert.equal(third.outcome, undefined, 'what it heard of once lets it ask for ever');
});

test('as many are woken as there is work, those first who wait the longest', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const waits = [];
	for (let index = 0; index < 4; index++) {
		waits.push(wait(await waiting.enter(colony.id), computer));
	}

	await colony.broker.runMany({identity: colony.owner}, 'process.submit', [{spec: {targetcolonyid: colony.id}}, {spec: {targetcolonyid: colony.id}}]);
	await Promise.all([waits[0]!.over, waits[1]!.over]);
	await setImmediate();
	assert.deepEqual(waits.map(({outcome}) => outcome), [true, true, undefined, undefined]);
	await colony.submit();
	await waits[2]!.over;
	await setImmediate();
	assert.deepEqual(waits.map(({outcome}) => outcome), [true, true, true, undefined]);
});

test('work wakes a computer of its colony that may run it, and no other', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const elsewhere = wait(await waiting.enter(other.id), computer);
	const small = wait(await waiting.enter(colony.id), computer, {cores: 1});
	const fits = wait(await waiting.enter(colony.id), computer);
	await colony.submit({cores: 2});
	await fits.over;
	await setImmediate();
	assert.deepEqual([elsewhere.outcome, small.outcome, fits.outcome], [undefined, undefined, true]);
});

test('work of several kinds wakes one for each', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const large = wait(await waiting.enter(colony.id), computer, {cores: 64});
	const small = wait(await waiting.enter(colony.id), computer, {cores: 1});
	const last = wait(await waiting.enter(colony.id), computer, {cores: 64});
	await colony.broker.runMany({identity: colony.owner}, 'process.submit', [{spec: {targetcolonyid: colony.id, cores: 40}}, {spec: {targetcolonyid: colony.id, cores: 1}}]);
	await Promise.all([large.over, small.over]);
	await setImmediate();
	assert.deepEqual([large.outcome, small.outcome, last.outcome], [true, true, undefined]);
});

test('what nobody announced is found at the next look', async t => {
	const {waiting, wait, tick} = openWaiting(t);
	const computer = await colony.computer();
	const quiet = await openColony(database);
	const waited = wait(await waiting.enter(quiet.id), computer);
	await quiet.submit();
	await waited.over;
	const again = wait(await waiting.enter(quiet.id), computer);
	await setImmediate();
	assert.equal(again.outcome, undefined);
	tick();
	assert.equal(await again.over, true);
});

test('whoever leaves takes the next look from nobody, and where nobody waits nothing is looked at', async t => {
	const {waiting, wait, tick} = openWaiting(t);
	const computer = await colony.computer();
	const quiet = await openColony(database);
	await quiet.submit();
	const first = await waiting.enter(quiet.id);
	const second = await waiting.enter(quiet.id);
	const waits = wait(second, computer);
	first.leave();
	tick();
	assert.equal(await waits.over, true);
	second.leave();
	const query = t.mock.method(database, 'query');
	tick();
	assert.equal(query.mock.callCount(), 0);
	const again = wait(await waiting.enter(quiet.id), computer);
	tick();
	assert.equal(await again.over, true);
});

test('a look waits for the one before, and follows one that failed', async t => {
	const {waiting, wait, tick} = openWaiting(t);
	const computer = await colony.computer();
	const quiet = await openColony(database);
	const waits = wait(await waiting.enter(quiet.id), computer);
	const {mock: query} = t.mock.method(database, 'query', async () => {
		throw new Unavailable('The cable was pulled.');
	});
	tick();
	tick();
	assert.equal(query.callCount(), 1);
	await setImmediate();
	query.restore();
	await quiet.submit();
	await waits.over;
	const again = wait(await waiting.enter(quiet.id), computer);
	tick();
	assert.equal(await again.over, true);
});

test('news of work asks the database nothing where nobody waits', async t => {
	const {news, waiting, wait} = openWaiting(t);
	const left = await waiting.enter(colony.id);
	left.leave();
	const beside = new Waiting(database, news);
	t.after(async () => beside.close());
	const waits = wait(await beside.enter(colony.id), await colony.computer());
	const query = t.mock.method(database, 'query');
	await colony.submit({mem: 77});
	assert.equal(await waits.over, true);
	assert.equal(query.mock.calls.filter(({arguments: [text]}) => String(text).includes('from colonies.demands where demand_id')).length, 1);
});

test('who left is not woken, and waits in nobody\'s way', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const left = await waiting.enter(colony.id);
	const hangsUp = new AbortController();
	const gone = wait(left, computer, {signal: hangsUp.signal});
	const stays = wait(await waiting.enter(colony.id), computer);
	left.leave();
	assert.equal(waiting.size, 1);
	await colony.submit();
	assert.equal(await stays.over, true);
	assert.equal(gone.outcome, undefined);
	hangsUp.abort();
	assert.equal(await gone.over, false);
});

test('nobody waits when the time is over, the signal has come, or the server closes', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const turn = await waiting.enter(colony.id);
	assert.equal(await wait(turn, computer, {until: performance.now()}).over, false);
	assert.equal(await wait(turn, computer, {signal: AbortSignal.abort()}).over, false);
	const controller = new AbortController();
	const waited = wait(turn, computer, {signal: controller.signal});
	controller.abort();
	assert.equal(await waited.over, false);
	const until = performance.now() + 5;
	while (await wait(turn, computer, {until}).over) {
		// A timer may be a little early; then it is worth asking once more.
	}

	assert.ok(performance.now() >= until);
	const last = wait(turn, computer);
	assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
	await waiting.close();
	assert.equal(await last.over, false);
	assert.equal(await wait(turn, computer).over, false);
});

test('a wait leaves nothing behind on its signal, however it ends', async t => {
	const {waiting, wait} = openWaiting(t);
	const computer = await colony.computer();
	const turn = await waiting.enter(colony.id);
	const {signal} = new AbortController();
	const served = wait(turn, computer, {signal});
	assert.equal(getEventListeners(signal, 'abort').length, 1);
	await colony.submit();
	assert.equal(await served.over, true);
	assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('nobody asks again when the time is over', async t => {
	const {waiting, wait} = openWaiting(t);
	const turn = await waiting.enter(colony.id);
	const computer = await colony.computer();
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	t.mock.timers.reset();
	t.mock.timers.enable({apis: ['setInterval', 'setTimeout']});
	const waits = wait(turn, computer, {until: 100});
	now = 100;
	t.mock.timers.tick(100);
	assert.equal(await waits.over, false);
});

test('a server on which nobody has waited closes', async () => {
	await new Waiting(database, new News(database)).close();
});
