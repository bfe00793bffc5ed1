import {access, constants, stat} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';

async function isProgram(file: string): Promise<boolean> {
	try {
		await access(file, constants.X_OK);
		return (await stat(file)).isFile();
	} catch {
		return false;
	}
}

/**
Checks that a program is there to be run: a path, or a name to be found in PATH.
@throws InvalidInput
*/
export async function checkProgram(name: string, {PATH = ''}: NodeJS.ProcessEnv): Promise<void> {
	if (process.platform === 'win32') {
		// It finds programs by other rules; one that is not there fails each process.
		return;
	}

	const isPath = name.includes('/');
	// An empty entry of PATH is the current folder.
	const files = isPath ? [name] : PATH.split(path.delimiter).map(folder => path.join(folder, name));
	const found = await Promise.all(files.map(async file => isProgram(file)));
	if (name === '' || !found.includes(true)) {
		throw new InvalidInput(`There is no program ${quoted(name)}.`, {hint: isPath ? 'Check the path, and that it may be executed.' : 'Give its path, or check PATH.'});
	}
}
