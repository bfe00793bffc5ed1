import assert from 'node:assert/strict';
import {test} from 'node:test';
import {openAny, openColony} from './support/colony.ts';
import {open} from './support/console.tsx';

const colony = await openColony(await openAny());
const worker = await colony.computer({name: 'lab one', computertype: 'gpu_train'});
const failed = await colony.running(worker, {computertype: 'gpu_train', in: {stage: 'first'}});
await colony.add(worker, failed, {key: 'error', value: 'out of memory', type: 'err'});
await colony.close(worker, failed, 'failed');
await colony.submit({computertype: 'cpu', in: {stage: 'second part'}});

const ids = (person: Awaited<ReturnType<typeof open>>): number => person.state().lists[person.state().screen].rows.length;

test('a filter is completed field by field and value by value, out of what there is', async () => {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('gpu_train');
	person.press('/');
	person.type('sta');
	await person.until(/tab state: {2}started>/);
	person.press('tab');
	await person.until('/state:');
	person.type('f');
	await person.until('state:failed');
	person.press('tab');
	await person.until(/^\/state:failed /m);
	person.type('type:');
	await person.until('type:gpu_train');
	person.type('g');
	person.press('tab');
	await person.until('/state:failed type:gpu_train ');
	person.type('computer:la');
	await person.until('computer:"lab one"');
	person.press('tab', 'enter');
	await person.until('/state:failed type:gpu_train computer:"lab one"');
	await person.settled(() => ids(person) === 1);
	person.press('esc');
	await person.settled(() => ids(person) === 2);
});

test('several candidates are gone through with tab, forth and back', async () => {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('gpu_train');
	person.press('/');
	person.type('state:');
	await person.until('state:waiting');
	person.press('tab', 'tab');
	await person.until('/state:running ');
	person.press('shift-tab');
	await person.until('/state:waiting ');
	person.press('shift-tab');
	await person.until('/state:failed ');
	person.type('stage=s');
	await person.until('stage="second part"');
});

test('what is wrong is said while it is typed, and keeps a filter from being applied', async () => {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('gpu_train');
	person.press('/');
	person.type('sttae:x ');
	await person.until('There is no field "sttae" for processes.');
	person.press('enter');
	await person.until('Did you mean state?');
	assert.equal(person.state().lists.processes.filter, '');
	person.press('ctrl-u');
	person.type('err~memory');
	person.press('enter');
	await person.settled(() => ids(person) === 1);
	person.press('/', 'ctrl-u');
	person.type('x');
	person.press('esc');
	assert.equal(person.state().lists.processes.filter, 'err~memory');
});

test('earlier filters of a screen come back with up, and what was typed with down', async () => {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('gpu_train');
	for (const text of ['type:cpu', 'gpu']) {
		person.press('/', 'ctrl-u');
		person.type(text);
		person.press('enter');
		await person.settled(() => person.state().lists.processes.filter === text && ids(person) === 1);
	}

	person.press('/', 'ctrl-u');
	person.type('ag');
	person.press('up');
	await person.until('/gpu');
	person.press('up', 'up');
	await person.until('/type:cpu');
	person.press('down', 'down');
	await person.until('/ag');
});

test('computers, colonies and keys have the fields of their own', async () => {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('gpu_train');
	for (const [digit, screen, text, count] of [['3', 'computers', 'state:approved name~LAB', 1], ['3', 'computers', 'seen>1000d cores<1', 0], ['4', 'colonies', '-name:mycolony', 0], ['6', 'keys', 'of:colony', 1], ['6', 'keys', 'of:computer', 0]] as const) {
		person.press(digit, '/', 'ctrl-u');
		person.type(text);
		person.press('enter');
		await person.settled(() => person.state().lists[screen].filter === text && !person.state().lists[screen].loading && ids(person) === count);
	}

	person.press('3', '/', 'ctrl-u');
	person.type('wait>5m');
	person.press('enter');
	await person.until('There is no field "wait" for computers.');
});
