import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Unavailable} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import {migrate} from '../source/database/index.ts';
import type {World} from '../source/console/world.ts';
import type {Context} from '../source/operations/index.ts';
import {openColony} from './support/colony.ts';
import {contextsOf, open, type OpenOptions} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());

/** A colony with so many failed processes, and its operator before the list of them. */
async function openWith(count: number, options: Partial<OpenOptions> = {}) {
	const colony = await openColony(database);
	const computer = await colony.computer();
	const processes: Process[] = [];
	for (let index = 0; index < count; index++) {
		const process = await colony.running(computer, {computertype: index % 2 === 0 ? 'even' : 'odd'});
		processes.push(process);
		await colony.close(computer, process, 'failed');
	}

	const person = await open({database, colonies: [colony], ...options});
	await person.until('live');
	if (count > 0) {
		await person.until(`1-${Math.min(count, 22)} of ${count}`);
	}

	return {colony, computer, processes, person};
}

const markedRows = (lines: string[]): number => lines.filter(line => /^│[> ]\*/.test(line)).length;

test('space marks and goes on, v marks a range, and esc clears the marks before the filter', async () => {
	const {person} = await openWith(6);
	person.press('j', ' ', ' ');
	await person.until('* 2 marked');
	assert.equal(markedRows(person.lines()), 2);
	person.press('j', 'v', 'j', 'j');
	await person.until('* 5 marked (range)');
	person.press('k');
	await person.until('* 4 marked (range)');
	person.press('v', 'g', ' ');
	await person.until(lines => lines.some(line => line.includes('* 3 marked')));
	person.press('/');
	person.type('type:even');
	person.press('enter');
	await person.until('1-3 of 3');
	await person.until('* 3 marked');
	person.press('esc');
	await person.until(lines => !lines.some(line => line.includes('marked')));
	await person.until('/type:even');
	person.press('esc');
	await person.until('1-6 of 6');
});

test('a range is of its screen: v on another one, where nothing is selected, says so', async () => {
	const {person} = await openWith(1);
	person.press('3');
	await person.until('✓ approved');
	person.press('v');
	await person.until('* 1 marked (range)');
	person.press('2', 'v');
	await person.until('Nothing is selected');
});

test('marks are bound to ids: they stay on their rows whatever comes into the list', async () => {
	const {person, colony, processes} = await openWith(3);
	const marked = processes[1]!.processid.slice(0, 8);
	person.press('j', 'j', ' ');
	await person.until(new RegExp(`\\*${marked}`));
	await colony.submit();
	await person.until('1-4 of 4');
	await person.until(new RegExp(`\\*${marked}`));
	assert.equal(markedRows(person.lines()), 1);
});

test('star marks all that match, and R retries them by a plan whose count is typed', async () => {
	const {person, colony, processes} = await openWith(5);
	person.press('/');
	person.type('type:even');
	person.press('enter');
	await person.until('1-3 of 3');
	person.press('*');
	await person.until('* 3 marked');
	person.press('R');
	await person.until('Type 3 and enter to retry them');
	await person.until('Plan: retry 3 processes');
	person.press('y', 'enter');
	await person.until('Type 3 to retry 3 processes; esc cancels.');
	person.type('4');
	person.press('enter');
	await person.until('It is 3, not 4; esc cancels.');
	assert.equal(await colony.state(processes[0]!), 'failed');
	person.press('backspace');
	person.type('3');
	person.press('enter');
	await person.until(/Ended .* 3 of 3 {3}3 done/);
	await person.until('Of 3 processes: 3 done.');
	assert.deepEqual(await Promise.all(processes.map(async process => colony.state(process))), ['waiting', 'failed', 'waiting', 'failed', 'waiting']);
	person.press('c');
	await person.until('Copied the report');
	assert.deepEqual(person.copied[0]!.split('\n').map(line => (JSON.parse(line) as {outcome: string}).outcome), ['done', 'done', 'done']);
	person.press('esc');
	await person.until('1-3 of 3');
	assert.equal(markedRows(person.lines()), 0);
});

