import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {openAny, openColony, refused} from './support/colony.ts';

const database = await openAny();
const colony = await openColony(database);
after(async () => colony.broker.close());

/** Who asked has hung up. */
const gone = AbortSignal.abort();

test('nothing is assigned for a caller who has gone', async () => {
	const computer = await colony.computer();
	const process = await colony.submit();
	const ask = async (wait: number, signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait}, {signal});
	await refused(ask(60, gone), 'nothing-to-assign', /not waited for any longer/);
	await refused(ask(0, gone), 'nothing-to-assign', /not waited for any longer/);
	assert.equal(await colony.state(process), 'waiting');
	assert.equal((await ask(0)).processid, process.processid);
});

test('what was assigned already under an idempotency key is told to a caller who has gone, too', async () => {
	const computer = await colony.computer();
	await colony.submit({targetcomputerids: [computer.id]});
	const ask = async (signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id}, {signal, idempotencyKey: 'my turn'});
	const {processid} = await ask();
	assert.equal((await ask(gone)).processid, processid);
});

test('a caller who has gone leaves nothing under its idempotency key', async () => {
	const computer = await colony.computer();
	await colony.submit({targetcomputerids: [computer.id]});
	const ask = async (signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id}, {signal, idempotencyKey: 'again'});
	await refused(ask(gone), 'nothing-to-assign');
	assert.equal((await ask()).targetcomputerids[0], computer.id);
});

test('what does not wait is carried out whoever listens', async () => {
	const {processid} = await colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {signal: gone});
	assert.equal(await colony.state({processid}), 'waiting');
});
