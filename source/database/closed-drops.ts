import {createHash} from 'node:crypto';
import {shifted} from '../core/moments.ts';
import type {Id, Time} from '../core/types.ts';
import {bringOut} from './compression.ts';
import type {Change} from './history.ts';
import {
	closedStates, type ClosedState, due, type Due, hold,
} from './process-retention.ts';
import {type Piece, piecesOf} from './pieces.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/**
What the history says of closed processes of one colony and state that were removed together. They ended from `from` on and before `before`. `ids`: SHA-256 over their ids of 32 bytes, from the lowest to the highest.
`except`: those that ended then, too, and stayed, for somebody else was changing them. `which`: of those that a request names, in its order, 1 for each that was removed; left out where all were.
*/
export type Drop = {count: number; from: Time; before: Time; ids: string; except?: Id[]; which?: string};

/** What is removed in one transaction at most, and how many that others are changing are left out of it. */
const most = {rows: 2000, except: 1000};

/** SHA-256 over ids, from the lowest to the highest. */
export const hashOfIds = (ids: readonly Id[]): string => createHash('sha256').update(Buffer.from([...ids].sort().join(''), 'hex')).digest('hex');

const after = (time: Time): Time => shifted(time, 1n);

/** The change that tells of closed processes that were removed together. */
export const dropped = (colony: Id, state: ClosedState, drop: Drop): Change => ({kind: 'noted', noun: 'installation', subject: 'closed', colony, what: 'process.drop', from: state, detail: drop});

type Ended = {process_id: Id; end_time: Time};

/** What the history says of some that were removed, in the order of their end. */
export function dropOf(rows: readonly Ended[], more: Pick<Drop, 'except' | 'which'> = {}): Drop {
	const ends = rows.map(row => row.end_time).sort();
	return {count: rows.length, from: ends[0]!, before: after(ends.at(-1)!), ids: hashOfIds(rows.map(row => row.process_id)), ...more};
}

const statusOf = (state: ClosedState): number => closedStates.indexOf(state) + 2;
const keyOf = ({colony, state}: Due): string => `${colony} ${state}`;
const parameters = (all: readonly Due[]): unknown[] => [all.map(({colony}) => bytesOf(colony)), all.map(({state}) => statusOf(state)), all.map(({before}) => before)];

/** Up to which time a turn has come, by colony and state; what others were changing then is for the next turn. */
export type Passed = Map<string, Time>;

/** Removes rows that this transaction has locked, of one colony and state and a stretch of time. @returns undefined where too many of that time are others' now */
async function dropLocked(client: Client, {colony, state}: Due, rows: readonly Ended[]): Promise<Drop | undefined> {
	const drop = dropOf(rows);
	const where = 'colony_id = $1 and status = $2 and end_time >= $3 and end_time < $4';
	const values = [bytesOf(colony), statusOf(state), drop.from, drop.before, bytesOfAll(rows.map(row => row.process_id))];
	const {rows: others} = await client.query<{process_id: Id}>(`select process_id from colonies.closed where ${where} and process_id <> all ($5) limit $6`, [...values, most.except + 1]);
	if (others.length > most.except) {
		return undefined;
	}

	await client.query(`delete from colonies.closed where ${where} and process_id = any ($5)`, values);
	return others.length === 0 ? drop : {...drop, except: others.map(row => row.process_id).sort()};
}

/** Locks the next ones that are due; rows that somebody else is at are passed over. Those of one moment go together, so that a stretch of time is whole. `isLast`: whether there are no more. */
async function lockNext(client: Client, {colony, state, before}: Due, from: Time): Promise<{rows: Ended[]; isLast: boolean}> {
	const ofState = 'p.colony_id = $1 and p.status = $2';
	const ended = `${ofState} and p.end_time >= $3 and p.end_time < $4`;
	const lock = async (where: string, values: readonly unknown[]): Promise<Ended[]> =>
		(await client.query<Ended>(`select process_id, end_time from colonies.closed p where ${where} for update skip locked`, [...values])).rows;
	const values = [bytesOf(colony), statusOf(state)];
	const next = 'order by p.end_time, p.process_id limit $5';
	await bringOut(client, `${ended} and p.end_time <= (select max(n.end_time) from (select p.end_time from colonies.closed p where ${ended} ${next}) n)`, [...values, from, before, most.rows + 1]);
	const rows = await lock(`${ended} ${next}`, [...values, from, before, most.rows + 1]);
	if (rows.length <= most.rows) {
		return {rows, isLast: true};
	}

	const last = rows.at(-1)!.end_time;
	const earlier = rows.filter(row => row.end_time !== last);
	return {rows: earlier.length > 0 ? earlier : await lock(`${ofState} and p.end_time = $3`, [...values, last]), isLast: false};
}

