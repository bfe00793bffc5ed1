import {randomBytes} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ErrorCode} from '../core/errors.ts';
import type {Client} from './proxies.ts';

/** What is known of one request while it is answered, for the log and the metrics. Nothing that was sent is kept. */
export class Visit {
	/** Template of the route: `/colonies/{colonyid}`; `none` for what has none. */
	route = 'none';
	/** A short id of the signer, or `root`; left out for who has not proved it. */
	who?: string;
	/** Code of the refusal. */
	code?: ErrorCode;
	/** What the log says of the refusal, and its caller is not told. */
	reason?: string | undefined;
	/** What failed, where it was ours to do better. */
	fault?: unknown;
	/** Whether it is a stream, which lasts as long as somebody listens. */
	isStream = false;
	/** Milliseconds, of a clock that never goes back. */
	readonly started = performance.now();
	#isOver = false;
	#stop: AbortController | undefined;

	constructor(readonly id: string, readonly client: Client) {}

	/** Aborted when nobody waits for the answer any more: the connection or the server closes. Made when somebody asks for it: most requests wait for nothing. */
	get signal(): AbortSignal {
		if (this.#stop === undefined) {
			this.#stop = new AbortController();
			if (this.#isOver) {
				this.#stop.abort();
			}
		}

		return this.#stop.signal;
	}

	end(): void {
		this.#isOver = true;
		this.#stop?.abort();
	}
}

const prefix = randomBytes(4).toString('hex');

/** The requests that are being answered. */
export class Visits {
	/** Also of those that are over: their answer may still be on its way to nobody. */
	readonly #visits = new WeakMap<IncomingMessage, Visit>();
	readonly #present = new Map<IncomingMessage, Visit>();
	readonly #ended: (request: IncomingMessage, response: ServerResponse, visit: Visit) => void;
	#count = 0;
	#empty: (() => void) | undefined;
	#isClosing = false;

	constructor(ended: (request: IncomingMessage, response: ServerResponse, visit: Visit) => void) {
		this.#ended = ended;
	}

	get isClosing(): boolean {
		return this.#isClosing;
	}

	begin(request: IncomingMessage, response: ServerResponse, client: Client): void {
		const visit = new Visit(`${prefix}-${(++this.#count).toString(36)}`, client);
		this.#visits.set(request, visit);
		this.#present.set(request, visit);
		response.once('close', () => {
			this.#present.delete(request);
			visit.end();
			this.#ended(request, response, visit);
			if (this.#present.size === 0) {
				this.#empty?.();
			}
		});
	}

	of(request: IncomingMessage): Visit {
		return this.#visits.get(request)!;
	}

	/** Ends all waiting, and resolves when what is under way is answered; after `patience` milliseconds whatever is left is cut off. */
	async close(patience: number): Promise<void> {
		this.#isClosing = true;
		for (const visit of this.#present.values()) {
			visit.end();
		}

		if (this.#present.size === 0) {
			return;
		}

		let timer: NodeJS.Timeout | undefined;
		await new Promise<void>(resolve => {
			this.#empty = resolve;
			timer = setTimeout(resolve, patience);
		});
		clearTimeout(timer);
		for (const request of this.#present.keys()) {
			request.destroy();
		}
	}
}
