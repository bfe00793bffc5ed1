import {Buffer} from 'node:buffer';
import {StringDecoder} from 'node:string_decoder';

/** Bytes that are kept of what a program puts out: 512 KiB. */
const most = 524_288;
/** Bytes that it may have as JSON. A request holds 1 MiB, and there are other things in it. */
const mostAsJson = 1_000_000;

const escaped = new Set(['"', '\\', '\b', '\f', '\n', '\r', '\t']);

/** Bytes of one character within a JSON text. */
function jsonBytes(character: string): number {
	if (escaped.has(character)) {
		return 2;
	}

	return character < ' ' ? 6 : Buffer.byteLength(character);
}

/** As much of the beginning of a text as fits into so many bytes of JSON. */
function fitting(text: string, bytes: number): string {
	// Six bytes for each of its units is the most that there can be.
	if (text.length * 6 <= bytes) {
		return text;
	}

	let [length, left] = [0, bytes];
	for (const character of text) {
		left -= jsonBytes(character);
		if (left < 0) {
			break;
		}

		length += character.length;
	}

	return text.slice(0, length);
}

/** What a program puts out: the beginning of it, however much it is. */
export class KeptOutput {
	readonly #chunks: Uint8Array[] = [];
	#kept = 0;
	#bytes = 0;

	add(chunk: Uint8Array): void {
		this.#bytes += chunk.length;
		const taken = chunk.subarray(0, Math.max(0, most - this.#kept));
		if (taken.length > 0) {
			// A copy, for a piece of a large chunk would keep all of it.
			this.#chunks.push(Buffer.from(taken));
			this.#kept += taken.length;
		}
	}

	/** It as text that can be the value of an attribute. Where the end is cut off, that is said. */
	text(): string {
		const isCut = this.#bytes > this.#kept;
		const bytes = Buffer.concat(this.#chunks);
		// A character that is cut in two is left out.
		const text = (isCut ? new StringDecoder('utf8').write(bytes) : bytes.toString()).replaceAll('\0', '\uFFFD');
		const kept = fitting(text, mostAsJson);
		return isCut || kept !== text ? `${kept}\n[Cut here. It was ${this.#bytes} bytes in all.]` : kept;
	}
}
