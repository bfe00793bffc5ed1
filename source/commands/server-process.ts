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

/** Lines of a log from this level on are for whoever runs the server: pino's `error`. */
const serious = 50;

type LogLine = {level?: number; msg?: string; err?: {message?: string}};

function parsed(line: string): LogLine {
	try {
		return JSON.parse(line) as LogLine;
	} catch {
		return {};
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
			// Most lines are of requests that went well; they are not worth reading.
			const {level = 0, msg, err} = /"level":[56]/.test(line) ? parsed(line) : {};
			if (level >= serious) {
				void say(this.#world, [msg, err?.message].filter(Boolean).join(': '));
			}
		}

		done();
	}
}
