import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {InvalidInput} from '../core/errors.ts';
import {fileError} from './failures.ts';

const program = 'colonies-tui';

/** The longest a runtime folder may be, in bytes: macOS takes 104 for the path of a socket, of which its name needs some. */
const longestRun = 80;

/** Where things live. All are absolute paths; none is created by asking. */
export type Folders = {
	/** Settings; the keychain's folders lie in it. */
	config: string;
	/** One file per private key. */
	keys: string;
	/** The embedded database. */
	data: string;
	/** What can be made again. */
	cache: string;
	/** Unix sockets, which need a short path. One per data folder, so that two embedded databases do not meet. */
	run: string;
};

/** What the answer depends on besides the environment; given by tests. */
export type Machine = {platform?: NodeJS.Platform; home?: string; temporary?: string; user?: number};

/** Hears that something was found open to others; the text is one sentence for a person. */
export type Warn = (message: string) => void;

const homeOf = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string => {
	try {
		return (platform === 'win32' ? env.USERPROFILE : env.HOME) || os.homedir(); // eslint-disable-line @typescript-eslint/prefer-nullish-coalescing -- an empty variable counts as unset
	} catch (error) {
		throw new InvalidInput('This user has no home folder.', {hint: 'Say where to keep keys and data: set COLONIES_HOME to a folder.', cause: error});
	}
};

/** The folders that the operating system means for settings, data and caches; the same places as conf and env-paths take without a suffix. */
function systemFolders(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): Pick<Folders, 'config' | 'data' | 'cache'> {
	const {isAbsolute, join} = platform === 'win32' ? path.win32 : path.posix;
	// A relative path in these variables is to be taken as unset (XDG Base Directory Specification).
	const from = (variable: string, otherwise: string): string => isAbsolute(env[variable] ?? '') ? env[variable]! : otherwise;
	if (platform === 'darwin') {
		const library = join(home, 'Library');
		return {config: join(library, 'Preferences', program), data: join(library, 'Application Support', program), cache: join(library, 'Caches', program)};
	}

	if (platform === 'win32') {
		const local = join(from('LOCALAPPDATA', join(home, 'AppData', 'Local')), program);
		return {
			config: join(from('APPDATA', join(home, 'AppData', 'Roaming')), program, 'Config'),
			data: join(local, 'Data'),
			cache: join(local, 'Cache'),
		};
	}

	return {
		config: join(from('XDG_CONFIG_HOME', join(home, '.config')), program),
		data: join(from('XDG_DATA_HOME', join(home, '.local', 'share')), program),
		cache: join(from('XDG_CACHE_HOME', join(home, '.cache')), program),
	};
}

function runFolder(env: NodeJS.ProcessEnv, data: string, {platform, temporary, user}: Required<Omit<Machine, 'home'>>): string {
	const {isAbsolute, join} = platform === 'win32' ? path.win32 : path.posix;
	const hash = createHash('sha256').update(data).digest('hex').slice(0, 12);
	const runtime = env.XDG_RUNTIME_DIR ?? '';
	const candidates = [
		...(platform !== 'win32' && isAbsolute(runtime) ? [join(runtime, `colonies-${hash}`)] : []),
		join(temporary, `colonies-${user}-${hash}`),
	];
	return candidates.find(candidate => Buffer.byteLength(candidate) <= longestRun) ?? `/tmp/colonies-${user}-${hash}`;
}

/**
Where keys, settings, data and sockets live: under `COLONIES_HOME` when it is set, else where the operating system wants them.
@throws InvalidInput when the user has no home folder.
*/
export function folders(env: NodeJS.ProcessEnv = process.env, machine: Machine = {}): Folders {
	const platform = machine.platform ?? process.platform;
	const {join, resolve} = platform === process.platform ? path : (platform === 'win32' ? path.win32 : path.posix);
	const own = env.COLONIES_HOME ? resolve(env.COLONIES_HOME) : undefined;
	const {config, data, cache} = own === undefined
		? systemFolders(env, platform, machine.home ?? homeOf(env, platform))
		: {config: own, data: join(own, 'data'), cache: join(own, 'cache')};
	const user = machine.user ?? process.getuid?.() ?? 0;
	const run = runFolder(env, data, {platform, temporary: machine.temporary ?? os.tmpdir(), user});
	return {
		config, keys: join(config, 'keys'), data, cache, run,
	};
}

/**
Takes what others may read or write away from them, when a file or folder is found wider than `mode`. Says so to `warn`; also when it belongs to somebody else and cannot be changed.
Windows has no such modes, so nothing happens there.
*/
export function tighten(target: string, mode: number, warn?: Warn): void {
	if (process.platform === 'win32') {
		return;
	}

	const found = (fs.statSync(target, {throwIfNoEntry: false})?.mode ?? 0) & 0o777; // eslint-disable-line no-bitwise
	if ((found & 0o077) === 0) { // eslint-disable-line no-bitwise
		return;
	}

	const was = found.toString(8).padStart(4, '0');
	try {
		fs.chmodSync(target, mode);
		warn?.(`${target} was open to other users (mode ${was}); it is closed to them now.`);
	} catch {
		warn?.(`${target} is open to other users (mode ${was}) and is not yours to close.`);
	}
}

/** Makes a folder and those that lead to it. Node's own `recursive` tries for ever where the parent is there and takes no folder, as in /proc. */
function makeFolders(folder: string): void {
	const parent = path.dirname(folder);
	try {
		fs.mkdirSync(folder, {mode: 0o700});
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT' && parent !== folder && !fs.existsSync(parent)) {
			makeFolders(parent);
			makeFolders(folder);
		} else if (!fs.statSync(folder, {throwIfNoEntry: false})?.isDirectory()) {
			throw error;
		}
	}
}

/**
Makes a folder (mode 0700) with what leads to it, or leaves the one there is as it is, and checks that it can be written to.
@throws InvalidInput when it cannot be made or written to, disk-full
*/
export function makeFolder(folder: string): void {
	try {
		makeFolders(folder);
		// Asked first: conf tries for a whole second, blocking, to write where it may not.
		fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK); // eslint-disable-line no-bitwise
	} catch (error) {
		throw fileError(folder, error);
	}
}

/**
The same for a folder that is the program's alone: it is also closed to other users when it is found open to them.
Not for one that a person may have named, `COLONIES_HOME` itself: that can be their home or `/tmp`.
@throws InvalidInput when it cannot be made or written to, disk-full
*/
export function makePrivateFolder(folder: string, warn?: Warn): void {
	makeFolder(folder);
	tighten(folder, 0o700, warn);
}
