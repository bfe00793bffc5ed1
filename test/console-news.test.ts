import assert from 'node:assert/strict';
import {test} from 'node:test';
import {GatheredNews} from '../source/console/effects/gathered-news.ts';

test('the first news is told at once, and what comes within a tenth of a second after is told together', t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	const told: string[][] = [];
	const news = new GatheredNews(topics => told.push([...topics].sort()));
	news.hear(new Set(['processes']));
	assert.deepEqual(told, [['processes']]);
	for (let turn = 0; turn < 1000; turn++) {
		news.hear(new Set(['processes', turn === 500 ? 'computers' : 'attributes']));
	}

	assert.equal(told.length, 1);
	// A second at most, however long this thread was busy meanwhile.
	t.mock.timers.tick(1000);
	assert.deepEqual(told, [['processes'], ['attributes', 'computers', 'processes']]);
	// Nothing came, so the next is the first again.
	t.mock.timers.tick(1000);
	news.hear(new Set(['colonies']));
	assert.deepEqual(told.at(-1), ['colonies']);
});

test('news of what is not watched any more is not told', t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	let told = 0;
	const news = new GatheredNews(() => {
		told++;
	});
	news.hear(new Set(['processes']));
	news.hear(new Set(['processes']));
	news.close();
	t.mock.timers.tick(5000);
	assert.equal(told, 1);
});
