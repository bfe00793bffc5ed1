/**
What operators and computers ask most, as the tables grow: with so much that waits and so much that is closed. Then lives a second beside a transaction that is held open and beside readers that scan the tables, and closes without any vacuum.

	node --import tsx bench/growth.ts [sizes] [seconds] [parts]

`sizes`: stages as `waiting/closed`, separated by commas; `seconds`: how long each part of the second half takes; `parts`: which of `growth,beside,unvacuumed`. PostgreSQL writes through to its disk.
Prints the median milliseconds of each question at each stage, and how many times the smallest stage's the largest one is. What takes less than a few milliseconds is mostly round trips.
*/
import process from 'node:process';
import {keepTime} from '../source/contexts/keep-time.ts';
import {ColoniesError} from '../source/core/errors.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import type {Identity} from '../source/identity/index.ts';
import {type Colony, openColony} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */
const [sizes = '1000/0,100000/0,1000000/0,1000000/1000000,1000000/5000000', seconds = '60', chosen = 'growth,beside,unvacuumed'] = process.argv.slice(2);
const stages = sizes.split(',').map(text => text.split('/').map(Number) as [waiting: number, closed: number]);
const types = ['gpu_train', 'gpu_infer', 'cpu_batch', 'report', 'render'];

const server = await startPostgres({fsync: true, settings: {max_wal_size: '8GB', shared_buffers: '1GB', maintenance_work_mem: '512MB'}});

const median = (values: number[]): number => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]!;

const took = async (work: () => Promise<unknown>): Promise<number> => {
	const began = performance.now();
	await work();
	return performance.now() - began;
};

type Had = {waiting: number; closed: number};

