/**
A large colony to try the console and the commands on: a PostgreSQL of its own with so many processes and their history, counted and sealed, on which so many changes a second go on until it is stopped (ctrl-c).
Prints how to look at it, and every ten seconds how many changes there were and how old the oldest was that no seal covered.

	node --import tsx bench/large.ts [processes] [changes a second]

The processes are written by one statement each for their rows and their history, in the shapes that real ones have; what goes on afterwards goes through the operations.
*/
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {keepTime} from '../source/contexts/keep-time.ts';
import {milliseconds} from '../source/core/time.ts';
import {migrate, seals} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import type {Identity} from '../source/identity/index.ts';
import {folders, openKeychain} from '../source/keychain/index.ts';
import {ColoniesError} from '../source/core/errors.ts';
import {Broker} from '../source/operations/index.ts';
import {type Colony, openColony} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';

const [count = 1_000_000, rate = 1000] = process.argv.slice(2).map(Number);
const home = mkdtempSync(path.join(tmpdir(), 'colonies-large-'));
const types = ['gpu_train', 'gpu_infer', 'cpu_batch', 'report', 'render'];
/** Processes in one call. */
const batch = 50;

/** One real process, run to its end, whose rows of the history are the patterns of all others. */
async function pattern(colony: Colony, computer: Identity): Promise<string> {
	const {processid} = await colony.submit({computertype: types[0]!, in: {size: '10'}, maxretries: 3});
	await colony.assign(computer);
	await colony.close(computer, {processid});
	return processid;
}

async function fill(database: Database, colony: Colony, {processid, computers}: {processid: string; computers: readonly Identity[]}): Promise<void> {
	const columns = 'process_id, colony_id, status, submission_time, start_time, end_time, assigned_computer_id, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus';
	// A day of work, the newest last; one in fifty failed.
	await database.query(
		`insert into colonies.closed (${columns})
		select sha256(('process ' || n)::bytea), colonies.bytes_of($1), case when n % 50 = 0 then 3 else 2 end, t.at, t.at + (n % 7) * interval '1 second', t.at + interval '8 seconds',
			colonies.bytes_of(($3::text[])[1 + n % cardinality($3::text[])]), '{}', ($2::text[])[1 + n % cardinality($2::text[])], -1, 3, 1000, 1, 0
		from generate_series(1, $4::bigint) n cross join lateral (select statement_timestamp() - interval '10 seconds' - ($4::bigint - n) * (interval '1 day' / $4::bigint) as at) t`,
		[colony.id, types, computers.map(({id}) => id), count],
	);
	for (const [what, time] of [['process.submit', 'p.submission_time'], ['process.assign', 'p.start_time'], ['process.successful', 'p.end_time']] as const) {
		// eslint-disable-next-line no-await-in-loop
		await database.query(
			`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail)
			select ${time}, case when h.what = 'process.submit' then h.actor else p.assigned_computer_id end, h.colony_id, 'process', p.process_id,
				case when h.what = 'process.successful' and p.status = 3 then 'process.failed' else h.what end, h.from_state, case when h.to_state = 'successful' and p.status = 3 then 'failed' else h.to_state end,
				h.detail || case when h.what = 'process.submit' then jsonb_build_object('submissiontime', to_char(p.submission_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'computertype', p.computer_type) else jsonb_build_object('computer', encode(p.assigned_computer_id, 'hex'), 'type', p.computer_type) end
			from colonies.history h, colonies.closed p where h.subject_id = colonies.bytes_of($1) and h.what = $2 and p.colony_id = h.colony_id and p.process_id <> colonies.bytes_of($1)`,
			[processid, what],
		);
	}

	await database.query('analyze');
}

const specFor = ({id}: Colony) => ({targetcolonyid: id, computertype: types[Math.floor(Math.random() * types.length)]!, in: {size: String(Math.random())}, maxretries: 3, timeout: 600});

/** Has what was written counted for Pulse and sealed, as a server does while it goes on. */
async function settle({broker}: Colony): Promise<void> {
	const untilDone = async (act: () => Promise<boolean>) => {
		while (await act()) {} // eslint-disable-line no-await-in-loop, no-empty
	};

	await Promise.all([untilDone(async () => broker.rollPulse()), untilDone(async () => broker.seal())]);
}

