// The programs and files that the tests of `examples/deploy` share.
import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {postgresProgram} from './clusters.ts';
import {temporaryFolder, writeInto} from './commands.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The path of a file in `examples/deploy`. */
export const exampleFile = (name: string): string => path.join(root, 'examples', 'deploy', name);

/** For `skip`: false, or that a program is not installed. That is said aloud; with CI=true it is a failure. */
export function noProgram(name: string, words: readonly string[] = ['--version']): string | false {
	if (spawnSync(name, words, {stdio: 'ignore'}).status === 0) {
		return false;
	}

	const reason = `${name} is not installed.`;
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests that need it are SKIPPED.\n`);
	return reason;
}

/** A PATH on which `colonies` is the built program and PostgreSQL's programs are found. */
export function deployPath(): string {
	const folder = path.join(temporaryFolder(), 'bin');
	mkdirSync(folder);
	const program = writeInto(folder, 'colonies', `#!/bin/sh\nexec '${process.execPath}' '${path.join(root, 'dist', 'cli.js')}' "$@"\n`);
	chmodSync(program, 0o755);
	return [folder, path.dirname(postgresProgram('psql')), process.env.PATH].join(path.delimiter);
}
