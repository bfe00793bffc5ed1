import {type ChildProcess, spawn} from 'node:child_process';
import process from 'node:process';
import {KeptOutput} from './kept-output.ts';
import {type Environment, environmentOf} from './program-environment.ts';
import type {Handler, Job} from './types.ts';

export type ProgramOptions = {
	/** The program and its arguments. */
	command: readonly string[];
	/** Handed on to it, without secrets of ours. */
	env: Environment;
	notice: (sentence: string) => void;
	/** Milliseconds from SIGTERM to SIGKILL. */
	grace?: number;
};

type Ended = {code: number | null; signal: NodeJS.Signals | null};

const hasGroups = process.platform !== 'win32';

/** Signals everything that a child has started and that has not left its group. @returns whether there was anything */
function signalGroup({pid}: ChildProcess, signal: NodeJS.Signals | 0): boolean {
	try {
		// 0 would be our own group.
		return pid !== undefined && pid > 0 && process.kill(hasGroups ? -pid : pid, signal);
	} catch {
		return false;
	}
}

/** A child in a group of its own, which ends as a whole. */
class Group {
	readonly #child: ChildProcess;
	readonly #grace: number;
	readonly #timers: NodeJS.Timeout[] = [];
	readonly #gone: Promise<void>;
	#tellGone: () => void = () => undefined;
	#isEnding = false;

	constructor(child: ChildProcess, grace: number) {
		this.#child = child;
		this.#grace = grace;
		this.#gone = new Promise(resolve => {
			this.#tellGone = resolve;
		});
	}

	/** Asks all of it to end, and makes it end once the grace is over. @returns when none of it is left */
	async end(): Promise<void> {
		if (!this.#isEnding) {
			this.#isEnding = true;
			signalGroup(this.#child, 'SIGTERM');
			this.#timers.push(setTimeout(() => {
				signalGroup(this.#child, 'SIGKILL');
				this.#tellGone();
			}, this.#grace), setInterval(() => {
				this.#look();
			}, 50));
			this.#look();
		}

		await this.#gone;
		this.#letGo();
	}

	#look(): void {
		const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
		if (hasEnded && !(hasGroups && signalGroup(this.#child, 0))) {
			this.#tellGone();
		}
	}

	#letGo(): void {
		for (const timer of this.#timers) {
			clearTimeout(timer);
		}
	}
}

/** Starts the program for a process. @throws Error when it cannot be started */
async function start({command: [file, ...words], env, notice}: ProgramOptions, {process: given, traceparent}: Job): Promise<ChildProcess> {
	const child = spawn(file!, words, {env: environmentOf(given, {env, notice, traceparent}), stdio: 'pipe', detached: hasGroups, windowsHide: true});
	await new Promise<void>((resolve, reject) => {
		child.once('spawn', resolve);
		child.once('error', error => {
			reject(new Error(`The program cannot be started: ${error.message}.`, {cause: error}));
		});
	});
	return child;
}

/** Runs the program of a process to its end and that of all it has started. */
async function run(options: ProgramOptions, job: Job): Promise<Ended & {stdout: KeptOutput; stderr: KeptOutput}> {
	const child = await start(options, job);
	const group = new Group(child, options.grace ?? 5000);
	const [stdout, stderr] = [new KeptOutput(), new KeptOutput()];
	child.stdout!.on('data', (chunk: Uint8Array) => {
		stdout.add(chunk);
	});
	child.stderr!.on('data', (chunk: Uint8Array) => {
		stderr.add(chunk);
	});
	const closed = new Promise<void>(resolve => {
		child.once('close', () => {
			resolve();
		});
	});
	const exited = new Promise<Ended>(resolve => {
		child.once('exit', (code, signal) => {
			resolve({code, signal});
		});
	});
	// It need not read what it is given.
	child.stdin!.on('error', () => undefined);
	child.stdin!.end(`${JSON.stringify(job.process)}\n`);
	const end = () => {
		void group.end();
	};

	job.signal.addEventListener('abort', end, {once: true});
	if (job.signal.aborted) {
		end();
	}

	const ended = await exited;
	job.signal.removeEventListener('abort', end);
	// What it left behind in its group ends with it, and with that mostly what holds its output open.
	await group.end();
	await Promise.race([closed, aMoment()]);
	child.stdout!.destroy();
	child.stderr!.destroy();
	return {...ended, stdout, stderr};
}

/** Long enough to read what a program that has ended left in its pipes. */
const aMoment = async (): Promise<void> => new Promise(resolve => {
	setTimeout(resolve, 1000).unref();
});

/**
A handler that runs a program for each process. The in attributes are in its environment, its trace as TRACEPARENT, the process is JSON on its standard input. Its standard output becomes the out attribute `stdout`, its standard error
the err attribute `stderr`, its exit code the out attribute `exitcode`, or an err attribute where it is not 0; then the process fails. The program ends with its deadline, with all that it has started.
*/
export function programHandler(options: ProgramOptions): Handler {
	return async job => {
		const {code, signal, stdout, stderr} = await run(options, job);
		const [output, errors] = [stdout.text(), stderr.text()];
		if (output !== '') {
			await job.out('stdout', output);
		}

		if (errors !== '') {
			await job.err('stderr', errors);
		}

		if (code === 0) {
			return {exitcode: 0};
		}

		await (code === null ? job.err('signal', String(signal)) : job.err('exitcode', String(code)));
		throw new Error(code === null ? `The program was ended by ${String(signal)}.` : `The program ended with the exit code ${code}.`);
	};
}

