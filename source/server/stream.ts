import type {ServerResponse} from 'node:http';
import {toColoniesError, Unavailable} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Event} from '../operations/index.ts';

/** Bytes that may wait for a reader. Whoever is further behind what happens now loses the connection and resumes. */
const mostUnsent = 1_048_576;
/** Bytes from which on the past waits for its reader. */
const muchUnsent = 262_144;
/** Beats without a byte taken after which a reader is gone. */
const mostStalled = 4;

const texts = new WeakMap<Event, string>();

/** An event as a message of the stream (WHATWG HTML §9.2.6); made once for all who hear it. */
function messageOf(event: Event): string {
	const text = texts.get(event) ?? `id: ${event.id}\nevent: change\ndata: ${JSON.stringify(event)}\n\n`;
	texts.set(event, text);
	return text;
}

type Options = {
	response: ServerResponse;
	/** Whoever listens; undefined for root. */
	who: Id | undefined;
	/** The last event that they heard; undefined for those who begin now. */
	after: string | undefined;
	/** Rejects when they may not listen any more. */
	mayListen: () => Promise<void>;
	/** Called before the first byte. */
	begin: () => void;
	/** Milliseconds between two looks at whether they may still listen, with a comment that keeps the connection. */
	every: number;
};

/** One open stream of Server-Sent Events. */
export class Stream {
	readonly #options: Options;
	readonly #response: ServerResponse;
	/** What goes out at the end of this turn, or when it is known that they may still listen. */
	#unwritten = '';
	#isBegun = false;
	#isOver = false;
	#isScheduled = false;
	#held = 0;
	#timer: NodeJS.Timeout | undefined;
	#stop: (() => void) | undefined;
	#unsent = 0;
	#stalled = 0;

	constructor(options: Options) {
		this.#options = options;
		this.#response = options.response;
		this.#response.once('close', () => {
			this.#finish();
		});
	}

	/** Begins what happens now, after the past. `from`: where to go on from when nothing comes; `stop` ends the hearing. */
	start(from: string, stop: () => void): void {
		if (this.#isOver) {
			stop();
			return;
		}

		this.#stop = stop;
		this.#begin(from);
		this.#schedule();
	}

	/**
	@returns when a reader of the past has room for more
	@throws Unavailable when nobody reads it
	*/
	hear(events: readonly Event[]): Promise<void> | undefined {
		if (this.#isOver) {
			throw new Unavailable('Nobody listens any more.');
		}

		if (this.#options.after !== undefined) {
			this.#begin(this.#options.after);
		}

		this.#unwritten += events.map(event => messageOf(event)).join('');
		if (events.some(({noun, subject}) => noun === 'colony' || (noun === 'computer' && subject === this.#options.who))) {
			void this.#askAgain();
		}

		this.#schedule();
		return this.#stop === undefined ? this.#room() : undefined;
	}

	/** Ends it in peace: whoever listened may come again. */
	end(): void {
		if (this.#isBegun && !this.#isOver) {
			this.#response.end();
		}

		this.#finish();
	}

	#begin(id: string): void {
		if (this.#isBegun) {
			return;
		}

		this.#isBegun = true;
		this.#options.begin();
		// The last header: a proxy (nginx) keeps nothing back.
		this.#response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no'});
		this.#unwritten = `id: ${id}\nevent: ready\ndata: {}\n\n${this.#unwritten}`;
		this.#response.on('drain', () => {
			this.#stalled = 0;
		});
		this.#timer = setInterval(() => {
			this.#beat();
		}, this.#options.every);
	}

	/** Whether they may still listen: until that is known, nothing more goes out. A database that is away has nothing to tell either. */
	async #askAgain(): Promise<void> {
		this.#held++;
		try {
			await this.#options.mayListen();
		} catch (error) {
			if (['not-allowed', 'unauthenticated', 'not-found'].includes(toColoniesError(error).code)) {
				this.end();
			}
		}

		this.#held--;
		this.#schedule();
	}

	#beat(): void {
		const {writableLength} = this.#response;
		this.#stalled = writableLength > 0 && writableLength >= this.#unsent ? this.#stalled + 1 : 0;
		this.#unsent = writableLength;
		if (this.#stalled >= mostStalled) {
			this.#cut();
			return;
		}

		// At once: proxies count the seconds, and it tells nothing that needs permission.
		this.#response.write(':\n\n');
		void this.#askAgain();
	}

	#schedule(): void {
		if (!this.#isScheduled) {
			this.#isScheduled = true;
			setImmediate(() => {
				this.#isScheduled = false;
				this.#flush();
			});
		}
	}

	#flush(): void {
		if (this.#isOver || !this.#isBegun) {
			return;
		}

		if (this.#held === 0 && this.#unwritten !== '') {
			this.#response.write(this.#unwritten);
			this.#unwritten = '';
		}

		if (this.#stop !== undefined && this.#response.writableLength + this.#unwritten.length > mostUnsent) {
			this.#cut();
		}
	}

	async #room(): Promise<void> {
		this.#flush();
		while (!this.#isOver && this.#response.writableLength > muchUnsent) {
			// eslint-disable-next-line no-await-in-loop
			await new Promise<void>(resolve => {
				const go = () => {
					this.#response.off('drain', go);
					this.#response.off('close', go);
					resolve();
				};

				this.#response.on('drain', go);
				this.#response.on('close', go);
			});
		}
	}

	#cut(): void {
		this.#response.destroy();
		this.#finish();
	}

	#finish(): void {
		this.#isOver = true;
		this.#unwritten = '';
		clearInterval(this.#timer);
		this.#stop?.();
		this.#stop = undefined;
	}
}
