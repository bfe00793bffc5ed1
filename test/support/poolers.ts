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
import {example, replaced} from './proxies.ts';

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

/**
Starts PgBouncer with `examples/deploy/pgbouncer.ini`, other ports and paths put in. It ends with the tests.
Three connections to PostgreSQL, so that callers have to share them. `scram`: asks for the password as the example does; otherwise it trusts everyone, and goes to the server by its socket.
*/
export async function startPooler({host, port, password}: Server, {scram = false}: {scram?: boolean} = {}): Promise<PostgresOptions> {
	const folder = makeFolder(mkdtempSync(path.join(tmpdir(), 'cpb-')));
	const listening = await freePort();
	const [users, settings] = [path.join(folder, 'users'), path.join(folder, 'pgbouncer.ini')];
	writeFileSync(users, `"postgres" "${scram ? password : ''}"\n`);
	writeFileSync(settings, replaced(example('pgbouncer.ini'), [
		['* = host=127.0.0.1 port=5432', `* = host=${scram ? '127.0.0.1' : host} port=${port}`],
		['listen_port = 6432', `listen_port = ${listening}`],
		['logfile = /var/log/postgresql/pgbouncer.log\n', ''],
		['pidfile = /var/run/postgresql/pgbouncer.pid\n', ''],
		...(scram ? [] : [['auth_type = scram-sha-256', 'auth_type = trust'] as const]),
		['/etc/pgbouncer/userlist.txt', users],
		['default_pool_size = 20', 'default_pool_size = 3'],
	]));
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
	return {host: '127.0.0.1', port: listening, user: 'postgres', ...(scram && {password})};
}
