import process from 'node:process';
import {toColoniesError} from '../../core/errors.ts';
import {holdConsole} from './console-guard.ts';
import {
	cancelSequence, enterLinear, enterSequence, leaveLinear, leaveSequence, setBlocking, setRaw, writeNow,
} from './modes.ts';
import {
	type EndReason, exitCodeOf, guardProcess, stopGroup,
} from './process-guard.ts';

export type OwnershipOptions = {
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
	/** Where a crash is explained, after the terminal is back; the process's own unless given. */
	stderr?: NodeJS.WriteStream;
	/** Cleans up when a signal or a terminal that went away ends the console; the process exits when it has settled. */
	onEnd?: (why: EndReason) => Promise<void> | void;
	/** Whether a crash shows its stack. */
	debug?: boolean;
	/** Whether the terminal is written to line by line, and keeps its main screen, its cursor and what stands on it. */
	linear?: boolean;
};

/** How long the cleaning before an end may take, in milliseconds: a database may never answer. */
const cleaningTime = 10_000;

/** How long the signal that ends the process may take, in milliseconds. */
const lastChance = 1000;

/** Whether a write failed because the terminal is not there any more; somebody else who listens to its errors may have thrown it. */
const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EIO' && 'syscall' in error && error.syscall === 'write';

type Listeners = {
	/** The terminal was taken and shows nothing. */
	onTaken: () => void;
	onResize: () => void;
};

/**
Owns the alternate screen, the cursor, raw mode and bracketed paste, from its making to `close`, and gives them back on every way out: the end of the process, signals,
crashes, a stop from outside, a terminal that goes away.
*/
export class Ownership {
	/** Whether a write is under way that the terminal has not taken yet. */
	busy = false;

	readonly #options: OwnershipOptions;

	readonly #listeners: Listeners;

	readonly #stopGuarding: () => void = () => undefined;

	readonly #releaseConsole: () => string = () => '';

	#active = false;

	#gone = false;

	#closed = false;

	#ending = false;

	constructor(options: OwnershipOptions, listeners: Listeners) {
		this.#options = options;
		this.#listeners = listeners;
		const {stdin, stdout} = options;
		if (stdout === process.stdout) {
			// On any other stream, such as a test's, the end of the process harms nobody's terminal.
			this.#stopGuarding = guardProcess({
				restore: this.close.bind(this),
				end: this.#end.bind(this),
				crash: this.#crash.bind(this),
				suspend: this.suspend.bind(this),
				resume: this.#take.bind(this),
				// A terminal that is small for a moment loses rows; Node says nothing when it has its old size back by then.
				resized: listeners.onTaken,
			});
			this.#releaseConsole = holdConsole();
		}

		stdout.on('resize', listeners.onResize);
		stdout.on('error', this.#onGone);
		stdin.on('error', this.#onGone);
		stdin.on('end', this.#onGone);
		this.#take();
	}

	/** Whether the terminal is ours now, so that frames may be written. */
	get active(): boolean {
		return this.#active;
	}

	/** Gives the terminal to the shell and stops, as ctrl-z does; takes it again when the process goes on. */
	suspend(): void {
		if (!this.#active) {
			return;
		}

		this.#giveBack();
		stopGroup();
		// Where no shell waits nothing stops, and no SIGCONT will come.
		setImmediate(() => {
			if (!this.#active) {
				this.#take();
			}
		});
	}

	/** Gives the terminal back for good, before it returns. Repeating it does nothing. */
	close(): void {
		if (this.#closed) {
			return;
		}

		this.#giveBack();
		this.#closed = true;
		const {stdin, stdout, stderr = process.stderr} = this.#options;
		stdout.off('resize', this.#listeners.onResize);
		if (!this.#gone) {
			// Of a terminal that is gone more errors will come, and mean nothing; so only here.
			stdout.off('error', this.#onGone);
			stdin.off('error', this.#onGone);
			stdin.off('end', this.#onGone);
		}

		this.#stopGuarding();
		const printed = this.#releaseConsole();
		if (printed !== '' && !this.#gone) {
			writeNow(stderr, printed);
		}
	}

	#take(): void {
		if (this.#closed || this.#ending) {
			return;
		}

		const {stdin, stdout} = this.#options;
		this.#active = true;
		setBlocking(stdout, false);
		setRaw(stdin, true);
		stdout.write(this.#options.linear ? enterLinear : enterSequence);
		this.#listeners.onTaken();
	}

	#giveBack(): void {
		if (!this.#active) {
			return;
		}

		const {stdin, stdout} = this.#options;
		this.#active = false;
		setRaw(stdin, false);
		// Also where nothing can be read any more: a shell that has taken its terminal back shows what is written, and one that is gone takes no harm.
		writeNow(stdout, (this.busy ? cancelSequence : '') + (this.#options.linear ? leaveLinear : leaveSequence));
		if (!this.#gone) {
			setBlocking(stdout, true);
		}
	}

	readonly #onGone = (): void => {
		if (this.#closed) {
			return;
		}

		this.#gone = true;
		if (this.#options.onEnd !== undefined || this.#options.stdout === process.stdout) {
			this.#end('terminal gone');
		} else {
			this.close();
		}
	};

	#end(why: EndReason): void {
		const leave = (): void => {
			if (why === 'SIGHUP' || why === 'terminal gone') {
				// The way out of Node itself takes it for a fault that the terminal is gone; the signal ends the process without that.
				this.#stopGuarding();
				process.kill(process.pid, 'SIGHUP');
				setTimeout(() => {
					process.exit(exitCodeOf(why)); // eslint-disable-line unicorn/no-process-exit -- The signal is ignored here.
				}, lastChance);
				return;
			}

			// eslint-disable-next-line unicorn/no-process-exit -- Signals that are listened to no longer end the process.
			process.exit(exitCodeOf(why));
		};

		if (this.#ending) {
			// Whoever asks twice does not want to wait for the cleaning; a hangup, though, comes both as a signal and as the end of the input.
			if (why !== 'SIGHUP' && why !== 'terminal gone') {
				leave();
			}

			return;
		}

		this.#ending = true;
		this.#giveBack();
		const clean = async (): Promise<void> => this.#options.onEnd?.(why);
		setTimeout(leave, cleaningTime).unref();
		void clean().catch(() => undefined).then(leave);
	}

	#crash(error: unknown): void {
		if (this.#gone || isGone(error)) {
			// Nobody is there to read of it.
			this.#onGone();
			return;
		}

		this.close();
		const {message, hint, exitCode} = toColoniesError(error);
		const stack = this.#options.debug && error instanceof Error ? error.stack : undefined;
		writeNow(this.#options.stderr ?? process.stderr, [message, hint, stack].filter(Boolean).join('\n') + '\n');
		// eslint-disable-next-line unicorn/no-process-exit -- Nor do faults.
		process.exit(exitCode);
	}
}
