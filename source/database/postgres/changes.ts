import type pg from 'pg';
import {pause} from '../../core/backoff.ts';
import type {NoChanges} from '../../core/reachability.ts';
import {ColoniesError, storeUnavailable} from '../../core/errors.ts';
import {drop} from './client.ts';

/** Milliseconds between two looks whether a database that took no changes takes them again. */
const lookEveryMs = 1000;

/** Milliseconds that an answer is waited for. */
const patienceMs = 5000;

/** A setting of the server that statements cannot be written for, or answers not be read with. */
export class UnfitSetting extends ColoniesError {
	constructor(user: string, name: string, value: string, fit: string) {
		super('unavailable', `The database works with ${name} = ${value}; Colonies needs ${fit}.`, {
			hint: `Set it for the user that Colonies connects as: alter role "${user}" set ${name} = '${fit}'`, outward: storeUnavailable,
		});
	}
}

/**
Why a new session may change nothing; undefined when it may. It asks the server alone: whoever may change what is another matter.
@throws UnfitSetting
*/
export async function askForChanges(client: pg.Client | pg.PoolClient): Promise<NoChanges | undefined> {
	const {rows: [row]} = await client.query<{standby: boolean; off: boolean; style: string; strings: string; user: string}>({
		text: 'select pg_is_in_recovery() as standby, current_setting(\'transaction_read_only\') = \'on\' as off, current_setting(\'datestyle\') as style, current_setting(\'standard_conforming_strings\') as strings, current_user as "user"',
		query_timeout: patienceMs,
	} as pg.QueryConfig);
	if (!row!.style.startsWith('ISO')) {
		throw new UnfitSetting(row!.user, 'datestyle', row!.style, 'ISO');
	}

	if (row!.strings !== 'on') {
		throw new UnfitSetting(row!.user, 'standard_conforming_strings', row!.strings, 'on');
	}

	return row!.standby ? 'standby' : (row!.off ? 'read-only' : undefined);
}

/** Connects, asks why the server takes no changes, and closes. @throws as pg does, UnfitSetting */
export async function probe(client: pg.Client): Promise<NoChanges | undefined> {
	// It may end at any time.
	client.on('error', () => undefined);
	try {
		await client.connect();
		const noChanges = await askForChanges(client);
		await client.end();
		return noChanges;
	} finally {
		drop(client);
	}
}

type Tell = {
	/** What a new session was told. */
	found(noChanges: NoChanges | undefined, client: object): void;
	/** No session can be made. */
	failed(error: unknown): void;
};

/**
Finds out whether a database takes changes: by a session of its own each time, for one that stands keeps what it was made with, and may be one to the server that was the primary before.
*/
export class ChangesWatch {
	readonly #makeClient: () => pg.Client;
	readonly #tell: Tell;
	readonly #closing = new AbortController();
	#looking: Promise<void> | undefined;
	#client: pg.Client | undefined;

	constructor(makeClient: () => pg.Client, tell: Tell) {
		this.#makeClient = makeClient;
		this.#tell = tell;
	}

	/** Looks now, and again and again until the database takes changes. */
	look(): void {
		if (!this.#closing.signal.aborted) {
			this.#looking ??= this.#keepLooking().finally(() => {
				this.#looking = undefined;
			});
		}
	}

	async close(): Promise<void> {
		this.#closing.abort();
		if (this.#client) {
			drop(this.#client);
		}

		await this.#looking;
	}

	async #keepLooking(): Promise<void> {
		for (let takesChanges = false; !takesChanges && !this.#closing.signal.aborted;) {
			/* eslint-disable no-await-in-loop */
			try {
				const found = await this.#lookOnce();
				takesChanges = found === undefined;
			} catch (error) {
				if (!this.#closing.signal.aborted) {
					this.#tell.failed(error);
				}
			}

			if (!takesChanges) {
				await pause(lookEveryMs, this.#closing.signal);
			}
			/* eslint-enable no-await-in-loop */
		}
	}

	async #lookOnce(): Promise<NoChanges | undefined> {
		const client = this.#makeClient();
		this.#client = client;
		try {
			const found = await probe(client);
			this.#tell.found(found, client);
			return found;
		} finally {
			this.#client = undefined;
		}
	}
}
