import {Buffer} from 'node:buffer';
import {EventEmitter} from 'node:events';
import {InkStdout} from './ink-stdout.ts';
import {clearSequence, synchronised} from './modes.ts';
import {type OwnershipOptions, Ownership} from './ownership.ts';
import {
	type Paint, type Row, type Size, blankRow, composeRows, drawRow, flattenRow,
} from './rows.ts';
import {allowsColour} from './style.ts';

export type ScreenOptions = OwnershipOptions & {
	env: NodeJS.ProcessEnv;
	/** Whether the terminal shows ASCII only. */
	ascii?: boolean;
	/** Called after each frame written: the rows that changed and the bytes that took. */
	onFrame?: (written: {rows: number; bytes: number}) => void;
};

/** How long `close` waits for a frame that the terminal is still taking, in milliseconds. */
const patience = 250;

/**
The terminal as the console sees it: whole frames from Ink, strings painted over them, and only the rows that changed written out, at most once per turn of the event loop
and never faster than the terminal takes them. It has the terminal from `openScreen` to `close`. Emits `resize`.
*/
// eslint-disable-next-line unicorn/prefer-event-target -- It is listened to as a stream is.
export class Screen extends EventEmitter {
	/** Hand it to Ink: `render(app, {stdout: screen.inkStdout, debug: true, patchConsole: false, exitOnCtrlC: false})`. */
	readonly inkStdout: NodeJS.WriteStream;

	/** Whether colours are shown; otherwise they are taken out of every line. */
	readonly colour: boolean;

	readonly #options: ScreenOptions;

	readonly #terminal: Ownership;

	readonly #paints = new Map<string, Paint>();

	#frame: readonly string[] = [];

	/** The rows as the terminal shows them; empty where that is unknown. */
	#shown: readonly Row[] = [];

	/** Whether something changed since the last frame was composed. */
	#stale = false;

	#flushing: NodeJS.Immediate | undefined;

	/** Settles when the terminal has taken the last frame; nothing more is written before. */
	#inFlight: Promise<void> | undefined;

	constructor(options: ScreenOptions) {
		super();
		this.#options = options;
		this.colour = allowsColour(options.env);
		const inkStdout = new InkStdout(() => this.#size(), frame => {
			this.#frame = frame.split('\n');
			this.#schedule();
		});
		this.inkStdout = inkStdout as unknown as NodeJS.WriteStream;
		this.#terminal = new Ownership(options, {
			onTaken: () => {
				this.repaint();
			},
			onResize: () => {
				this.#shown = [];
				// React draws the new size one turn after it hears of it; a frame of the old size in between is worth nothing.
				clearImmediate(this.#flushing);
				this.#flushing = setImmediate(() => {
					this.#flushing = undefined;
					this.#schedule();
				});
				inkStdout.emit('resize');
				this.emit('resize');
			},
		});
		this.repaint();
	}

	get columns(): number {
		return this.#size().columns;
	}

	get rows(): number {
		return this.#size().rows;
	}

	/** Paints strings over the frame until `unpaint`; the same key again replaces them. Lines may carry SGR. */
	paint(key: string, paint: Paint): void {
		this.#paints.set(key, paint);
		this.#schedule();
	}

	unpaint(key: string): void {
		if (this.#paints.delete(key)) {
			this.#schedule();
		}
	}

	/** The lines as they stand now, whether written yet or not. */
	frame(): string[] {
		return this.#compose().map(row => flattenRow(row));
	}

	/** Draws everything anew, for a terminal that something else wrote across. */
	repaint(): void {
		this.#shown = [];
		this.#schedule();
	}

	/** Gives the terminal to the shell and stops the process, as ctrl-z does; takes it again and repaints when the process goes on. */
	suspend(): void {
		this.#terminal.suspend();
	}

	/** Gives the terminal back for good. Repeating it does nothing. */
	async close(): Promise<void> {
		clearImmediate(this.#flushing);
		if (this.#inFlight && this.#terminal.active) {
			// The rest of a frame would follow the way back. A terminal that takes nothing is not waited for long.
			let timer: NodeJS.Timeout | undefined;
			await Promise.race([this.#inFlight, new Promise(resolve => {
				timer = setTimeout(resolve, patience);
			})]);
			clearTimeout(timer);
		}

		this.#terminal.close();
	}

	#size(): Size {
		const {columns, rows} = this.#options.stdout;
		return {columns: columns || 80, rows: rows || 24};
	}

	#compose(): Row[] {
		return composeRows(this.#frame, this.#paints.values(), this.#size(), {before: this.#shown, colour: this.colour, ascii: this.#options.ascii ?? false});
	}

	#schedule(): void {
		this.#stale = true;
		// While the terminal is being taken there is no `#terminal` yet; the constructor schedules the first frame.
		if (this.#terminal?.active && !this.#inFlight) {
			this.#flushing ??= setImmediate(() => {
				this.#flushing = undefined;
				this.#flush();
			});
		}
	}

	#flush(): void {
		if (!this.#terminal.active || this.#inFlight) {
			return;
		}

		this.#stale = false;
		const rows = this.#compose();
		let changed = 0;
		let output = this.#shown.length === 0 ? clearSequence : '';
		for (const [top, row] of rows.entries()) {
			const drawn = drawRow(row, this.#shown[top] ?? blankRow(this.columns), top, this.columns);
			output += drawn;
			changed += drawn === '' ? 0 : 1;
		}

		this.#shown = rows;
		if (output !== '') {
			this.#write(synchronised(output));
			this.#options.onFrame?.({rows: changed, bytes: Buffer.byteLength(output)});
		}
	}

	#write(output: string): void {
		this.#terminal.busy = true;
		this.#inFlight = new Promise(resolve => {
			this.#options.stdout.write(output, () => {
				this.#terminal.busy = false;
				this.#inFlight = undefined;
				resolve();
				// Whatever came meanwhile goes out as one frame, the newest.
				if (this.#stale) {
					this.#schedule();
				}
			});
		});
	}
}

/** Takes the terminal. Both ends must be terminals; check that first. */
export const openScreen = (options: ScreenOptions): Screen => new Screen(options);
