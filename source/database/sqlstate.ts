import {ColoniesError, type ErrorCode} from '../core/errors.ts';

type Translation = {
	code: ErrorCode;
	/** Never what PostgreSQL itself says: that may name tables and repeat values. It is in the cause. */
	message: string;
	hint?: string;
};

const tryAgain = 'Try it again.';
const createIt = 'Create it with `colonies database create`, with the same database flags.';
const freeSpace = 'Free some space on that disk, and try it again.';

/** By SQLSTATE, else by its class, the first two characters (PostgreSQL, appendix A). */
const translations = new Map<string, Translation>([
	['08', {code: 'unavailable', message: 'The connection to the database was lost.', hint: tryAgain}],
	['22', {code: 'invalid-input', message: 'A value is of the wrong kind, or out of range.', hint: 'Correct the value; nothing was changed.'}],
	['22021', {code: 'invalid-input', message: 'A text holds a character that cannot be stored: NUL, or bytes that are not UTF-8.', hint: 'Remove the character; nothing was changed.'}],
	['22P05', {code: 'invalid-input', message: String.raw`A text holds the character \u0000, which cannot be stored.`, hint: 'Remove the character; nothing was changed.'}],
	['23502', {code: 'invalid-input', message: 'A value is missing.', hint: 'Give the missing value; nothing was changed.'}],
	['23503', {code: 'conflict', message: 'What it belongs to does not exist (any more), or something still belongs to it.', hint: 'Look again: somebody else may have changed it meanwhile.'}],
	['23505', {code: 'conflict', message: 'There is one already.', hint: 'Choose another name or id, or use the one that exists.'}],
	['23514', {code: 'invalid-input', message: 'A value is not one of those that are allowed.', hint: 'Correct the value; nothing was changed.'}],
	['25006', {code: 'unavailable', message: 'The database takes no changes: it is read-only, perhaps a standby.', hint: 'Connect to the primary server.'}],
	['25P03', {code: 'unavailable', message: 'The database ended a transaction that stood still for too long.', hint: tryAgain}],
	['28', {code: 'unavailable', message: 'The database does not let this user in.', hint: 'Check the user and the password of the database.'}],
	['3F000', {code: 'unavailable', message: 'The database has no schema of Colonies yet.', hint: createIt}],
	['40001', {code: 'unavailable', message: 'Another change came in between.', hint: tryAgain}],
	['40P01', {code: 'unavailable', message: 'Another change stood in the way of this one, and it in the way of that.', hint: tryAgain}],
	['42501', {code: 'unavailable', message: 'The user of the database may not do that there.', hint: 'Connect as a user that owns the schema of Colonies, or grant it the right.'}],
	['42P01', {code: 'unavailable', message: 'The database has no tables of Colonies yet, or not all of them.', hint: createIt}],
	['53100', {code: 'disk-full', message: 'The disk of the database is full; nothing was changed.', hint: freeSpace}],
	['53', {code: 'unavailable', message: 'The database is short of memory or connections.', hint: 'Try it again when the database has less to do.'}],
	['55', {code: 'unavailable', message: 'Something else is being done to what this needs in the database.', hint: tryAgain}],
	['57', {code: 'unavailable', message: 'The database ended the connection.', hint: tryAgain}],
	['57014', {code: 'unavailable', message: 'The database stopped the statement: it took too long, or somebody cancelled it.', hint: tryAgain}],
	['57P03', {code: 'unavailable', message: 'The database is starting up or shutting down.', hint: 'Try it again in a moment.'}],
]);

const systemErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL']);
const lostMessages = /^(?:Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout expired|timeout exceeded|Connection ended)/;

/** What Citus says with SQLSTATE XX000 where it lost a worker: at a commit nobody knows what became of it. */
const lostWorkers = /^(?:server closed the connection unexpectedly|could not (?:receive data from|send data to) server|could not commit transaction for shard|failure on connection marked as essential)/;

type Original = {code?: unknown; syscall?: unknown; message?: unknown};

const original = (error: unknown): Original => {
	const inner = error instanceof ColoniesError ? error.cause : error;
	return typeof inner === 'object' && inner !== null ? inner : {};
};

