import {ColoniesError, InvalidInput} from '../core/errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Why the operating system said no, for a person. */
const reasons = new Map([
	['EACCES', 'permission is denied'],
	['EPERM', 'permission is denied'],
	['EROFS', 'its file system is read-only'],
	['ENOTDIR', 'something on the way to it is no folder'],
	['EEXIST', 'it is no folder'],
	['EISDIR', 'it is a folder'],
	['ELOOP', 'its symbolic links go in a circle'],
	['ENAMETOOLONG', 'its name is too long'],
]);

/** The code of a system error, `ENOENT`; an empty text for any other error. */
export const systemCode = (error: unknown): string => {
	const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
	return typeof code === 'string' ? code : '';
};

/** There is no room to write a file. */
export const diskFull = (file: string, cause?: unknown): ColoniesError => new ColoniesError('disk-full', `There is no space left to write ${file}.`, {
	hint: 'Make room on that disk, then try again; what was there before is unchanged.',
	cause,
});

/** What a failed attempt to write a file or folder means to a person. A ColoniesError is passed through. */
export function fileError(file: string, error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const code = systemCode(error);
	if (full.has(code)) {
		return diskFull(file, error);
	}

	const reason = reasons.get(code);
	if (reason !== undefined) {
		return new InvalidInput(`${file} cannot be written to: ${reason}.`, {hint: 'Make it writable for you, or set COLONIES_HOME to a folder that is.', cause: error});
	}

	return new ColoniesError('unavailable', `${file} cannot be written to: ${code || 'the reason is unknown'}.`, {hint: 'Check the disk that it lies on.', cause: error});
}

/** A file that does not hold what it should. Without a cause: a parser's message quotes what it read, and that may be a key. */
export const damaged = (file: string, reason: string): ColoniesError => new ColoniesError('damaged', `${file} is damaged: ${reason}.`, {
	hint: 'It was left as it is. Put a good copy in its place, or move it away.',
});

/** What a failed attempt to read a file means to a person. */
export function readError(file: string, error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const code = systemCode(error);
	return new ColoniesError('damaged', `${file} cannot be read: ${reasons.get(code) ?? (code || 'the reason is unknown')}.`, {
		hint: 'It was left as it is. Check whose file it is, and its mode.',
		cause: code === '' ? undefined : error,
	});
}
