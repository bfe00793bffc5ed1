import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export type TerminalOptions = {
	/** Program and arguments. */
	command: readonly string[];
	columns?: number;
	rows?: number;
	cwd?: string;
	/** Beside the environment of this process; undefined takes a variable away. */
	env?: Record<string, string | undefined>;
	/** Hears every piece of output, once it is on the screen. */
	output?: (text: string) => void;
};

export type Exit = {code: number; signal: NodeJS.Signals | undefined};

export type Until = string | RegExp | ((screen: string[]) => boolean);

/** How a person would find the terminal after the program has ended. */
export type Sanity = {
	mainScreen: boolean;
	cursor: boolean;
	wraparound: boolean;
	/** Bracketed paste is off. */
	plainPaste: boolean;
	echo: boolean;
	lineMode: boolean;
};

export type Terminal = {
	/** Presses keys by the names that chords have: `press('j', 'A', 'enter', 'ctrl-c')`. `esc` goes out as a sequence of its own, for a lone ESC before another key means alt. */
	press: (...keys: string[]) => void;
	type: (text: string) => void;
	/** Sends bytes as they are. */
	send: (bytes: string) => void;
	/** Pastes a text in brackets, as a terminal does when the program asked for it. */
	paste: (text: string) => void;
	/** Resolves when the screen shows the text or fits the predicate; checked at every output. Rejects with the screen's text. */
	until: (wanted: Until, options?: {timeout?: number}) => Promise<void>;
	/** The rows as a person sees them, without trailing spaces. */
	screen: () => string[];
	/** Every byte that came, as text. */
	raw: () => string;
	resize: (columns: number, rows: number) => void;
	/** Stops reading, as a stalled connection does, and goes on. */
	stall: () => void;
	unstall: () => void;
	/** Sends a signal to the program itself. */
	signal: (name: NodeJS.Signals) => void;
	/** Takes the terminal away, as closing a window does. */
	hangUp: () => void;
	/** Whether the program is there still. */
	running: () => boolean;
	/** Waits for the end of the program. A program that a signal ended, and one that exited with 128 and its number, look the same, as in a shell. */
	exit: () => Promise<Exit>;
	/** Resolves at the end of the program, however late. */
	ended: Promise<Exit>;
	/** The state of the terminal after the end of the program. */
	sanity: () => Promise<Sanity>;
	/** Takes the terminal away, and the program with it. */
	close: () => Promise<void>;
};

const patience = 20_000;

const bytes: Record<string, string> = {
	enter: '\r', tab: '\t', 'shift-tab': '\u001B[Z', backspace: '\u007F', esc: '\u001B[27u', space: ' ', delete: '\u001B[3~', insert: '\u001B[2~',
	up: '\u001B[A', down: '\u001B[B', right: '\u001B[C', left: '\u001B[D', home: '\u001B[H', end: '\u001B[F', pgup: '\u001B[5~', pgdn: '\u001B[6~',
	f1: '\u001BOP', f2: '\u001BOQ', f3: '\u001BOR', f4: '\u001BOS', f5: '\u001B[15~',
};

/** What a terminal sends for a key. */
export function bytesOf(key: string): string {
	const letter = /^ctrl-([a-z])$/.exec(key)?.[1];
	return bytes[key] ?? (letter ? String.fromCodePoint(letter.codePointAt(0)! - 96) : key.replace(/^alt-/, '\u001B'));
}

/** Leaves the number of the program and, at its end, the state of the line, where the test can read them. */
const wrapper = 'sh -c \'echo $$ > "$HARNESS/pid"; exec "$@"\' sh "$@"; code=$?; stty -a > "$HARNESS/stty"; exit $code';

