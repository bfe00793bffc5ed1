import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Ask} from '../source/console/answers.ts';
import {
	answerIn, askAll, askChanged, askDue, askNew, takeAnswer,
} from '../source/console/asking.ts';
import {initialState, type State, type Step} from '../source/console/state.ts';

const ask: Ask = {slot: 'explain', key: 'one', operation: 'process.explain', input: {}, topics: ['processes']};
const processes = new Set(['processes']);

/** A console that keeps what a step leaves and tells what was asked. */
class Asker {
	state: State = initialState({columns: 80, rows: 24, now: 1_000_000, version: '1.2.3'});

	constructor(readonly asks: readonly Ask[] = [ask]) {}

	/** The slots that a step asks for. */
	step(step: (state: State, asks: readonly Ask[]) => Step): string[] {
		const [state, effects] = step(this.state, this.asks);
		this.state = state;
		return effects.map(effect => effect.type === 'ask' ? effect.ask.slot : effect.type);
	}

	change(topics: ReadonlySet<string> = processes): string[] {
		return this.step((state, asks) => askChanged(state, asks, topics));
	}

	pass(milliseconds: number): this {
		this.state = {...this.state, now: this.state.now + milliseconds};
		return this;
	}

	/** The latest question of a slot is answered. */
	answer(slot = 'explain', result: unknown = 'result'): this {
		this.state = takeAnswer(this.state, slot, this.state.answers[slot]!.sequence, {result, at: this.state.now});
		return this;
	}
}

/** With an answer that has just come. */
function answered(asks?: readonly Ask[]): Asker {
	const asker = new Asker(asks);
	asker.step(askNew);
	for (const {slot} of asker.asks) {
		asker.answer(slot);
	}

	return asker;
}

test('what has come into sight is asked once', () => {
	const asker = new Asker();
	assert.deepEqual(asker.step(askNew), ['explain']);
	assert.deepEqual(asker.step(askNew), []);
	assert.deepEqual(asker.answer().step(askNew), []);
});

test('after a change nothing is asked again within a second of the last time; at the next tick it is', () => {
	const asker = answered().pass(999);
	assert.deepEqual(asker.change(), []);
	assert.deepEqual(asker.change(), []);
	assert.deepEqual(asker.pass(1).step(askDue), ['explain']);
});

test('after a change what was quiet for a second is asked again at once', () => {
	const asker = answered().pass(1000);
	assert.deepEqual(asker.change(), ['explain']);
});

test('a change while the answer is awaited is asked for after it', () => {
	const asker = new Asker();
	asker.step(askNew);
	assert.deepEqual(asker.pass(1500).change(), []);
	assert.deepEqual(asker.step(askDue), [], 'two questions are under way at once');
	assert.deepEqual(asker.answer().step(askDue), ['explain']);
	assert.deepEqual(asker.answer().step(askDue), []);
});

test('a change of something else asks nothing', () => {
	const asker = answered([ask, {...ask, slot: 'pulse', topics: undefined}]).pass(1500);
	assert.deepEqual(asker.change(new Set(['colonies'])), []);
	assert.deepEqual(asker.step(askDue), []);
	assert.deepEqual(asker.change(), ['explain']);
});

test('what nobody announced is asked again after two seconds, or after the time that it names', () => {
	const asker = answered([ask, {...ask, slot: 'slow', every: 5000}]);
	assert.deepEqual(asker.pass(1999).step(askDue), []);
	assert.deepEqual(asker.pass(1).step(askDue), ['explain']);
	assert.deepEqual(asker.answer().pass(2999).step(askDue), ['explain']);
	assert.deepEqual(asker.pass(1).step(askDue), ['slow']);
});

test('on demand all is asked again, and what is awaited once more after its answer', () => {
	const asker = answered([ask, {...ask, slot: 'other'}]);
	asker.pass(3000).step(state => askDue(state, [ask]));
	assert.deepEqual(asker.step(askAll), ['other']);
	assert.deepEqual(asker.answer().step(askDue), ['explain']);
});

test('an answer to an earlier question is dropped, and one about another key is not shown', () => {
	const asker = new Asker();
	asker.step(askNew);
	asker.pass(3000).answer().step(askDue);
	const old = asker.state;
	asker.state = takeAnswer(asker.state, 'explain', 1, {result: 'old'});
	assert.equal(asker.state, old);
	asker.answer('explain', 'new');
	assert.deepEqual(answerIn(asker.state, 'explain', 'one', 'process.explain').result, 'new');
	assert.deepEqual(answerIn(asker.state, 'explain', 'two', 'process.explain'), {loading: true});
});

test('the answer before stays in sight while it is asked again, and goes when it is about something else', () => {
	const asker = answered().pass(2000);
	asker.step(askDue);
	assert.equal(asker.state.answers.explain!.result, 'result');
	asker.step(state => askNew(state, [{...ask, key: 'two'}]));
	assert.equal(asker.state.answers.explain!.result, undefined);
});
