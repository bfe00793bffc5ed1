import {createHash} from 'node:crypto';
import {once} from 'node:events';
import fs from 'node:fs';
import http, {type IncomingMessage, type ServerResponse} from 'node:http';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {makePrivateFolder} from '../keychain/index.ts';
import type {HostedContext} from '../operations/index.ts';

/** Bytes that the path of a Unix socket may have; longer ones are cut without a word. */
const longest = 100;

/** Where the processes of this user meet that share the embedded database of a folder; in `run`, a folder with a short name, where that of the folder is too long. */
export function socketOf(folder: string, run: string): string {
	const print = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 16);
	if (process.platform === 'win32') {
		return `\\\\.\\pipe\\colonies-${print}`;
	}

	const inFolder = path.join(folder, 'socket');
	return Buffer.byteLength(inFolder) <= longest ? inFolder : path.join(run, print);
}

/** Milliseconds for which a refusal may be on its way when this closes. */
const refusalTimeoutMs = 1000;

/** So that everything that has arrived is seen. */
const turn = async (): Promise<void> => new Promise(resolve => {
	setImmediate(resolve);
});

/** Answers that nothing was done, as the server's own surface does when it closes. */
function refuse(response: ServerResponse): void {
	response.writeHead(503, {'content-type': 'application/problem+json', connection: 'close'});
	response.end(JSON.stringify({status: 503, code: 'unavailable', detail: 'The embedded database was not opened here.', hint: 'Try it again in a moment.'}));
}

type Handler = {handle(request: IncomingMessage, response: ServerResponse): void; close(): Promise<void>};

/**
The Unix socket on which the process that has the embedded database open serves it to the others of this user, with the server's own surface.
It listens before the database has started, so that whoever comes then waits for it; the server is loaded when the first one asks.
*/
export class Gate {
	readonly #socket: string;
	readonly #version: string;
	readonly #server: http.Server;
	readonly #context: Promise<HostedContext>;
	readonly #unanswered = new Set<ServerResponse>();
	#open: (context: HostedContext) => void = () => undefined;
	#fail: (reason: Error) => void = () => undefined;
	#handler: Promise<Handler> | undefined;
	#isClosing = false;

	constructor(socket: string, version: string) {
		this.#socket = socket;
		this.#version = version;
		this.#context = new Promise((resolve, reject) => {
			this.#open = resolve;
			this.#fail = reject;
		});
		// Heard by those who wait for it, if there are any.
		this.#context.catch(() => undefined);
		this.#server = http.createServer((request, response) => {
			void this.#answer(request, response);
		});
		// Connections of the same user on the same machine may stand still for as long as they like.
		Object.assign(this.#server, {headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0});
		this.#server.unref();
	}

	/** Listens; only whoever holds the lock of the folder may. Where that is not possible nobody can share, and all else goes on. */
	async listen(): Promise<void> {
		if (process.platform !== 'win32') {
			makePrivateFolder(path.dirname(this.#socket));
			// Of an earlier holder that was killed.
			fs.rmSync(this.#socket, {force: true});
		}

		await new Promise<void>(resolve => {
			this.#server.once('error', () => {
				resolve();
			});
			this.#server.listen(this.#socket, () => {
				if (process.platform !== 'win32') {
					fs.chmodSync(this.#socket, 0o600);
				}

				resolve();
			});
		});
	}

	/** The database is open. */
	open(context: HostedContext): void {
		this.#open(context);
	}

	/**
	Takes nobody in any more, finishes what was begun, and answers what came too late with 503, so that every guest knows what became of its request: it was carried out and answered, or it was not read.
	No connection is closed while a request of it is under way, and none is left in the queue of the socket.
	*/
	async close(): Promise<void> {
		this.#isClosing = true;
		this.#fail(new Error('It is closed.'));
		const handler = await this.#handler?.catch(() => undefined);
		const drained = handler?.close();
		if (this.#server.listening && process.platform !== 'win32') {
			// Nobody new finds it. Whoever connected before is taken in within a turn of the event loop.
			fs.rmSync(this.#socket, {force: true});
		}

		await turn();
		await turn();
		await drained;
		// Those refused since then are short; a guest that stands still in the midst of its request keeps nobody.
		const signal = AbortSignal.timeout(refusalTimeoutMs);
		while (this.#unanswered.size > 0 && !signal.aborted) {
			await Promise.allSettled([...this.#unanswered].map(async response => once(response, 'close', {signal}))); // eslint-disable-line no-await-in-loop
		}

		// In the same turn as the last look: what comes now is not read by anybody, and its guest is told so by the system.
		const closed = new Promise<void>(resolve => {
			this.#server.close(() => {
				resolve();
			});
		});
		this.#server.closeAllConnections();
		await closed;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		this.#unanswered.add(response);
		response.once('close', () => {
			this.#unanswered.delete(response);
		});
		if (this.#isClosing && this.#handler === undefined) {
			refuse(response);
			return;
		}

		try {
			this.#handler ??= this.#load();
			const {handle} = await this.#handler;
			handle(request, response);
		} catch {
			refuse(response);
		}
	}

	async #load(): Promise<Handler> {
		// At the same time, for somebody waits.
		const [context, {createHandler}] = await Promise.all([this.#context, import('../server/index.ts')]);
		return createHandler({context, version: this.#version, transport: 'socket'});
	}
}

/** A connection that says nothing: when it ends, the host is gone. Undefined where nobody listens. */
export async function holdOn(socket: string): Promise<{gone: Promise<void>; release: () => void} | undefined> {
	const connection = net.connect(socket);
	connection.unref();
	const gone = new Promise<void>(resolve => {
		connection.once('close', () => {
			resolve();
		});
	});
	const isThere = await new Promise<boolean>(resolve => {
		connection.once('error', () => {
			resolve(false);
		});
		connection.once('connect', () => {
			resolve(true);
		});
	});
	return isThere
		? {gone, release() {
			connection.destroy();
		}}
		: undefined;
}
