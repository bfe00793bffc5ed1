import {shifted} from '../core/moments.ts';
import type {Id, Time} from '../core/types.ts';
import type {Place} from './events.ts';
import {lastSeal} from './seals.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** The states in which a process ends. */
export const closedStates = ['successful', 'failed'] as const;
export type ClosedState = (typeof closedStates)[number];

/** How long processes are kept after they ended, in seconds: 0 for ever, null where it is not said. */
export type Spans = Record<ClosedState, number | null>;

const unsaid: Spans = {successful: null, failed: null};

/** The colony id under which the installation's setting stands. */
const installation = '';

/** Held while a setting changes and while closed processes are removed, so that no removal goes by a setting that was replaced before it. */
const lock = 'hashtextextended(\'colonies.process_retention\', 0)';

/** Whether nobody else removes closed processes or changes how long they are kept, until the transaction ends. */
export async function hold(client: Client): Promise<boolean> {
	const {rows: [row]} = await client.query<{free: boolean}>(`select pg_try_advisory_xact_lock(${lock}) as free`);
	return row!.free;
}

/** The same, waiting for those who do. */
export async function waitForHold(client: Client): Promise<void> {
	await client.query(`select pg_advisory_xact_lock(${lock})`);
}

type Settings = {own: Spans; installation: Spans};

/** What a colony says, and what the installation says. */
export async function get(client: Client, colony: Id | undefined): Promise<Settings> {
	const {rows} = await client.query<{colony_id: Id} & Spans>('select * from colonies.process_retention where colony_id in ($1, $2)', [bytesOf(installation), bytesOf(colony ?? installation)]);
	const of = (id: Id): Spans => {
		const row = rows.find(({colony_id: of}) => of === id);
		return row ? {successful: row.successful, failed: row.failed} : unsaid;
	};

	return {own: colony === undefined ? unsaid : of(colony), installation: of(installation)};
}

/** What holds for a colony: its own word goes before the installation's, state by state. 0 where nothing is ever removed. */
export const effective = ({own, installation}: Settings): Record<ClosedState, number> => ({successful: own.successful ?? installation.successful ?? 0, failed: own.failed ?? installation.failed ?? 0});

/** Sets how long closed processes are kept, of a colony or of the installation. @returns what was said before */
export async function set(client: Client, colony: Id | undefined, change: (before: Spans) => Spans): Promise<{before: Spans; after: Spans}> {
	await waitForHold(client);
	const settings = await get(client, colony);
	const before = colony === undefined ? settings.installation : settings.own;
	const after = change(before);
	await client.query(
		`insert into colonies.process_retention (colony_id, successful, failed) values ($1, $2, $3)
		on conflict (colony_id) do update set successful = excluded.successful, failed = excluded.failed`,
		[bytesOf(colony ?? installation), after.successful, after.failed],
	);
	return {before, after};
}

/** Forgets what a colony says that is removed. */
export async function forget(client: Client, colony: Id): Promise<void> {
	await client.query('delete from colonies.process_retention where colony_id = $1', [bytesOf(colony)]);
}

/** A setting as the history has it; of a colony that was removed, that nothing is said any more. `row`: its number. */
type Said = {colony: Id | null; place: Place; spans: Spans};

const isSpan = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** What the history says about how long closed processes are kept, and when it said so. A database gives numbers to rows in the order in which they were written. */
export class ToldSettings {
	readonly #said: readonly Said[];

	constructor(said: readonly Said[]) {
		this.#said = said;
	}

	/** The last setting of a colony, or with null of the installation, before a row of the history. */
	last(colony: Id | null, before = Number.POSITIVE_INFINITY): Said | undefined {
		return this.#said.findLast(said => said.colony === colony && said.place.row < before);
	}

	/** For how many seconds processes of a colony that ended so were kept before a row of the history; 0 where none was to be removed. */
	seconds(colony: Id, state: ClosedState, before?: number): number {
		return effective({own: this.last(colony, before)?.spans ?? unsaid, installation: this.last(null, before)?.spans ?? unsaid})[state];
	}
}

/** Reads every setting of the history that an owner made for the own colony, or root for the installation. */
export async function told(client: Client): Promise<ToldSettings> {
	const {rows} = await client.query<{txid: number; history_id: number; colony_id: Id | null; what: string; detail: Record<string, unknown> | null}>(
		`with said as (
			select txid, history_id, colony_id, what, detail from colonies.history
			where subject_id = $1 and noun = 'installation' and what = 'process.retention' and ((colony_id is null and actor = $2) or actor = colony_id)
		)
		select * from said
		union all select h.txid, h.history_id, h.colony_id, h.what, null from colonies.history h where h.subject_id in (select colony_id from said) and h.what = 'colony.remove' and h.noun = 'colony'
		order by history_id`,
		['processes', 'root'],
	);
	const spanOf = (value: unknown): number | null => isSpan(value) ? value : null;
	return new ToldSettings(rows.map(({txid, history_id: row, colony_id: colony, what, detail}) => ({
		colony, place: {txid, row}, spans: what === 'colony.remove' ? unsaid : {successful: spanOf(detail?.successful), failed: spanOf(detail?.failed)},
	})));
}