/** Brings the tables to a stage: what waits is as old as its number in tenths of a second, what is closed goes back over ninety days. */
async function fill(database: Database, colony: Colony, had: Had, [waiting, closed]: [number, number]): Promise<void> {
	const columns = 'process_id, colony_id, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, attributes';
	const row = (prefix: string, at: string) => `sha256(('${prefix}' || n)::bytea), colonies.bytes_of($1), ${at}, '{}', ($2::text[])[1 + n % 5], 600, 3, 1000, 1, 0, jsonb_build_object('in', jsonb_build_array(jsonb_build_object('job', n::text)))`;
	await database.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
		select colonies.bytes_of($1), sha256(type::bytea), '{}', type, 1, 1000, 0 from unnest($2::text[]) type on conflict do nothing`, [colony.id, types]);
	await database.query(
		`insert into colonies.live (${columns}, entered_at, demand_id) select ${row('w', 't.at')}, t.at, d.demand_id
		from generate_series($3::bigint + 1, $4::bigint) n cross join lateral (select now() - interval '1 hour' - n * interval '0.1 seconds' as at) t
		join colonies.demands d on d.colony_id = colonies.bytes_of($1) and d.fingerprint = sha256((($2::text[])[1 + n % 5])::bytea)`,
		[colony.id, types, had.waiting, waiting],
	);
	await database.query(
		`insert into colonies.closed (${columns}, start_time, assigned_computer_id, status, end_time) select ${row('c', 't.at')}, t.at + interval '1 second', sha256(('lab' || n % 20)::bytea), 2 + (n % 50 = 0)::int, t.at + interval '9 seconds'
		from generate_series($3::bigint + 1, $4::bigint) n cross join lateral (select now() - interval '1 minute' - (n % 1000000) * interval '7.5 seconds' as at) t`,
		[colony.id, types, had.closed, closed],
	);
	await database.query('vacuum (analyze)');
}

type Question = [name: string, ask: () => Promise<unknown>];

function questions(colony: Colony, computer: Identity): Question[] {
	const own = async (name: Parameters<Colony['own']>[0], input: object) => colony.own(name, input as never);
	let taken: Array<{processid: string}> = [];
	return [
		['process count', async () => own('process.count', {})],
		['process ls, all', async () => own('process.list', {count: 50})],
		...(['waiting', 'running', 'successful', 'failed'] as const).map((state): Question => [`process ls, ${state}`, async () => own('process.list', {count: 50, state})]),
		['process ls, a type', async () => own('process.list', {count: 50, computertype: 'report'})],
		['process ls, waiting of a type', async () => own('process.list', {count: 50, state: 'waiting', computertype: 'report'})],
		['process ls, an attribute', async () => own('process.list', {count: 50, attribute: 'job=17'})],
		['process ls, a filter', async () => own('process.list', {count: 50, filter: 'state:waiting age>1h type:render'})],
		['computer ls', async () => own('computer.list', {count: 50})],
		['process explain', async () => own('process.explain', {processid: (await colony.own('process.list', {count: 1, state: 'waiting'})).rows[0]!.processid})],
		['attention', async () => own('attention.list', {})],
		['pulse, a day', async () => own('pulse.get', {span: '1d'})],
		['process submit', async () => colony.submit({computertype: 'report', mem: 1000, cores: 1, timeout: 600, maxretries: 3, in: {a: '1', b: '2'}})],
		['process assign', async () => {
			taken = [...taken, await colony.assign(computer)];
		}],
		['process successful', async () => colony.close(computer, taken.pop()!)],
	];
}

const cell = (text: string | number): string => String(typeof text === 'number' ? text.toFixed(text < 10 ? 2 : 1) : text).padStart(12);

async function growth(): Promise<void> {
	const database = await openPostgres({...await freshDatabase(server), statementTimeout: 0});
	const colony = await openColony(database);
	const computer = await colony.computer({computertype: '', cores: 8, mem: 64_000, gpus: 1});
	const table = new Map<string, number[]>();
	let had: Had = {waiting: 0, closed: 0};
	for (const [waiting, closed] of stages) {
		await fill(database, colony, had, [waiting, closed]);
		had = {waiting, closed};
		for (const [name, ask] of questions(colony, computer)) {
			const times: number[] = [];
			for (let turn = 0; turn < 25; turn++) {
				times.push(await took(ask));
			}

			table.set(name, [...table.get(name) ?? [], median(times)]);
		}
	}

	console.log(`${''.padEnd(30)}${stages.map(([waiting, closed]) => cell(`${waiting / 1000}k/${closed / 1000}k`)).join('')}${cell('last/first')}`);
	for (const [name, times] of table) {
		console.log(`${name.padEnd(30)}${times.map(time => cell(time)).join('')}${cell(times.at(-1)! / times[0]!)}`);
	}

	await colony.broker.close();
	await database.close();
}

/** Claims as computers do, who ask again: what somebody has submitted another may have taken, and theirs came after this one had looked. */
async function assign(colony: Colony, computer: Identity): Promise<{processid: string}> {
	for (;;) {
		try {
			return await colony.assign(computer);
		} catch (error) {
			if (!(error instanceof ColoniesError) || error.code !== 'nothing-to-assign') {
				throw error;
			}
		}
	}
}

/** Lives a second by so many callers, until a time is over; and the median of a close among them. */
async function lives(colony: Colony, computers: readonly Identity[], span: number): Promise<{rate: number; close: number}> {
	const until = performance.now() + span;
	const began = performance.now();
	let lived = 0;
	const closes: number[] = [];
	await Promise.all(computers.map(async computer => {
		while (performance.now() < until) {
			await colony.submit({timeout: 600, in: {job: 'render', frame: '1017'}});
			const process = await assign(colony, computer);
			closes.push(await took(async () => colony.close(computer, process)));
			lived++;
		}
	}));
	return {rate: lived * 1000 / (performance.now() - began), close: median(closes)};
}

/** What others do meanwhile. */
type Others = (database: Database, signal: AbortSignal) => Promise<void>;

const others: Record<string, Others> = {
	async 'a transaction held open'(database, signal) {
		await database.transaction(async client => {
			await client.query('set local idle_in_transaction_session_timeout = 0');
			await client.query('set transaction isolation level repeatable read');
			await client.query('select txid_current(), (select count(*) from colonies.live)');
			await new Promise(resolve => {
				signal.addEventListener('abort', resolve);
			});
		});
	},
	async 'four readers that scan the tables'(database, signal) {
		await Promise.all([1, 2, 3, 4].map(async () => {
			while (!signal.aborted) {
				await database.transaction(async client => {
					await client.query('set transaction isolation level repeatable read');
					for (const table of ['live', 'closed', 'history']) {
						await client.query(`select count(*) from colonies.${table} t where t::text like '%never%'`);
					}

					// They look at what they have read, and hold on to it: what they take of the processor is not what is asked here.
					await client.query('select pg_sleep(4)');
				});
			}
		}));
	},
};

async function beside(): Promise<void> {
	for (const [name, act] of Object.entries(others)) {
		const where = await freshDatabase(server);
		const database = await openPostgres({...where, poolSize: 8, statementTimeout: 0});
		const apart = await openPostgres({...where, poolSize: 4, statementTimeout: 0});
		const colony = await openColony(database);
		const computers = await Promise.all(Array.from({length: 8}, async () => colony.computer()));
		const stop = keepTime(colony.broker);
		const span = Number(seconds) * 1000;
		await lives(colony, computers, span / 4);
		const before = await lives(colony, computers, span / 2);
		const over = new AbortController();
		const doing = act(apart, over.signal);
		const during = await lives(colony, computers, span);
		over.abort();
		await doing;
		await lives(colony, computers, span / 4);
		const after = await lives(colony, computers, span / 2);
		console.log(`${name}: ${before.rate.toFixed(0)} lives a second before, ${during.rate.toFixed(0)} during (${(100 * during.rate / before.rate).toFixed(0)} %), ${after.rate.toFixed(0)} after (${(100 * after.rate / before.rate).toFixed(0)} %); a close ${before.close.toFixed(2)}, ${during.close.toFixed(2)}, ${after.close.toFixed(2)} ms`);
		await stop();
		await colony.broker.close();
		await database.close();
		await apart.close();
	}
}

/** Closes without any vacuum: the median of each five thousand. */
async function unvacuumed(): Promise<void> {
	const database = await openPostgres({...await freshDatabase(server), poolSize: 8, statementTimeout: 0});
	const colony = await openColony(database);
	await database.query('alter table colonies.live set (autovacuum_enabled = off)');
	await database.query('alter table colonies.outputs set (autovacuum_enabled = off)');
	const computers = await Promise.all(Array.from({length: 8}, async () => colony.computer()));
	const medians: number[] = [];
	for (let portion = 0; portion < 10; portion++) {
		const closes: number[] = [];
		let left = 5000;
		await Promise.all(computers.map(async computer => {
			while (left-- > 0) {
				await colony.submit({timeout: 600, in: {job: 'render', frame: '1017'}});
				const process = await assign(colony, computer);
				closes.push(await took(async () => colony.close(computer, process)));
			}
		}));
		medians.push(median(closes));
	}

	console.log(`closes without vacuum, ms a close, by 5,000: ${medians.map(time => time.toFixed(2)).join(' ')}; last/first ${(medians.at(-1)! / medians[0]!).toFixed(2)}`);
	await colony.broker.close();
	await database.close();
}

const parts = {growth, beside, unvacuumed};
for (const part of chosen.split(',') as Array<keyof typeof parts>) {
	await parts[part]();
}

await server.stop();
