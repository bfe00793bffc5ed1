import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import type {Id} from '../source/core/types.ts';
import {seals} from '../source/database/index.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {operatorsChanges} from '../source/operations/operators.ts';
import {comparePresent} from '../source/operations/present.ts';
import {
	momentOf, openAny, openColony, outcomeOf, refused, refusedUnchanged, type Colony,
} from './support/colony.ts';
import {noPostgres} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {sealAll, tampering, verified} from './support/tampering.ts';

const database = await openAny();
// Before the tests, some of which look at everything that there is.
const paths = [['together', await openColony(database)], ['one by one', await openColony(database, new Broker(database, {local: true, groups: false}))]] as const;
const guarded = await openColony(database);
const {id: edge} = await guarded.computer({name: 'edge'});
const other = await guarded.computer({name: 'other'});
const remembered = await openColony(database);

const fresh = (): Identity => createIdentity().identity;
const present = fresh();
await guarded.own('computer.rekey', {computerid: edge, keyid: present.id});
const unknown = /is neither the owner nor a computer of the colony/;

/** Gives a computer of a colony another key. @returns who proves to be it from then on */
async function rekey(colony: Colony, computerid: Id, identity = fresh()): Promise<Identity> {
	await colony.own('computer.rekey', {computerid, keyid: identity.id});
	return identity;
}