/** Which closed processes are to be removed: those of a colony that ended so before a time. */
export type Due = {colony: Id; state: ClosedState; before: Time};

/** So many seconds before a time. */
export const secondsBefore = (time: Time, seconds: number): Time => shifted(time, BigInt(seconds) * -1_000_000n);

/**
What is to be removed now, by colony and state. A setting counts only once it is sealed in the history as it stands in the table:
what somebody writes into the table alone, or into the history alone, removes nothing.
*/
export async function due(client: Client): Promise<Due[]> {
	const {rows: kept} = await client.query<{colony_id: Id} & Spans>('select * from colonies.process_retention');
	if (kept.every(({successful, failed}) => !successful && !failed)) {
		return [];
	}

	const settings = await told(client);
	const seal = await lastSeal(client);
	const isTrue = (colony: Id | null): boolean => {
		const {spans, place} = settings.last(colony) ?? {spans: unsaid};
		const {successful, failed} = kept.find(({colony_id: of}) => of === (colony ?? installation)) ?? unsaid;
		const isSealed = place === undefined || (seal !== undefined && (place.txid < seal.to.txid || (place.txid === seal.to.txid && place.row <= seal.to.row)));
		return isSealed && spans.successful === successful && spans.failed === failed;
	};

	if (!isTrue(null)) {
		return [];
	}

	const {rows} = await client.query<{colony_id: Id; now: Time}>('select colony_id, statement_timestamp() as now from colonies.colonies order by colony_id');
	return rows.filter(({colony_id: colony}) => isTrue(colony)).flatMap(({colony_id: colony, now}) => closedStates.flatMap(state => {
		const seconds = settings.seconds(colony, state);
		return seconds === 0 ? [] : [{colony, state, before: secondsBefore(now, seconds)}];
	}));
}

/** Seconds by which the oldest closed process of some colonies exceeds its retention; 0 where none does. */
export async function overdue(client: Client, colonies: readonly Id[]): Promise<number> {
	const known = new Set(colonies);
	const all = (await due(client)).filter(({colony}) => known.has(colony));
	if (all.length === 0) {
		return 0;
	}

	const {rows: [row]} = await client.query<{seconds: number}>(
		`select coalesce(max(extract(epoch from d.before - o.end_time)), 0)::float8 as seconds from unnest($1::bytea[], $2::smallint[], $3::timestamptz[]) as d(colony, status, before) cross join lateral (
			select p.end_time from colonies.closed p where p.colony_id = d.colony and p.status = d.status and p.end_time < d.before order by p.end_time limit 1
		) o`,
		[all.map(each => bytesOf(each.colony)), all.map(({state}) => closedStates.indexOf(state) + 2), all.map(({before}) => before)],
	);
	return row!.seconds;
}

/** How many processes of a colony, or of all of them, are to be removed now, counted to `limit` and no further; and when some were last, and how many. */
export async function outlook(client: Client, colony: Id | undefined, limit: number): Promise<{due: number; last: {at: Time; count: number} | null}> {
	const all = (await due(client)).filter(each => colony === undefined || each.colony === colony);
	const {rows: [counted]} = await client.query<{count: number}>(
		`select least($4::bigint + 1, coalesce(sum(n.count), 0))::int as count from unnest($1::bytea[], $2::smallint[], $3::timestamptz[]) as d(colony, status, before) cross join lateral (
			select count(*) as count from (select from colonies.closed p where p.colony_id = d.colony and p.status = d.status and p.end_time < d.before order by p.end_time limit $4::bigint + 1) found
		) n`,
		[all.map(each => bytesOf(each.colony)), all.map(({state}) => closedStates.indexOf(state) + 2), all.map(({before}) => before), limit],
	);
	const {rows: [last]} = await client.query<{at: Time; count: number | null}>(
		`select at, case when jsonb_typeof(detail->'count') = 'number' then (detail->>'count')::float8 end as count from colonies.history
		where subject_id = $1 and what = 'process.drop' and actor = $2 ${colony === undefined ? '' : 'and colony_id = $3'} order by at desc, history_id desc limit 1`,
		['closed', 'system', ...(colony === undefined ? [] : [bytesOf(colony)])],
	);
	return {due: counted!.count, last: last ? {at: last.at, count: last.count ?? 0} : null};
}
