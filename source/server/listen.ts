import {createServer as createHttpServer, type Server} from 'node:http';
import {createServer as createHttpsServer, type Server as HttpsServer} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import {createSecureContext} from 'node:tls';
import {type ColoniesError, InvalidInput, Unavailable} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import {quoted} from '../core/text.ts';
import type {Network} from '../operations/index.ts';
import {createHandler, type HandlerOptions} from './handler.ts';
import {problemOf, refusalOf} from './problem.ts';
import {ProxiedConnections} from './proxied-connections.ts';
import {plainAddress, TrustedProxies} from './proxies.ts';
import {isPreamble} from './proxy-protocol.ts';

/** A certificate, with what leads to its authority, and its private key: PEM texts. */
export type Tls = {cert: string; key: string};

export type ListenOptions = Omit<HandlerOptions, 'transport' | 'proxies' | 'peerOf'> & {
	/** The address or name to listen on. */
	host: string;
	/** 0 takes any that is free. */
	port: number;
	/** Left out: plain HTTP, for this machine and trusted proxies alone. */
	tls?: Tls | undefined;
	/** Where proxies are that are believed about who their clients are: in a PROXY header and in the headers of requests. */
	trustproxy?: readonly Network[] | undefined;
	/** What differs from how patient a server is by itself. */
	times?: Partial<Times>;
};

export type Listening = {
	port: number;
	/** Takes another certificate for the connections from now on. @throws InvalidInput, and keeps the one it has, when it does not fit */
	reload(tls: Tls): void;
	/** Takes no more requests, and resolves when those under way are answered; 10 seconds at most. */
	close(): Promise<void>;
};

/** Milliseconds. */
export type Times = {
	/** What a client has for its headers, and for its whole request. What it waits for an answer is not in it. */
	headers: number;
	request: number;
	/** Between two looks at who is too slow. */
	looks: number;
	/** How long an unused connection is kept for its next request. */
	unused: number;
	/** Without a byte either way, for instance when nobody takes the answer. Longer than any waiting, and than the beat of a stream. */
	still: number;
};

const ownTimes: Times = {headers: 10_000, request: 30_000, looks: 5000, unused: 65_000, still: 120_000};

/** @throws InvalidInput */
function checkTls({cert, key}: Tls): void {
	const unreadable = (what: string) => new InvalidInput(`The ${what} cannot be read.`, {hint: 'Give PEM texts; a private key must not be encrypted.'});
	if (!cert.includes('-----BEGIN CERTIFICATE-----')) {
		throw unreadable('certificate');
	}

	if (!key.includes('PRIVATE KEY-----')) {
		throw unreadable('private key');
	}

	try {
		createSecureContext({cert, key});
	} catch (error) {
		throw (error as {code?: string}).code?.includes('MISMATCH')
			? new InvalidInput('The private key does not fit the certificate.', {hint: 'Give the key that the certificate was made for.'})
			: unreadable('certificate or its private key');
	}
}

/** Why a server cannot listen. */
function refusalToListen(error: unknown, {host, port}: ListenOptions): ColoniesError {
	const {code = 'unknown'} = error as {code?: string};
	const cause = error;
	switch (code) {
		case 'EADDRINUSE': {
			return new Unavailable(`Port ${port} on ${host} is taken by another program.`, {hint: 'End that one, or give another --port.', cause});
		}

		case 'EACCES':
		case 'EPERM': {
			return new Unavailable(`Port ${port} on ${host} is not permitted to this user.`, {hint: 'Ports below 1024 mostly need more rights: give another --port.', cause});
		}

		case 'ENOTFOUND':
		case 'EAI_AGAIN':
		case 'EADDRNOTAVAIL': {
			return new InvalidInput(`This machine has no address ${quoted(host)} to listen on.`, {hint: 'Use 0.0.0.0 or :: for all of its addresses.', cause});
		}

		default: {
			return new Unavailable(`The server cannot listen on port ${port} of ${host}: ${code}.`, {cause});
		}
	}
}

