import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import {parseFilter} from '../source/core/filter-language/index.ts';
import {formatSeconds} from '../source/core/time.ts';
import {sparkline} from '../source/core/sparkline.ts';
import {measures} from '../source/console/pulse.ts';
import {setColour} from '../source/console/terminal/style.ts';
import {widthOf, withoutStyle} from '../source/console/terminal/width.ts';
import {
	axisLine, barLine, barLines, formatCount, heatOf, niceTop, placeBuckets, shareOf, valuesOf,
} from '../source/console/views/chart.ts';
import {headerLines} from '../source/console/views/frame.ts';
import {bodyLines} from '../source/console/views/list.ts';
import {openAny, openColony} from './support/colony.ts';
import {open} from './support/console.tsx';
import {hostileTexts, opened, start} from './support/console-states.ts';
import {pulseOf} from './support/pulse.ts';

const blocks = [...' ▁▂▃▄▅▆▇█'];
const heightOf = (character: string): number => blocks.indexOf(character);
const values = fc.array(fc.option(fc.double({min: 0, max: 1e9, noNaN: true})), {maxLength: 130});

suite('charts', () => {
	test('buckets lie in columns without a gap, never wider than asked, and stay together while time goes on', () => {
		fc.assert(fc.property(fc.integer({min: 1, max: 500}), fc.integer({min: 1, max: 250}), fc.nat(1e9), (count, room, first) => {
			const {columns, cells} = placeBuckets(count, room, first);
			assert.ok(columns.length * cells <= room);
			assert.equal(columns[0]!.from, 0);
			assert.equal(columns.at(-1)!.to, count);
			assert.ok(columns.every(({from, to}, index) => to > from && from === (columns[index - 1]?.to ?? 0)));
			const ends = new Set(columns.map(({to}) => to + first));
			assert.ok(placeBuckets(count, room, first + 1).columns.slice(0, -2).every(({to}) => room === 1 || ends.has(to + first + 1)));
		}), {numRuns: 2000});
	});

	test('a bar is higher where the value is, never higher than the chart, and never missing where there is one', () => {
		fc.assert(fc.property(values, fc.integer({min: 1, max: 20}), fc.integer({min: 1, max: 3}), (values, height, cells) => {
			const top = niceTop(Math.max(0, ...values.map(value => value ?? 0)));
			const lines = barLines(values, {height, top, cells});
			assert.equal(lines.length, height);
			const heights = values.map((_, index) => lines.reduce((sum, line) => sum + heightOf([...line][index * cells]!), 0));
			assert.ok(lines.every(line => widthOf(line) === values.length * cells));
			for (const [index, value] of values.entries()) {
				assert.equal(heights[index] === 0, (value ?? 0) === 0);
				assert.ok(values.every((other, place) => (other ?? 0) < (value ?? 0) || heights[place]! >= heights[index]!));
			}
		}), {numRuns: 300});
	});

	test('a scale has the highest value in it, and is not much higher', () => {
		fc.assert(fc.property(fc.double({min: 1e-3, max: 1e12, noNaN: true}), value => {
			assert.ok(niceTop(value) >= value * 0.999 && niceTop(value) <= value * 2.6);
		}));
		assert.deepEqual([0, 1, 3, 16, 20, 21, 0.3].map(value => niceTop(value)), [1, 1, 5, 20, 20, 50, 0.5]);
	});

	test('columns have the sum of their buckets, or the highest', () => {
		const placement = placeBuckets(4, 2, 0);
		assert.deepEqual(valuesOf([1, 2, null, 3], placement, 'sum'), [3, 3]);
		assert.deepEqual(valuesOf([1, 2, null, null], placement, 'highest'), [2, null]);
		assert.equal(barLine([0, 1, 8, null], 2), '  ▁▁██  ');
	});

	test('labels neither touch each other nor leave their line', () => {
		fc.assert(fc.property(fc.array(fc.record({at: fc.nat(120), text: fc.stringMatching(/^[\d:]{1,6}$/)})), fc.nat(100), (labels, width) => {
			assert.ok(axisLine([...labels].sort((one, other) => one.at - other.at), width).length <= width);
		}));
		assert.equal(axisLine([{at: 0, text: '10:00'}, {at: 5, text: '10:01'}, {at: 7, text: '10:02'}, {at: 14, text: '10:03'}], 18), '10:00  10:02');
	});

	test('numbers and times are told in a few characters', () => {
		assert.deepEqual([0, 38, 999, 1000, 1234, 34_000, 999_600, 1_200_000].map(count => formatCount(count)), ['0', '38', '999', '1k', '1.2k', '34k', '1M', '1.2M']);
		assert.deepEqual([0.0005, 0.85, 1, 4.2, 45, 90, 720, 3600, 12_600, 200_000].map(seconds => formatSeconds(seconds)), ['1ms', '850ms', '1s', '4.2s', '45s', '1.5m', '12m', '1h', '3.5h', '2.3d']);
		fc.assert(fc.property(fc.double({min: 0, max: 3e8, noNaN: true}), seconds => {
			assert.ok(formatSeconds(seconds).length <= 5, formatSeconds(seconds));
		}));
		assert.deepEqual([null, 0, 0.5, 20, 4000].map(seconds => heatOf(seconds)), [' ', '1', '2', '5', '9']);
		assert.deepEqual([null, 0, 1, 5, 9].map(value => shareOf(value, 9)), [' ', '·', '1', '5', '9']);
	});

	test('a line of blocks is at most as wide as asked', () => {
		fc.assert(fc.property(fc.array(fc.nat(1e6), {maxLength: 200}), fc.nat(150), (values, width) => {
			assert.equal([...sparkline(values, width)].length, Math.min(values.length, width));
		}));
	});
});

