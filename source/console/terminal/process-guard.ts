import process from 'node:process';
import {constants} from 'node:os';
import {watchParents} from './parents.ts';

/** Why the console has to end although nobody asked it to. */
export type EndReason = 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'terminal gone';

export type Guarded = {
	/** Puts the terminal back, before returning. */
	restore: () => void;
	end: (why: EndReason) => void;
	crash: (error: unknown) => void;
	suspend: () => void;
	resume: () => void;
	/** The terminal has another size, or had one for a moment. */
	resized: () => void;
};

const endings = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/** The exit code that a shell would give to a process ended like that. */
export const exitCodeOf = (why: EndReason): number => 128 + constants.signals[why === 'terminal gone' ? 'SIGHUP' : why];

/** Watches every way in which the process may end or stop. Returns the function that stops watching. */
export function guardProcess({restore, end, crash, suspend, resume, resized}: Guarded): () => void {
	const listeners: Array<[event: string, listener: (value: unknown) => void]> = [
		['exit', restore],
		['uncaughtException', crash],
		['unhandledRejection', crash],
		['SIGTSTP', suspend],
		['SIGCONT', resume],
		['SIGWINCH', resized],
		...endings.map((signal): [string, () => void] => [signal, () => {
			end(signal);
		}]),
	];
	const emitter: NodeJS.EventEmitter = process;
	for (const [event, listener] of listeners) {
		emitter.on(event, listener);
	}

	const stopWatching = watchParents(() => {
		// As a hangup, which ends the process without Node's own way out: that takes a terminal that is gone for a fault.
		end('SIGHUP');
	});
	return () => {
		stopWatching();
		for (const [event, listener] of listeners) {
			emitter.off(event, listener);
		}
	};
}

/** Stops the whole process group, as the terminal itself would on ctrl-z, so that a shell waiting for a parent such as npx comes back too. */
export function stopGroup(): void {
	const listeners = process.listeners('SIGTSTP');
	process.removeAllListeners('SIGTSTP');
	try {
		process.kill(0, 'SIGTSTP');
	} finally {
		for (const listener of listeners) {
			process.on('SIGTSTP', listener);
		}
	}
}
