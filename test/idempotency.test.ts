import assert from 'node:assert/strict';
import {test} from 'node:test';
import {idempotency, migrate} from '../source/database/index.ts';
import {sha3} from '../source/identity/index.ts';
import {openAny, untilBlocked} from './support/colony.ts';
import {noPostgres} from './support/databases.ts';
import {databaseClock} from './support/database-clock.ts';

const database = await openAny();
await migrate(database);
const atTime = await databaseClock(database);
const signer = 'a'.repeat(64);
const [one, two] = [sha3('one'), sha3('two')];
const fingerprint = sha3('what it asks');
const keyed = (key: string) => ({signer, key, fingerprint});
const keep = async (key: string, subjects: readonly string[]): Promise<boolean> => database.transaction(async client => idempotency.keep(client, keyed(key), subjects));
const find = async (key: string, by = signer) => database.transaction(async client => idempotency.findKept(client, {...keyed(key), signer: by}));

/** Forgets what is old when the clock of the database is at `time`. */
const forget = async (time: string): Promise<number> => atTime(time, async client => idempotency.forgetOld(client));
const keptAt = async (time: string): Promise<void> => {
	await database.query('update colonies.idempotency_keys set kept_at = $1', [time]);
};

test('what was done under a key is found under it, with what was asked, by its signer alone', async () => {
	assert.equal(await find('order'), undefined);
	assert.equal(await keep('order', [one, two]), true);
	assert.deepEqual(await find('order'), {fingerprint, subjects: [one, two]});
	assert.equal(await find('other'), undefined);
	assert.equal(await find('order', 'b'.repeat(64)), undefined);
});

test('what was done first under a key stays', async () => {
	assert.equal(await keep('twice', [one]), true);
	assert.equal(await keep('twice', [two]), false);
	assert.deepEqual((await find('twice'))!.subjects, [one]);
});

test('a key is kept for a day, and for ten minutes when nothing was done under it', async () => {
	await database.query('delete from colonies.idempotency_keys');
	await keep('done', [one]);
	await keep('nothing', []);
	await keptAt('2026-11-26T12:00:00Z');
	assert.equal(await forget('2026-11-26T12:10:00Z'), 0);
	assert.ok(await find('nothing'));
	assert.equal(await forget('2026-11-26T12:10:00.000001Z'), 1);
	assert.equal(await find('nothing'), undefined);
	assert.equal(await forget('2026-11-27T12:00:00Z'), 0);
	assert.ok(await find('done'));
	assert.equal(await forget('2026-11-27T12:00:00.000001Z'), 1);
	assert.equal(await find('done'), undefined);
});

test('a key that was kept just now has its time before it', async () => {
	await keep('now', []);
	assert.equal(await idempotency.forgetOld(database), 0);
	assert.ok(await find('now'));
});

test('whoever comes with a key that is in use waits, and hears what the first one did, or that it did nothing', {skip: noPostgres}, async () => {
	for (const [key, does] of [['kept', true], ['undone', false]] as const) {
		let second: ReturnType<typeof find> | undefined;
		await database.transaction(async client => {
			assert.equal(await idempotency.findKept(client, keyed(key)), undefined);
			second = find(key);
			await untilBlocked(database, second);
			if (does) {
				await idempotency.keep(client, keyed(key), [one]);
			}
		});
		assert.deepEqual(await second, does ? {fingerprint, subjects: [one]} : undefined);
	}
});
