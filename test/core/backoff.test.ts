import assert from 'node:assert/strict';
import {test} from 'node:test';
import {backOff, pause} from '../../source/core/backoff.ts';

test('the wait before a retry doubles from 25 ms up to 5 s', t => {
	t.mock.method(Math, 'random', () => 0);
	assert.deepEqual([0, 1, 2, 7, 8, 16, 17, 2000].map(attempt => backOff(attempt)), [25, 50, 100, 3200, 5000, 5000, 5000, 5000]);
});

test('the wait before a retry is shortened at random by up to a half, so that many who wait do not come back together', t => {
	let random = 0;
	t.mock.method(Math, 'random', () => random);
	const waits = [0, 0.25, 0.5, 1].map(value => {
		random = value;
		return backOff(2);
	});
	assert.deepEqual(waits, [100, 87.5, 75, 50]);
});

test('a pause ends after its time', async t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	let isOver = false;
	const {signal} = new AbortController();
	const over = pause(1000, signal).then(() => {
		isOver = true;
	});
	t.mock.timers.tick(999);
	await Promise.resolve();
	assert.equal(isOver, false);
	t.mock.timers.tick(1);
	await over;
	assert.equal(isOver, true);
});

test('a pause ends when the signal comes, and does not begin after it', async () => {
	const controller = new AbortController();
	const paused = pause(3_600_000, controller.signal);
	controller.abort();
	await paused;
	await pause(3_600_000, controller.signal);
});

test('a pause leaves nothing behind on its signal, however it ends', async t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	const {signal} = new AbortController();
	const listeners = new Set<unknown>();
	t.mock.method(signal, 'addEventListener', (event: string, listener: unknown) => event === 'abort' && listeners.add(listener));
	t.mock.method(signal, 'removeEventListener', (event: string, listener: unknown) => event === 'abort' && listeners.delete(listener));
	const paused = pause(10, signal);
	assert.equal(listeners.size, 1);
	t.mock.timers.tick(10);
	await paused;
	assert.equal(listeners.size, 0);
});
