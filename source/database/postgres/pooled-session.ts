import type pg from 'pg';
import {begin, type Session} from '../session.ts';
import {
	isConnectionLoss, isReadOnlyRefusal, retryElsewhere, translate,
} from '../sqlstate.ts';
import type {Rows} from '../types.ts';
import {toText} from '../values.ts';

type Options = {
	/** Milliseconds; 0 for none. */
	statementTimeout: number;
	/** Whether a refusal of changes may come from the age of this session alone. */
	mayBeStale: boolean;
	/** Turns a statement into one for the schema that is meant. */
	statementOf: (text: string) => string;
	/** Asks the server to stop what a connection is doing. */
	cancel: (client: pg.PoolClient) => void;
};

/**
What holds in a transaction, whatever the session, the user and the database have as a default. It goes in one message with the `begin`:
a pooler lends a session for one transaction, and drops what was asked for when the connection was made, or refuses it.
*/
const settingsOf = (statementTimeout: number): string => [
	`statement_timeout = ${statementTimeout}`,
	// A program that stands still in a transaction would keep its locks for ever, and hold up the seals and events of all.
	'idle_in_transaction_session_timeout = 20000',
	// Statements are short: compiling one takes a hundred times as long as it runs.
	'jit = off',
	// Days and hours that are reckoned in statements are those of UTC.
	'timezone = \'UTC\'',
].map(setting => `set local ${setting}`).join('; ');

/** A connection that was lent out by the pool. Knows whether it may go back. */
export class PooledSession implements Session {
	isLost = false;
	/** It is read-only. */
	refusedChange = false;
	/** The server was asked to stop a statement; that may reach the next one. */
	wasCancelled = false;
	readonly #client: pg.PoolClient;
	readonly #options: Options;
	readonly #timeLimit: number;
	#isInTransaction = false;

	constructor(client: pg.PoolClient, options: Options) {
		this.#client = client;
		this.#options = options;
		// The server's own limit comes first; this one is for a server that has vanished.
		this.#timeLimit = options.statementTimeout === 0 ? 0 : options.statementTimeout + 10_000;
	}

	/** Begins a transaction with its settings, in one round trip. */
	async begin(): Promise<void> {
		this.#isInTransaction = true;
		await this.#run(async () => this.#client.query({text: `${begin}; ${settingsOf(this.#options.statementTimeout)}`, query_timeout: this.#timeLimit} as pg.QueryConfig));
	}

	async query(text: string, values: readonly unknown[]): Promise<Rows<Record<string, unknown>>> {
		// Extended, so that a statement without values is one statement too.
		const query = {
			text: this.#options.statementOf(text), values: values.map(value => toText(value)), queryMode: 'extended', query_timeout: this.#timeLimit,
		};
		const {rows, rowCount} = await this.#run(async () => this.#limited(async () => this.#client.query<Record<string, unknown>>(query)));
		return {rows, rowCount: rowCount ?? 0};
	}

	async execute(script: string): Promise<void> {
		// A migration may take its time.
		const statement = this.#options.statementOf(script);
		await this.#run(async () => this.#client.query(this.#isInTransaction ? `set local statement_timeout = 0;\n${statement}` : statement));
	}

	/** A statement outside a transaction has no setting that limits its time: it is stopped from here. */
	async #limited<Result>(statement: () => Promise<Result>): Promise<Result> {
		const {statementTimeout, cancel} = this.#options;
		if (this.#isInTransaction || statementTimeout === 0) {
			return statement();
		}

		const timer = setTimeout(() => {
			this.wasCancelled = true;
			cancel(this.#client);
		}, statementTimeout).unref();
		try {
			return await statement();
		} finally {
			clearTimeout(timer);
		}
	}

	async #run<Result>(statement: () => Promise<Result>): Promise<Result> {
		try {
			return await statement();
		} catch (error) {
			this.isLost ||= isConnectionLoss(error);
			const isReadOnly = isReadOnlyRefusal(error);
			this.refusedChange ||= isReadOnly;
			throw isReadOnly && this.#options.mayBeStale ? retryElsewhere(translate(error)) : translate(error);
		}
	}
}
