import {StringDecoder} from 'node:string_decoder';
import {Writable} from 'node:stream';
import {say} from './output.ts';
import type {Signals, World} from './world.ts';

type Hearing = {
	/** Resolves with the first signal that asks it to end. */
	ended: Promise<NodeJS.Signals>;
	/** Hears no more signals. */
	close(): void;
};

/**
Hears the signals of a server process. `again`: called for SIGHUP, one at a time.
Of those that end it only the first is heard: another one does what it does to any process, and ends it at once.
*/
export function onSignals(signals: Signals, again: () => Promise<void>): Hearing {
	let last = Promise.resolve();
	const hangUp = () => {
		last = last.then(again);
	};

	let letGo: () => void = () => undefined;
	const ended = new Promise<NodeJS.Signals>(resolve => {
		const end = (signal: NodeJS.Signals) => {
			letGo();
			resolve(signal);
		};

		letGo = () => {
			signals.removeListener('SIGTERM', end);
			signals.removeListener('SIGINT', end);
		};

		signals.on('SIGTERM', end);
		signals.on('SIGINT', end);
	});
	signals.on('SIGHUP', hangUp);
	return {
		ended,
		close() {
			letGo();
			signals.removeListener('SIGHUP', hangUp);
		},
	};
}

type LogLine = {msg?: string; id?: string; method?: string; route?: string; code?: string; stack?: string};

/** What a line of the log tells whoever runs the server; nothing where there is no fault of the program in it. A store that is away is said elsewhere, once. */
function faultIn(line: string): string | undefined {
	// Most lines are of requests that went well; they are not worth reading.
	if (!line.includes('"level":"error"') && !line.includes('"level":"fatal"')) {
		return undefined;
	}

	try {
		const {msg, id, method = '', route = '', code, stack = ''} = JSON.parse(line) as LogLine;
		if (code === 'unavailable') {
			return undefined;
		}

		return msg === 'request' ? `The request ${id ?? ''} (${method} ${route}) failed: ${stack.split('\n', 1)[0]!}` : msg;
	} catch {
		return undefined;
	}
}

/** A log of JSON lines, of which only the faults are said, as sentences. */
export class Faults extends Writable {
	readonly #world: World;
	readonly #decoder = new StringDecoder('utf8');
	#rest = '';

	constructor(world: World) {
		super({decodeStrings: true});
		this.#world = world;
	}

	override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
		const lines = (this.#rest + this.#decoder.write(Buffer.from(chunk))).split('\n');
		this.#rest = lines.pop()!;
		for (const line of lines) {
			const fault = faultIn(line);
			if (fault !== undefined) {
				void say(this.#world, fault);
			}
		}

		done();
	}
}
