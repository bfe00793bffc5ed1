import type {Client, Database} from '../../source/database/types.ts';
import {verify, type Verified} from '../../source/operations/verify.ts';
import {seals} from '../../source/database/index.ts';

class Undone extends Error {}

/** Does something to the tables as somebody who may do anything, triggers aside, and undoes it. */
export async function tampering<Result>(database: Database, work: (client: Client) => Promise<Result>): Promise<Result> {
	let result: Result;
	try {
		await database.transaction(async client => {
			await client.query('set local session_replication_role = replica');
			result = await work(client);
			throw new Undone();
		});
	} catch (error) {
		if (!(error instanceof Undone)) {
			throw error;
		}
	}

	return result!;
}

/** Verifies to the end, or to the first fault. */
export async function verified(client: Client, head?: string): Promise<Verified & {steps: number}> {
	let [after, steps] = [0, 0];
	const sums = {rows: 0, requests: 0, dropped: 0};
	for (;;) {
		const {verified: step} = await verify(client, {after, head});
		steps++;
		sums.rows += step.rows ?? 0;
		sums.requests += step.requests ?? 0;
		sums.dropped += step.dropped;
		if (!step.more) {
			return {...step, ...sums, from: 1, steps};
		}

		after = step.to;
	}
}

/** Seals all that can be sealed now. @returns rows */
export async function sealAll(database: Database): Promise<number> {
	for (let rows = 0; ;) {
		const sealed = await database.transaction(async client => seals.seal(client));
		rows += sealed.rows;
		if (sealed.rows === 0) {
			return rows;
		}
	}
}
