import assert from 'node:assert/strict';
import {test} from 'node:test';
import {changesForetold, type ForecastEffects, forecastSentences} from '../../source/core/forecast.ts';

const effects = (change: ForecastEffects['change'], numbers: Partial<ForecastEffects> = {}): ForecastEffects => ({change, fitting: 0, runnable: 0, stranded: 0, requeued: 0, ...numbers});
const ofOne = (...given: Parameters<typeof effects>): string[] => forecastSentences({...effects(...given), computerid: 'c', name: 'lab'});
const ofMany = (computers: number, ...given: Parameters<typeof effects>): string[] => forecastSentences({...effects(...given), computers});

test('an approval says what can run then, and what may', () => {
	assert.deepEqual(ofOne('approve'), ['No process waits for it alone.', 'It may run nothing of what waits now.']);
	assert.deepEqual(ofOne('approve', {runnable: 1, fitting: 1}), ['1 waiting process can run then that nobody else could.', 'It may run 1 waiting process in all.']);
	assert.deepEqual(ofOne('approve', {runnable: 2, fitting: 10_000}), ['2 waiting processes can run then that nobody else could.', 'It may run 10000 waiting processes in all.']);
	assert.deepEqual(ofOne('approve', {runnable: 10_001, fitting: 20_000}), ['~10k waiting processes can run then that nobody else could.', 'It may run ~10k waiting processes in all.']);
});

test('a disapproval or a removal says what goes back to waiting, and what is left with nobody', () => {
	for (const change of changesForetold.filter(change => change !== 'approve')) {
		assert.deepEqual(ofOne(change), ['Nothing runs on it.', 'Nothing waits for it alone.']);
		assert.deepEqual(ofOne(change, {requeued: 1, stranded: 1}), ['1 running process goes back to waiting.', 'That leaves 1 waiting process that nobody can run.']);
		assert.deepEqual(ofOne(change, {requeued: 2, stranded: 10_001}), ['2 running processes go back to waiting.', 'That leaves ~10k waiting processes that nobody can run.']);
	}
});

test('a change of many computers speaks of them, and one of one in a list of it', () => {
	assert.deepEqual(ofMany(2, 'approve'), ['No process waits for them alone.', 'They may run nothing of what waits now.']);
	assert.deepEqual(ofMany(2, 'approve', {fitting: 3}), ['No process waits for them alone.', 'They may run 3 waiting processes in all.']);
	assert.deepEqual(ofMany(0, 'remove'), ['Nothing runs on them.', 'Nothing waits for them alone.']);
	assert.deepEqual(ofMany(1, 'approve'), ['No process waits for it alone.', 'It may run nothing of what waits now.']);
	assert.deepEqual(ofMany(1, 'approve', {fitting: 3})[1], 'It may run 3 waiting processes in all.');
});