/**
Removes a portion of the closed processes that are due, of one colony and state, in a transaction of its own; where somebody else is at it, nothing. It waits for nobody.
@param passed where this turn has come to; it is moved on
@returns the changes to record, and whether there may be more to do
*/
export async function dropPortion(client: Client, passed: Passed): Promise<{changes: Change[]; more: boolean}> {
	const all = await hold(client) ? await due(client) : [];
	const {rows: [next]} = await client.query<{place: number}>(
		`select d.place::int as place from unnest($1::bytea[], $2::smallint[], $3::timestamptz[], $4::timestamptz[]) with ordinality as d(colony, status, before, "from", place)
		where exists (select from colonies.closed p where p.colony_id = d.colony and p.status = d.status and p.end_time >= d."from" and p.end_time < d.before) limit 1`,
		[...parameters(all), all.map(each => passed.get(keyOf(each)) ?? '-infinity')],
	);
	if (next === undefined) {
		return {changes: [], more: false};
	}

	const what = all[next.place - 1]!;
	const {rows, isLast} = await lockNext(client, what, passed.get(keyOf(what)) ?? '-infinity');
	const drop = rows.length === 0 ? undefined : await dropLocked(client, what, rows);
	passed.set(keyOf(what), isLast ? what.before : after(rows.at(-1)!.end_time));
	return {changes: drop === undefined ? [] : [dropped(what.colony, what.state, drop)], more: true};
}

const within = 'end_time >= $1::timestamptz and end_time < $2::timestamptz';

/** Whether everything in a piece is due, as far as the index says; of a colony that is not known nothing is. */
async function isAllDue(client: Client, {begins, ends}: Piece, all: readonly Due[]): Promise<boolean> {
	const {rows: [row]} = await client.query<{due: boolean}>(
		`select not exists (
			select from colonies.colonies c cross join (values (2::smallint), (3::smallint)) as s(status)
			left join unnest($3::bytea[], $4::smallint[], $5::timestamptz[]) as d(colony, status, before) on d.colony = c.colony_id and d.status = s.status
			where exists (select from colonies.closed p where p.colony_id = c.colony_id and p.status = s.status and p.end_time >= greatest($1::timestamptz, d.before) and p.end_time < $2::timestamptz)
		) as due`,
		[begins, ends, ...parameters(all)],
	);
	return row!.due;
}

type Summary = {colony_id: Id; status: number; count: number; from: Time; before: Time; ids: string};

/** What is in a piece, by colony and state. */
async function summaryOf(client: Client, {begins, ends}: Piece): Promise<Summary[]> {
	const {rows} = await client.query<Summary>(
		`select colony_id, status, count(*)::int as count, min(end_time) as "from", max(end_time) + interval '1 microsecond' as before, encode(sha256(string_agg(process_id, ''::bytea order by process_id)), 'hex') as ids
		from colonies.closed where ${within} group by colony_id, status order by colony_id, status`,
		[begins, ends],
	);
	return rows;
}

/** Drops a piece, where nothing has left it since it was counted; nothing ends in it any more. */
async function dropTable(client: Client, {name, begins, ends, functions}: Piece, count: number): Promise<boolean> {
	// Whoever reads the table for long is not waited for, and whoever comes meanwhile waits no longer than that.
	await client.query('set local lock_timeout = \'200ms\'');
	if (functions === undefined) {
		await client.query('lock table only colonies.closed in access exclusive mode');
	}

	await client.query(`lock table ${name} in access exclusive mode`);
	const {rows: [now]} = await client.query<{count: number}>(count === 0 ? `select count(*)::int as count from (select from ${name} limit 1) found` : `select count(*)::int as count from ${name}`);
	if (now!.count !== count) {
		return false;
	}

	await (functions === undefined
		? client.query(`drop table ${name}`)
		: client.query(`select ${functions}.drop_chunks('colonies.closed', older_than => $2::timestamptz, newer_than => $1::timestamptz)`, [begins, ends]));
	return true;
}

/**
Drops one piece in which nothing can end any more, and in which everything is due or nothing is left: all of it in one transaction of its own.
@returns the changes to record, one for each colony and state; undefined where there is no such piece
@throws ColoniesError where somebody else is at the table: then it is for another time
*/
export async function dropPiece(client: Client): Promise<Change[] | undefined> {
	const all = await hold(client) ? await due(client) : undefined;
	if (all === undefined) {
		return undefined;
	}

	/* eslint-disable no-await-in-loop */
	for (const piece of (await piecesOf(client, 'closed')).filter(({isPast}) => isPast)) {
		const {rows: [row]} = await client.query<{empty: boolean}>(`select not exists (select from colonies.closed where ${within}) as empty`, [piece.begins, piece.ends]);
		if (!row!.empty && (all.length === 0 || !await isAllDue(client, piece, all))) {
			continue;
		}

		const summary = row!.empty ? [] : await summaryOf(client, piece);
		const isDue = summary.every(({colony_id: colony, status, before}) => all.some(each => each.colony === colony && statusOf(each.state) === status && before <= each.before));
		if (isDue && await dropTable(client, piece, summary.reduce((sum, {count}) => sum + count, 0))) {
			return summary.map(({colony_id: colony, status, count, from, before, ids}) => dropped(colony, closedStates[status - 2]!, {count, from, before, ids}));
		}
	}
	/* eslint-enable no-await-in-loop */

	return undefined;
}