function environment(own: Record<string, string | undefined>): Record<string, string> {
	// CI makes Ink print the last frame only; the others would make a run depend on where it happens.
	const all: Record<string, string | undefined> = {
		...process.env, CI: undefined, CONTINUOUS_INTEGRATION: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined,
		COLUMNS: undefined, LINES: undefined, LC_ALL: undefined, LC_CTYPE: undefined, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...own,
	};
	return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Starts a program in a terminal of its own, as real as one can be without a person in front. */
export function openTerminal({command, columns = 120, rows = 40, cwd = process.cwd(), env = {}, output = () => undefined}: TerminalOptions): Terminal {
	const folder = mkdtempSync(join(tmpdir(), 'terminal-'));
	const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	const pty = spawn('/bin/sh', ['-c', wrapper, 'sh', ...command], {
		name: env.TERM ?? 'xterm-256color', cols: columns, rows, cwd, env: environment({...env, HARNESS: folder}),
	});
	const watchers = new Set<() => void>();
	let raw = '';
	let exited: Exit | undefined;

	const tell = (): void => {
		for (const watcher of watchers) {
			watcher();
		}
	};

	pty.onData(data => {
		raw += data;
		emulator.write(data, () => {
			output(data);
			tell();
		});
	});
	emulator.onData(answer => {
		// A program may ask the terminal something; the emulator answers.
		pty.write(answer);
	});
	const ended = new Promise<Exit>(resolve => {
		pty.onExit(({exitCode}) => {
			// The emulator still works at the last output; its turn comes after that.
			emulator.write('', () => {
				const [signal] = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128) ?? [];
				exited = {code: exitCode, signal: signal as NodeJS.Signals | undefined};
				tell();
				resolve(exited);
			});
		});
	});

	const screen = (): string[] => {
		const {active} = emulator.buffer;
		return Array.from({length: emulator.rows}, (_, index) => active.getLine(active.baseY + index)?.translateToString(true) ?? '');
	};

	const picture = (): string => screen().map(line => `|${line}`).join('\n').trimEnd();

	const until = async (wanted: Until, {timeout = patience} = {}): Promise<void> => {
		const found = (): boolean => {
			const lines = screen();
			return typeof wanted === 'function' ? wanted(lines) : (typeof wanted === 'string' ? lines.join('\n').includes(wanted) : wanted.test(lines.join('\n')));
		};

		await new Promise<void>((resolve, reject) => {
			const settle = (error?: Error): void => {
				clearTimeout(timer);
				watchers.delete(check);
				if (error) {
					reject(error);
				} else {
					resolve();
				}
			};

			const check = (): void => {
				if (found()) {
					settle();
				} else if (exited) {
					settle(new Error(`The program ended (${JSON.stringify(exited)}) before the screen showed ${String(wanted)}:\n${picture()}`));
				}
			};

			const timer = setTimeout(() => {
				settle(new Error(`The screen did not show ${String(wanted)} within ${timeout} ms:\n${picture()}`));
			}, timeout);
			watchers.add(check);
			check();
		});
	};

	const exit = async (): Promise<Exit> => {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_resolve, reject) => {
			timer = setTimeout(() => {
				reject(new Error(`The program did not end within ${patience} ms:\n${picture()}`));
			}, patience);
		});
		try {
			return await Promise.race([ended, late]);
		} finally {
			clearTimeout(timer);
		}
	};

	const programId = (): number => Number(readFileSync(join(folder, 'pid'), 'utf8'));

	return {
		press(...keys) {
			pty.write(keys.map(key => bytesOf(key)).join(''));
		},
		type(text) {
			pty.write(text);
		},
		send(text) {
			pty.write(text);
		},
		paste(text) {
			const typed = text.replaceAll('\n', '\r');
			pty.write(emulator.modes.bracketedPasteMode ? `\u001B[200~${typed}\u001B[201~` : typed);
		},
		until,
		screen,
		raw: () => raw,
		resize(width, height) {
			emulator.resize(width, height);
			pty.resize(width, height);
		},
		stall() {
			pty.pause();
		},
		unstall() {
			pty.resume();
		},
		signal(name) {
			process.kill(programId(), name);
		},
		hangUp() {
			(pty as unknown as {destroy: () => void}).destroy();
		},
		running() {
			try {
				// One that has ended and waits to be buried is not running.
				return !/^State:\s+Z/m.test(readFileSync(`/proc/${programId()}/status`, 'utf8'));
			} catch {
				return false;
			}
		},
		exit,
		ended,
		async sanity() {
			await exit();
			const stty = readFileSync(join(folder, 'stty'), 'utf8');
			return {
				mainScreen: emulator.buffer.active.type === 'normal',
				cursor: raw.lastIndexOf('\u001B[?25h') >= raw.lastIndexOf('\u001B[?25l'),
				wraparound: emulator.modes.wraparoundMode,
				plainPaste: !emulator.modes.bracketedPasteMode,
				echo: stty.includes(' echo '),
				lineMode: stty.includes(' icanon '),
			};
		},
		async close() {
			if (!exited) {
				try {
					process.kill(programId(), 'SIGKILL');
				} catch {
					// It has ended already, or never began.
				}

				pty.kill('SIGHUP');
				await exit();
			}

			emulator.dispose();
			rmSync(folder, {recursive: true, force: true});
		},
	};
}

/** A terminal that a person can go on working in. */
export const sane: Sanity = {
	mainScreen: true, cursor: true, wraparound: true, plainPaste: true, echo: true, lineMode: true,
};