/** The SQLSTATE behind an error, five characters; undefined where the database has not spoken. */
export function sqlstateOf(error: unknown): string | undefined {
	const {code} = original(error);
	return typeof code === 'string' && /^[\dA-Z]{5}$/.test(code) && /\d/.test(code) ? code : undefined;
}

/** Whether a session refused a change because its transactions are read-only: on a standby, or where the database or its server is set so. */
export const isReadOnlyRefusal = (error: unknown): boolean => sqlstateOf(error) === '25006';

/** Whether the server session does not have, or has already, what was prepared: a transaction pooler without support for prepared statements lends another one each time. */
export const isPreparedElsewhere = (error: unknown): boolean => ['26000', '42P05'].includes(sqlstateOf(error) ?? '');

const elsewhere = new WeakSet<ColoniesError>();

/** Says of a failure that another session may do better: nothing was done, and the one that failed is of another time. */
export function retryElsewhere(error: ColoniesError): ColoniesError {
	elsewhere.add(error);
	return error;
}

/**
Whether the same transaction may simply be run again: it gave way to another one (serialisation, deadlock) and changed nothing,
or its session was of the time before the database took changes (again).
*/
export const isRetryable = (error: unknown): boolean => (error instanceof ColoniesError && elsewhere.has(error)) || ['40001', '40P01'].includes(sqlstateOf(error) ?? '');

/** Whether the connection is gone, as opposed to a statement that was refused over it. */
export function isConnectionLoss(error: unknown): boolean {
	const {code, syscall, message} = original(error);
	const sqlstate = sqlstateOf(error);
	if (sqlstate !== undefined) {
		return (sqlstate === 'XX000' && lostWorkers.test(String(message))) || sqlstate.startsWith('08') || ['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'].includes(sqlstate);
	}

	return systemErrors.has(code as string) || (code === 'ENOENT' && syscall === 'connect') || lostMessages.test(typeof message === 'string' ? message : '');
}

const unknownOutcomes = new WeakSet<ColoniesError>();

/** Whether a change may have been made though it failed: the connection went after the change was sent and before the answer came. */
export const isOutcomeUnknown = (error: unknown): boolean => error instanceof ColoniesError && unknownOutcomes.has(error);

/** Says of the failure of a transaction that nothing was done, which is so unless its commit was under way. */
export function undone<Failure>(error: Failure): Failure {
	if (error instanceof ColoniesError && !unknownOutcomes.has(error)) {
		error.nothingDone = true;
	}

	return error;
}

/** A ColoniesError for a change that may or may not have been made. */
export function outcomeUnknown(cause: unknown): ColoniesError {
	const error = new ColoniesError('unavailable', 'The connection to the database was lost before it answered; the change may have been made or not.', {hint: 'Look whether it was made before you try it again.', cause});
	unknownOutcomes.add(error);
	return error;
}

const wasNeverSent = ({code, message}: Original): boolean => code === '08003' || /^Client (?:has encountered a connection error|was closed)/.test(String(message));

/** What a failed COMMIT, or a change that is a transaction of its own, means: where the connection was lost after it was sent, nobody knows the outcome. */
export const afterCommit = (error: unknown): unknown => isConnectionLoss(error) && !wasNeverSent(original(error)) ? outcomeUnknown(original(error)) : error;

/** Turns an error of the database, its driver or the system into a ColoniesError, with the original as its cause and none of its text. A ColoniesError stays what it is. */
export function translate(error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const {code} = original(error);
	const sqlstate = sqlstateOf(error);
	const known = sqlstate === undefined ? undefined : translations.get(sqlstate) ?? translations.get(sqlstate.slice(0, 2));
	if (known) {
		return new ColoniesError(known.code, known.message, {hint: known.hint, cause: error});
	}

	if (code === 'ENOSPC' || code === 'EDQUOT') {
		return new ColoniesError('disk-full', 'The disk is full; nothing was changed.', {hint: freeSpace, cause: error});
	}

	if (isConnectionLoss(error)) {
		return new ColoniesError('unavailable', 'The connection to the database was lost.', {hint: tryAgain, cause: error});
	}

	return new ColoniesError('internal', `The database failed${sqlstate === undefined ? '' : ` (SQLSTATE ${sqlstate})`}.`, {hint: 'Run it again with --debug to see what it said.', cause: error});
}
