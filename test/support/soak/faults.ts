import {
	closeSync, openSync, rmSync, writeSync,
} from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import pg from 'pg';
import {onSocket} from '../databases.ts';
import {
	connectionsTaken, databaseName, roles, type Soak,
} from './soak.ts';

/** How long a fault lasts: as long as this goes on. It comes again every so many milliseconds; where time does not count, so many times. */
export type Beats = (pace: {everyMs: number; times: number}) => AsyncIterable<void>;

/** Something that befalls servers or their database. */
export type Fault = {
	readonly name: string;
	/** What chooses it on a command line. */
	readonly word: string;
	/** Megabytes of the disk that the database is to have for itself. */
	readonly diskSize?: number;
	/**
	Makes ready what it needs while all goes well, and returns what strikes, lasts, and ends by giving back all that it took.
	No server is started again but one that it killed itself.
	*/
	prepare(soak: Soak): Promise<(beats: Beats) => Promise<void>>;
};

const pass = async (beats: AsyncIterable<void>): Promise<void> => {
	for await (const _ of beats) {} // eslint-disable-line no-empty
};

const restart: Fault = {
	name: 'database restart',
	word: 'restart',
	prepare: async soak => async beats => {
		await soak.postgres.stop();
		await soak.untilRefused();
		await pass(beats({everyMs: 1000, times: 2}));
		await soak.postgres.start();
	},
};

const terminate: Fault = {
	name: 'pg_terminate_backend at random',
	word: 'terminate',
	prepare: async soak => async beats => {
		for await (const _ of beats({everyMs: 100, times: 20})) {
			await soak.terminate(1);
		}
	},
};

const readOnly: Fault = {
	name: 'read-only window',
	word: 'readonly',
	prepare: async soak => async beats => {
		await soak.sql(`alter database ${databaseName} set default_transaction_read_only = on`);
		// What the servers connect now stays read-only when the window is over.
		await soak.terminate();
		await soak.untilRefused();
		await pass(beats({everyMs: 1000, times: 3}));
		await soak.sql(`alter database ${databaseName} reset default_transaction_read_only`);
	},
};

const standby: Fault = {
	name: 'standby promoted',
	word: 'standby',
	async prepare(soak) {
		const next = await soak.startStandby();
		return async beats => {
			// Fenced off first, so that nobody is told anything by the old one any more.
			soak.forwarder.lead();
			await soak.postgres.kill();
			soak.postgres = next;
			soak.forwarder.lead(next);
			await soak.untilRefused();
			await pass(beats({everyMs: 1000, times: 3}));
			await next.promote();
		};
	},
};

const connectionsAtOnce = 30;

/** A connection to the database that does nothing; undefined where there is none left. */
async function idleConnection({postgres}: Soak): Promise<pg.Client | undefined> {
	const client = new pg.Client({...onSocket(postgres), user: roles.others});
	client.on('error', () => undefined);
	try {
		await client.connect();
		return client;
	} catch {
		return undefined;
	}
}

const connections: Fault = {
	name: `${connectionsTaken} idle connections to the database`,
	word: 'connections',
	prepare: async soak => async beats => {
		const taken: pg.Client[] = [];
		try {
			await soak.until(async () => {
				const wanted = Math.min(connectionsTaken - taken.length, connectionsAtOnce);
				const opened = await Promise.all(Array.from({length: wanted}, async () => idleConnection(soak)));
				taken.push(...opened.filter(client => client !== undefined));
				if (opened.includes(undefined)) {
					// Those of the servers have to go for them.
					await soak.terminate();
				}

				return taken.length === connectionsTaken;
			}, `${connectionsTaken} connections were taken`);
			await pass(beats({everyMs: 1000, times: 3}));
		} finally {
			await Promise.all(taken.map(async client => client.end()));
		}
	},
};

const callers: Fault = {
	name: `${connectionsTaken} idle connections to the servers`,
	word: 'callers',
	prepare: async soak => async beats => {
		const ports = soak.servers.flatMap(({port}) => Array.from({length: connectionsTaken / 2}, () => port));
		const sockets = await Promise.all(ports.map(async port => new Promise<tls.TLSSocket>((resolve, reject) => {
			const socket = tls.connect({host: '127.0.0.1', port, rejectUnauthorized: false}, () => {
				socket.write('GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n');
			});
			socket.on('error', reject).once('data', () => {
				resolve(socket);
			});
		})));
		await pass(beats({everyMs: 1000, times: 3}));
		for (const socket of sockets) {
			socket.destroy();
		}
	},
};

const kill: Fault = {
	name: 'a server killed with -9 every few seconds',
	word: 'kill',
	prepare: async soak => async beats => {
		let index = 0;
		for await (const _ of beats({everyMs: 3000, times: 2})) {
			await soak.servers[index % 2]!.end('SIGKILL');
			await soak.restartServer(index % 2);
			index++;
		}
	},
};

const stop: Fault = {
	name: 'a server stopped and continued',
	word: 'stop',
	prepare: async soak => async beats => {
		const [, server] = soak.servers;
		server!.signal('SIGSTOP');
		await pass(beats({everyMs: 1000, times: 5}));
		server!.signal('SIGCONT');
	},
};

/** Writes into a file until the disk that holds it is full. */
function fill(file: string): void {
	const [descriptor, block] = [openSync(file, 'a'), new Uint8Array(65_536)];
	try {
		for (;;) {
			writeSync(descriptor, block);
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') {
			throw error;
		}
	} finally {
		closeSync(descriptor);
	}
}

const disk: Fault = {
	name: 'a full disk',
	word: 'disk',
	diskSize: 256,
	prepare: async soak => async beats => {
		const ballast = path.join(soak.postgres.folder, 'ballast');
		fill(ballast);
		await soak.untilRefused();
		for await (const _ of beats({everyMs: 1000, times: 3})) {
			// Each beat asks for a new segment of the WAL. PostgreSQL ends for want of one, and cannot start for want of space.
			await soak.sql('select pg_switch_wal()').catch(() => undefined);
			fill(ballast);
		}

		rmSync(ballast);
		await soak.untilUp();
	},
};

/** What befalls a database. */
export const ofDatabases: readonly Fault[] = [restart, terminate, readOnly, standby, connections, disk];

/** What befalls the servers that work on it. */
export const ofServers: readonly Fault[] = [callers, kill, stop];