/** The console on 1 Pulse with an answer. */
function pulseScreen({columns = 120, height = 36, ...options}: {columns?: number; height?: number} & Parameters<typeof pulseOf>[0] = {}) {
	const console = opened({screen: 'pulse', columns, height});
	console.tell({type: 'settings', utc: true});
	console.answer('pulse', pulseOf({to: start, ...options}));
	return console;
}

const bodyText = ({state}: ReturnType<typeof pulseScreen>): string[] => bodyLines(state).map(line => withoutStyle(line).trimEnd());

suite('1 Pulse', () => {
	const sizes = [[60, 15], [80, 24], [120, 36], [200, 50]] as const;

	for (const [columns, height] of sizes) {
		test(`fills ${columns}x${height} and no more, whatever it shows`, () => {
			for (const options of [{}, {buckets: 60, step: 60}, {buckets: 120, step: 21_600, keys: Array.from({length: 20}, (_, index) => `type ${index}`), others: 7}, {keys: []}, {value: () => null}, {keys: hostileTexts.slice(0, 10)}]) {
				const console = pulseScreen({columns, height, ...options});
				for (const key of ['v', 'j', 'left', 'left', 'G', 'home', 'right', 'm', 'm', 'm', 'm', 'v', 'm', 'm', 'm']) {
					console.press(key);
					const lines = bodyLines(console.state);
					assert.equal(lines.length, height - 6);
					assert.ok(lines.every(line => widthOf(line) === columns));
				}
			}
		});
	}

	test('has a chart with a scale and times, and a line for each type under the same times', () => {
		const lines = bodyText(pulseScreen({value: (_, bucket) => bucket === 45 ? 16 : (bucket > 44 ? 8 : 0)}));
		assert.match(lines[0]!, /^ \[submitted] done failed wait p50 wait p95 run p50 run p95 {2}of all, per 10s$/);
		const top = lines.findIndex(line => line.includes('┤'));
		assert.match(lines[top]!, /^ +20 ┤$/);
		const axis = lines.findIndex(line => line.includes('└'));
		assert.match(lines[axis]!, /UTC └23:45 +23:47 +23:49/);
		assert.match(lines[axis + 1]!, /TYPE +TOTAL WAIT95$/);
		const left = lines[axis]!.indexOf('└') + 1;
		assert.deepEqual(lines.slice(axis + 2, axis + 6).map(line => line.slice(0, left).trim().replaceAll(/ +/g, ' ')), ['> all 368 16s', 'gpu 368 16s', 'cpu 368 16s', '(any) 368 16s']);
		// Each line's own highest reaches the top of its row, where the chart has it.
		assert.equal(lines[axis + 3]!.slice(left), `${' '.repeat(45)}█${'▄'.repeat(44)}`);
		assert.equal(lines[axis - 1]!.slice(left), `${' '.repeat(45)}${'█'.repeat(45)}`);
	});

	test('tells waits as digits that can be read without colour', () => {
		setColour(false);
		const console = pulseScreen({value: (line, bucket) => bucket < 80 ? null : [0.05, 0.5, 4, 100][line]!});
		console.press('m', 'm', 'm', 'm', 'v');
		const lines = bodyText(console);
		setColour(true);
		assert.deepEqual(['all', 'gpu', 'cpu', '(any)'].map(name => lines.find(line => line.slice(2).startsWith(`${name} `))!.slice(-10)), ['1111111111', '2222222222', '3333333333', '6666666666']);
		assert.match(lines.join('\n'), /1 <0\.1s {2}2 <1s/);
	});

	test('the cursor stays on its type and its time while the order and the clock go on', () => {
		const console = pulseScreen();
		console.press('j', 'j', 'left', 'left', 'left');
		const before = console.state.pulse;
		assert.equal(before.row, '=cpu');
		console.answer('pulse', pulseOf({keys: ['new', 'other', 'cpu', 'gpu', ''], to: start + 20_000}));
		const lines = bodyText(console);
		const line = lines.find(each => each.startsWith('>'))!;
		assert.match(line, /^> cpu/);
		assert.equal(lines.find(each => each.includes('└'))!.indexOf('^') - lines.find(each => each.includes('└'))!.indexOf('└'), 90 - 3 - 2 + 1);
		console.press('esc');
		assert.equal(console.state.pulse.at, undefined);
		assert.match(bodyText(console).at(-1) ?? '', /^$|cpu, 15m/);
	});

	test('enter shows the processes that a cell counts', () => {
		const console = pulseScreen();
		console.press('m', 'j', 'left', 'left');
		assert.ok(console.press('enter').some(({type}) => type === 'load'));
		assert.equal(console.state.screen, 'processes');
		assert.equal(console.state.lists.processes.tab, 3);
		const terms = parseFilter('processes', console.state.lists.processes.filter);
		assert.deepEqual(terms.map(({field, operator, value}) => [field, operator, value]), [['type', 'is', 'gpu'], ['ended', '<=', 20], ['ended', '>', 10]]);
	});

	test('enter on a line shows its whole span, of computers by their ids, and of no type', () => {
		const filters = (['type', 'computer'] as const).map(by => {
			const console = pulseScreen();
			if (by === 'computer') {
				console.press('b');
				console.answer('pulse', pulseOf({by, keys: ['a'.repeat(64)], name: 'lab', to: start}));
			}

			console.press('G', 'enter');
			return console.state.lists.processes.filter;
		});
		assert.deepEqual(filters, ['type:"" submitted<=15m', `computer:${'a'.repeat(64)} submitted<=15m`]);
	});

	test('the others are no filter, and nothing is opened before there is an answer', () => {
		const console = pulseScreen({others: 3});
		console.press('G', 'enter');
		assert.equal(console.state.screen, 'pulse');
		assert.match(console.state.notice!.text, /No filter tells the others apart/);
		const waiting = opened({screen: 'pulse'});
		waiting.press('enter', 'j', 'left', 'm');
		assert.equal(waiting.state.screen, 'pulse');
		assert.match(bodyText(waiting).join('\n'), /Counting …/);
	});

	test('another span, or kind of line, is asked for; measures are in the answer already', () => {
		const console = pulseScreen();
		const asked = (key: string) => console.press(key).flatMap(effect => effect.type === 'ask' && effect.ask.slot === 'pulse' ? [effect.ask.input] : []);
		assert.deepEqual(asked('m'), []);
		assert.deepEqual(asked(']').map(({span, by}) => [span, by]), [['1h', 'type']]);
		assert.deepEqual(asked('b').map(({span, by}) => [span, by]), [['1h', 'computer']]);
		assert.deepEqual(asked('[').map(({span, by}) => [span, by]), [['15m', 'computer']]);
	});

	test('why it cannot be counted is said in its place', () => {
		const console = opened({screen: 'pulse'});
		const {sequence} = console.state.answers.pulse!;
		console.tell({type: 'not-asked', slot: 'pulse', sequence, error: {code: 'not-allowed', message: 'Only members may.', hint: 'Press i.'}});
		assert.match(bodyText(console).join('\n'), /Only members may\.\n {2}Press i\./);
	});
});

