import net from 'node:net';

/** A PostgreSQL, by the folder of its Unix socket. */
export type Target = {host: string; port: number};

/** An address on 127.0.0.1 that leads to a database, as the proxy of a failover does. */
export type Forwarder = {
	readonly port: number;
	/** Cuts all connections and leads new ones elsewhere; to nowhere without a target, so that what is fenced off is not reached any more. */
	lead(target?: Target): void;
	close(): Promise<void>;
};

/** Opens an address that leads to a database. */
export async function openForwarder(first: Target): Promise<Forwarder> {
	let target: Target | undefined = first;
	const sockets = new Set<net.Socket>();
	const keep = (socket: net.Socket, other: net.Socket): void => {
		sockets.add(socket);
		socket.setNoDelay(true);
		socket.on('error', () => undefined);
		socket.on('close', () => {
			sockets.delete(socket);
			other.destroy();
		});
	};

	const server = net.createServer(near => {
		if (target === undefined) {
			near.destroy();
			return;
		}

		const far = net.connect(`${target.host}/.s.PGSQL.${target.port}`);
		keep(near, far);
		keep(far, near);
		near.pipe(far).pipe(near);
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	const cut = (): void => {
		for (const socket of sockets) {
			socket.destroy();
		}
	};

	return {
		port: (server.address() as net.AddressInfo).port,
		lead(next) {
			target = next;
			cut();
		},
		async close() {
			cut();
			await new Promise(resolve => {
				server.close(resolve);
			});
		},
	};
}
