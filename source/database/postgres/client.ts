import type {EventEmitter} from 'node:events';
import type pg from 'pg';
import type {DatabasePlace} from '../../core/database-hosts.ts';
import type {Hosts} from './hosts.ts';

/** What pg keeps of the connection of a client. */
type Wired = {connection: {stream: {destroyed: boolean; destroy(): void}}};

/** Ends a connection without waiting for its other end. */
export function drop(client: unknown): void {
	(client as Wired).connection.stream.destroy();
}

type Callback = (error: Error) => void;

/** Where a client connects to, and what becomes of it. */
type Places = Pick<Hosts, 'next' | 'forget'>;

/** Of what it was made with, only these are read when it connects. */
type Placed = {host: string; port: number};

/** The place that a client was connected to. */
const placeOfClient = new WeakMap<object, DatabasePlace>();
export const placeOf = (client: object): DatabasePlace | undefined => placeOfClient.get(client);

/**
Pg's client, except that it connects to whichever of several hosts is meant now, and that one which could not connect is closed. pg leaves it open where it was pg that gave up, for want of a password for instance;
then the server keeps it for a minute, and so long it keeps this program from ending.
*/
export const closingClient = (Client: typeof pg.Client, hosts: Places): typeof pg.Client => class extends Client {
	override async connect(): Promise<this>;
	override connect(callback: Callback): void;
	override connect(callback?: Callback): unknown {
		if (callback) {
			void this.#connectThere(callback);
			return undefined;
		}

		return new Promise<this>((resolve, reject) => {
			this.connect((error?: Error) => {
				if (error) {
					reject(error);
				} else {
					resolve(this);
				}
			});
		});
	}

	/** Connects to the place that is meant now. */
	async #connectThere(callback: Callback): Promise<void> {
		let place: DatabasePlace;
		try {
			place = await hosts.next();
		} catch (error) {
			callback(error as Error);
			return;
		}

		if ((this as unknown as Wired).connection.stream.destroyed) {
			callback(new Error('Connection terminated'));
			return;
		}

		Object.assign(this, {host: place.host, port: place.port} satisfies Placed);
		placeOfClient.set(this, place);
		// A pooler accepts connections while the host behind it is down, and cuts them at the first statement.
		this.on('error', () => {
			hosts.forget(place);
		});
		// The session may be dropped before its end counts as an error. Classes 08 and 57P (SQLSTATE): the connection is over.
		(this as unknown as {connection: EventEmitter}).connection.on('errorMessage', ({code = ''}: {code?: string}) => {
			if (/^(?:08|57P)/.test(code)) {
				hosts.forget(place);
			}
		});
		super.connect((error?: Error) => {
			if (error) {
				drop(this);
				hosts.forget(place);
			}

			callback(error!);
		});
	}
};
