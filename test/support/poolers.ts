// A real pgbouncer in front of a server.
import {spawn, spawnSync} from 'node:child_process';
import {chownSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after} from 'node:test';
import type {PostgresOptions} from '../../source/database/postgres.ts';
import {makeFolder, noPostgres, owner} from './clusters.ts';
import {freePort, type Server} from './databases.ts';

const program = ['/usr/sbin/pgbouncer', 'pgbouncer'].find(file => spawnSync(file, ['--version']).status === 0);

function whyNot(): string | false {
	if (noPostgres || program) {
		return noPostgres;
	}

	const reason = 'pgbouncer is not installed.';
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests through a pooler are SKIPPED.\n`);
	return reason;
}

/** For `{skip: noPooler}`: false, or why tests through a pooler cannot run. That is said aloud; with CI=true it is a failure. */
export const noPooler = whyNot();

/** Starts a pgbouncer that lends sessions for a transaction, as it comes: nothing is added to its settings for our sake. It ends with the tests. */
export async function startPooler({host, port}: Server): Promise<PostgresOptions> {
	const folder = makeFolder(mkdtempSync(path.join(tmpdir(), 'cpb-')));
	const listening = await freePort();
	const [users, settings] = [path.join(folder, 'users'), path.join(folder, 'pgbouncer.ini')];
	writeFileSync(users, '"postgres" ""\n');
	writeFileSync(settings, `[databases]
* = host=${host} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listening}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 3
`);
	if (owner) {
		for (const file of [users, settings]) {
			chownSync(file, owner.uid, owner.gid);
		}
	}

	const child = spawn(program!, [settings], {...owner, cwd: '/', stdio: ['ignore', 'ignore', 'pipe']});
	child.stderr.setEncoding('utf8');
	await new Promise<void>((resolve, reject) => {
		let said = '';
		child.stderr.on('data', (text: string) => {
			said += text;
			if (said.includes('process up')) {
				resolve();
			}
		});
		child.once('exit', () => {
			reject(new Error(said));
		});
	});
	after(() => {
		child.kill();
	});
	return {host: '127.0.0.1', port: listening, user: 'postgres'};
}
