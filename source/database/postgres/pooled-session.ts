import type pg from 'pg';
import type {Session} from '../session.ts';
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
};

/** A connection that was lent out by the pool. Knows whether it may go back. */
export class PooledSession implements Session {
	isLost = false;
	/** It is read-only. */
	refusedChange = false;
	readonly #client: pg.PoolClient;
	readonly #timeLimit: number;
	readonly #mayBeStale: boolean;
	#isInTransaction = false;

	constructor(client: pg.PoolClient, {statementTimeout, mayBeStale}: Options) {
		this.#client = client;
		this.#mayBeStale = mayBeStale;
		// The server's own limit comes first; this one is for a server that has vanished.
		this.#timeLimit = statementTimeout === 0 ? 0 : statementTimeout + 10_000;
	}

	async query(text: string, values: readonly unknown[]): Promise<Rows<Record<string, unknown>>> {
		this.#isInTransaction ||= text.startsWith('begin');
		// Extended, so that a statement without values is one statement too.
		const query = {
			text, values: values.map(value => toText(value)), queryMode: 'extended', query_timeout: this.#timeLimit,
		};
		const {rows, rowCount} = await this.#run(async () => this.#client.query<Record<string, unknown>>(query));
		return {rows, rowCount: rowCount ?? 0};
	}

	async execute(script: string): Promise<void> {
		// A migration may take its time.
		await this.#run(async () => this.#client.query(this.#isInTransaction ? `set local statement_timeout = 0;\n${script}` : script));
	}

	async #run<Result>(statement: () => Promise<Result>): Promise<Result> {
		try {
			return await statement();
		} catch (error) {
			this.isLost ||= isConnectionLoss(error);
			const isReadOnly = isReadOnlyRefusal(error);
			this.refusedChange ||= isReadOnly;
			throw isReadOnly && this.#mayBeStale ? retryElsewhere(translate(error)) : translate(error);
		}
	}
}
