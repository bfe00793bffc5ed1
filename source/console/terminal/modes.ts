import {writeSync} from 'node:fs';
import process from 'node:process';

const escape = '\u001B[';

/** Alternate screen, no cursor, no automatic wrap, pastes in brackets, all blank. */
export const enterSequence = `${escape}?1049h${escape}?25l${escape}?7l${escape}?2004h${escape}0m${escape}2J`;

/** The way back, in the opposite order; the end of a synchronised update first, for one may have been cut short. */
export const leaveSequence = `${escape}?2026l${escape}0m${escape}?2004l${escape}?7h${escape}?25h${escape}?1049l`;

/** Pastes in brackets, and nothing else: for a terminal that is read out line by line. */
export const enterLinear = `${escape}?2004h`;
export const leaveLinear = `${escape}?2004l`;

export const clearSequence = `${escape}0m${escape}2J`;

/** Marks around one frame: a terminal that knows them shows it at once. */
export const synchronised = (output: string): string => `${escape}?2026h${output}${escape}?2026l`;

/** Ends whatever sequence was cut short, so that the next one is understood. */
export const cancelSequence = '\u0018';

type Handle = {setBlocking?: (on: boolean) => unknown};

/**
Lets a write to a terminal that does not read return at once instead of stopping the whole process; Node opens terminals blocking.
*/
export function setBlocking(stdout: NodeJS.WriteStream, on: boolean): void {
	if (process.platform !== 'win32' && stdout.isTTY) {
		(stdout as {_handle?: Handle})._handle?.setBlocking?.(on);
	}
}

const patience = 250;

/**
Writes before it returns, also while the process is going away. A terminal that takes nothing is given up after a quarter of a second; one that is gone is no error.
*/
export function writeNow(stdout: NodeJS.WriteStream & {readonly fd?: number}, text: string): void {
	if (typeof stdout.fd !== 'number') {
		stdout.write(text);
		return;
	}

	let rest: Uint8Array = Buffer.from(text);
	const until = Date.now() + patience;
	while (rest.length > 0) {
		try {
			rest = rest.subarray(writeSync(stdout.fd, rest));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > until) {
				return;
			}

			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
		}
	}
}

/** Switches raw mode. Off first, for Node skips a mode that it believes is set, and a shell may have changed it meanwhile. */
export function setRaw(stdin: NodeJS.ReadStream, on: boolean): void {
	if (!stdin.isTTY) {
		return;
	}

	try {
		stdin.setRawMode(false);
		if (on) {
			stdin.setRawMode(true);
		}
	} catch {
		// The terminal is gone, and with it the mode.
	}
}
