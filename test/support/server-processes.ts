import {type ChildProcess, spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {rootPassword} from './colony.ts';
import type {freshDatabase} from './databases.ts';

type Where = Awaited<ReturnType<typeof freshDatabase>>;

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export type ServerProcess = {
	readonly port: number;
	readonly fingerprint: string;
	readonly pid: number;
	/** What it has written so far. */
	said(): string;
	/** Sends a signal and resolves with how it ended. */
	end(signal: NodeJS.Signals): Promise<{code: number | null; signal: NodeJS.Signals | null}>;
	/** Sends a signal that it lives on with. */
	signal(signal: NodeJS.Signals): void;
};

/** Starts `colonies server start` in a process of its own and waits until it listens. @throws Error with what it said when it ends before */
export async function startServer({host, port: dbport, user, database}: Where, {home, port, words = []}: {home: string; port: number; words?: readonly string[]}): Promise<ServerProcess> {
	const child: ChildProcess = spawn(process.execPath, [
		program,
		'server',
		'start',
		'--host',
		'127.0.0.1',
		'--port',
		String(port),
		...words,
		'--dbhost',
		host!,
		'--dbport',
		String(dbport),
		'--dbuser',
		user!,
		'--dbname',
		database!,
	], {env: {...process.env, COLONIES_HOME: home, COLONIES_ROOT_PASSWORD: rootPassword}, stdio: ['ignore', 'pipe', 'pipe']});
	const ended = new Promise<{code: number | null; signal: NodeJS.Signals | null}>(resolve => {
		child.once('exit', (code, signal) => {
			resolve({code, signal});
		});
	});
	let said = '';
	const fingerprint = await new Promise<string>((resolve, reject) => {
		const hear = (text: string) => {
			said += text;
			const found = /^([\da-f]{64})$/m.exec(said);
			if (found && said.includes('To connect')) {
				resolve(found[1]!);
			}
		};

		child.stdout!.setEncoding('utf8').on('data', hear);
		child.stderr!.setEncoding('utf8').on('data', hear);

		void ended.then(() => {
			reject(new Error(said));
		});
	});
	return {
		port, fingerprint, pid: child.pid!,
		said: () => said,
		async end(signal) {
			child.kill(signal);
			return ended;
		},
		signal(signal) {
			child.kill(signal);
		},
	};
}
