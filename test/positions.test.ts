import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {migrate} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {Broker, type Caller, type OperationName} from '../source/operations/index.ts';
import {openColony, root} from './support/colony.ts';
import {noPostgres, openMemory, openPlain} from './support/databases.ts';
import {failureOf} from './support/outcomes.ts';

const stores: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openPlain],
	['the embedded database', false, openMemory],
];

for (const [name, skip, openStore] of stores) {
	test(`a position of another list, or of none, is no position in this one: ${name}`, {skip}, async () => {
		const database = await openStore();
		after(async () => database.close());
		await migrate(database);
		const broker = new Broker(database, {local: true});
		const colony = await openColony(database, broker);
		await Promise.all(['one', 'two', 'three'].map(async name => colony.computer({name})));
		const process = await colony.submit();
		await Promise.all([colony.submit(), colony.submit()]);
		const owner: Caller = {identity: colony.owner};
		const at = new Date().toISOString();
		const lists: Array<[caller: Caller, name: OperationName, input: Record<string, unknown>]> = [
			[root, 'colony.list', {}],
			[owner, 'computer.list', {colonyid: colony.id}],
			[owner, 'computer.list', {colonyid: colony.id, at}],
			[owner, 'process.list', {colonyid: colony.id}],
			[owner, 'process.list', {colonyid: colony.id, at}],
			[owner, 'process.history', {colonyid: colony.id, processid: process.processid}],
			[owner, 'audit.list', {colonyid: colony.id}],
		];
		const positions = await Promise.all(lists.map(async ([caller, list, input]) => {
			const page = await broker.run(caller, list, {...input, count: 1}) as {positions: string[]};
			return page.positions[0]!;
		}));
		const made = [['x', 'y'], [0, 'a\0', 'f'.repeat(64)], ['2026-02-31T00:00:00.000000Z', 'f'.repeat(64)], [1e300, 1], ['infinity', 1], [{}, []], [-1, 'x', 'y'], [null, null]].map(key => Buffer.from(JSON.stringify(key)).toString('base64url'));
		let refused = 0;
		for (const [caller, list, input] of lists) {
			for (const position of [...positions, ...made, 'x', '§']) {
				const outcome = await broker.run(caller, list, {...input, position}).then(() => undefined).catch((error: unknown) => error as Error & {code: string});
				if (outcome) {
					refused++;
					assert.equal(outcome.code, 'invalid-input', `${list} ${position}: ${outcome.message}`);
					assert.match(outcome.message, /is no position in this list\.$/);
				}
			}
		}

		assert.ok(refused > lists.length * made.length);
		const failure = await failureOf(broker.run(owner, 'audit.list', {colonyid: colony.id, position: positions[3]!}));
		assert.match(failure.message, /is no position in this list\.$/);
	});
}
