import {createReadStream} from 'node:fs';
import {ColoniesError, InvalidInput, TooLarge} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {jsonFault} from '../core/json-fault.ts';
import {type StandardInput, collect} from './standard-input.ts';

/** The largest spec, in bytes: 32 MiB. */
const largest = 33_554_432;

const reasons = new Map([
	['EISDIR', 'is a folder, not a file'],
	['EACCES', 'cannot be read: permission is denied'],
	['EPERM', 'cannot be read: permission is denied'],
	['ENOTDIR', 'cannot be read: something on the way to it is no folder'],
	['ELOOP', 'cannot be read: its symbolic links go in a circle'],
	['ENAMETOOLONG', 'cannot be read: its name is too long'],
]);

function fileError(file: string, error: unknown): Error {
	if (error instanceof ColoniesError || !(error instanceof Error) || !('code' in error)) {
		return error as Error;
	}

	return error.code === 'ENOENT'
		? new InvalidInput(`There is no file ${quoted(file)}.`, {hint: 'Check the path; - reads standard input.'})
		: new InvalidInput(`${quoted(file)} ${reasons.get(String(error.code)) ?? `cannot be read: ${String(error.code)}`}.`, {hint: 'Give a file with a JSON object.', cause: error});
}

function parse(name: string, bytes: Uint8Array): unknown {
	let text: string;
	try {
		text = new TextDecoder('utf8', {fatal: true}).decode(bytes);
	} catch {
		throw new InvalidInput(`${name} is not UTF-8 text.`, {hint: 'Save it as UTF-8.'});
	}

	if (text.trim() === '') {
		throw new InvalidInput(`${name} is empty.`, {hint: 'It must be a JSON object.'});
	}

	try {
		return JSON.parse(text);
	} catch {
		const {line, column} = jsonFault(text) ?? {line: 1, column: 1};
		throw new InvalidInput(`${name} is not JSON: the fault is at line ${line}, column ${column}.`, {hint: 'It must be a JSON object: keys and texts in double quotes, no comma after the last.'});
	}
}

const tooLarge = (name: string) => () => new TooLarge(`${name} is larger than 32 MiB.`, {hint: 'Keep large data elsewhere and pass its address.'});

/**
The JSON value in a file.
@throws InvalidInput or TooLarge, one sentence with the name of the file
*/
export async function readSpecFile(file: string): Promise<unknown> {
	const name = quoted(file);
	try {
		return parse(name, await collect(createReadStream(file), largest, tooLarge(name)));
	} catch (error) {
		throw fileError(file, error);
	}
}

/**
The JSON value in a file, or on standard input for `-`.
@throws InvalidInput or TooLarge, one sentence with the name of the file
*/
export async function readSpec(file: string, input: StandardInput): Promise<unknown> {
	const name = 'Standard input';
	return file === '-' ? parse(name, await input.all('--spec', largest, tooLarge(name))) : readSpecFile(file);
}
