import type {Id, Process} from '../core/types.ts';
import type {Folders, Identity, Keychain} from '../keychain/index.ts';
import type {
	Context, Contexts, HostedContext, Network,
} from '../operations/index.ts';

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

/** A certificate and its key, both PEM text. */
export type KeyPair = {cert: string; key: string};

/** A certificate with its key. `fingerprint`: SHA-256 of the certificate, 64 lowercase hex digits. */
export type Certificate = KeyPair & {fingerprint: string};

/** Serves a context over HTTPS. `host`: address to listen on; without `tls` it is plain HTTP; `names`: those by which clients know it, where others are to be refused; `trustproxy`: where proxies are that are believed about their clients; `origins`: of pages in browsers that may call it; `log` gets a JSON line for each request. @throws ColoniesError when it cannot listen there */
export type Serve = (options: {context: HostedContext; host: string; port: number; tls?: KeyPair; names?: readonly string[]; trustproxy?: readonly Network[]; origins?: readonly string[]; log: NodeJS.WritableStream}) => Promise<Server>;

/** A server that listens. */
export type Server = {
	/** Where it listens: the one asked for, or what the system chose for 0. */
	port: number;
	/** Takes another certificate for new connections. @throws ColoniesError when it does not fit its key; the old one stays */
	reload(tls: KeyPair): void;
	/** Takes no more requests, finishes those in flight (10 s at most), and closes its connections; the context stays open. */
	close(): Promise<void>;
};

/** Where certificates come from. */
export type Certificates = {
	/** The self-signed one of this user, made when it is first asked for and kept in the config folder. @throws ColoniesError */
	own(): Promise<Certificate>;
	/** Reads a certificate, or a chain of them, and its key from PEM files. @throws InvalidInput when one is missing or they do not fit */
	read(certFile: string, keyFile: string): Promise<Certificate>;
};

/** What tells of signals, as a process does. */
export type Signals = {
	on(name: NodeJS.Signals, hear: (name: NodeJS.Signals) => void): unknown;
	removeListener(name: NodeJS.Signals, hear: (name: NodeJS.Signals) => void): unknown;
};

/** How it goes with a process that a computer runs. `span`: milliseconds since it was started; `reason`: why it failed, or is not this computer's any more. */
export type Progress = {process: Process; state: 'started' | 'successful' | 'failed' | 'gone'; span: number; reason?: string};

/** A computer that runs a program for each process. `env`: what the program inherits, less the secrets of ours in it. */
export type Work = (options: {
	context: Context; identity: Identity; computerid: Id; colonyid: Id; concurrency: number; command: readonly string[]; env: NodeJS.ProcessEnv;
	notice: (sentence: string) => void; report: (progress: Progress) => void; signals?: Signals;
}) => Promise<void>;

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
	/** Loaded when a server starts. */
	serve?: Serve;
	certificate?: Certificates;
	/** Lets a computer work until a signal stops it; loaded when one does. @throws ColoniesError when it never can */
	work?: Work;
	/** Where a server or a computer at work hears signals: the process, unless a test gives another. */
	signals?: Signals;
};
