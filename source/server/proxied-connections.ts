import type {Server, Socket} from 'node:net';
import {BrokenPreamble, readPreamble} from './proxy-protocol.ts';
import type {Peer, TrustedProxies} from './proxies.ts';

type Options = {
	proxies: TrustedProxies;
	/** Milliseconds that a trusted proxy has for its first bytes. */
	timeoutMs: number;
	/** Told of a connection whose PROXY header cannot be read, before it is closed. */
	broken: (address: string, reason: string) => void;
};

/** Connections by both ends: the socket of TLS, which requests come on, has the same ends as the one below it. */
const endsOf = ({remoteAddress, remotePort, localAddress}: Socket): string => `${remoteAddress} ${remotePort} ${localAddress}`;

/**
Reads the PROXY header of connections from trusted proxies, before HTTP or TLS sees a byte of them. The connections of others are left
alone.
*/
export class ProxiedConnections {
	readonly #options: Options;
	readonly #peers = new Map<string, Peer>();
	readonly #pending = new Set<Socket>();

	constructor(options: Options) {
		this.#options = options;
	}

	/** Puts itself before what a server does with its connections. Call it once, before the server listens. */
	attach(server: Server): void {
		const listeners = server.listeners('connection') as Array<(socket: Socket) => void>;
		server.removeAllListeners('connection');
		server.on('connection', socket => {
			const accept = (): void => {
				for (const listener of listeners) {
					listener.call(server, socket);
				}
			};

			if (this.#options.proxies.has(socket.remoteAddress ?? '')) {
				this.#read(socket, accept);
			} else {
				accept();
			}
		});
	}

	/** The other end of a connection, with what its PROXY header said. */
	peerOf(socket: Socket): Peer {
		return this.#peers.get(endsOf(socket)) ?? {socket: socket.remoteAddress ?? 'local'};
	}

	/** Ends connections whose first bytes have not come yet. */
	close(): void {
		for (const socket of this.#pending) {
			socket.destroy();
		}
	}

	#read(socket: Socket, accept: () => void): void {
		const {timeoutMs, broken} = this.#options;
		let bytes = Buffer.alloc(0);
		this.#pending.add(socket);
		const timer = setTimeout(() => socket.destroy(), timeoutMs);
		const settle = (): void => {
			clearTimeout(timer);
			this.#pending.delete(socket);
			socket.off('readable', hear).off('error', end).off('close', settle).off('end', end);
		};

		const end = (): void => {
			socket.destroy();
		};

		const hear = (): void => {
			for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
				bytes = Buffer.concat([bytes, chunk]);
			}

			try {
				const read = readPreamble(bytes);
				if (read === 'more') {
					return;
				}

				settle();
				if (read !== 'none') {
					this.#remember(socket, {socket: socket.remoteAddress!, source: read.address, isSecure: read.isSecure});
				}

				const rest = read === 'none' ? bytes : bytes.subarray(read.length);
				if (rest.length > 0) {
					socket.unshift(rest);
				}

				accept();
			} catch (error) {
				settle();
				socket.destroy();
				if (!(error instanceof BrokenPreamble)) {
					throw error;
				}

				broken(socket.remoteAddress ?? 'unknown', error.message);
			}
		};

		socket.on('readable', hear).on('error', end).on('close', settle).on('end', end);
	}

	#remember(socket: Socket, peer: Peer): void {
		const ends = endsOf(socket);
		this.#peers.set(ends, peer);
		socket.once('close', () => {
			// Its ends may be in use again.
			if (this.#peers.get(ends) === peer) {
				this.#peers.delete(ends);
			}
		});
	}
}
