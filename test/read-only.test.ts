import assert from 'node:assert/strict';
import {test} from 'node:test';
import {brokerContext} from '../source/contexts/index.ts';
import {guarded, isReading, type OperationName, operations} from '../source/operations/index.ts';
import {openAny, openColony} from './support/colony.ts';

const database = await openAny();
const colony = await openColony(database);

test('what only reads is what changes nothing and is no operator\'s change', () => {
	const reading = new Set((Object.keys(operations) as OperationName[]).filter(name => isReading(name)));
	for (const name of ['colony.get', 'process.list', 'process.reasons', 'computer.forecast', 'audit.verify'] as const) {
		assert.ok(reading.has(name), name);
	}

	for (const name of ['process.submit', 'process.assign', 'process.retry', 'attribute.add', 'computer.approve', 'database.rootpassword', 'history.retention'] as const) {
		assert.ok(!reading.has(name), name);
	}
});

test('a guarded context refuses every change before it is carried out, for as long as there is a reason', async () => {
	let isReadOnly = true;
	const context = guarded(brokerContext(database, {kind: 'embedded', name: 'embedded', local: true}), () => isReadOnly ? {message: 'The console is read-only.', hint: 'Say :rw.'} : undefined);
	const caller = {identity: colony.owner};
	const spec = {targetcolonyid: colony.id};
	await assert.rejects(context.run(caller, 'process.submit', {spec}), {code: 'not-allowed', message: 'The console is read-only. Nothing was changed.', hint: 'Say :rw.'});
	await assert.rejects(context.runMany(caller, 'process.submit', [{spec}]), {code: 'not-allowed'});
	assert.equal((await context.run(caller, 'process.count', {colonyid: colony.id})).waiting, 0);
	isReadOnly = false;
	const {processid} = await context.run(caller, 'process.submit', {spec});
	isReadOnly = true;
	assert.equal((await context.run(caller, 'process.get', {colonyid: colony.id, processid})).processid, processid);
});
