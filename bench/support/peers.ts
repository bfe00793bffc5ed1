import {execFile} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {EventEmitter} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import {
	Logger, makeWorkerUtils, runTaskListOnce, type Task,
} from 'graphile-worker';
import pg from 'pg';
import PgBoss from 'pg-boss';
import {postgresProgram} from '../../test/support/clusters.ts';
import {freshDatabase, type Server} from '../../test/support/databases.ts';
import {callersFor} from './measure.ts';

/** What goes in with a life. */
export const given = {job: 'render', frame: '1017'};

/** Something that lives lives: each is put in, taken and finished by itself. */
export type Peer = {name: string; /** Of its database. */ database: string; /** One life. */ live: () => Promise<void>; run: (callers: number, seconds: number) => Promise<number>; close: () => Promise<void>};

/** Connections of a peer at most. */
const most = 32;

/** Jobs one at a time: added, then fetched and completed, each by a call of its own. */
export async function openGraphile(server: Server): Promise<Peer> {
	// It listens for signals to the program with each job that runs.
	process.setMaxListeners(0);
	EventEmitter.defaultMaxListeners = 0;
	const where = await freshDatabase(server);
	const pool = new pg.Pool({...where, max: most});
	pool.on('error', () => undefined);
	pool.on('connect', client => {
		client.on('error', () => undefined);
	});
	const logger = new Logger(() => () => undefined);
	const utils = await makeWorkerUtils({pgPool: pool, logger});
	await utils.migrate();
	const life: Task = () => undefined;
	const live = async () => {
		await utils.addJob('life', given);
		const client = await pool.connect();
		try {
			await runTaskListOnce({pgPool: pool, logger}, {life}, client);
		} finally {
			client.release();
		}
	};

	return {
		name: 'graphile-worker, one by one',
		database: where.database!,
		live,
		run: async (callers, seconds) => callersFor(seconds, callers, live),
		async close() {
			await utils.release();
			await pool.end();
		},
	};
}

export async function openBoss(server: Server): Promise<Peer> {
	const {host, port, user, database} = await freshDatabase(server);
	const queue = new PgBoss({host: host!, port: port!, user: user!, database: database!, max: most, supervise: false, schedule: false});
	await queue.start();
	await queue.createQueue('lives');
	const live = async () => {
		await queue.send('lives', {...given, id: randomUUID()});
		let job: {id: string} | undefined;
		while (!job) {
			[job] = await queue.fetch('lives'); // eslint-disable-line no-await-in-loop
		}

		await queue.complete('lives', job.id);
	};

	return {
		name: 'pg-boss',
		database: database!,
		live,
		run: async (callers, seconds) => callersFor(seconds, callers, live),
		close: async () => queue.stop({graceful: false}),
	};
}

const bare = `insert into bare (given) values ('{"job":"render","frame":"1017"}');
update bare set state = 1 where id = (select id from bare where state = 0 order by id limit 1 for update skip locked);
delete from bare where id = (select id from bare where state = 1 order by id limit 1 for update skip locked);
`;

/** The least that such a life can be on this server: three prepared statements by pgbench, without authority, history or anything else. */
export async function openBare(server: Server): Promise<Pick<Peer, 'name' | 'run' | 'close'>> {
	const where = await freshDatabase(server);
	const client = new pg.Client(where);
	await client.connect();
	await client.query('create table bare (id bigint generated always as identity primary key, state smallint not null default 0, given jsonb) with (fillfactor = 70); create index on bare (id) where state = 0; create index on bare (id) where state = 1');
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-bench-'));
	const script = path.join(folder, 'life.sql');
	writeFileSync(script, bare);
	return {
		name: 'pgbench, three bare statements',
		async run(callers, seconds) {
			const {stdout} = await promisify(execFile)(postgresProgram('pgbench'), [
				'-n', '-M', 'prepared', '-f', script, '-c', String(callers), '-j', '2', '-T', String(Math.max(1, Math.round(seconds))), '-h', where.host!, '-p', String(where.port!), '-U', where.user!, where.database!,
			]);
			return Number(/transactions actually processed: (\d+)/.exec(stdout)![1]);
		},
		async close() {
			rmSync(folder, {recursive: true});
			await client.end();
		},
	};
}
