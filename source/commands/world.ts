import type {Folders, Keychain} from '../keychain/index.ts';
import type {Contexts} from '../operations/index.ts';

/** Standard input: a terminal can turn raw, and a pipe keeps the process alive unless it is let go. */
export type InputStream = NodeJS.ReadableStream & {
	isTTY?: boolean;
	setRawMode?: (raw: boolean) => unknown;
	unshift(chunk: string | Uint8Array): void;
	ref?: () => unknown;
	unref?: () => unknown;
};

/** Standard output or error. `columns`: width of the terminal. */
export type OutputStream = NodeJS.WritableStream & {isTTY?: boolean; columns?: number};

/** Everything outside that a command touches; the door hands over the real one, tests their own. */
export type World = {
	contexts: Contexts;
	keychain: Keychain;
	/** Shown by `database where`. */
	folders: Folders;
	env: NodeJS.ProcessEnv;
	stdin: InputStream;
	stdout: OutputStream;
	stderr: OutputStream;
	/** Of the package. */
	version: string;
};
