
import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Change} from '../source/database/history.ts';
import {createIdentity} from '../source/identity/index.ts';
import {
	momentOf, openAny, openColony, refused, root,
} from './support/colony.ts';

const database = await openAny();
const colony = await openColony(database);

test('a change that lists of the past could not undo does not compile', () => {
	const about = {subject: 'a'.repeat(64), colony: colony.id};
	const attempt = {computer: null, start: null, retries: 0, type: ''};
	const changes: Change[] = [
		// @ts-expect-error -- an edit without its former value
		{...about, kind: 'edited', noun: 'computer', what: 'computer.rename', after: {name: 'edge'}},
		// @ts-expect-error -- a move without the state that it ends
		{...about, kind: 'moved', noun: 'computer', what: 'computer.approve', to: 'approved'},
		// @ts-expect-error -- a move of a process without its attempt
		{...about, kind: 'moved', noun: 'process', what: 'process.successful', from: 'running', to: 'successful'},
		// @ts-expect-error -- a process that waits again without what its attempt had written
		{...about, kind: 'moved', noun: 'process', what: 'process.retry', from: 'failed', to: 'waiting', attempt},
		// @ts-expect-error -- a removal without the image of what was removed
		{...about, kind: 'removed', noun: 'colony', what: 'colony.remove'},
		// @ts-expect-error -- the removal of a process without the state that it was in
		{...about, kind: 'removed', noun: 'process', what: 'process.remove', image: {}},
		// @ts-expect-error -- an attribute that says nothing of the value before it
		{...about, kind: 'written', noun: 'attribute', what: 'attribute.add', attribute: {type: 'out', key: 'a', value: 'b'}},
		// @ts-expect-error -- something that was there before as if it were not
		{...about, kind: 'created', noun: 'process', what: 'process.submit', to: 'waiting'},
		{...about, kind: 'noted', noun: 'installation', what: 'database.rootpassword'},
	];
	assert.equal(changes.length, 9);
});

test('a computer has another name from then on, and the one before in lists of the past', async () => {
	const {id: computerid} = await colony.computer({name: 'lab'});
	const before = await momentOf(database);
	const renamed = await colony.own('computer.rename', {computerid, name: 'edge ä'});
	assert.deepEqual(renamed, await colony.own('computer.get', {computerid}));
	assert.equal(renamed.name, 'edge ä');
	const between = await momentOf(database);
	await colony.own('computer.rename', {computerid, name: 'core'});
	const after = await momentOf(database);
	const namesAt = async (at: string) => {
		const {rows} = await colony.own('computer.list', {at, count: 1000});
		assert.equal((await colony.own('computer.get', {computerid, at})).name, rows.find(computer => computer.computerid === computerid)!.name);
		return rows.filter(computer => computer.computerid === computerid).map(({name}) => name);
	};

	assert.deepEqual([await namesAt(before), await namesAt(between), await namesAt(after)], [['lab'], ['edge ä'], ['core']]);
	await refused(colony.own('computer.rename', {computerid, name: 'core'}), 'conflict', /is named "core" already/);
	await refused(colony.own('computer.rename', {computerid: 'f'.repeat(64), name: 'x'}), 'not-found');
	await refused(colony.own('computer.rename', {computerid, name: 'a\nb'}), 'invalid-input');

	// What it was called stays told when it is gone, and of another one that comes under its id.
	await colony.own('computer.remove', {computerid});
	await colony.own('computer.register', {computerid, spec: {name: 'new'}});
	await colony.own('computer.rename', {computerid, name: 'newer'});
	assert.deepEqual([await namesAt(before), await namesAt(between), await namesAt(after), await namesAt(await momentOf(database))], [['lab'], ['edge ä'], ['core'], ['newer']]);
	const {rows: [entry]} = await colony.own('audit.list', {what: 'computer.rename', count: 1});
	const {detail, name, signed} = await colony.own('audit.get', {entry: entry!.id});
	assert.deepEqual([detail, name, signed], [{name: 'newer', before: {name: 'new'}}, 'newer', true]);
	const found = await colony.own('audit.list', {text: 'edge', count: 10});
	assert.ok(found.rows.some(({what}) => what === 'computer.rename'), 'it is found by a name that it had');
});

test('a colony has another name from then on, and the one before in lists of the past', async () => {
	const {id: colonyid} = await openColony(database, colony.broker);
	const run = colony.broker.run.bind(colony.broker);
	const nameOf = async (at?: string) => (await run(root, 'colony.list', {count: 1000, ...(at === undefined ? {} : {at})})).rows.filter(each => each.colonyid === colonyid).map(({name}) => name);
	const [first] = await nameOf();
	const before = await momentOf(database);
	assert.deepEqual(await run(root, 'colony.rename', {colonyid, name: 'second'}), {colonyid, name: 'second'});
	const between = await momentOf(database);
	await run(root, 'colony.rename', {colonyid, name: 'third'});
	const after = await momentOf(database);
	assert.deepEqual([await nameOf(before), await nameOf(between), await nameOf(after), await nameOf()], [[first], ['second'], ['third'], ['third']]);
	await refused(run(root, 'colony.rename', {colonyid, name: 'third'}), 'conflict', /is named "third" already/);
	await refused(run({identity: createIdentity().identity}, 'colony.rename', {colonyid, name: 'x'}), 'not-allowed');
	await run(root, 'colony.remove', {colonyid});
	assert.deepEqual([await nameOf(before), await nameOf(between), await nameOf(after), await nameOf()], [[first], ['second'], ['third'], []]);
});

test('what the history says of names is what there is, and a name that was put in by hand is found', async () => {
	const {id: computerid} = await colony.computer({name: 'one'});
	await colony.own('computer.rename', {computerid, name: 'two'});
	const deviations = async () => (await colony.own('audit.present')).deviations.filter(({subject}) => subject === computerid);
	assert.deepEqual(await deviations(), []);
	await database.query('update colonies.computers set name = \'one\' where computer_id = colonies.bytes_of($1)', [computerid]);
	const [deviation] = await deviations();
	assert.match(deviation!.message, /has the name "one"; by the history .* it is "two"/);
	await database.query('update colonies.computers set name = \'two\', status = 0 where computer_id = colonies.bytes_of($1)', [computerid]);
	assert.match((await deviations())[0]!.message, /"pending"/);
});
