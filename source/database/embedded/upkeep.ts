import {readFileSync, writeFileSync} from 'node:fs';
import type {Client} from '../types.ts';

const checkpointEvery = 60_000;
const vacuumEvery = 300_000;
/** Bytes of log after which tables want vacuuming: some ten thousand changes. */
const many = 16 * 1024 * 1024;

/**
Does what a server's background processes do and PGlite, which has none, leaves undone: checkpoints, or the log grows without end, and vacuuming.
*/
export class Upkeep {
	/** Set when a statement ran, so that an idle database is left alone. */
	wasUsed = false;
	/** Keeps the place in the log of the last vacuuming: a program that runs for a second at a time never has many changes of its own. */
	readonly #record: string;
	readonly #timers: NodeJS.Timeout[];
	#checkpointAt = 0;

	constructor(client: Client, record: string) {
		this.#record = record;
		this.#timers = [
			setInterval(() => {
				void this.#try(async () => this.#checkpoint(client));
			}, checkpointEvery),
			setInterval(() => {
				void this.#try(async () => this.#vacuum(client));
			}, vacuumEvery),
		];
		for (const timer of this.#timers) {
			timer.unref();
		}
	}

	/** The last time, before the database is closed. */
	async finish(client: Client): Promise<void> {
		for (const timer of this.#timers) {
			clearInterval(timer);
		}

		await this.#try(async () => this.#vacuum(client));
		await this.#try(async () => client.query('checkpoint'));
	}

	/** What fails here is tried again at the next turn; nobody waits for it. */
	async #try(work: () => Promise<unknown>): Promise<void> {
		try {
			await work();
		} catch {}
	}

	async #checkpoint(client: Client): Promise<void> {
		if (!this.wasUsed) {
			return;
		}

		this.wasUsed = false;
		if (await this.#position(client) > this.#checkpointAt) {
			await client.query('checkpoint');
			this.#checkpointAt = await this.#position(client);
		}

		// Its own statements do not count.
		this.wasUsed = false;
	}

	async #vacuum(client: Client): Promise<void> {
		const position = await this.#position(client);
		const last = this.#lastVacuum();
		if (last !== undefined && last <= position) {
			if (position - last < many) {
				return;
			}

			const {rows} = await client.query<{name: string}>(`
				select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables
				where schemaname not in ('pg_catalog', 'information_schema') order by 1`);
			// One by one, so that others get their turn in between.
			for (const {name} of rows) {
				await client.query(`vacuum (analyze) ${name}`); // eslint-disable-line no-await-in-loop
			}
		}

		writeFileSync(this.#record, String(await this.#position(client)), {mode: 0o600});
	}

	/** Bytes of log since the database was made. */
	async #position(client: Client): Promise<number> {
		const {rows} = await client.query<{position: number}>('select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), \'0/0\') as position');
		return rows[0]!.position;
	}

	#lastVacuum(): number | undefined {
		try {
			const last = Number(readFileSync(this.#record, 'utf8'));
			return Number.isFinite(last) ? last : undefined;
		} catch {
			return undefined;
		}
	}
}
