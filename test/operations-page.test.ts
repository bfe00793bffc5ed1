// The commands of docs/operations.md, pasted into a shell: proxy, servers, poolers, primary and replica, a rolling restart and a failover.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {
	cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {makeFolder, noPostgres, owner, postgresProgram} from './support/clusters.ts';
import {freePort} from './support/databases.ts';
import {exampleFile, noProgram} from './support/deploy.ts';
import {noPooler} from './support/poolers.ts';
import {noProxy} from './support/proxies.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const skip = noPostgres || noPooler || noProxy.haproxy || noProgram('openssl', ['version']) || noProgram('curl') || noProgram('socat', ['-V']);
// The files of monitoring come with a page of their own.
const noPrometheus = existsSync(exampleFile('prometheus.yml')) ? noProgram('prometheus') || noProgram('promtool') : 'There is no examples/deploy/prometheus.yml.';
if (noPrometheus) {
	console.error(`\n!!! ${noPrometheus} The commands of Prometheus in docs/operations.md are left out.\n`);
}

/** The commands of the section, one text, with free ports in place of those of the page. */
async function commands(): Promise<string> {
	const page = readFileSync(path.join(root, 'docs', 'operations.md'), 'utf8');
	const section = page.slice(page.indexOf('## Everything on one machine'), page.indexOf('## Install'));
	const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!).filter(block => !noPrometheus || !block.includes('prometheus.yml'));
	let text = blocks.map((block, index) => `echo "block ${index + 1}"\n${block}`).join('');
	for (const port of ['5441', '5442', '6441', '6442', '8081', '8082', '8443', '9091']) {
		text = text.replaceAll(port, String(await freePort()));
	}

	return text;
}

/** Ends what detaches itself, should the commands stop midway. */
function endDaemons(lab: string): void {
	const files = existsSync(lab) ? readdirSync(lab).filter(name => name.endsWith('.pid')).map(name => path.join(lab, name)) : [];
	for (const file of [...files, path.join(lab, 'primary', 'postmaster.pid'), path.join(lab, 'replica', 'postmaster.pid')].filter(name => existsSync(name))) {
		try {
			process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 'SIGQUIT');
		} catch {
			// It has ended.
		}
	}
}

test('pasted, the commands bring everything up, survive a rolling restart and a failover, and take it down', {skip}, async () => {
	const folder = makeFolder(mkdtempSync(path.join(tmpdir(), 'cops-')));
	const lab = path.join(folder, 'lab');
	// The user of the commands may not be able to read this clone.
	for (const name of ['dist', 'examples', 'package.json']) {
		cpSync(path.join(root, name), path.join(folder, name), {recursive: true});
	}

	writeFileSync(path.join(folder, 'colonies'), `#!/bin/sh\nexec '${process.execPath}' '${path.join(folder, 'dist', 'cli.js')}' "$@"\n`, {mode: 0o755});
	if (owner) {
		execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, folder]);
	}

	const child = spawn('bash', ['-euo', 'pipefail', '-c', await commands()], {
		...owner, cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: 150_000,
		env: {PATH: [folder, path.dirname(postgresProgram('psql')), process.env.PATH].join(path.delimiter), HOME: folder, LAB: lab, DEPLOY: path.join(folder, 'examples', 'deploy'), LC_ALL: 'C.UTF-8'},
	});
	let said = '';
	const hear = (text: string) => {
		said += text;
	};

	child.stdout.setEncoding('utf8').on('data', hear);
	child.stderr.setEncoding('utf8').on('data', hear);

	after(() => {
		endDaemons(lab);
		try {
			process.kill(-child.pid!, 'SIGKILL');
		} catch {
			// All of the group has ended.
		}

		rmSync(folder, {recursive: true, force: true});
	});
	const code = await new Promise<number | null>(resolve => {
		child.once('exit', resolve);
	});
	const logs = () => readdirSync(lab).filter(name => name.endsWith('.log')).map(name => `${name}: ${readFileSync(path.join(lab, name), 'utf8').slice(-600)}`).join('\n');
	assert.equal(code, 0, `${said.slice(-3000)}\n${existsSync(lab) ? logs() : ''}`);
	assert.equal(said.match(/^Process [\da-f]{64} was successful\.$/gm)?.length, 4, said);
	const log = readFileSync(path.join(lab, readdirSync(lab).find(name => /^server-\d+\.log$/.test(name))!), 'utf8');
	assert.match(log, /Stopped\./);
	for (const secret of ['root-password', 'database-password']) {
		assert.ok(!log.includes(readFileSync(path.join(lab, secret), 'utf8').trim()));
	}
});
