import process from 'node:process';
import pg from 'pg';
import {keepTime} from '../source/contexts/keep-time.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {type Identity, verifyHttp} from '../source/identity/index.ts';
import type {Caller, InputOf, OperationName} from '../source/operations/index.ts';
import {openColony} from '../test/support/colony.ts';
import {
	freshDatabase, onSocket, type Server, startPostgres,
} from '../test/support/databases.ts';
import {authority, signed, wire} from '../test/support/server.ts';
import type {Figure} from './support/measure.ts';
import {
	given, openBoss, openGraphile, type Peer,
} from './support/peers.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */
const lives = Number(process.env.BENCH_LIVES ?? 5000);
const callers = 16;

type Measured = {wal: number; kept: number; hot: number | undefined; dead: number; tables: Array<{name: string; bytes: number}>};

let server: Server;

async function withClient<Result>(database: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
	const client = new pg.Client({...onSocket(server), database});
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

const sizes = `select coalesce(nullif(p.inhparent::regclass::text, ''), c.oid::regclass::text) as name, sum(pg_total_relation_size(c.oid))::float8 as bytes
	from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits p on p.inhrelid = c.oid
	where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and c.relname not like 'nonces%' group by 1`;

/** Runs all lives, and says what they cost one by one. */
async function measure(database: string, run: () => Promise<void>): Promise<Measured> {
	return withClient(database, async client => {
		const wal = async () => Number((await client.query<{lsn: string}>('select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), \'0/0\') as lsn')).rows[0]!.lsn);
		const tables = async () => new Map((await client.query<{name: string; bytes: number}>(sizes)).rows.map(({name, bytes}) => [name, bytes]));
		const [before, from] = [await tables(), await wal()];
		await run();
		const to = await wal();
		await client.query('select pg_stat_clear_snapshot()');
		const {rows: [counts]} = await client.query<{updates: number; hot: number; dead: number}>('select sum(n_tup_upd)::float8 as updates, sum(n_tup_hot_upd)::float8 as hot, sum(n_dead_tup)::float8 as dead from pg_stat_user_tables');
		// Dead rows make place for the next ones; what is kept is what is left beside them.
		await client.query('vacuum');
		const grown = [...await tables()].map(([name, bytes]) => ({name, bytes: (bytes - (before.get(name) ?? 0)) / lives})).filter(({bytes}) => bytes >= 1).sort((one, other) => other.bytes - one.bytes);
		return {
			wal: (to - from) / lives, kept: grown.reduce((sum, {bytes}) => sum + bytes, 0), hot: counts!.updates > 0 ? counts!.hot / counts!.updates : undefined, dead: counts!.dead / lives, tables: grown,
		};
	});
}

/** So many callers at once, until all lives are lived. */
async function all(live: (caller: number) => Promise<void>): Promise<void> {
	let left = lives;
	await Promise.all(Array.from({length: callers}, async (_, caller) => {
		while (left-- > 0) {
			await live(caller);
		}
	}));
}

async function ours(): Promise<Measured> {
	const where = await freshDatabase(server);
	const database = await openPostgres({...where, poolSize: callers});
	const colony = await openColony(database);
	const computers = await Promise.all(Array.from({length: callers}, async () => colony.computer()));
	const call = async <Name extends OperationName>(identity: Identity, name: Name, input: InputOf<Name>) => {
		const caller: Caller = {signer: verifyHttp({...signed(identity, wire(name, input)), authority}, {now: Date.now()})};
		return colony.broker.run(caller, name, input);
	};

	try {
		return await measure(where.database!, async () => {
			const stop = keepTime(colony.broker);
			await all(async place => {
				await call(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id, timeout: 600, maxretries: 1, in: given}});
				const {processid} = await call(computers[place]!, 'process.assign', {colonyid: colony.id});
				await call(computers[place]!, 'process.successful', {colonyid: colony.id, processid});
			});
			await stop();
			while (await colony.broker.seal() || await colony.broker.rollPulse()) {
				// Until all is sealed and counted.
			}
		});
	} finally {
		await colony.broker.close();
		await database.close();
	}
}

async function theirs({database, live, close}: Peer): Promise<Measured> {
	try {
		return await measure(database, async () => all(live));
	} finally {
		await close();
	}
}

/** Goals of ours, in bytes a life. */
const goals = {wal: 5000, kept: 2200};

/**
What a life of a process costs the store: submitted with two attributes, assigned and closed, each call signed. WAL bytes without images of whole pages, bytes that are kept (tables, indexes and, of ours, the history with its seals and counts),
the share of updates that were HOT, and the dead rows that are left. Nonces are not counted as kept: they go within four minutes. The same of graphile-worker and pg-boss, which keep no history, on the same server in the same run.
*/
export async function * storage(): AsyncGenerator<Figure> {
	server = await startPostgres({fsync: true, settings: {full_page_writes: 'off', autovacuum: 'off'}});
	const mine = await ours();
	const others = [await theirs(await openGraphile(server)), await theirs(await openBoss(server))];
	for (const [what, name] of [['wal', 'WAL a life'], ['kept', 'kept on disk a life']] as const) {
		for (const [index, peer] of ['graphile-worker', 'pg-boss'].entries()) {
			yield {
				name, unit: 'B', ours: mine[what], peer, theirs: others[index]![what], ratio: mine[what] / others[index]![what], ...(index === 0 ? {goal: {of: 'ours', most: goals[what]}} : {}),
				...(index === 0 && what === 'kept' ? {note: mine.tables.slice(0, 6).map(({name, bytes}) => `${name.replace('colonies.', '')} ${Math.round(bytes)}`).join(', ')} : {}),
			};
		}
	}

	yield {name: 'updates that were HOT', unit: '%', ours: 100 * (mine.hot ?? 0)};
	yield {name: 'dead rows a life, before vacuum', unit: '', ours: mine.dead};
	await server.stop();
}
