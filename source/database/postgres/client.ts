import type pg from 'pg';

/** Ends a connection without waiting for its other end. */
export function drop(client: unknown): void {
	(client as {connection: {stream: {destroy(): void}}}).connection.stream.destroy();
}

type Callback = (error: Error) => void;

/**
Pg's client, except that one which could not connect is closed. pg leaves it open where it was pg that gave up, for want of a password for instance;
then the server keeps it for a minute, and so long it keeps this program from ending.
*/
export const closingClient = (Client: typeof pg.Client): typeof pg.Client => class extends Client {
	override async connect(): Promise<this>;
	override connect(callback: Callback): void;
	override connect(callback?: Callback): unknown {
		if (callback) {
			super.connect((error?: Error) => {
				if (error) {
					drop(this);
				}

				callback(error!);
			});
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
};
