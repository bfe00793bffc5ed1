import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {clearNonces, migrate, spendNonce} from '../source/database/index.ts';
import {openAny} from './support/colony.ts';
import {noPostgres} from './support/databases.ts';
import {databaseClock} from './support/database-clock.ts';

const database = await openAny();
await migrate(database);
const atTime = await databaseClock(database);
const signer = 'a'.repeat(64);
let nonces = 0;

/** Seconds since 1970 at the beginning of some minute. */
const minute = Date.UTC(2026, 10, 26, 12) / 1000;
const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Spends a nonce of a request that was signed at `created`, when the database's clock is at `now`; both in seconds since 1970. */
const spend = async (now: number, created: number, nonce = `nonce ${nonces++}`): Promise<boolean> => atTime(timeOf(now), async client => spendNonce(client, {signer, nonce, created}));
const clear = async (now: number): Promise<void> => atTime(timeOf(now), async client => clearNonces(client));

/** How many nonces are kept. */
async function kept(): Promise<number> {
	const {rows} = await database.query<{count: number}>([0, 1, 2, 3].map(slot => `select count(*)::int as count from colonies.nonces_${slot}`).join(' union all '));
	return rows.reduce((sum, {count}) => sum + count, 0);
}

test('a request is good until 61 seconds after its signed time, and from 6 seconds before it', async () => {
	const now = minute + 30;
	assert.deepEqual(await Promise.all([now - 61, now - 60, now, now + 5, now + 6].map(async created => spend(now, created))), [true, true, true, true, true]);
	assert.deepEqual(await Promise.all([now - 62, now - 3600, now + 7, now + 3600].map(async created => spend(now, created))), [false, false, false, false]);
	assert.equal(await spend(now + 0.001, now - 61), false);
	assert.equal(await spend(now - 0.001, now + 6), false);
});

test('a nonce is spent once by each signer, whenever it was signed within its minute', async () => {
	const now = minute + 30;
	assert.equal(await spend(now, now, 'once'), true);
	assert.equal(await spend(now + 10, now, 'once'), false);
	const other = await atTime(timeOf(now), async client => spendNonce(client, {signer: 'b'.repeat(64), nonce: 'once', created: now}));
	assert.equal(other, true);
});

test('no nonce is forgotten while its request is still good', async () => {
	await fc.assert(fc.asyncProperty(fc.nat(239), fc.integer({min: -60, max: 5}), fc.integer({min: 0, max: 66}), async (at, age, later) => {
		const [now, created, nonce] = [minute + at, minute + at + age, `nonce ${nonces++}`];
		assert.equal(await spend(now, created, nonce), true);
		for (let time = now; time <= now + later; time += 11) {
			await clear(time);
		}

		assert.equal(await spend(now + later, created, nonce), false);
	}), {numRuns: 60, examples: [[0, -60, 0], [59, -60, 0], [0, -1, 0], [59, 5, 66]]});
});

test('nonces go before their table is used again, four minutes later', async () => {
	for (const slot of [0, 1, 2, 3]) {
		await clear(minute + (slot * 60));
	}

	assert.equal(await kept(), 0);
	for (const second of [0, 59]) {
		assert.equal(await spend(minute + second, minute + second), true);
	}

	await clear(minute + 119);
	assert.equal(await kept(), 2);
	await clear(minute + 120);
	assert.equal(await kept(), 0);
});

test('clearing where there is nothing takes no lock, and waits for nobody', {skip: noPostgres}, async () => {
	await clear(minute);
	await database.transaction(async client => {
		await client.query('lock table colonies.nonces_0, colonies.nonces_1, colonies.nonces_2, colonies.nonces_3 in share row exclusive mode');
		await clear(minute);
	});
});

test('a table that is in use is left for the next time, and not waited for', {skip: noPostgres}, async () => {
	assert.equal(await spend(minute, minute), true);
	const before = await kept();
	await database.transaction(async client => {
		await client.query('select from colonies.nonces_0, colonies.nonces_1, colonies.nonces_2, colonies.nonces_3');
		await assert.rejects(clear(minute + 120));
	});
	assert.equal(await kept(), before);
	await clear(minute + 120);
	assert.ok(await kept() < before);
});
