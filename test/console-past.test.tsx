import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	openAny, openColony, rootPassword, type Colony,
} from './support/colony.ts';
import {open} from './support/console.tsx';

const database = await openAny();

const clock = async (): Promise<string> => {
	const {rows} = await database.query<{at: string}>('select clock_timestamp() as at');
	return rows[0]!.at;
};

/** A colony that has a past of an hour, and a process that has failed since a moment; the moment with it. */
async function withPast() {
	const colony = await openColony(database);
	await database.query('update colonies.migrations set at = at - interval \'2 hours\'');
	const computer = await colony.computer({name: 'lab'});
	const process = await colony.running(computer, {computertype: 'render'});
	const at = await clock();
	// What is typed is the second after it.
	for (let now = at; now <= `${utcSecond(at)}.999999Z`;) {
		now = await clock();
	}

	await colony.add(computer, process, {key: 'reason', value: 'too hot', type: 'err'});
	await colony.close(computer, process, 'failed');
	await colony.own('computer.disapprove', {computerid: computer.id});
	return {colony, process, computer, at};
}

const see = async (colony: Colony, size: {columns?: number; rows?: number} = {}) => {
	const person = await open({database, colonies: [colony], columns: 120, rows: 36, ...size});
	await person.until('live');
	return person;
};

const utcSecond = (at: string): string => new Date(Math.ceil(Date.parse(at) / 1000) * 1000).toISOString().slice(0, 19);

test('a list is shown as it was at a moment, marked so, and esc comes back to now', async () => {
	const {colony, at} = await withPast();
	const person = await see(colony);
	await person.until('✗ failed');
	person.press('t');
	await person.until('as it was at');
	person.type(`${utcSecond(at)}Z`);
	person.press('enter');
	await person.until('▸ running');
	assert.match(person.lines()[0]!, /AS OF (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d.* ±1m/);
	assert.match(person.lines()[0]!, / RO /);
	assert.doesNotMatch(person.frame(), /✗ failed/);
	await person.until(/RUN 1 .*FAIL 0 .*1 approved/);
	assert.doesNotMatch(person.frame(), /too hot/);
	person.press('3');
	await person.until('✓ approved');
	assert.match(person.lines()[0]!, /AS OF/);
	person.press('2');
	await person.until('▸ running');
	person.press('esc');
	await person.until('✗ failed');
	await person.until('live');
	assert.doesNotMatch(person.lines()[0]!, /AS OF/);
});

test('nothing can be changed in the past, and the reason is said', async () => {
	const {colony, at, process} = await withPast();
	const person = await see(colony);
	await person.until('✗ failed');
	person.press('j', 't');
	person.type(`${utcSecond(at)}Z`);
	person.press('enter');
	await person.until('▸ running');
	for (const keys of [['n'], ['3', 'j', 'V'], ['2', 'j', 'X']]) {
		person.press(...keys);
		await person.until('what was cannot be changed');
	}

	await person.until('▸ running');
	person.press('j', 'enter');
	await person.until(process.processid);
	assert.doesNotMatch(person.frame(), /too hot/);
	person.press('X');
	await person.until('what was cannot be changed');
});

test('steps go back and on, their size can be changed, and after the last comes now', async () => {
	const {colony} = await withPast();
	const person = await see(colony);
	await person.until('✗ failed');
	person.press('>', '>');
	await person.until('One step is 15m now.');
	person.press(',');
	await person.until(/AS OF .* ±15m/);
	await person.until('There was nothing here');
	const first = person.state().past!.at;
	person.press(',');
	await person.settled(() => person.state().past!.at < first);
	person.press('.');
	await person.settled(() => person.state().past!.at === first);
	person.press('.', '.');
	await person.until('✗ failed');
	assert.equal(person.state().past, undefined);
	person.press('.');
	await person.until('This is now');
});

test('what is no moment, or none that can be told, is said where it was typed', async () => {
	const {colony} = await withPast();
	const person = await see(colony, {columns: 60, rows: 15});
	person.press('t');
	person.type('soon');
	person.press('enter');
	await person.until('That is no moment');
	person.press('ctrl-u');
	person.type('9999-01-01');
	person.press('enter');
	await person.until('still to come');
	person.press('ctrl-u');
	person.type('2000-01-01');
	person.press('enter');
	await person.until('The history begins at');
	await person.until('NOT READ 2000-01-01');
	await person.until('It could not be read');
	person.press('esc');
	person.press('esc');
	await person.until('live');
});

test('what changes meanwhile does not disturb a list of the past', async () => {
	const {colony, at} = await withPast();
	const person = await see(colony);
	person.press('t');
	person.type(`${utcSecond(at)}Z`);
	person.press('enter');
	await person.until('▸ running');
	await colony.submit({computertype: 'later'});
	person.pass(5000);
	person.press('r');
	await person.until(/AS OF/);
	assert.doesNotMatch(person.frame(), /later/);
	person.press('esc');
	await person.until('later');
});

test('root sees which colonies there were; who is not is told so', async () => {
	const {colony, at} = await withPast();
	const gone = await openColony(database, colony.broker);
	const between = await clock();
	await colony.broker.run({root: rootPassword}, 'colony.remove', {colonyid: gone.id});
	const person = await see(colony);
	person.press('4');
	await person.until('YOU ARE');
	person.press('t');
	await person.until('Only root sees which colonies there were');
	person.press('u');
	await person.until('Unlock root');
	person.type(rootPassword);
	person.press('enter');
	await person.until('Root is unlocked');
	const shown = () => person.state().lists.colonies.rows.map(row => (row as {colonyid: string}).colonyid);
	await person.settled(() => shown().includes(colony.id));
	assert.ok(!shown().includes(gone.id));
	person.press('t');
	person.type(between.slice(0, 26) + 'Z');
	person.press('enter');
	await person.until(/AS OF/);
	await person.settled(() => shown().includes(gone.id) && shown().includes(colony.id));
	person.press('t');
	person.type(at);
	person.press('enter');
	await person.settled(() => !shown().includes(gone.id) && shown().includes(colony.id));
	person.press('2');
	await person.until('▸ running');
	assert.match(person.lines()[0]!, /AS OF/);
	person.press('4', 'esc');
	await person.until('live');
	await person.settled(() => !shown().includes(gone.id));
});

test('screens that have no past show what is', async () => {
	const {colony} = await withPast();
	const person = await see(colony);
	person.press(',');
	await person.until('AS OF');
	person.press('6');
	await person.until('[6 Keys]'.replaceAll(/[[\]]/g, ' ').trim());
	assert.equal(person.state().past, undefined);
	person.press('t');
	await person.until('press 2, 3 or 4');
});
