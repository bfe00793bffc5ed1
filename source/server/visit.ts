import {randomBytes} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ErrorCode} from '../core/errors.ts';

/** What is known of one request while it is answered, for the log and the metrics. Nothing that was sent is kept. */
export type Visit = {
	id: string;
	/** Template of the route: `/colonies/{colonyid}`; `none` for what has none. */
	route: string;
	/** A short id of the signer, or `root`; left out for who has not proved it. */
	who?: string;
	/** Code of the refusal. */
	code?: ErrorCode;
	/** What failed, where it was ours to do better. */
	fault?: unknown;
	/** Whether it is a stream, which lasts as long as somebody listens. */
	isStream: boolean;
	/** Of the other end; `local` on a Unix socket. */
	readonly address: string;
	/** Milliseconds, of a clock that never goes back. */
	readonly started: number;
	/** Aborted when nobody waits for the answer any more: the connection or the server closes. */
	readonly signal: AbortSignal;
};

const prefix = randomBytes(4).toString('hex');

/** The requests that are being answered. */
export class Visits {
	readonly #visits = new Map<IncomingMessage, {visit: Visit; stop: AbortController}>();
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

	begin(request: IncomingMessage, response: ServerResponse): void {
		const stop = new AbortController();
		const visit: Visit = {id: `${prefix}-${(++this.#count).toString(36)}`, route: 'none', isStream: false, address: request.socket.remoteAddress ?? 'local', started: performance.now(), signal: stop.signal};
		this.#visits.set(request, {visit, stop});
		response.once('close', () => {
			this.#visits.delete(request);
			stop.abort();
			this.#ended(request, response, visit);
			if (this.#visits.size === 0) {
				this.#empty?.();
			}
		});
	}

	of(request: IncomingMessage): Visit {
		return this.#visits.get(request)!.visit;
	}

	/** Ends all waiting, and resolves when what is under way is answered; after `patience` milliseconds whatever is left is cut off. */
	async close(patience: number): Promise<void> {
		this.#isClosing = true;
		for (const {stop} of this.#visits.values()) {
			stop.abort();
		}

		if (this.#visits.size === 0) {
			return;
		}

		let timer: NodeJS.Timeout | undefined;
		await new Promise<void>(resolve => {
			this.#empty = resolve;
			timer = setTimeout(resolve, patience);
		});
		clearTimeout(timer);
		for (const request of this.#visits.keys()) {
			request.destroy();
		}
	}
}
