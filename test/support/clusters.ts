// The folders that PostgreSQL servers of tests keep their data in, and the programs that make them.
import {execFileSync} from 'node:child_process';
import {
	chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmdirSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir, userInfo} from 'node:os';
import path from 'node:path';
import process from 'node:process';

const isProgram = (file: string): boolean => existsSync(path.join(file, 'initdb'));

/** The folder of PostgreSQL's programs; undefined where none is installed. */
function findPrograms(): string | undefined {
	const onPath = (process.env.PATH ?? '').split(path.delimiter)
		.map(folder => path.join(folder, 'postgres'))
		.filter(file => existsSync(file))
		.map(file => path.dirname(realpathSync(file)));
	const debian = '/usr/lib/postgresql';
	const installed = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)).map(version => path.join(debian, version, 'bin')) : [];
	return [...onPath, ...installed].find(folder => isProgram(folder));
}

const programs = findPrograms();

/** For `{skip: noPostgres}`: false, or the reason why tests on a real server cannot run. With CI=true that is a failure. */
export const noPostgres: string | false = programs ? false : 'No PostgreSQL is installed (initdb and postgres are not on the PATH).';
if (noPostgres) {
	if (process.env.CI === 'true') {
		throw new Error(noPostgres);
	}

	console.error(`\n!!! ${noPostgres} Tests on a real server are SKIPPED.\n`);
}

// PostgreSQL refuses root, so root runs it as the user that its package made.
export const owner = userInfo().uid === 0 && programs
	? {uid: Number(execFileSync('id', ['-u', 'postgres'], {encoding: 'utf8'})), gid: Number(execFileSync('id', ['-g', 'postgres'], {encoding: 'utf8'}))}
	: undefined;

/** The path of one of PostgreSQL's programs. */
export const postgresProgram = (name: string): string => path.join(programs!, name);

/** Runs a program as the user that PostgreSQL runs as. */
export const run = (program: string, ...words: string[]): string => execFileSync(program, words, {...owner, cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

/** Makes a folder that belongs to the user that PostgreSQL runs as, and nobody else may read. */
export function makeFolder(folder: string): string {
	mkdirSync(folder, {recursive: true, mode: 0o700});
	if (owner) {
		chownSync(folder, owner.uid, owner.gid);
	}

	chmodSync(folder, 0o700);
	return folder;
}

/** Of the user postgres, over TCP. */
export const password = 'a very secret password';

/** Where the tests keep what they make once. */
export const cacheFolder = (): string => makeFolder(path.join(tmpdir(), `colonies-tests-${userInfo().username}`));

/** A cluster made once and copied from then on: initdb takes a second, a copy a tenth of one. */
export function freshCluster(folder: string): void {
	const version = run(path.join(programs!, 'postgres'), '--version').trim().replaceAll(/[^\w.]+/g, '-');
	const cache = cacheFolder();
	const cluster = path.join(cache, version);
	if (!existsSync(cluster)) {
		const unfinished = `${cluster}-${process.pid}`;
		const secret = `${unfinished}.password`;
		writeFileSync(secret, password, {mode: 0o644});
		run(path.join(programs!, 'initdb'), '-D', unfinished, '-U', 'postgres', '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${secret}`, '--encoding=UTF8', '--no-locale', '--no-sync');
		rmSync(secret);
		try {
			renameSync(unfinished, cluster);
		} catch {
			// Another test was quicker.
			rmSync(unfinished, {recursive: true, force: true});
		}
	}

	run('cp', '-a', cluster, folder);
}

/** A certificate of its own authority for 127.0.0.1 and localhost. */
export function makeCertificate(data: string): string {
	const key = path.join(data, 'server.key');
	const certificate = path.join(data, 'server.crt');
	run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate);
	run('chmod', '600', key);
	return readFileSync(certificate, 'utf8');
}

/** A copy of a running server, for one that follows it from then on. */
export function copyOf({host, port, user}: {host: string; port: number; user: string}, folder: string): void {
	run(postgresProgram('pg_basebackup'), '-h', host, '-p', String(port), '-U', user, '-D', folder, '-R', '-X', 'stream', '-c', 'fast', '--no-sync');
	run('chmod', '700', folder);
}

/**
Mounts a small disk on a folder: a tmpfs of so many megabytes, which no other folder shares.
@throws Error where that is not allowed: for anybody but root, and in most containers
*/
export function mountDisk(folder: string, megabytes: number): void {
	makeFolder(folder);
	execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe']});
	makeFolder(folder);
}

/** For `skip`: false, or the reason why no small disk can be mounted here. With CI=true that is a failure. */
export function noDisk(): string | false {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-disk-'));
	try {
		mountDisk(folder, 1);
		execFileSync('umount', [folder]);
		return false;
	} catch (error) {
		const reason = `No small disk can be mounted: ${(error as Error).message.trim().split('\n').at(-1)!}`;
		if (process.env.CI === 'true') {
			throw new Error(reason, {cause: error});
		}

		console.error(`\n!!! ${reason} Tests with a full disk are SKIPPED.\n`);
		return reason;
	} finally {
		rmdirSync(folder);
	}
}
