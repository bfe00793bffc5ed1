import {createReadStream} from 'node:fs';
import {ColoniesError, InvalidInput, TooLarge} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {numberRange, parseJson} from '../core/json.ts';
import {jsonFault} from '../core/json-fault.ts';
import {type StandardInput, collect} from './standard-input.ts';

/** Bytes. */
const mebibyte = 1_048_576;
/** The largest spec, in bytes. */
const largest = 32 * mebibyte;
/** The largest list of specs, in bytes. */
const largestList = 128 * mebibyte;

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

/** What was read: the name of where it came from, and its bytes. */
type Content = {name: string; bytes: Uint8Array};

function textOf({name, bytes}: Content): string {
	let text: string;
	try {
		text = new TextDecoder('utf8', {fatal: true}).decode(bytes);
	} catch {
		throw new InvalidInput(`${name} is not UTF-8 text.`, {hint: 'Save it as UTF-8.'});
	}

	if (text.trim() === '') {
		throw new InvalidInput(`${name} is empty.`, {hint: 'It must be a JSON object.'});
	}

	return text;
}

/** The value of a text; undefined where it is no JSON. `before`: lines above it. @throws InvalidInput for a number that nothing can hold */
function json(name: string, text: string, before = 0): {value: unknown} | undefined {
	const read = parseJson(text);
	if ('value' in read) {
		return read;
	}

	const {fault} = read;
	if (fault.kind === 'number') {
		throw new InvalidInput(`${name} has the number ${quoted(fault.number)} at line ${fault.place.line + before}, column ${fault.place.column}, which is out of range.`, {hint: numberRange});
	}

	return undefined;
}

function notJson(name: string, text: string, before = 0): Error {
	const {line, column} = jsonFault(text) ?? {line: 1, column: 1};
	return new InvalidInput(`${name} is not JSON: the fault is at line ${line + before}, column ${column}.`, {hint: 'It must be a JSON object: keys and texts in double quotes, no comma after the last.'});
}

function valueOf(content: Content): unknown {
	const text = textOf(content);
	const parsed = json(content.name, text);
	if (parsed === undefined) {
		throw notJson(content.name, text);
	}

	return parsed.value;
}

/** The values of JSON Lines; undefined for a text whose first line is no JSON by itself, and for one line. */
function linesOf(name: string, text: string): unknown[] | undefined {
	const lines = text.split('\n').map((line, index) => ({line, index})).filter(({line}) => line.trim() !== '');
	if (lines.length < 2 || json(name, lines[0]!.line, lines[0]!.index) === undefined) {
		return undefined;
	}

	return lines.map(({line, index}) => {
		const parsed = json(name, line, index);
		if (parsed === undefined) {
			throw notJson(name, line, index);
		}

		return parsed.value;
	});
}

const tooLarge = (name: string, most: number) => () => new TooLarge(`${name} is larger than ${most / mebibyte} MiB.`, {hint: most === largest ? 'Keep large data elsewhere and pass its address.' : 'Submit it in parts.'});

async function readFile(file: string, most: number): Promise<Content> {
	const name = quoted(file);
	try {
		return {name, bytes: await collect(createReadStream(file), most, tooLarge(name, most))};
	} catch (error) {
		throw fileError(file, error);
	}
}

async function read(file: string, input: StandardInput, most: number, flag = '--spec'): Promise<Content> {
	const name = 'Standard input';
	return file === '-' ? {name, bytes: await input.all(flag, most, tooLarge(name, most))} : readFile(file, most);
}

const idOf = (value: unknown): string | undefined => {
	const id = typeof value === 'object' && value !== null && 'processid' in value ? value.processid : value;
	return typeof id === 'string' && /^[\da-f]{64}$/i.test(id) ? id.toLowerCase() : undefined;
};

/** A plain id, or the value of a text of JSON. The id comes first, for one of digits and an `e` is a number to JSON. */
const idOrJson = (name: string, text: string, before = 0): {value: unknown} | undefined => idOf(text.trim()) === undefined ? json(name, text, before) : {value: text.trim()};

/**
The ids of processes in a file, or on standard input for `-`: one a line, plain, as JSON or as the `processid` of a JSON object; or a JSON array of these, as a list command prints it.
@throws InvalidInput or TooLarge, one sentence with the name of the file, and the line
*/
export async function readProcessIds(file: string, input: StandardInput, flag: string): Promise<string[]> {
	const content = await read(file, input, largestList, flag);
	const text = textOf(content);
	const whole = idOrJson(content.name, text);
	const items = Array.isArray(whole?.value)
		? whole.value.map((value: unknown, index) => ({value, place: `number ${index + 1}`}))
		: (whole ? [{value: whole.value, place: 'line 1'}] : text.split('\n').flatMap((line, index) => line.trim() === '' ? [] : [{value: idOrJson(content.name, line, index)?.value ?? line.trim(), place: `line ${index + 1}`}]));
	return items.map(({value, place}) => {
		const id = idOf(value);
		if (id === undefined) {
			throw new InvalidInput(`${content.name} has no id of a process at ${place}: ${quoted(value)}.`, {hint: 'Give one id of 64 hex digits a line, or what `process ls` prints.'});
		}

		return id;
	});
}

/**
The JSON value in a file.
@throws InvalidInput or TooLarge, one sentence with the name of the file
*/
export const readSpecFile = async (file: string): Promise<unknown> => valueOf(await readFile(file, largest));

/**
The JSON value in a file, or on standard input for `-`.
@throws InvalidInput or TooLarge, one sentence with the name of the file
*/
export const readSpec = async (file: string, input: StandardInput): Promise<unknown> => valueOf(await read(file, input, largest));

/**
The specs in a file, or on standard input for `-`: one JSON value, an array of them, or JSON Lines. `isList`: whether it is written as many, be it one alone.
@throws InvalidInput or TooLarge, one sentence with the name of the file, and the line
*/
export async function readSpecs(file: string, input: StandardInput): Promise<{specs: unknown[]; isList: boolean}> {
	const content = await read(file, input, largestList);
	const text = textOf(content);
	const whole = json(content.name, text);
	const specs = whole === undefined ? linesOf(content.name, text) : (Array.isArray(whole.value) ? whole.value : undefined);
	if (specs === undefined && whole === undefined) {
		throw notJson(content.name, text);
	}

	if (specs?.length === 0) {
		throw new InvalidInput(`${content.name} is an empty list.`, {hint: 'Give at least one spec.'});
	}

	return {specs: specs ?? [whole!.value], isList: specs !== undefined};
}