const started = async (server: Server | HttpsServer, options: ListenOptions): Promise<AddressInfo> => new Promise((resolve, reject) => {
	server.once('error', error => {
		reject(refusalToListen(error, options));
	});
	server.listen({host: options.host, port: options.port, backlog: 1024}, () => {
		resolve(server.address() as AddressInfo);
	});
});

/** Answers what is no HTTP at all, or too large or too slow for it, and closes the connection. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket & {_httpMessage?: {_headerSent?: boolean}}): void {
	const {rawPacket} = error as {rawPacket?: Buffer};
	const refusal = refusalOf(error) ?? (rawPacket !== undefined && isPreamble(rawPacket)
		? new InvalidInput('A PROXY header came from a peer that is no trusted proxy.', {hint: `Start the server with --trustproxy ${plainAddress(socket.remoteAddress ?? 'ADDRESS')} if the proxy there is yours.`})
		: new InvalidInput('The request is no HTTP/1.1.'));
	// As Node's own answer does: not into the midst of another one.
	if (socket.writable && socket._httpMessage?._headerSent !== true && error.code !== 'ECONNRESET') {
		const body = JSON.stringify(problemOf(refusal));
		socket.end(`HTTP/1.1 ${refusal.status} ${problemOf(refusal).title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
	} else {
		socket.destroy();
	}
}

/**
Listens on TCP and answers for a context.
@throws ColoniesError one sentence: the port is taken or not permitted, the address unknown, the certificate does not fit; plain HTTP is refused where others than trusted proxies could reach it
*/
export async function listen(options: ListenOptions): Promise<Listening> {
	const {host, tls, trustproxy = []} = options;
	const times = {...ownTimes, ...options.times};
	if (tls) {
		checkTls(tls);
	} else if (!isLoopback(host) && trustproxy.length === 0) {
		throw new InvalidInput(`Without a certificate the server listens on this machine alone, not on ${quoted(host)}.`, {hint: 'Give --tlscert and --tlskey, or the host 127.0.0.1, or say with --trustproxy where proxies are.'});
	}

	const proxies = new TrustedProxies(trustproxy);
	const connections = new ProxiedConnections({proxies, timeoutMs: times.headers, broken(address, reason) {
		handler.say(`Closed a connection from the proxy ${address}: it sent a PROXY header that cannot be read, ${reason}.`);
	}});
	const handler = await createHandler({...options, transport: tls ? 'tls' : 'plain', proxies, peerOf: socket => connections.peerOf(socket)});
	// A connection whose other end has vanished is noticed by the system.
	const common = {
		headersTimeout: times.headers, requestTimeout: times.request, connectionsCheckingInterval: times.looks, keepAliveTimeout: times.unused, keepAlive: true, keepAliveInitialDelay: 30_000,
	};
	const secure = tls && createHttpsServer({...common, ...tls, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], handshakeTimeout: times.headers}, handler.handle);
	const server = secure ?? createHttpServer(common, handler.handle);
	server.setTimeout(times.still);
	server.on('clientError', answerBroken);
	server.on('tlsClientError', ({code}: NodeJS.ErrnoException, {remoteAddress}: Socket) => {
		if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
			handler.say(`Closed a connection from ${remoteAddress ?? 'a peer that left'}: it does not speak TLS. A proxy that sends a PROXY header must be in --trustproxy.`);
		}
	});
	if (trustproxy.length > 0) {
		connections.attach(server);
	}

	const {port} = await started(server, options).catch(async (error: unknown) => {
		await handler.close();
		throw error;
	});
	return {
		port,
		reload(next) {
			checkTls(next);
			secure?.setSecureContext({...next, minVersion: 'TLSv1.2'});
		},
		async close() {
			const closed = new Promise<void>(resolve => {
				server.close(() => {
					resolve();
				});
			});
			connections.close();
			await handler.close();
			server.closeAllConnections();
			await closed;
		},
	};
}