test('what changes between mark and plan, or between plan and its turn, is left alone and told of', async () => {
	const {person, colony, processes} = await openWith(5);
	person.press('j', 'v', 'G');
	await person.until('* 5 marked (range)');
	const [first, second, third] = processes as [Process, Process, Process];
	await colony.own('process.retry', {processid: first.processid});
	await colony.own('process.remove', {processid: second.processid});
	await person.until('· waiting');
	person.press('X');
	await person.until('Type 3 and enter to remove them');
	await person.until('it has changed since it was seen: failed, now waiting');
	await person.until('there is no such process (any more)');
	await colony.own('process.retry', {processid: third.processid});
	person.type('3');
	person.press('enter');
	await person.until(/Ended .* 3 of 3 {3}2 done, 1 changed since/);
	await person.until(new RegExp(`- changed +${third.processid.slice(0, 4)}`));
	assert.equal(await colony.state(first), 'waiting');
	assert.equal(await colony.state(third), 'waiting');
	const counts = await colony.own('process.count');
	assert.deepEqual(counts, {waiting: 2, running: 0, successful: 0, failed: 0});
});

test('one that is marked has the usual question, and is left alone when it has changed since', async () => {
	const {person, colony, processes} = await openWith(2);
	const newest = processes[1]!;
	person.press('j', ' ');
	await person.until('* 1 marked');
	person.press('X');
	await person.until(`Remove the failed process ${newest.processid.slice(0, 8)}?`);
	await colony.own('process.retry', {processid: newest.processid});
	person.press('y');
	await person.until(/has changed since it was looked at: it is waiting now/);
	assert.equal(await colony.state(newest), 'waiting');
});

test('computers are approved together, and those that are already are left out', async () => {
	const {person, colony, computer} = await openWith(0);
	const pending = await Promise.all(['one', 'two', 'three'].map(async name => colony.computer({state: 'pending', name, cores: 64})));
	await colony.submit({cores: 64});
	await colony.submit({cores: 32});
	person.press('3');
	await person.until('1-4 of 4');
	person.press('*');
	await person.until('* 4 marked');
	person.press('A');
	await person.until('Type 3 and enter to approve them');
	await person.until('it is approved already');
	await person.until('2 waiting processes can run then.');
	await colony.own('computer.remove', {computerid: pending[0]!.id});
	person.type('3');
	person.press('enter');
	await person.until(/Ended .* 3 of 3 {3}2 done, 1 gone/);
	assert.equal((await colony.own('computer.get', {computerid: pending[2]!.id})).status, 1);
	assert.equal((await colony.own('computer.get', {computerid: computer.id})).status, 1);
});

/** Contexts on the database whose lists of changes do this first, or fail. */
function withChanges(before: (call: number) => void | Promise<void>): World['contexts'] {
	const contexts = contextsOf(database);
	let calls = 0;
	return {
		...contexts,
		async open(choice, options) {
			const context: Context = await contexts.open(choice, options);
			return {
				...context,
				async runMany(caller, name, inputs, options) {
					if (name !== 'process.version') {
						await before(calls++);
					}

					return context.runMany(caller, name, inputs, options);
				},
			};
		},
	};
}

test('a plan waits while the store is away, and goes on by itself', async () => {
	let isAway = true;
	const {person} = await openWith(3, {contexts: withChanges(() => {
		if (isAway) {
			throw new Unavailable('The connection to the database was lost.');
		}
	})});
	person.press('j', '*');
	await person.until('* 3 marked');
	person.press('R');
	await person.until('Type 3');
	person.type('3');
	person.press('enter');
	await person.until('Waits: The connection to the database was lost.');
	person.press('esc');
	await person.until('It is under way: s stops it');
	isAway = false;
	await person.until(/Ended .* 3 done/);
});

test('a plan is stopped before its next list, at another rate than it began', async () => {
	let go: () => void = () => undefined;
	const held = new Promise<void>(resolve => {
		go = resolve;
	});
	let isUnderWay = false;
	const {person, colony} = await openWith(4, {contexts: withChanges(async () => {
		isUnderWay = true;
		await held;
	})});
	person.press('j', '*');
	await person.until('* 4 marked');
	person.press('X');
	await person.until('Type 4');
	person.press('left', 'left', 'left', 'left', 'left');
	await person.until('Rate: 1 a second');
	person.type('4');
	person.press('enter');
	await person.settled(() => isUnderWay);
	person.press('s');
	await person.until('Stopping');
	go();
	await person.until(/Ended .* 4 of 4 {3}1 done, 3 not tried/);
	assert.equal((await colony.own('process.count')).failed, 3);
});