/** Tells every ten seconds how many changes were recorded, and the greatest age of a change that was not sealed. */
async function report(database: Database, signal: AbortSignal): Promise<void> {
	let before = await recorded(database);
	while (!signal.aborted) {
		const began = performance.now();
		let oldest = 0;
		for (let times = 0; times < 20 && !signal.aborted; times++) {
			await pause(500); // eslint-disable-line no-await-in-loop
			const last = await seals.lastSeal(database); // eslint-disable-line no-await-in-loop
			const since = last && await seals.unsealedSince(database, last); // eslint-disable-line no-await-in-loop
			oldest = Math.max(oldest, since ? Date.now() - milliseconds(since)! : 0);
		}

		const now = await recorded(database); // eslint-disable-line no-await-in-loop
		console.log(`${Math.round((now - before) * 1000 / (performance.now() - began))} changes a second, unsealed for ${(oldest / 1000).toFixed(1)} s at most`);
		before = now;
	}
}

/** How many changes were recorded so far, by the number of the last. */
async function recorded(database: Database): Promise<number> {
	const {rows: [row]} = await database.query<{last: number}>('select last_value::float8 as last from colonies.history_numbers');
	return row!.last;
}

/** Submits, takes and closes, in equal measure, so many a second together. */
async function live(colony: Colony, computers: readonly Identity[], signal: AbortSignal): Promise<void> {
	const {broker} = colony;
	const turn = 1000 * batch * 3 / rate;
	let number = 0;
	while (!signal.aborted) {
		const began = performance.now();
		const computer = computers[number++ % computers.length]!;
		try {
			await broker.runMany({identity: colony.owner}, 'process.submit', Array.from({length: batch}, () => ({spec: specFor(colony)}))); // eslint-disable-line no-await-in-loop
			const taken = await broker.runMany({identity: computer}, 'process.assign', Array.from({length: batch}, () => ({colonyid: colony.id}))); // eslint-disable-line no-await-in-loop
			const ids = taken.flatMap(answer => answer instanceof ColoniesError ? [] : [answer.result.processid]);
			if (ids.length > 0) {
				await broker.runMany({identity: computer}, Math.random() < 0.03 ? 'process.failed' : 'process.successful', ids.map(processid => ({colonyid: colony.id, processid}))); // eslint-disable-line no-await-in-loop
			}
		} catch (error) {
			console.error(error instanceof Error ? error.message : error);
		}

		await pause(Math.max(0, turn - (performance.now() - began))); // eslint-disable-line no-await-in-loop
	}
}

const server = await startPostgres();
const where = await freshDatabase(server);
const database = await openPostgres({...where, statementTimeout: 0});
await migrate(database);
const colony = await openColony(database, new Broker(database, {local: true}));
const names = ['edge-1', 'edge-2', 'lab1', 'gpu-a', 'gpu-b'];
const computers: Identity[] = [];
for (const name of names) {
	computers.push(await colony.computer({name, cores: 32, mem: 64_000, gpus: 4})); // eslint-disable-line no-await-in-loop
}

await colony.computer({name: 'lab2', state: 'pending', computertype: 'render', cores: 64, mem: 128_000, gpus: 8});
const keychain = openKeychain({folder: folders({COLONIES_HOME: home}).config});
await keychain.add(colony.privateKeys[0]!);
await keychain.describe(colony.id, {kind: 'colony', name: 'large', colonyid: colony.id});
console.log(`Writing ${count} processes with their history …`);
const began = performance.now();
await fill(database, colony, {processid: await pattern(colony, computers[0]!), computers});
await settle(colony);
console.log(`That took ${Math.round((performance.now() - began) / 1000)} s. Look at it with:\n\nCOLONIES_HOME=${home} node dist/cli.js --dbhost ${where.host} --dbport ${where.port} --dbuser ${where.user} --dbname ${where.database}\n\n${rate} changes a second go on until ctrl-c.`);
const stop = new AbortController();
process.once('SIGINT', () => {
	stop.abort();
});
process.once('SIGTERM', () => {
	stop.abort();
});
const stopKeepingTime = keepTime(colony.broker);
await Promise.all([live(colony, computers, stop.signal), report(database, stop.signal)]);
await stopKeepingTime();
await database.close();
await server.stop();
