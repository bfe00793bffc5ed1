import {Buffer} from 'node:buffer';
import {InvalidInput, TooLarge} from '../core/errors.ts';
import type {InputStream} from './world.ts';

/** The longest line that is an answer, a key or a password, in bytes. */
const longestLine = 65_536;

/** Standard input as a command reads it: for one thing only, so that a spec is never taken for a key. */
export class StandardInput {
	// eslint-disable-next-line @typescript-eslint/parameter-properties -- they are no erasable syntax
	readonly stream: InputStream;
	#use: string | undefined;

	constructor(stream: InputStream) {
		this.stream = stream;
	}

	/** Whether somebody types there, and nothing else has been read from it. */
	get isTerminal(): boolean {
		return this.stream.isTTY === true && this.#use === undefined;
	}

	/** All that comes, for a flag. @throws TooLarge above `limit` bytes, InvalidInput when it was read for another flag */
	async all(flag: string, limit: number, tooLarge: () => Error): Promise<Uint8Array> {
		this.#claim(flag);
		return collect(this.stream, limit, tooLarge);
	}

	/** The first line, without its end, for a flag. @throws InvalidInput when it was read for another flag */
	async line(flag: string): Promise<string> {
		this.#claim(flag);
		return this.answer();
	}

	/** The next line, without its end; undefined when there is none. */
	async nextLine(): Promise<string | undefined> {
		return readLine(this.stream);
	}

	/** The next line, empty when there is none. */
	async answer(): Promise<string> {
		return await this.nextLine() ?? '';
	}

	#claim(flag: string): void {
		if (this.#use !== undefined) {
			throw new InvalidInput(`Standard input can be read once: for ${this.#use} or for ${flag}, not for both.`, {hint: `Put what ${flag} needs into a file or the keychain.`});
		}

		this.#use = flag;
	}
}

/** Everything in a stream. @throws what `tooLarge` makes, above `limit` bytes */
export async function collect(stream: AsyncIterable<string | Uint8Array>, limit: number, tooLarge: () => Error): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of stream) {
		const bytes = Buffer.from(chunk);
		size += bytes.length;
		if (size > limit) {
			throw tooLarge();
		}

		chunks.push(bytes);
	}

	return Buffer.concat(chunks);
}

/** Lets a stream flow, and waits for it. */
export function wake(stream: InputStream): void {
	stream.ref?.();
	stream.resume();
}

/** Stops a stream, and waits for it no longer: whoever writes to it may keep it open for ever. */
export function rest(stream: InputStream): void {
	stream.pause();
	stream.unref?.();
}

/** Reads one line and leaves the rest in the stream. */
async function readLine(stream: InputStream): Promise<string | undefined> {
	if ('readableEnded' in stream && stream.readableEnded) {
		return undefined;
	}

	return new Promise((resolve, reject) => {
		let bytes = Buffer.alloc(0);
		const stop = () => {
			stream.removeListener('data', hear);
			stream.removeListener('end', end);
			stream.removeListener('error', fail);
			rest(stream);
		};

		const end = () => {
			stop();
			resolve(bytes.length === 0 ? undefined : bytes.toString());
		};

		const fail = (error: Error) => {
			stop();
			reject(error);
		};

		const hear = (chunk: string | Uint8Array) => {
			bytes = Buffer.concat([bytes, Buffer.from(chunk)]);
			const newline = bytes.indexOf(10);
			if (newline === -1 && bytes.length > longestLine) {
				fail(new TooLarge('A line of standard input is longer than 64 KiB.', {hint: 'Check what is piped into it.'}));
			} else if (newline !== -1) {
				stop();
				if (newline + 1 < bytes.length) {
					stream.unshift(bytes.subarray(newline + 1));
				}

				resolve(bytes.subarray(0, newline).toString().replace(/\r$/, ''));
			}
		};

		stream.on('data', hear);
		stream.on('end', end);
		stream.on('error', fail);
		wake(stream);
	});
}