test('the header tells the last hour, and pending computers before what is only pleasant', () => {
	for (const columns of [60, 80, 100, 120, 160]) {
		const console = opened({columns});
		console.tell({type: 'counted', colonyid: console.state.colony!.colonyid, counts: {waiting: 1234, running: 38, successful: 9, failed: 1}, computers: {pending: 1, approved: 6, disapproved: 0}});
		const line = () => withoutStyle(headerLines(console.state)[1]!).trimEnd();
		assert.match(line(), /^WAIT 1\.2k {2}RUN 38 {2}OK 9 {2}FAIL 1 {2}comp/);
		console.answer('rates', pulseOf({by: 'none', buckets: 60, step: 60, keys: [], value: (_, bucket) => bucket}));
		const [rates] = /OK\/h 1\.8k {2}FAIL\/h 1\.8k/.exec(line()) ?? [];
		assert.ok(rates, line());
		assert.ok(columns < 80 || line().endsWith('computers 6 approved 1 pending'), line());
		assert.equal(/[▁-█]/.test(line()), columns >= 120, line());
	}
});

test('what happens in a colony is on 1 Pulse, and a type of it on 2 Processes', async () => {
	const colony = await openColony(await openAny());
	const computer = await colony.computer({computertype: 'gpu'});
	for (const computertype of ['gpu', 'gpu', 'cpu']) {
		await colony.submit({computertype});
	}

	const process = await colony.assign(computer);
	await colony.close(computer, process);
	const person = await open({database: colony.database, colonies: [colony], columns: 120, rows: 36});
	await person.until(/OK\/h [1-9]/);
	person.press('1');
	await person.until(/> all +3 /);
	assert.match(person.frame(), /gpu +2 .*\n.*cpu +1 /);
	person.press('j', 'enter');
	await person.until(lines => lines.some(line => line.includes('/type:gpu submitted<=15m')) && lines.filter(line => line.includes(' gpu ')).length === 2);
	await person.close();
});
