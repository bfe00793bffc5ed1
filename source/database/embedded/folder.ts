import {randomBytes} from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import {ColoniesError} from '../../core/errors.ts';
import {visible} from '../../core/text.ts';
import {translate} from '../sqlstate.ts';

/** The major version of PostgreSQL in the PGlite that package.json names. */
export const postgresMajor = 18;

const staging = /^data\.new-/;

const moveAway = (folder: string): string => `Move ${folder} away to begin with an empty one; keep it as long as what is in it may be wanted.`;

/** Turns an error of the file system into one sentence. */
export function folderError(folder: string, error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const {code, path: place = folder} = error as NodeJS.ErrnoException;
	const elsewhere = 'Choose another folder, or another disk, for the data.';
	switch (code ?? '') {
		case 'EACCES':
		case 'EPERM': {
			return new ColoniesError('unavailable', `The folder ${folder} may not be written: no permission for ${place}.`, {hint: 'Make this user its owner, or choose another folder.', cause: error});
		}

		case 'EROFS': {
			return new ColoniesError('unavailable', `The folder ${folder} cannot be written: its disk is read-only.`, {hint: elsewhere, cause: error});
		}

		case 'ENOTDIR':
		case 'EEXIST': {
			return new ColoniesError('unavailable', `The folder ${folder} cannot be made: ${place} is a file.`, {hint: elsewhere, cause: error});
		}

		case 'ENOENT': {
			return new ColoniesError('unavailable', `The folder ${folder} cannot be made: ${path.dirname(place)} takes none.`, {hint: 'Choose another folder: COLONIES_HOME says where keys and data lie.', cause: error});
		}

		case 'ENOTSUP':
		case 'ENOSYS': {
			return new ColoniesError('unavailable', `The folder ${folder} cannot hold a database: its disk knows no links.`, {hint: elsewhere, cause: error});
		}

		default: {
			return translate(error);
		}
	}
}

async function isFolder(file: string): Promise<boolean> {
	try {
		const stats = await fs.stat(file);
		return stats.isDirectory();
	} catch {
		return false;
	}
}

/** Makes the folder, for its owner only, and those that lead to it. Node's own `recursive` tries for ever where the parent is there and takes no folder, as in /proc. */
export async function makeFolder(folder: string): Promise<void> {
	const parent = path.dirname(folder);
	try {
		await fs.mkdir(folder, {mode: 0o700});
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== folder && !await isFolder(parent)) {
			await makeFolder(parent);
			await makeFolder(folder);
		} else if (!await isFolder(folder)) {
			throw error;
		}
	}
}

async function readIfThere(file: string): Promise<string | undefined> {
	try {
		return await fs.readFile(file, 'latin1');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** Refuses data that this program's PostgreSQL cannot open, before it tries: PGlite itself says only that it failed. */
async function checkData(folder: string, data: string): Promise<void> {
	const damaged = (what: string) => new ColoniesError('damaged', `The embedded database in ${folder} is damaged: ${what}.`, {hint: moveAway(folder)});
	const version = await readIfThere(path.join(data, 'PG_VERSION'));
	if (version === undefined) {
		throw damaged('PG_VERSION is missing');
	}

	const major = Number(version);
	if (!/^\d+\s*$/.test(version)) {
		throw damaged('PG_VERSION is not a number');
	}

	if (major > postgresMajor) {
		throw new ColoniesError('newer-database', `The embedded database in ${folder} was made by PostgreSQL ${major}; this program brings PostgreSQL ${postgresMajor}.`, {hint: 'Install the newest colonies-tui; nothing was changed.'});
	}

	if (major < postgresMajor) {
		throw new ColoniesError('damaged', `The embedded database in ${folder} was made by PostgreSQL ${major}; this program brings PostgreSQL ${postgresMajor}, which cannot read it.`, {hint: `Open it with the version of colonies-tui that made it. ${moveAway(folder)}`});
	}

	const control = await readIfThere(path.join(data, 'global', 'pg_control'));
	if (!control) {
		throw damaged('global/pg_control is missing');
	}
}

/**
Looks at what is in the folder, which must be locked. Removes what a first start left that was interrupted.
@returns where the data is or goes, and where it is made before it is whole.
@throws ColoniesError `damaged`, `newer-database`
*/
export async function prepareData(folder: string): Promise<{data: string; staging: string}> {
	const data = path.join(folder, 'data');
	const names = await fs.readdir(folder);
	const leftovers = names.filter(name => name.startsWith('data.new-'));
	await Promise.all(leftovers.map(async name => fs.rm(path.join(folder, name), {recursive: true, force: true})));
	if (names.includes('data')) {
		await checkData(folder, data);
		await fs.chmod(data, 0o700);
	}

	return {data, staging: path.join(folder, `data.new-${randomBytes(4).toString('hex')}`)};
}

/** What it means when PostgreSQL does not start on data that looked well. */
export function startError(folder: string, error: unknown): ColoniesError {
	if (error instanceof ColoniesError) {
		return error;
	}

	const {message, code} = error as NodeJS.ErrnoException;
	if (code === 'ENOSPC' || message.includes('No space left on device')) {
		return translate(Object.assign(new Error(message), {code: 'ENOSPC'}));
	}

	if (code !== undefined && /^E[A-Z]+$/.test(code)) {
		return folderError(folder, error);
	}

	return new ColoniesError('damaged', `The embedded database in ${folder} does not start: ${visible(message)}.`, {hint: moveAway(folder), cause: error});
}
