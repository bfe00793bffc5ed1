import assert from 'node:assert/strict';
import {PassThrough} from 'node:stream';
import {after, test} from 'node:test';
import {setImmediate} from 'node:timers/promises';
import {compose} from '../source/console/compose.ts';
import type {State} from '../source/console/state.ts';
import {Unavailable} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import {migrate} from '../source/database/index.ts';
import type {World} from '../source/console/world.ts';
import type {Context} from '../source/operations/index.ts';
import {openColony} from './support/colony.ts';
import {contextsOf, open, type OpenOptions} from './support/console.tsx';
import {freshHome} from './support/commands.ts';
import {keyMessage} from './support/console-states.ts';
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
	person.press(...Array.from({length: 9}, () => 'left'));
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

/** A plan to remove so many processes that stands at its first list until `go`. */
async function openHeld(count: number) {
	let go: () => void = () => undefined;
	const held = new Promise<void>(resolve => {
		go = resolve;
	});
	let isUnderWay = false;
	const {person, colony, processes} = await openWith(count, {contexts: withChanges(async () => {
		isUnderWay = true;
		await held;
	})});
	person.press('j', '*');
	await person.until(`* ${count} marked`);
	person.press('X');
	await person.until(`Type ${count}`);
	person.press(...Array.from({length: 9}, () => 'left'));
	await person.until('Rate: 1 a second');
	person.type(String(count));
	person.press('enter');
	await person.settled(() => isUnderWay);
	return {person, colony, processes, go};
}

test('a plan goes on while other screens are looked at, the header says how far it is, and P shows it again', async () => {
	const {person, colony, go} = await openHeld(3);
	person.press('3');
	await person.until(lines => lines[0]!.includes('plan 0/3') && lines.some(line => line.includes('approved')));
	person.press('P');
	await person.until('Under way');
	person.press('esc');
	await person.until('The plan goes on: P shows it.');
	// A minute ago there was no history yet.
	await colony.database.query('update colonies.migrations set at = at - interval \'1 hour\'');
	person.press('2', ',');
	await person.until('AS OF');
	go();
	await person.until(lines => lines[0]!.includes('plan ended'));
	assert.equal((await colony.own('process.count')).failed, 0, 'looking at the past has not stopped it');
	person.press('P');
	await person.until(/Ended .* 3 of 3 {3}3 done/);
	person.press('esc');
	await person.until(lines => !lines[0]!.includes('plan'));
});

test('the marks that were made while a plan went on stay; those of its rows go', async () => {
	const {person, colony, go} = await openHeld(2);
	const fresh = await colony.submit();
	person.press('2');
	await person.until(fresh.processid.slice(0, 8));
	person.press('g', ' ');
	await person.until('* 3 marked');
	go();
	await person.until('plan ended');
	await person.until('* 1 marked');
	assert.deepEqual([...person.state().marks.processes!.keys()], [fresh.processid]);
});

test('one plan at a time: another one, another store and read-only wait until it has ended', async () => {
	const {person, go} = await openHeld(2);
	person.press('2');
	await person.until('* 2 marked');
	person.press('R');
	await person.until('A plan is under way: P shows it, and s stops it there. There is one at a time.');
	person.press(':');
	person.type('ro');
	person.press('enter');
	await person.until('A plan is under way');
	assert.equal(person.state().readOnly, undefined);
	go();
	await person.until('plan ended');
});

test('q asks while a plan is under way, whatever is shown; n stays, y stops it and says what was done', async () => {
	const {person, colony, go} = await openHeld(4);
	person.press('q');
	await person.until('Stop the plan at 0/4 and quit?');
	person.press('n');
	await person.until('Under way');
	person.press('3', 'ctrl-c');
	await person.until('Stop the plan at 0/4 and quit?');
	assert.equal(person.hasLeft(), false);
	person.press('y');
	await person.settled(() => person.hasLeft());
	const ending = person.close();
	go();
	assert.deepEqual((await ending).outcomes, ['The plan to remove 4 processes was stopped: 1 done, 3 not tried.']);
	assert.equal((await colony.own('process.count')).failed, 3);
});

test('a second ctrl-c leaves without more ado', async () => {
	const {person, go} = await openHeld(2);
	person.press('ctrl-c', 'ctrl-c');
	await person.settled(() => person.hasLeft());
	go();
});

test('what ends the program, as SIGTERM does, says what was done of a plan', async () => {
	const colony = await openColony(database);
	const computer = await colony.computer();
	for (let index = 0; index < 3; index++) {
		await colony.close(computer, await colony.running(computer), 'failed');
	}

	const home = freshHome();
	await home.keychain.add(colony.privateKeys[0]!);
	await home.keychain.describe(colony.id, {kind: 'colony', name: 'mycolony', colonyid: colony.id});
	let go: () => void = () => undefined;
	const held = new Promise<void>(resolve => {
		go = resolve;
	});
	let isUnderWay = false;
	const stdout = Object.assign(new PassThrough({encoding: 'utf8'}), {columns: 120, rows: 36}) as unknown as NodeJS.WriteStream & PassThrough;
	const console = compose({
		contexts: withChanges(async () => {
			isUnderWay = true;
			await held;
		}), choice: {}, keychain: home.keychain, settings: home.settings, version: '1.2.3', readOnly: false,
		openDemo: async () => assert.fail('It opens no demo.'), readSpec: async () => assert.fail('It reads no file.'), print: async () => assert.fail('It prints no snapshot.'),
	}, {stdout, demo: false}, () => assert.fail('It has no looks.'));
	const {store} = console;
	const press = (...keys: string[]) => {
		for (const key of keys) {
			store.dispatch(keyMessage(key));
		}
	};

	const settled = async (isSo: () => boolean) => {
		while (!isSo()) {
			await setImmediate();
		}
	};

	console.start();
	await settled(() => store.get().lists.processes.rows.length === 3);
	press('*');
	await settled(() => store.get().marks.processes?.size === 3 && store.get().marking === undefined);
	press('X');
	await settled(() => isReady(store.get()));
	press(...Array.from({length: 9}, () => 'left'), '3', 'enter', '6');
	await settled(() => isUnderWay);
	console.stop();
	const ended = console.abandon();
	go();
	await ended;
	assert.equal(stdout.read(), 'The plan to remove 3 processes was stopped: 1 done, 2 not tried.\n');
});

const isReady = ({overlays}: State): boolean => overlays.some(overlay => overlay.kind === 'plan' && overlay.stage === 'ready');
