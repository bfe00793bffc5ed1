import http from 'node:http';
import https from 'node:https';
import type {Duplex} from 'node:stream';
import tls from 'node:tls';
import {type Address, authorityOf, type Trust} from './address.ts';
import {noAnswer, WrongCertificate} from './failures.ts';

/** A request as it is sent. */
export type Request = {method: string; target: string; headers: Record<string, string>; body?: Uint8Array; signal?: AbortSignal; /** Milliseconds without a byte after which it is given up. */ silence: number};
/** The head of an answer, and what follows it. */
export type Response = {status: number; headers: http.IncomingHttpHeaders; stream: http.IncomingMessage; /** Ends it without waiting for its end. */ drop: () => void};

/** Connections that are open at once to one server. */
const most = 256;
const connectTime = 10_000;

const connectOptions = (trust: Trust): tls.ConnectionOptions => {
	switch (trust.kind) {
		case 'system': {
			return {};
		}

		case 'authority': {
			return {ca: trust.ca};
		}

		case 'fingerprint':
		case 'anything': {
			// The certificate is looked at below, or not at all where the operator said so.
			return {rejectUnauthorized: false};
		}
	}
};

/** An agent that hands over a connection only when its certificate is the one that is trusted: nothing is sent before. */
class CheckingAgent extends https.Agent {
	readonly #trust: Trust;

	constructor(trust: Trust) {
		// No sessions are taken up again, for each connection is to show its certificate.
		super({keepAlive: true, maxSockets: most, maxCachedSessions: 0, minVersion: 'TLSv1.2', ...connectOptions(trust)});
		this.#trust = trust;
	}

	override createConnection(options: http.ClientRequestArgs & tls.ConnectionOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
		const connected = callback as (error: Error | null, socket?: Duplex) => void;
		const servername = typeof options.host === 'string' && !/^[\d.]+$|:/.test(options.host) ? options.host : '';
		const socket = tls.connect({...options as tls.ConnectionOptions, servername});
		const fail = (error: Error) => {
			clearTimeout(timer);
			socket.destroy();
			connected(error);
		};

		const timer = setTimeout(() => {
			fail(Object.assign(new Error('timeout'), {code: 'ETIMEDOUT'}));
		}, connectTime);
		socket.once('error', fail);
		socket.once('secureConnect', () => {
			clearTimeout(timer);
			const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
			if (this.#trust.kind === 'fingerprint' && shown !== this.#trust.sha256) {
				fail(new WrongCertificate(shown));
				return;
			}

			socket.removeListener('error', fail);
			connected(null, socket);
		});
	}
}

/**
Whether a request to a Unix socket was not read to its end, for certain: the other end was closed before it was written, or with a part of it unread, of which the system tells (unix(7), ECONNRESET and EPIPE).
An answer that merely does not come has no such error.
*/
const isUnread = ({syscall, code}: NodeJS.ErrnoException): boolean => syscall === 'write' || (syscall === 'read' && code === 'ECONNRESET');

/** Connections to one server, kept open between requests. */
export class Connections {
	readonly #address: Address;
	readonly #agent: http.Agent;

	constructor(address: Address) {
		this.#address = address;
		this.#agent = 'socket' in address ? new http.Agent({keepAlive: true, maxSockets: most}) : new CheckingAgent(address.trust);
	}

	get address(): Address {
		return this.#address;
	}

	/** Sends a request and resolves with the head of the answer. @throws NoAnswer; whatever the signal was aborted with */
	async send({method, target, headers, body, signal, silence}: Request): Promise<Response> {
		signal?.throwIfAborted();
		const {address} = this;
		const where = 'socket' in address ? {socketPath: address.socket} : {host: address.host, port: address.port};
		return new Promise((resolve, reject) => {
			const send = 'socket' in address ? http.request : https.request;
			const request = send({
				...where, method, path: target, agent: this.#agent,
				headers: {host: authorityOf(address), ...headers, ...(body === undefined ? {} : {'content-length': String(body.length)})},
			});
			let isSent = false;
			const abort = () => {
				request.destroy(signal!.reason as Error);
			};

			signal?.addEventListener('abort', abort, {once: true});
			request.setTimeout(silence, () => {
				request.destroy(Object.assign(new Error('timeout'), {code: 'ETIMEDOUT'}));
			});
			request.once('socket', socket => {
				// On a connection that stands already it is as good as sent; an HTTPS one is handed over when it stands.
				if (socket.connecting) {
					socket.once('connect', () => {
						isSent = true;
					});
				} else {
					isSent = true;
				}
			});
			request.once('error', error => {
				signal?.removeEventListener('abort', abort);
				reject(signal?.aborted ? signal.reason as Error : noAnswer(address, error, isSent && !('socket' in address && isUnread(error))));
			});
			request.once('response', stream => {
				stream.once('close', () => {
					signal?.removeEventListener('abort', abort);
				});
				resolve({status: stream.statusCode!, headers: stream.headers, stream, drop() {
					request.destroy();
				}});
			});
			request.end(body);
		});
	}

	close(): void {
		this.#agent.destroy();
	}
}
