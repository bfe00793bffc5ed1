import {createHash} from 'node:crypto';
import type {Id} from '../core/types.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** Tables that the nonces lie in, one a minute in turn. */
const slots = 4;

const minuteOf = (seconds: number): number => Math.floor(seconds / 60);
const tableOf = (minute: number): string => `colonies.nonces_${minute % slots}`;

/** Seconds that a request is good for after it was signed, and how far ahead of the database its signer's clock may be. */
export const requestLife = {after: 60, ahead: 5} as const;

/** What is kept of a nonce that was spent: half of a SHA-256, which nobody meets by chance, and who makes two that are alike refuses requests of their own. */
const proofOf = ({signer, nonce, created}: Spent): string => createHash('sha256').update(`${signer} ${created} ${nonce}`).digest('hex').slice(0, 32);

type Spent = {signer: Id; nonce: string; created: number};

/**
Spends the nonce of a signed request, for good: on whatever server it comes again, it is refused.
@param created seconds since 1970, as signed
@returns false when it was spent before, or is not good any more by the clock of the database
*/
export async function spendNonce(client: Client, spent: Spent): Promise<boolean> {
	const {created} = spent;
	const {rowCount} = await client.query(
		`insert into ${tableOf(minuteOf(created))} (proof)
		select $1 where to_timestamp($2::bigint) between statement_timestamp() - $3 * interval '1 second' and statement_timestamp() + $4 * interval '1 second'
		on conflict do nothing`,
		// A second more on either side, for the signed time is in whole seconds.
		[bytesOf(proofOf(spent)), created, requestLife.after + 1, requestLife.ahead + 1],
	);
	return rowCount === 1;
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