for (const [path, colony] of paths) {
	suite(`a computer with another key, calls ${path}`, () => {
		test('is what it was, and its old key opens nothing', async () => {
			const old = await colony.computer({name: 'edge', computertype: 'a'});
			const before = await colony.own('computer.get', {computerid: old.id});
			const held = [await colony.running(old, {timeout: 600}), await colony.running(old)];
			await colony.add(old, held[0]!, {key: 'step', value: '1'});
			const present = await rekey(colony, old.id);
			assert.deepEqual(await colony.as(present, 'computer.get', {colonyid: colony.id, computerid: old.id}), {...before, keyid: present.id});
			assert.equal(await colony.state(held[0]!), 'running');

			await colony.submit({targetcomputerids: [old.id]});
			const calls: Array<(identity: Identity) => Promise<unknown>> = [
				async identity => colony.as(identity, 'computer.get', {colonyid: colony.id, computerid: old.id}),
				async identity => colony.as(identity, 'process.list', {colonyid: colony.id}),
				async identity => colony.submit({}, identity),
				async identity => colony.add(identity, held[0]!, {key: 'step', value: '2'}),
				async identity => colony.close(identity, held[0]!),
				async identity => colony.close(identity, held[1]!, 'failed'),
				async identity => colony.assign(identity),
				async identity => colony.as(identity, 'process.assign', {colonyid: colony.id, computerid: old.id}),
			];
			for (const call of calls) {
				await refusedUnchanged(database, async () => call(old), 'not-allowed', unknown);
			}

			for (const call of calls.slice(0, -1)) {
				await call(present);
			}

			assert.equal((await colony.get(held[0]!)).assignedcomputerid, old.id);
			const actors = await colony.history().then(rows => rows.filter(({subject_id: subject}) => subject === held[0]!.processid).map(({actor}) => actor));
			assert.deepEqual(new Set(actors), new Set([colony.id, old.id]), 'The history names the computer, whichever key signed.');
			assert.ok((await colony.own('process.list', {computerid: old.id})).rows.length >= 2);
		});

		test('names itself by its id, and by no other', async () => {
			const {id} = await colony.computer();
			const present = await rekey(colony, id);
			await colony.submit({targetcomputerids: [id]});
			await refused(colony.as(present, 'process.assign', {colonyid: colony.id, computerid: present.id}), 'not-allowed');
			const {assignedcomputerid} = await colony.as(present, 'process.assign', {colonyid: colony.id, computerid: id});
			assert.equal(assignedcomputerid, id);
		});

		test('that is pending sees itself alone', async () => {
			const {id} = await colony.computer({state: 'pending'});
			const present = await rekey(colony, id);
			const {rows} = await colony.as(present, 'computer.list', {colonyid: colony.id});
			assert.deepEqual(rows.map(({computerid, keyid}) => [computerid, keyid]), [[id, present.id]]);
			await refused(colony.assign(present), 'not-allowed', /This computer is pending/);
		});

		test('has one key at a time, and may have its first one back', async () => {
			const first = await colony.computer();
			const second = await rekey(colony, first.id);
			const third = await rekey(colony, first.id);
			const good = async () => Promise.all([first, second, third].map(async identity => outcomeOf(colony.as(identity, 'process.count', {colonyid: colony.id}))));
			assert.deepEqual(await good(), ['not-allowed', 'not-allowed', 'done']);
			await rekey(colony, first.id, second);
			assert.deepEqual(await good(), ['not-allowed', 'done', 'not-allowed']);
			await rekey(colony, first.id, first);
			assert.deepEqual(await good(), ['done', 'not-allowed', 'not-allowed']);
			assert.equal('keyid' in await colony.own('computer.get', {computerid: first.id}), false);
			await colony.running(first);
		});

		test('hears the same under an idempotency key, whichever key signed', async () => {
			const old = await colony.computer({computertype: 'once'});
			const process = await colony.submit({computertype: 'once'});
			const assign = async (identity: Identity) => colony.broker.run({identity}, 'process.assign', {colonyid: colony.id}, {idempotencyKey: 'one'});
			const first = await assign(old);
			const present = await rekey(colony, old.id);
			assert.deepEqual(await assign(present), first);
			assert.equal(first.processid, process.processid);
			await refused(assign(old), 'not-allowed', unknown);
		});

		test('works in groups as any other, once its key is known', {skip: path === 'together' ? noPostgres : 'These go one by one.'}, async () => {
			const present = await rekey(colony, (await colony.computer({computertype: 'grouped'})).id);
			await Promise.all(Array.from({length: 20}, async () => colony.submit({computertype: 'grouped'})));
			let calls: Record<string, number> = {};
			const stop = colony.broker.hearCommitted(({group}) => {
				if (group !== undefined) {
					calls = {...calls, [group.operation]: (calls[group.operation] ?? 0) + group.calls};
				}
			});
			const processes = await Promise.all(Array.from({length: 20}, async () => colony.assign(present)));
			await Promise.all(processes.map(async process => colony.close(present, process)));
			await Promise.all(processes.map(async () => colony.submit({computertype: 'grouped'}, present)));
			stop();
			assert.deepEqual(calls, {'process.assign': 20, 'process.successful': 20, 'process.submit': 20});
		});

		test('is served while it waits for work, and its old key is not', {timeout: 60_000}, async () => {
			const old = await colony.computer({computertype: 'waited'});
			const wait = async (identity: Identity) => colony.as(identity, 'process.assign', {colonyid: colony.id, wait: 60});
			const waiting = wait(old);
			waiting.catch(() => undefined);
			await eventually(() => colony.broker.waiting.size === 1, 'It does not wait.');
			const present = await rekey(colony, old.id);
			const {processid} = await colony.submit({computertype: 'waited'});
			await refused(waiting, 'not-allowed', unknown);
			assert.equal(await colony.state({processid}), 'waiting');
			assert.equal((await wait(present)).processid, processid);
		});

		test('that is changed while it works loses nothing, and what its old key asks later is refused', async () => {
			for (let round = 0; round < 8; round++) {
				const type = `race ${round}`;
				const old = await colony.computer({computertype: type});
				const processes = await Promise.all(Array.from({length: 12}, async () => colony.submit({computertype: type})));
				const outcomes: string[] = [];
				const ask = async (identity: Identity) => {
					const outcome = await outcomeOf((async () => {
						const process = await colony.assign(identity);
						await colony.close(identity, process);
					})());
					outcomes.push(outcome);
				};

				let present: Identity | undefined;
				await Promise.all([
					...Array.from({length: 6}, async () => ask(old)),
					(async () => {
						present = await rekey(colony, old.id);
						await refused(colony.assign(old), 'not-allowed', unknown);
					})(),
					...Array.from({length: 6}, async () => ask(old)),
				]);
				assert.ok(outcomes.every(outcome => ['done', 'not-allowed'].includes(outcome)), outcomes.join(' '));
				const {rows: running} = await colony.own('process.list', {state: 'running', computerid: old.id, count: 100});
				await Promise.all(running.map(async process => colony.close(present!, process)));
				const {rows: waiting} = await colony.own('process.list', {state: 'waiting', computertype: type, count: 100});
				await Promise.all(waiting.map(async () => ask(present!)));
				const states = await Promise.all(processes.map(async process => colony.state(process)));
				assert.deepEqual(new Set(states), new Set(['successful']));
				// Nothing was given to the old key after the change.
				const {rows: [late]} = await database.query<{count: number}>(
					`select count(*)::int as count from colonies.history a join colonies.history r on r.subject_id = a.actor and r.what = 'computer.rekey'
					where a.actor = colonies.bytes_of($1) and a.what = 'process.assign' and a.at > r.at and not a.subject_id = any (colonies.bytes_of_all($2))`,
					[old.id, waiting.map(({processid}) => processid)],
				);
				assert.equal(late!.count, 0);
			}
		});
	});
}

