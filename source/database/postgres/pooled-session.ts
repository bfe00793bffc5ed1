import type pg from 'pg';
import type {ColoniesError} from '../../core/errors.ts';
import {asOneStatement, begin, onePlan, type Session} from '../session.ts';
import {
	afterCommit, isConnectionLoss, isPreparedElsewhere, isReadOnlyRefusal, outcomeUnknown, retryElsewhere, sqlstateOf, translate,
} from '../sqlstate.ts';
import type {Rows, Statement} from '../types.ts';
import {toText} from '../values.ts';
import {FlightFailed, fly, type Leg} from './flight.ts';

type Options = {
	/** Milliseconds; 0 for none. */
	statementTimeout: number;
	/** Whether a refusal of changes may come from the age of this session alone. */
	mayBeStale: boolean;
	/** Turns a statement into one for the schema that is meant. */
	statementOf: (text: string) => string;
	/** Asks the server to stop what a connection is doing. */
	cancel: (client: pg.PoolClient) => void;
	/** Whether statements that have a name are prepared. */
	prepares: boolean;
	/** Pg's own class of queries. */
	Query: unknown;
};

/**
What holds in a transaction, whatever the session, the user and the database have as a default. It goes in one message with the `begin`:
a pooler lends a session for one transaction, and drops what was asked for when the connection was made, or refuses it.
*/
const settingsOf = (statementTimeout: number): Array<[name: string, value: string]> => [
	['statement_timeout', String(statementTimeout)],
	// A program that stands still in a transaction would keep its locks for ever, and hold up the seals and events of all.
	['idle_in_transaction_session_timeout', '20000'],
	// Statements are short: compiling one takes a hundred times as long as it runs.
	['jit', 'off'],
	// Days and hours that are reckoned in statements are those of UTC.
	['timezone', 'UTC'],
];

const asStatements = (settings: ReadonlyArray<[name: string, value: string]>): string => settings.map(([name, value]) => `set local ${name} = '${value}'`).join('; ');

/** The settings of a flight as its first statement, by the limit of time; made once. */
const settingsLegs = new Map<number, Leg>();

function settingsLeg(statementTimeout: number): Leg {
	const leg = settingsLegs.get(statementTimeout) ?? {name: 'colonies_settings', text: asOneStatement([...settingsOf(statementTimeout), ...onePlan]), values: []};
	settingsLegs.set(statementTimeout, leg);
	return leg;
}

/** A connection that was lent out by the pool. Knows whether it may go back. */
export class PooledSession implements Session {
	isLost = false;
	/** It is read-only. */
	refusedChange = false;
	/** The server was asked to stop a statement; that may reach the next one. */
	wasCancelled = false;
	/** What it prepared does not hold any more. */
	isOutdated = false;
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
		await this.#run(async () => this.#client.query({text: `${begin}; ${asStatements(settingsOf(this.#options.statementTimeout))}`, query_timeout: this.#timeLimit} as pg.QueryConfig));
	}

	async query(text: string, values: readonly unknown[], name?: string): Promise<Rows<Record<string, unknown>>> {
		// Extended, so that a statement without values is one statement too.
		const query = {
			text: this.#options.statementOf(text), values: values.map(value => toText(value)), queryMode: 'extended', query_timeout: this.#timeLimit, ...(name !== undefined && this.#options.prepares && {name}),
		};
		const {rows, rowCount} = await this.#run(async () => this.#limited(async () => this.#client.query<Record<string, unknown>>(query)));
		return {rows, rowCount: rowCount ?? 0};
	}

	/** A whole transaction in one message. A statement that fails undoes all; where the connection is lost, the commit had been sent. */
	async flight(statements: readonly Statement[]): Promise<Rows[]> {
		const {statementOf, prepares, statementTimeout, Query} = this.#options;
		const legs = [settingsLeg(statementTimeout), ...statements.map(({name, text, values}) => ({name, text: statementOf(text), values}))];
		let results;
		try {
			results = await fly(Query, this.#client, legs, {prepares, timeout: this.#timeLimit});
		} catch (error) {
			throw error instanceof FlightFailed ? await this.#crashed(error) : this.#failed(error);
		}

		if (results.at(-1)!.command !== 'COMMIT') {
			throw outcomeUnknown(new Error('The commit was answered otherwise.'));
		}

		return results.slice(2, -1).map(({rows, rowCount}) => ({rows, rowCount: rowCount ?? 0}));
	}

	/** What a flight that failed leaves behind, and means. */
	async #crashed({reason, isOver, mayHavePrepared}: FlightFailed): Promise<unknown> {
		const state = sqlstateOf(reason);
		const failure = this.#failed(reason);
		this.isOutdated ||= mayHavePrepared || state === '0A000' || isPreparedElsewhere(reason);
		if (state !== undefined && !this.isLost) {
			await this.#client.query({text: 'rollback', query_timeout: this.#timeLimit} as pg.QueryConfig).catch(() => undefined);
		}

		// An error of the server's own, of a statement before the commit, says that there is no commit.
		return state !== undefined && !isOver ? failure : afterCommit(failure);
	}

	async execute(script: string): Promise<void> {
		// A migration may take its time.
		const statement = this.#options.statementOf(script);
		await this.#run(async () => {
			// In a message of its own, for Citus hands on none with several commands.
			await (this.#isInTransaction && this.#client.query('set local statement_timeout = 0'));
			await this.#client.query(statement);
		});
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
			throw this.#failed(error);
		}
	}

	/** What a failure says about this session; as an error for callers. */
	#failed(error: unknown): ColoniesError {
		this.isLost ||= isConnectionLoss(error);
		const isReadOnly = isReadOnlyRefusal(error);
		this.refusedChange ||= isReadOnly;
		this.isOutdated ||= isPreparedElsewhere(error);
		return isReadOnly && this.#options.mayBeStale ? retryElsewhere(translate(error)) : translate(error);
	}
}
