import type {Id} from '../core/types.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/** A request that may come twice, as its signer names it. `fingerprint`: of what it asks. */
export type Keyed = {signer: Id; key: string; fingerprint: string};

type Kept = {fingerprint: string; subjects: Id[]};

/** The advisory lock of a key, for one statement after another: the signer and the key, as SQL. */
export const lockOf = (signer: string, key: string): string => `hashtextextended('colonies.idempotency_keys ' || encode(${signer}, 'hex') || ' ' || ${key}, 0)`;

const lockOfKey = lockOf('$1::bytea', '$2');

/**
What a request with this key did before: the processes it made or took, and what it asked; undefined when there was none.
Until the transaction ends, others with the key wait here: one that comes again while the first is still under way hears what that did, and never that there was nothing.
*/
export async function findKept(client: Client, {signer, key}: Keyed): Promise<Kept | undefined> {
	// Apart from the look at the table, and in one message with it: with Citus that runs on another server, where nobody would wait.
	const [{rows: [lock]}, found] = await Promise.all([client.query<{isFirst: boolean}>(`select pg_try_advisory_xact_lock(${lockOfKey}) as "isFirst"`, [bytesOf(signer), key]), look(client, signer, key)]);
	if (found !== undefined || lock!.isFirst) {
		return found;
	}

	await client.query(`select pg_advisory_xact_lock(${lockOfKey})`, [bytesOf(signer), key]);
	// A statement of its own, which sees what the other has committed meanwhile.
	return look(client, signer, key);
}

async function look(client: Client, signer: Id, key: string): Promise<Kept | undefined> {
	const {rows} = await client.query<Kept>('select fingerprint, subjects from colonies.idempotency_keys where signer = $1 and key = $2', [bytesOf(signer), key]);
	return rows[0];
}

/** Keeps what a request did, in its own transaction. @returns false when another one with this key was quicker: then nothing of this one may stand. */
export async function keep(client: Client, {signer, key, fingerprint}: Keyed, subjects: readonly Id[]): Promise<boolean> {
	const {rowCount} = await client.query(
		'insert into colonies.idempotency_keys (signer, key, fingerprint, subjects) values ($1, $2, $3, $4) on conflict do nothing',
		[bytesOf(signer), key, bytesOf(fingerprint), bytesOfAll(subjects)],
	);
	return rowCount === 1;
}

/** Forgets keys that are older than a day, and sooner those under which there was nothing. */
export async function forgetOld(client: Client): Promise<number> {
	const {rowCount} = await client.query('delete from colonies.idempotency_keys where kept_at < statement_timestamp() - interval \'10 minutes\' and (subjects = \'{}\' or kept_at < statement_timestamp() - interval \'1 day\')');
	return rowCount;
}
