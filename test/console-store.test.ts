import assert from 'node:assert/strict';
import {type TestContext, test} from 'node:test';
import {initialState} from '../source/console/state.ts';
import {Store} from '../source/console/store.ts';

/** A store on a clock that goes on only when it is told to, and how often its watcher was told. */
function watched(t: TestContext) {
	t.mock.timers.enable({apis: ['setTimeout', 'Date'], now: 1_000_000});
	const store = new Store(initialState({columns: 80, rows: 24, now: 0, version: '1.2.3'}), () => undefined);
	let told = 0;
	store.subscribe(() => {
		told++;
	});
	return {
		store,
		told: () => told,
		/** Some news from the store. */
		hear(text: string) {
			store.dispatch({type: 'noticed', text});
		},
		press(key: string) {
			store.dispatch({type: 'key', key, text: key});
		},
	};
}

test('the first news is told at once, and what comes within 100 ms of it together', t => {
	const {told, hear, store} = watched(t);
	hear('first');
	assert.equal(told(), 1);
	for (let index = 0; index < 1000; index++) {
		hear(`news ${index}`);
	}

	assert.equal(told(), 1);
	assert.equal(store.get().notice!.text, 'news 999');
	t.mock.timers.tick(99);
	assert.equal(told(), 1);
	t.mock.timers.tick(1);
	assert.equal(told(), 2);
	t.mock.timers.tick(1000);
	assert.equal(told(), 2);
	hear('later');
	assert.equal(told(), 3);
});

test('a thousand changes a second are told at most eleven times a second', t => {
	const {told, hear} = watched(t);
	for (let index = 0; index < 1000; index++) {
		hear(`news ${index}`);
		t.mock.timers.tick(1);
	}

	assert.ok(told() >= 10 && told() <= 11, `It was told ${told()} times.`);
});

test('a key and a new size are told at once, with what was gathered', t => {
	const {told, hear, press, store} = watched(t);
	hear('first');
	hear('second');
	press('?');
	assert.equal(told(), 2);
	store.dispatch({type: 'resized', columns: 100, rows: 30});
	assert.equal(told(), 3);
	t.mock.timers.tick(1000);
	assert.equal(told(), 3, 'what was told already is told again');
});

test('a store that is closed tells nothing any more', t => {
	const {told, hear, store} = watched(t);
	hear('first');
	hear('second');
	store.close();
	t.mock.timers.tick(1000);
	hear('third');
	assert.equal(told(), 1);
	assert.equal(store.get().notice!.text, 'second');
});

test('who no longer watches is not told', t => {
	const {store, hear, told} = watched(t);
	let also = 0;
	const stop = store.subscribe(() => {
		also++;
	});
	hear('first');
	stop();
	t.mock.timers.tick(1000);
	hear('second');
	assert.deepEqual([told(), also], [2, 1]);
});