suite('what is refused', () => {
	const [colony, computerid] = [guarded, edge];
	const refusedKey = async (input: {computerid?: Id; keyid: Id}, code: 'conflict' | 'not-found' | 'invalid-input', pattern: RegExp) => refusedUnchanged(database, async () => colony.own('computer.rekey', {computerid, ...input}), code, pattern);

	test('the key that it has, another computer\'s, and the colony\'s', async () => {
		await refusedKey({keyid: present.id}, 'conflict', /^The computer "edge" has the key "[\da-f]{64}" already\.$/);
		await refusedKey({computerid: other.id, keyid: other.id}, 'conflict', /^The computer "other" has the key/);
		await refusedKey({keyid: other.id}, 'conflict', /^The key "[\da-f]{64}" is that of the computer "other" of this colony\.$/);
		await refusedKey({computerid: other.id, keyid: present.id}, 'conflict', /is that of the computer "edge"/);
		await refusedKey({computerid: other.id, keyid: computerid}, 'conflict', /is that of the computer "edge"/);
		await refusedKey({keyid: colony.id}, 'conflict', /is the colony's/);
		await refusedKey({computerid: fresh().id, keyid: fresh().id}, 'not-found', /There is no computer/);
		await refusedKey({keyid: 'f'.repeat(63)}, 'invalid-input', /keyid/);
	});

	test('a computer under the key of another', async () => {
		await refusedUnchanged(database, async () => colony.own('computer.register', {computerid: present.id, spec: {name: 'again'}}), 'conflict', /is that of the computer "edge"/);
	});

	test('another key for the owner, registered as a computer', async () => {
		await colony.own('computer.register', {computerid: colony.id, spec: {name: 'owner'}});
		await refusedKey({computerid: colony.id, keyid: fresh().id}, 'conflict', /its key is the owner's/);
	});

	test('one key for two, the first that comes', {skip: noPostgres}, async () => {
		for (let round = 0; round < 10; round++) {
			const [one, two] = [await colony.computer(), await colony.computer()];
			const key = fresh();
			const outcomes = await Promise.all([
				outcomeOf(colony.own('computer.rekey', {computerid: one.id, keyid: key.id})),
				outcomeOf(colony.own('computer.rekey', {computerid: two.id, keyid: key.id})),
				outcomeOf(colony.own('computer.register', {computerid: key.id, spec: {name: 'third'}})),
			]);
			assert.deepEqual(outcomes.sort(), ['conflict', 'conflict', 'done']);
		}
	});

	test('a key is one of a colony: another may give it to a computer of its own', async () => {
		const elsewhere = await openColony(database, colony.broker);
		await elsewhere.own('computer.register', {computerid, spec: {name: 'edge'}});
		await elsewhere.own('computer.approve', {computerid});
		await refused(elsewhere.as(present, 'process.count', {colonyid: elsewhere.id}), 'not-allowed', unknown);
		const {id} = await elsewhere.computer();
		await rekey(elsewhere, id, present);
		await elsewhere.submit({targetcomputerids: [id]});
		assert.equal((await elsewhere.assign(present)).assignedcomputerid, id);
	});
});

suite('in the history', () => {
	const colony = remembered;

	test('a change says the key before and after, lists of the past the one of then, and the present agrees', async () => {
		const {id: computerid} = await colony.computer({name: 'lab'});
		const before = await momentOf(database);
		const second = await rekey(colony, computerid);
		const between = await momentOf(database);
		const third = await rekey(colony, computerid);
		await colony.own('computer.disapprove', {computerid});
		const after = await momentOf(database);
		const keysAt = async (at: string) => {
			const {rows} = await colony.own('computer.list', {at, count: 1000});
			const found = rows.find(computer => computer.computerid === computerid);
			assert.deepEqual(await colony.own('computer.get', {computerid, at}), found);
			return found!.keyid;
		};

		const told = async () => Promise.all([before, between, after].map(async at => keysAt(at)));
		assert.deepEqual(await told(), [undefined, second.id, third.id]);
		const changes = await colony.history(computerid);
		assert.deepEqual(changes.filter(({what}) => what === 'computer.rekey').map(({actor, from_state: from, detail}) => [actor, from, detail as unknown]), [
			[colony.id, null, {keyid: second.id, before: {keyid: computerid}}],
			[colony.id, null, {keyid: third.id, before: {keyid: second.id}}],
		]);
		assert.deepEqual((await colony.own('audit.present')).deviations, []);
		const removed = await colony.own('computer.remove', {computerid});
		assert.equal(removed.keyid, third.id);
		await colony.own('computer.register', {computerid, spec: {name: 'new'}});
		await rekey(colony, computerid);
		assert.deepEqual(await told(), [undefined, second.id, third.id]);
		const {rows: [entry]} = await colony.own('audit.list', {what: 'rekey', count: 1});
		assert.deepEqual([entry!.what, entry!.signed, entry!.name], ['computer.rekey', true, 'new']);
	});

	test('a key that was put in by hand is found', async () => {
		const {id: computerid} = await colony.computer({name: 'edge'});
		await rekey(colony, computerid);
		const found = await tampering(database, async client => {
			await client.query('update colonies.computers set key_id = sha256(\'\') where computer_id = colonies.bytes_of($1)', [computerid]);
			return (await comparePresent(client, {colonyid: colony.id})).deviations;
		});
		assert.equal(found.length, 1);
		assert.match(found[0]!.message, /The computer "edge" .* has the key "[\da-f]{64}"; by the history .* it is "[\da-f]{64}"/);
	});

	test('what the owner signed for verifies, with both keys at work, and another key in its place does not', async () => {
		const old = await colony.computer();
		await colony.close(old, await colony.running(old));
		const present = await rekey(colony, old.id);
		await colony.submit({targetcomputerids: [old.id]});
		await colony.close(present, await colony.assign(present));
		await sealAll(database);
		assert.equal((await verified(database)).fault, null);
		const forged = await colony.computer();
		await rekey(colony, forged.id);
		const fault = await tampering(database, async client => {
			await client.query('update colonies.history set detail = detail || jsonb_build_object(\'keyid\', repeat(\'a\', 64)) where subject_id = colonies.bytes_of($1) and what = \'computer.rekey\'', [forged.id]);
			await seals.seal(client);
			return (await verified(client)).fault;
		});
		assert.match(fault?.message ?? '', /\(computer\.rekey\) .* has a request for another key/);
	});

	test('no computer signs what an operator does, so that verifying need not know its keys', () => {
		for (const {name, allow} of operatorsChanges) {
			assert.deepEqual([...allow.allowed, ...allow.self].filter(role => role !== 'owner' && role !== 'root'), [], name);
		}
	});
});
