import {ColoniesError} from '../core/errors.ts';
import type {Time} from '../core/types.ts';
import type {Client, Database} from './types.ts';

/** Numbers from here on were not given by a server: event ids have 15 digits at most. What somebody wrote with one is passed over. */
const mostNumber = 900_000_000_000_000;

/** A transaction would be numbered below rows of the history that are sealed: the database was moved to a server that has counted less far. Nothing was done. */
export class NumbersBehind extends ColoniesError {
	constructor() {
		super('unavailable', 'This database was moved to a server whose transaction numbers are lower than those in its history.', {hint: 'Try again: the next call raises them.'});
	}
}

/**
The number below which no transaction of the history is open any more: rows below it are complete. Fetched before the rows are read.
The numbers of the history are those of the server plus a base. The base comes first: it only rises, and a horizon that is too low leaves nothing out.
*/
export async function horizonOf(client: Client): Promise<number> {
	const {rows: [of]} = await client.query<{base: number}>('select base from colonies.txid_base');
	const {rows: [server]} = await client.query<{oldest: number}>(oldest);
	return server!.oldest + of!.base;
}

/**
The oldest transaction that is open. With Citus one that ended in two phases (as changes of tables do) may be over here while its rows are not yet in sight on the worker: it counts as open as long as it holds the lock on its own number, which it lets go of last.
Numbers in `pg_locks` have 32 bits.
*/
const oldest = `select least(s.oldest, case when exists (select from pg_catalog.pg_extension where extname = 'citus') then (
	select min(s.next - ago) from pg_catalog.pg_locks l cross join lateral (select (s.next - l.transactionid::text::bigint) & 4294967295 as ago) a where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and ago < 2147483648
) end) as oldest from (select txid_snapshot_xmin(snapshot) as oldest, txid_snapshot_xmax(snapshot) as next from (select txid_current_snapshot() as snapshot offset 0) c) s`;

/** What rows of the history are given, of the server that all sessions share: the number of the transaction without the base, the time, and the numbers of the rows. */
export type Given = {txid: number; now: Time; rows: number[]};

/** Numbers for so many rows, `$1`, in a statement about no table: with Citus the others run on another server, which counts on its own. */
export const givingNumbers = 'select txid_current() as txid, statement_timestamp() as now, array(select nextval(\'colonies.history_numbers\') from generate_series(1, $1::integer)) as rows';

export async function numbersFor(client: Client, count: number): Promise<Given> {
	const {rows: [row]} = await client.query<Given>(givingNumbers, [count]);
	return row!;
}

/** The highest number up to now: of what is sealed, of the history from there on, and of what Pulse has counted. */
const newest = `select greatest(
	sealed,
	(select h.txid from colonies.history h where h.txid >= sealed and h.txid < ${mostNumber} order by h.txid desc limit 1),
	(select p.txid from colonies.pulse_place p where p.txid < ${mostNumber})
) as txid from colonies.txid_base`;

/** The next number that the server gives, and the number of the oldest transaction that is open. */
async function countedBy(client: Client): Promise<{next: number; oldest: number}> {
	const {rows: [row]} = await client.query<{next: number; oldest: number}>('select txid_snapshot_xmax(snapshot) as next, txid_snapshot_xmin(snapshot) as oldest from (select txid_current_snapshot() as snapshot offset 0) s');
	return row!;
}

/** Whether the next transaction, `$1`, would not come after it. */
const isBehind = '$1::bigint + b.base <= newest.txid';

/** Raises the base so that the numbers go on above those that are there. Nobody may write to the history meanwhile. @returns whether it was raised */
export async function raiseBase(client: Client): Promise<boolean> {
	const {next, oldest} = await countedBy(client);
	// From the oldest open transaction on, for that may still write.
	const {rowCount} = await client.query(`update colonies.txid_base b set base = newest.txid + 1 - $2::bigint from (${newest}) newest where ${isBehind}`, [next, oldest]);
	return rowCount === 1;
}

/** Waits until all who write to the history have finished, and lets nobody begin: no transaction has rows on both sides of a new base, and no reader a horizon above what is still to come. */
async function keepWritersOut(client: Client): Promise<void> {
	// Groups that go in steps read the base before they write.
	await client.query('select pg_advisory_xact_lock(hashtextextended(\'colonies.txid_base\', 0))');
	await client.query('lock table colonies.history in share row exclusive mode');
}

/**
Has the numbers of the history go on above those that are there, where the server has counted less far: after a dump was restored into another server.
Harmless when repeated and when several do it at once; nothing is changed where the numbers are right, or where the database takes no changes.
@returns whether the base was raised
*/
export async function continueNumbers(database: Database): Promise<boolean> {
	const {next} = await countedBy(database);
	const {rows: [found]} = await database.query<{behind: boolean}>(`select ${isBehind} as behind from colonies.txid_base b, (${newest}) newest`, [next]);
	if (!found!.behind || !await takesChanges(database)) {
		return false;
	}

	return database.transaction(async client => {
		await keepWritersOut(client);
		return raiseBase(client);
	});
}

/** Whether the server takes changes, of itself and in this session. */
async function takesChanges(client: Client): Promise<boolean> {
	const {rows: [row]} = await client.query<{takes: boolean}>('select not pg_is_in_recovery() and current_setting(\'transaction_read_only\') = \'off\' as takes');
	return row!.takes;
}

/**
Has the numbers of the history go on above one of another database, and the ids of events with them. Nothing is changed where they are above it already.
@param margin how far above it they begin
*/
export async function raiseBaseAbove(database: Database, number: number, margin: number): Promise<void> {
	const {rows: [row]} = await database.query<{behind: boolean}>('select txid_snapshot_xmin(txid_current_snapshot()) + base <= $1::bigint as behind from colonies.txid_base', [number]);
	if (row!.behind) {
		await database.transaction(async client => {
			await keepWritersOut(client);
			await client.query('update colonies.txid_base set base = $1::bigint + $2::bigint - txid_snapshot_xmin(txid_current_snapshot()) where txid_snapshot_xmin(txid_current_snapshot()) + base <= $1::bigint', [number, margin]);
		});
	}
}
