import {ColoniesError} from '../core/errors.ts';
import {afterCommit, isConnectionLoss, sqlstateOf} from './sqlstate.ts';
import type {Client, Rows, Statement} from './types.ts';

/** One connection, as a transaction needs it. It throws ColoniesErrors. */
export type Session = {
	/** Begins a transaction, with what holds in it whatever the session was made with. */
	begin(): Promise<void>;
	query(text: string, values: readonly unknown[], name?: string): Promise<Rows<Record<string, unknown>>>;
	/** Several statements without values. */
	execute(script: string): Promise<void>;
	/** A whole transaction of statements that are sent together. */
	flight(statements: readonly Statement[]): Promise<Rows[]>;
};

const scripts = new WeakMap<Client, (script: string) => Promise<void>>();

/** Runs a script on the client of a transaction; undefined when the client is not of one. */
export const executeWithin = (client: Client, script: string): Promise<void> | undefined => scripts.get(client)?.(script);

/** The statements of one transaction, in the order in which they come: one that does not wait for the answer of the one before goes out with it. None comes after its end. */
class Statements {
	/** Why the transaction cannot be committed: its last statement failed. */
	failure: unknown;
	#isOpen = true;
	readonly #underWay = new Set<Promise<unknown>>();

	async run<Result>(statement: () => Promise<Result>): Promise<Result> {
		if (!this.#isOpen) {
			throw new ColoniesError('internal', 'A statement came after the end of its transaction.');
		}

		const running = this.#run(statement);
		this.#underWay.add(running);
		try {
			return await running;
		} finally {
			this.#underWay.delete(running);
		}
	}

	async #run<Result>(statement: () => Promise<Result>): Promise<Result> {
		try {
			const result = await statement();
			this.failure = undefined;
			return result;
		} catch (error) {
			// The first of several says why; those behind it were refused because of it.
			this.failure = this.failure === undefined && (sqlstateOf(error) !== undefined || isConnectionLoss(error)) ? error : this.failure;
			throw error;
		}
	}

	/** Lets no more statements in and waits for those that nobody awaited. */
	async end(): Promise<void> {
		this.#isOpen = false;
		await Promise.allSettled(this.#underWay);
	}
}

/** How a transaction begins. Its isolation is ours, whatever the server has as a default. */
export const begin = 'begin isolation level read committed';

/**
Planner settings for prepared statements. Their generic plan is cached for the life of the session, so a sequential scan chosen while a table was empty would stay when it is full.
*/
export const onePlan: ReadonlyArray<[name: string, value: string]> = [['plan_cache_mode', 'force_generic_plan'], ['enable_seqscan', 'off'], ['enable_hashjoin', 'off'], ['enable_mergejoin', 'off']];

/** Settings as one statement that holds for its transaction. */
export const asOneStatement = (settings: ReadonlyArray<[name: string, value: string]>): string => `select ${settings.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(', ')}`;

export const settingOnePlan = asOneStatement(onePlan);

async function rollBack(session: Session): Promise<void> {
	try {
		await session.query('rollback', []);
	} catch {
		// It fails where the connection is gone, and with it the transaction. What went wrong first is what the caller wants to know.
	}
}

/**
Runs `work` in one transaction on a session of its own: commits, or rolls back and throws what `work` threw.
A statement whose failure `work` swallowed has undone the transaction, so its error is thrown then.
*/
export async function transact<Result>(session: Session, work: (client: Client) => Promise<Result>): Promise<Result> {
	const statements = new Statements();
	const client: Client = {
		query: async <Row>(text: string, values: readonly unknown[] = [], name?: string) => statements.run(async () => await session.query(text, values, name) as Rows<Row>),
	};
	scripts.set(client, async script => statements.run(async () => session.execute(script)));

	// It goes out with the first statement. Where it fails, the connection is lost, and that one fails too.
	const beginning = session.begin();
	let result: Result;
	try {
		[result] = await Promise.all([work(client), beginning]);
		await statements.end();
		if (statements.failure !== undefined) {
			throw statements.failure; // eslint-disable-line @typescript-eslint/only-throw-error -- it is the error as it was thrown
		}
	} catch (error) {
		await statements.end();
		await rollBack(session);
		throw error;
	}

	try {
		await session.query('commit', []);
	} catch (error) {
		throw afterCommit(error);
	}

	return result;
}
