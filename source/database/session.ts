import {ColoniesError} from '../core/errors.ts';
import {afterCommit, isConnectionLoss, sqlstateOf} from './sqlstate.ts';
import type {Client, Rows} from './types.ts';

/** One connection, as a transaction needs it. It throws ColoniesErrors. */
export type Session = {
	query(text: string, values: readonly unknown[]): Promise<Rows<Record<string, unknown>>>;
	/** Several statements without values. */
	execute(script: string): Promise<void>;
};

const scripts = new WeakMap<Client, (script: string) => Promise<void>>();

/** Runs a script on the client of a transaction; undefined when the client is not of one. */
export const executeWithin = (client: Client, script: string): Promise<void> | undefined => scripts.get(client)?.(script);

/** The statements of one transaction: one at a time, none after its end. */
class Statements {
	/** Why the transaction cannot be committed: its last statement failed. */
	failure: unknown;
	#open = true;
	#last: Promise<unknown> = Promise.resolve();

	/** Runs after those before it. */
	async run<Result>(statement: () => Promise<Result>): Promise<Result> {
		if (!this.#open) {
			throw new ColoniesError('internal', 'A statement came after the end of its transaction.');
		}

		const running = this.#last.then(async () => {
			try {
				const result = await statement();
				this.failure = undefined;
				return result;
			} catch (error) {
				this.failure = sqlstateOf(error) !== undefined || isConnectionLoss(error) ? error : this.failure;
				throw error;
			}
		});
		this.#last = running.catch(() => undefined);
		return running;
	}

	/** Lets no more statements in and waits for those that nobody awaited. */
	async end(): Promise<void> {
		this.#open = false;
		await this.#last;
	}
}

const begin = 'begin isolation level read committed';

/**
Runs `work` in one transaction on a session of its own: commits, or rolls back and throws what `work` threw.
A statement whose failure `work` swallowed has undone the transaction, so its error is thrown then.
*/
export async function transact<Result>(session: Session, work: (client: Client) => Promise<Result>): Promise<Result> {
	const statements = new Statements();
	const client = {
		query: async (text: string, values: readonly unknown[] = []) => statements.run(async () => session.query(text, values)),
	} as Client;
	scripts.set(client, async script => statements.run(async () => session.execute(script)));

	await session.query(begin, []);
	let result: Result;
	try {
		result = await work(client);
		await statements.end();
		if (statements.failure !== undefined) {
			throw statements.failure; // eslint-disable-line @typescript-eslint/only-throw-error -- it is the error as it was thrown
		}
	} catch (error) {
		await statements.end();
		// What went wrong first is what the caller wants to know; a rollback fails where the connection is gone, and with it the transaction.
		await session.query('rollback', []).catch(() => undefined);
		throw error;
	}

	try {
		await session.query('commit', []);
	} catch (error) {
		throw afterCommit(error);
	}

	return result;
}
