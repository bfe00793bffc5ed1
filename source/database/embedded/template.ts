import {existsSync, readFileSync} from 'node:fs';
import fs from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir, userInfo} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {makeTemplate} from './engine.ts';

const shipped = fileURLToPath(new URL('template.tar.gz', import.meta.url));

function pgliteVersion(): string {
	const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
	const {version} = JSON.parse(readFileSync(path.join(entry, '..', '..', 'package.json'), 'utf8')) as {version: string};
	return version;
}

/** A folder for this user alone. Others may write into the system's folder for temporary files, and what comes from there is run as a database. */
async function privateFolder(): Promise<string> {
	const {uid, username} = userInfo();
	const folder = path.join(tmpdir(), `colonies-tui-${username}`);
	await fs.mkdir(folder, {recursive: true, mode: 0o700});
	const stats = await fs.lstat(folder);
	return stats.isDirectory() && (uid === -1 || stats.uid === uid) && (uid === -1 || (stats.mode & 0o077) === 0) // eslint-disable-line no-bitwise -- a mode is a set of bits
		? folder
		: fs.mkdtemp(`${folder}-`);
}

let made: Promise<string> | undefined;

async function makeOnce(): Promise<string> {
	const file = path.join(await privateFolder(), `template-${pgliteVersion()}.tar.gz`);
	if (!existsSync(file)) {
		await makeTemplate(file);
	}

	return file;
}

/**
The archive of a fresh database. A package brings it; from the source it is made at the first call, which takes some seconds, and kept for the next ones.
*/
export async function findTemplate(): Promise<string> {
	if (existsSync(shipped)) {
		return shipped;
	}

	made ??= makeOnce();
	return made;
}
