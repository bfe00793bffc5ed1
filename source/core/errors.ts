/**
What each error code means to a program: its HTTP status and its process exit code. Adding a code here is all it takes; `satisfies` makes a gap fail to compile.
*/
export const errorCodes = {
	'invalid-input': {status: 400, exit: 2, meaning: 'A flag, field or file is wrong; nothing was changed.'},
	'too-large': {status: 413, exit: 2, meaning: 'An input is larger than the limit; nothing was changed.'},
	unauthenticated: {status: 401, exit: 3, meaning: 'The signature, key or root password is missing or wrong.'},
	'not-allowed': {status: 403, exit: 4, meaning: 'This identity may not do that.'},
	'not-found': {status: 404, exit: 5, meaning: 'There is no such colony, computer, process or attribute.'},
	conflict: {status: 409, exit: 6, meaning: 'The state does not allow it, or the thing exists already; nothing was changed.'},
	'nothing-to-assign': {status: 404, exit: 7, meaning: 'No process was assigned, for there is none that may run on this computer.'},
	unavailable: {status: 503, exit: 8, meaning: 'The database or server cannot be reached; it may be tried again.'},
	'in-use': {status: 503, exit: 9, meaning: 'Another process has the embedded database open.'},
	'newer-database': {status: 503, exit: 10, meaning: 'The database was made by a newer version of this program.'},
	'disk-full': {status: 507, exit: 11, meaning: 'There is no space left to write to. Nothing was changed, unless the message says what was done.'},
	damaged: {status: 500, exit: 12, meaning: 'A file of the keychain or the settings cannot be read; it was left as it is.'},
	'not-intact': {status: 500, exit: 14, meaning: 'The history is not as it was sealed: a row or a seal was altered, dropped, moved or put in; or, with --present, something in the database is not as the history says.'},
	cancelled: {status: 499, exit: 13, meaning: 'The question was answered with no; nothing was changed.'},
	internal: {status: 500, exit: 70, meaning: 'A fault of this program. Please report it.'},
} as const satisfies Record<string, {status: number; exit: number; meaning: string}>;

export type ErrorCode = keyof typeof errorCodes;

/**
Why no connection stands although somebody answers. `untrusted`: its certificate is not one that is trusted, so somebody may stand in between; `refused`: it does not let this caller in.
Waiting fixes neither.
*/
export type Barrier = 'untrusted' | 'refused';

type Details = {
	/** What the reader can do next, one sentence. */
	hint?: string;
	cause?: unknown;
	/** What is said in place of message and hint to those who have nothing to do with how the installation is made up: message and hint name a host, a user, a file. */
	outward?: Outward;
	/** Of `unavailable`: why no connection stands although somebody answers. */
	barrier?: Barrier;
};

/** What somebody elsewhere is told of an error. */
export type Outward = {message: string; hint: string};

/** Of a store that cannot be used, whatever it is and wherever. */
export const storeUnavailable: Outward = {message: 'The store is unavailable.', hint: 'Try it again in a moment.'};

/**
The one error of this program: what is wrong with its value (`message`), what to do next (`hint`), and a `code` that decides the HTTP status and the exit code.
*/
export class ColoniesError extends Error {
	override readonly name = 'ColoniesError';
	readonly code: ErrorCode;
	readonly hint: string | undefined;
	readonly outward: Outward | undefined;
	/** Of one that leaves it open otherwise (`unavailable`, `internal`): whether nothing of what was asked for was done, for certain. */
	nothingDone = false;
	/** That the colony is not in this store, as far as its caller can tell: it may be in another cell. */
	isAbsence = false;
	/** Of `unavailable`: why no connection stands although somebody answers. */
	readonly barrier: Barrier | undefined;

	constructor(code: ErrorCode, message: string, {hint, cause, outward, barrier}: Details = {}) {
		super(message, cause === undefined ? undefined : {cause});
		this.code = code;
		this.hint = hint;
		this.outward = outward;
		this.barrier = barrier;
	}

	/** HTTP status of this error's code. */
	get status(): number {
		return errorCodes[this.code].status;
	}

	/** Process exit code of this error's code. */
	get exitCode(): number {
		return errorCodes[this.code].exit;
	}
}

type ErrorClass = new (message: string, details?: Details) => ColoniesError;

const errorOf = (code: ErrorCode): ErrorClass => class extends ColoniesError {
	constructor(message: string, details?: Details) {
		super(code, message, details);
	}
};

export const InvalidInput = errorOf('invalid-input');
export const TooLarge = errorOf('too-large');
export const Unauthenticated = errorOf('unauthenticated');
export const NotAllowed = errorOf('not-allowed');
export const NotFound = errorOf('not-found');
export const Conflict = errorOf('conflict');
export const NothingToAssign = errorOf('nothing-to-assign');
export const Unavailable = errorOf('unavailable');

/** Turns whatever was thrown into a ColoniesError; anything unknown becomes `internal`, with the original as its cause. */
export function toColoniesError(error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const message = error instanceof Error ? error.message : String(error);
	return new ColoniesError('internal', `Something went wrong inside the program: ${message}`, {hint: 'Run it again with --debug to see where.', cause: error});
}
