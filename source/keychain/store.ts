import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Options} from 'conf';
import {
	damaged, diskFull, fileError, readError, systemCode,
} from './failures.ts';

/** What one file holds. */
export type Values = Record<string, unknown>;

const serialize = (values: Values): string => JSON.stringify(values, undefined, '\t');

/** Conf's settings for one file. Its name is taken as it is, so that a key with a dot is one key and a damaged file stays. */
const optionsFor = (file: string): Options<Values> => ({
	cwd: path.dirname(file),
	configName: path.basename(file),
	fileExtension: '',
	configFileMode: 0o600,
	clearInvalidConfig: false,
	accessPropertiesByDotNotation: false,
	serialize,
	deserialize(text: string): Values {
		let values: unknown;
		try {
			values = JSON.parse(text);
		} catch {
			// Without the parser's error, which quotes the text around the fault: that may be a key.
			throw damaged(file, text.trim() === '' ? 'it is empty' : 'it is not JSON');
		}

		if (typeof values !== 'object' || values === null || Array.isArray(values)) {
			throw damaged(file, 'it holds no JSON object');
		}

		return values as Values;
	},
});

// Loading conf takes longer than all the rest of a short command; only those that touch a file pay for it.
const openConf = async (file: string) => {
	const {default: Conf} = await import('conf');
	return new Conf(optionsFor(file));
};

/** Whether anything has this name, a dangling link included. @throws damaged when its folder cannot be looked into. */
export function isThere(file: string): boolean {
	try {
		fs.lstatSync(file);
		return true;
	} catch (error) {
		if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) {
			return false;
		}

		throw readError(file, error);
	}
}

/**
Reads one file through conf; undefined when there is none.
@throws damaged, naming the file, when it cannot be read or is not a JSON object.
*/
export async function readStore(file: string): Promise<Values | undefined> {
	if (!isThere(file)) {
		return undefined;
	}

	try {
		if (!fs.statSync(file).isFile()) {
			throw damaged(file, 'it is no file');
		}

		const {store} = await openConf(file);
		const values = {...store};
		// Conf reads a file that has just gone as an empty one.
		return Object.keys(values).length > 0 || isThere(file) ? values : undefined;
	} catch (error) {
		if (!isThere(file)) {
			return undefined;
		}

		throw systemCode(error) === 'ENOENT' ? damaged(file, 'it is a link that leads nowhere') : readError(file, error);
	}
}

/** What a file that is being written is called until it is whole: `settings.json.1f2e3d4c.new`. */
const stagedName = (file: string): string => `${file}.${randomBytes(4).toString('hex')}.new`;

/** Whether a name is that of a file that was being written in place of `file`; conf adds a suffix of its own to it. */
export const isStaged = (name: string, file: string): boolean => name.startsWith(`${path.basename(file)}.`) && /\.[\da-f]{8}\.new(?:\.tmp-\w+)?$/.test(name);

// A rename is kept over a loss of power only once its folder is on disk. Windows cannot open a folder, and does not need it.
function syncFolder(folder: string): void {
	if (process.platform === 'win32') {
		return;
	}

	const descriptor = fs.openSync(folder, 'r');
	try {
		fs.fsyncSync(descriptor);
	} finally {
		fs.closeSync(descriptor);
	}
}

/**
Writes one file through conf: mode 0600, all of it or nothing, on disk when this returns. A symbolic link stays one; its target is replaced.
Conf takes a write that a full disk cut short for a whole one, so what it wrote is measured before it takes the place of the old file.
`confirm` is called last before that, and stops it by throwing.
@throws disk-full, InvalidInput when the folder cannot be written to
*/
export async function writeStore(file: string, values: Values, confirm?: () => void): Promise<void> {
	let staged: string | undefined;
	try {
		const target = isThere(file) ? fs.realpathSync(file) : file;
		staged = stagedName(target);
		const conf = await openConf(staged);
		conf.store = values;
		if (fs.statSync(staged).size !== Buffer.byteLength(serialize(values))) {
			throw diskFull(file);
		}

		confirm?.();
		fs.renameSync(staged, target);
		syncFolder(path.dirname(target));
	} catch (error) {
		if (staged !== undefined) {
			fs.rmSync(staged, {force: true});
		}

		throw fileError(file, error);
	}
}

/** Removes files that were being written in place of `file` when their process died. */
export function removeStaged(file: string): void {
	const folder = path.dirname(file);
	for (const name of fs.readdirSync(folder)) {
		if (isStaged(name, file)) {
			fs.rmSync(path.join(folder, name), {force: true});
		}
	}
}
