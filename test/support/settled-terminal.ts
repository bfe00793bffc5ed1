import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	type Exit, openTerminal, type Terminal, type TerminalOptions,
} from './terminal.ts';

const observer = path.join(import.meta.dirname, 'settling.js');
const patience = 60_000;

/** A terminal whose program says when it has done what it was told: nobody has to sleep to see what a key does. */
export type SettledTerminal = Pick<Terminal, 'screen' | 'until' | 'signal' | 'exit' | 'sanity' | 'close'> & {
	/** Sends bytes as they are. */
	send: (bytes: string) => void;
	resize: (columns: number, rows: number) => void;
	/** Resolves when the program has read all that was sent, knows its size and has drawn what came of it, and that is on the screen; or when it has ended. */
	settle: () => Promise<'settled' | Exit>;
};

/** Starts a program of Node's in a terminal. */
export async function openSettled({command, env = {}, columns = 120, rows = 36, output = () => undefined, ...options}: TerminalOptions): Promise<SettledTerminal> {
	const folder = mkdtempSync(path.join(tmpdir(), 'settled-'));
	const socket = path.join(folder, 'said');
	let sent = 0;
	let received = 0;
	let size = [columns, rows];
	let said = [0, 0, 0, 0];
	let ended: Exit | undefined;
	let check = (): void => undefined;

	const server = createServer(connection => {
		let rest = '';
		connection.setEncoding('utf8').on('error', () => undefined).on('data', (text: string) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop()!;
			said = lines.at(-1)?.split(' ').map(Number) ?? said;
			check();
		});
	});
	server.listen(socket);
	server.unref();
	await once(server, 'listening');
	const terminal = openTerminal({
		...options, columns, rows, command: [process.execPath, '--import', observer, ...command.slice(1)], env: {...env, SETTLING: socket},
		output(text) {
			received += Buffer.byteLength(text);
			output(text);
			check();
		},
	});
	const ending = terminal.ended.then(exit => {
		ended = exit;
		check();
	});

	const isSettled = (): boolean => said[0]! >= sent && received >= said[1]! && (said[0] === 0 || (said[2] === size[0] && said[3] === size[1]));

	const {screen, until, signal, exit, sanity} = terminal;
	return {
		screen, until, signal, exit, sanity,
		send(bytes) {
			sent += Buffer.byteLength(bytes);
			terminal.send(bytes);
		},
		resize(width, height) {
			size = [width, height];
			terminal.resize(width, height);
			// It may have had this size a moment ago: only what comes behind the news of this one tells that it was heard. A report of the focus means nothing to anybody.
			sent += 3;
			terminal.send('\u001B[I');
		},
		settle: async () => new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				check = () => undefined;
				reject(new Error(`It did not settle within ${patience} ms: ${sent} bytes sent, ${said[0]} read; ${said[1]} written, ${received} received; ${size.join('×')}, it knows ${said.slice(2).join('×')}.\n${screen().join('\n')}`));
			}, patience);
			check = () => {
				if (ended ?? isSettled()) {
					check = () => undefined;
					clearTimeout(timer);
					resolve(ended ?? 'settled');
				}
			};

			check();
		}),
		async close() {
			await terminal.close();
			await ending;
			server.close();
			rmSync(folder, {recursive: true, force: true});
		},
	};
}
