import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

export type Answer = {done?: unknown; code?: string; message?: string};

export type Holder = {
	readonly pid: number;
	/** Sends a command and waits for its answer. */
	ask(command: string): Promise<Answer>;
	/** SIGKILL, and waits for its end. */
	kill(): Promise<void>;
	/** Lets it end by itself. */
	end(): Promise<void>;
};

/** Starts a process that opens embedded databases; see embedded-holder.ts. */
export const startHolder = (...words: string[]): Holder => start('embedded-holder.ts', words);

/** Starts a process that shares the embedded database of a home; see sharer.ts. */
export const startSharer = (home: string): Holder => start('sharer.ts', [], {COLONIES_HOME: home});

function start(name: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Holder {
	const script = fileURLToPath(new URL(name, import.meta.url));
	const child = spawn(process.execPath, ['--import', 'tsx', script, ...words], {stdio: ['pipe', 'pipe', 'inherit'], env: {...process.env, ...env}});
	const answers = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	const exited = new Promise<void>(resolve => {
		child.once('exit', () => {
			resolve();
		});
	});
	return {
		pid: child.pid!,
		async ask(command) {
			child.stdin.write(`${command}\n`);
			const {value, done} = await answers.next() as IteratorResult<string, undefined>;
			return done ? {message: 'The process has ended.'} : JSON.parse(value) as Answer;
		},
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
