import type pg from 'pg';

type Wire = pg.Connection & {connect(port: number, host: string): void; requestSsl(): void; cancel(processId: number, secretKey: number): void};
type Cancellable = pg.PoolClient & {host: string; port: number; ssl: boolean | object; processID: number; secretKey: number};

/** Milliseconds after which a request that could not be sent is given up. */
const patienceMs = 5000;

/**
Asks the server to stop what a session is doing, over a connection of its own. That works through a pooler too, whose sessions are not those of the server. There is no answer: the statement fails, or had just ended.
*/
export function requestCancel(client: pg.PoolClient, {Connection}: Pick<typeof pg, 'Connection'>): void {
	const {host, port, ssl, processID, secretKey} = client as Cancellable;
	const wire = new Connection({ssl}) as Wire;
	// The other end closes when it has passed the request on. A pooler forgets it when this end does.
	const send = () => {
		wire.cancel(processID, secretKey);
	};

	const timer = setTimeout(() => {
		wire.stream.destroy();
	}, patienceMs).unref();
	wire.on('error', () => undefined);
	wire.on('end', () => {
		clearTimeout(timer);
	});
	wire.on('connect', () => {
		if (ssl) {
			wire.requestSsl();
		} else {
			send();
		}
	});
	wire.on('sslconnect', send);
	if (host.startsWith('/')) {
		(wire as unknown as {connect(path: string): void}).connect(`${host}/.s.PGSQL.${port}`);
	} else {
		wire.connect(port, host);
	}
}
