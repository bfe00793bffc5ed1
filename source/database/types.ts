import type {NoChanges, Reachability} from '../core/reachability.ts';

export type {NoChanges, Reachability} from '../core/reachability.ts';

/** One value as it comes from the database: timestamps as RFC 3339 text with microseconds, int8 as a number, arrays as arrays, json parsed. */
export type Rows<Row = Record<string, any>> = {
	rows: Row[];
	/** Rows that the statement changed or returned. */
	rowCount: number;
};

/** What a statement can be run on: a connection inside a transaction, or the database itself for a single statement. */
export type Client = {
	/**
	Runs one statement with `$1`… values (text, numbers, booleans, null, arrays of text; json as text). Throws a ColoniesError.
	`name`: the same for the same text, so that a session prepares it once, where it prepares; of a statement in a transaction. One that is under way is not sent again before it is answered.
	*/
	query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<Rows<Row>>;
};

/** One statement with its values. `name`: the same for the same text, so that a session prepares it once. */
export type Statement = {name: string; text: string; values: readonly unknown[]};

export type Load = {
	/** Connections that are open, and those of them that are idle. */
	connections: number;
	idle: number;
	/** Statements or transactions that wait for a connection. */
	waiting: number;
	/** Whether notifications arrive, as far as that was tried. */
	listening: boolean;
	/** Whether it was found out that notifications do not arrive: a pooler is in between, or this is a standby. */
	deaf: boolean;
	/** Whether hot statements are prepared: not with `--dbprepare off`, nor behind a pooler that was found not to keep them. */
	prepares: boolean;
	/** Why the database takes no changes, as far as is known. */
	noChanges: NoChanges | undefined;
};

/**
The same small interface over `pg`, the embedded database and, in tests, TimescaleDB. Everything above it cannot tell them apart.
*/
export type Database = Client & {
	readonly kind: 'embedded' | 'postgresql';
	/** The schema that statements work in, in place of the `colonies` that they are written with (schema.ts). */
	readonly schema: string;
	/** Runs `work` in one transaction: commits what it did, or rolls all of it back when it throws. Read committed. */
	transaction<Result>(work: (client: Client) => Promise<Result>): Promise<Result>;
	/** Runs statements in one transaction, pipelined in one message: all or nothing. None of them may depend on results of an earlier one. */
	flight(statements: readonly Statement[]): Promise<Rows[]>;
	/** Hears every notification on a channel until the returned function is called. Survives reconnects; `onGap` tells that some may have been missed. */
	listen(channel: string, hear: (payload: string) => void, onGap?: () => void): Promise<() => Promise<void>>;
	/** Sends a notification from a connection of its own, outside any transaction. */
	notify(channel: string, payload: string): Promise<void>;
	/** Tells at once, and at every turn, whether the database answers. */
	watchReachability(tell: (state: Reachability) => void): () => void;
	/** Several statements separated by semicolons, without values: for migrations. */
	execute(client: Client, script: string): Promise<void>;
	/** The connections now. */
	load(): Load;
	/** `PostgreSQL 15.18`, `TimescaleDB 2.23.0` and where it lives, for people. Never a password. */
	describe(): Promise<{place: string; server: string; timescale: string | undefined}>;
	/** Finishes what is under way and lets go. */
	close(): Promise<void>;
};
