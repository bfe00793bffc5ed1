import {createHash} from 'node:crypto';
import {microseconds} from '../core/time.ts';
import type {Id, Time} from '../core/types.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** Tables that the nonces lie in, one a minute in turn. */
const slots = 4;

const minuteOf = (seconds: number): number => Math.floor(seconds / 60);

/** Which of the tables the nonce of a request lies in that was signed then, in seconds since 1970. */
export const slotOf = (created: number): number => minuteOf(created) % slots;
export const nonceTable = (slot: number): string => `colonies.nonces_${slot}`;
const tableOf = (minute: number): string => nonceTable(minute % slots);

/** Seconds that a request is good for after it was signed, and how far ahead of the database its signer's clock may be. */
export const requestLife = {after: 60, ahead: 5} as const;

/** That a request which was signed then (as SQL, seconds since 1970) is good by the clock of the database. A second more on either side, for the signed time is in whole seconds. */
export const isGood = (created: string): string => `to_timestamp(${created}) between statement_timestamp() - interval '${requestLife.after + 1} seconds' and statement_timestamp() + interval '${requestLife.ahead + 1} seconds'`;

/** The same of a time of the database, which is at hand. */
export function isGoodAt(created: number, now: Time): boolean {
	const ago = (Number(microseconds(now)!) / 1_000_000) - created;
	return ago <= requestLife.after + 1 && ago >= -requestLife.ahead - 1;
}

/** What is kept of a nonce that was spent: half of a SHA-256, which nobody meets by chance, and who makes two that are alike refuses requests of their own. */
export const proofOf = ({signer, nonce, created}: Spent): string => createHash('sha256').update(`${signer} ${created} ${nonce}`).digest('hex').slice(0, 32);

export type Spent = {signer: Id; nonce: string; created: number};

/**
Spends the nonce of a signed request, for good: on whatever server it comes again, it is refused.
@param created seconds since 1970, as signed
@returns false when it was spent before, or is not good any more by the clock of the database
*/
export async function spendNonce(client: Client, spent: Spent): Promise<boolean> {
	const {created} = spent;
	const [{rows: [row]}, {rowCount}] = await Promise.all([
		client.query<{good: boolean}>(`select ${isGood('$1::bigint')} as good`, [created]),
		client.query(`insert into ${tableOf(minuteOf(created))} (proof) values ($1) on conflict do nothing`, [bytesOf(proofOf(spent))]),
	]);
	return row!.good && rowCount === 1;
}

/**
Clears the table whose minute comes next but one: what is in it is of minutes of which no request is good any more.
Harmless when several do it at once. Nobody waits for it: where the table is in use, it is for the next time.
*/
export async function clearNonces(client: Client): Promise<void> {
	const {rows: [row]} = await client.query<{minute: number; full: boolean}>('select floor(extract(epoch from statement_timestamp()) / 60)::bigint as minute, true as full');
	const table = tableOf(row!.minute + 2);
	const {rows} = await client.query(`select from ${table} limit 1`);
	if (rows.length > 0) {
		await client.query('set local lock_timeout = \'200ms\'');
		await client.query(`truncate ${table}`);
	}
}
