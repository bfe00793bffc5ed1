import {createServer, connect, type Socket} from 'node:net';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {PostgresOptions} from '../../source/database/postgres.ts';

const notification = 'A'.codePointAt(0)!;

/** Passes on what a server says, but for notifications while `isMuted`: messages are a letter and four bytes of length, its own included. */
function passOn(from: Socket, to: Socket, isMuted: () => boolean): void {
	let rest = Buffer.alloc(0);
	from.on('data', (chunk: Buffer) => {
		rest = Buffer.concat([rest, chunk]);
		while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
			const end = 1 + rest.readInt32BE(1);
			if (rest[0] !== notification || !isMuted()) {
				to.write(rest.subarray(0, end));
			}

			rest = rest.subarray(end);
		}
	});
}

/** A way to a PostgreSQL on which no notification arrives until it is unmuted, as through a pooler that gives each transaction another session. */
export async function openMuted({host, port}: PostgresOptions): Promise<{host: string; port: number; unmute(): void; close(): Promise<void>}> {
	const folder = mkdtempSync(path.join(tmpdir(), 'cmu-'));
	const sockets = new Set<Socket>();
	let muted = true;
	const server = createServer(client => {
		const behind = connect(path.join(host!, `.s.PGSQL.${port}`));
		passOn(behind, client, () => muted);
		client.pipe(behind);
		for (const [one, other] of [[client, behind], [behind, client]] as const) {
			sockets.add(one);
			one.on('error', () => undefined).on('close', () => {
				sockets.delete(one);
				other.destroy();
			});
		}
	});
	await new Promise<void>(resolve => {
		server.listen(path.join(folder, '.s.PGSQL.5432'), resolve);
	});
	return {
		host: folder,
		port: 5432,
		unmute() {
			muted = false;
		},
		async close() {
			for (const socket of sockets) {
				socket.destroy();
			}

			await new Promise(resolve => {
				server.close(resolve);
			});
			rmSync(folder, {recursive: true, force: true});
		},
	};
}
