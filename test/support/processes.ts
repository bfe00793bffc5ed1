import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

export type Answer = {done?: unknown; code?: string; message?: string};

export type Holder = {
	readonly pid: number;
	/** Sends a command and waits for its answer. */
	ask(command: string): Promise<Answer>;
	/** Sends a command that has no answer, or many. */
	tell(command: string): void;
	/** The next line that it says; undefined when it has ended. */
	hear(): Promise<unknown>;
	/** SIGKILL, and waits for its end. */
	kill(): Promise<void>;
	/** Lets it end by itself. */
	end(): Promise<void>;
};

/** Starts a process that opens embedded databases; see embedded-holder.ts. */
export const startHolder = (...words: string[]): Holder => start('embedded-holder.ts', words);

/** How far a process of a writer comes, in order: submitted, assigned, with what came out of it, closed. */
export const steps = ['process.submit', 'process.assign', 'attribute.add', 'process.successful'] as const;
export type Step = (typeof steps)[number];

export type Found = {
	/** For each process how many of the steps are to be seen. */
	processes: Record<string, number>;
	/** How often the history has each step, with the process's id. */
	history: Record<string, number>;
};

/** Starts a process that works in an embedded database until it is killed; see embedded-writer.ts. */
export const startWriter = (...words: string[]): Holder => start('embedded-writer.ts', words);

/** Starts a process that shares the embedded database of a home; see sharer.ts. */
export const startSharer = (home: string): Holder => start('sharer.ts', [], {COLONIES_HOME: home});

function start(name: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Holder {
	const script = fileURLToPath(new URL(name, import.meta.url));
	const child = spawn(process.execPath, ['--import', 'tsx', script, ...words], {stdio: ['pipe', 'pipe', 'inherit'], env: {...process.env, ...env}});
	const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	const exited = new Promise<void>(resolve => {
		child.once('exit', () => {
			resolve();
		});
	});
	const tell = (command: string): void => {
		child.stdin.write(`${command}\n`);
	};

	const hear = async (): Promise<unknown> => {
		const {value, done} = await lines.next() as IteratorResult<string, undefined>;
		return done ? undefined : JSON.parse(value) as unknown;
	};

	return {
		pid: child.pid!,
		async ask(command) {
			tell(command);
			return await hear() ?? {message: 'The process has ended.'};
		},
		tell,
		hear,
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
		async end() {
			child.stdin.end();
			await exited;
		},
	};
}
