import assert from 'node:assert/strict';
import {test} from 'node:test';
import {detailLines} from '../source/console/views/detail.ts';
import {scrollEnd} from '../source/console/views/overlay-pages.ts';
import {drawnOf} from '../source/console/views/rows.ts';
import {openAny, openColony} from './support/colony.ts';
import {open} from './support/console.tsx';

const colony = await openColony(await openAny());
const {database} = colony;
const small = await colony.computer({name: 'small', cores: 2, mem: 1000, gpus: 0});
const large = await colony.computer({name: 'large', cores: 64, mem: 64_000, gpus: 4});

/** A process that came back from one computer and failed on the other, with whatever may be on one. */
async function troubled() {
	const process = await colony.submit({targetcomputerids: [small.id, large.id], computertype: 'render', cores: 2, mem: 500, in: {scene: 'a.blend', api_key: 'hush', frames: '1'.repeat(5000)}});
	const first = await colony.assign(large);
	await colony.add(large, first, {key: 'progress', value: '40%'});
	await colony.own('computer.disapprove', {computerid: large.id});
	await colony.own('computer.approve', {computerid: large.id});
	const second = await colony.assign(small);
	await colony.add(small, second, {key: 'reason', value: 'no memory', type: 'err'});
	await colony.close(small, second, 'failed');
	return process;
}

const see = async (size: {columns: number; rows: number}) => {
	const person = await open({database, colonies: [colony], ...size});
	await person.until('live');
	await person.until('render');
	return person;
};

for (const [columns, rows] of [[120, 70], [80, 24], [60, 15]] as const) {
	test(`an open process tells its time line, its requirements and its earlier attempts at ${columns}x${rows}`, async () => {
		await troubled();
		const person = await see({columns, rows});
		person.press('g', 'j', 'g', 'enter');
		const wanted = ['submitted by the owner', 'assigned to large', 'back to waiting: computer disapproved', 'assigned to small', '✗ failed on small', 'Requirements beside small', '✓ cores', 'In', 'api_key = ••••••••', '904 characters more', 'reason = no memory', 'Earlier attempts', 'progress = 40%'];
		await person.settled(() => person.state().answers.steps?.result !== undefined && person.state().answers.assigned?.result !== undefined);
		const all = new Set<string>();
		for (let isEnd = false; !isEnd;) {
			const state = person.state();
			const top = state.overlays.at(-1)!;
			assert.equal(top.kind, 'detail');
			isEnd = top.scroll === scrollEnd(top, state);
			await person.settled(() => person.frame().includes(` ${top.scroll + 1}-`) && person.frame().includes(`of ${detailLines(top, state).length} `));
			for (const line of person.lines()) {
				all.add(line.replaceAll('│', '').trim());
			}

			person.press('pgdn');
			await person.settled(() => isEnd || (person.state().overlays.at(-1) as typeof top).scroll > top.scroll);
		}

		const seen = [...all].join('\n');
		for (const text of wanted) {
			assert.ok(seen.includes(text) || seen.replaceAll(/\s+/g, ' ').includes(text), `${text}\n${seen}`);
		}

		assert.ok(!seen.includes('hush'));
	});
}

test('one value is unmasked or unfolded alone, and folded again', async () => {
	await troubled();
	const person = await see({columns: 100, rows: 60});
	person.press('j', 'g', 'enter');
	await person.until('api_key = ••••••••');
	person.press('enter');
	await person.until('No attribute is chosen');
	person.press('tab', 'tab');
	await person.until('> api_key');
	person.press('enter');
	await person.until('api_key = hush');
	person.press('enter');
	await person.until('api_key = ••••••••');
	person.press('tab');
	await person.until('> frames');
	const lines = () => detailLines(person.state().overlays.at(-1) as never, person.state()).map(line => drawnOf(line)).join('\n');
	assert.match(lines(), /904 characters more/);
	person.press('enter');
	await person.settled(() => !lines().includes('characters more'));
	assert.match(lines(), /•{8}/);
});

test('a failed process is seen beside the last success of its type', async () => {
	const good = await colony.running(large, {computertype: 'render', cores: 2, mem: 500, in: {scene: 'b.blend', api_key: 'hushhush'}});
	await colony.close(large, good);
	await troubled();
	const person = await see({columns: 100, rows: 40});
	person.press('j', 'g', 'D');
	await person.until('beside the last success of its type');
	await person.until(/state +failed +successful/);
	await person.until(/scene +a\.blend +b\.blend/);
	await person.until(/name +small +large/);
	await person.until(/api_key(?: +\*{3}){2}/);
	assert.doesNotMatch(person.frame(), /hush/);
	person.press('esc');
	await person.until('live');
	person.resize(60, 15);
	person.press('D');
	await person.until('beside the last success');
});
