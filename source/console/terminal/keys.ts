import {Buffer} from 'node:buffer';
import {StringDecoder} from 'node:string_decoder';
import {type Chord, chordOfControl, readEscape} from './escapes.ts';
import {graphemesOf} from './width.ts';

export type {Chord} from './escapes.ts';

const escape = '\u001B';
const pasteEnd = '\u001B[201~';

/** Longest paste that is kept, in UTF-16 units; what follows is dropped. */
const pasteLimit = 1024 * 1024;

// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
const control = /[\u0000-\u001F\u007F-\u009F]/g;

export type KeyParser = {
	/** Takes what the terminal sent, cut anywhere, and gives the chords that are complete. */
	feed: (input: Uint8Array | string) => Chord[];
	/** Decides what is undecided: a lone ESC is the escape key, a sequence cut short is dropped. A paste stays open. */
	flush: () => Chord[];
	/** Drops whatever is incomplete, a paste too. */
	reset: () => void;
	/** What is incomplete: an escape sequence, which time decides, or a paste, which only its end does. */
	readonly pending: 'escape' | 'paste' | undefined;
};

/** Reads keys from the bytes of a terminal. Pure but for the rest it keeps between two feeds; any cutting of the same bytes gives the same chords. */
export function createKeyParser(): KeyParser {
	let decoder = new StringDecoder('utf8');
	let rest = '';
	let pasted: string | undefined;

	/** Collects up to the end of the paste; undefined where that is still to come. */
	const readPaste = (): Chord | undefined => {
		const end = rest.indexOf(pasteEnd);
		// The end mark may be cut, so its length less one stays undecided.
		const upTo = end === -1 ? Math.max(0, rest.length - pasteEnd.length + 1) : end;
		pasted = pasted! + rest.slice(0, Math.min(upTo, pasteLimit - pasted!.length));
		rest = rest.slice(end === -1 ? upTo : end + pasteEnd.length);
		if (end === -1) {
			return undefined;
		}

		const text = pasted.replaceAll(/\r\n?/g, '\n').toWellFormed();
		pasted = undefined;
		return {key: 'paste', text};
	};

	/** Reads keys up to the end of what there is, or to the beginning of a paste. */
	const readKeys = (): Chord[] => {
		const chords: Chord[] = [];
		let index = 0;
		while (index < rest.length && pasted === undefined) {
			control.lastIndex = index;
			const end = control.exec(rest)?.index ?? rest.length;
			if (end > index) {
				for (const grapheme of graphemesOf(rest.slice(index, end))) {
					chords.push({key: grapheme, text: grapheme});
				}

				index = end;
				continue;
			}

			const found = rest[index] === escape ? readEscape(rest, index) : {length: 1, chord: chordOfControl(rest[index]!)};
			if (!found) {
				break;
			}

			index += found.length;
			pasted = found.paste ? '' : undefined;
			chords.push(...(found.chord ? [found.chord] : []));
		}

		rest = rest.slice(index);
		return chords;
	};

	return {
		feed(input) {
			rest += decoder.write(typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength));
			const chords: Chord[] = [];
			let before: number;
			do {
				before = rest.length;
				const paste = pasted === undefined ? undefined : readPaste();
				for (const chord of [...(paste ? [paste] : []), ...(pasted === undefined ? readKeys() : [])]) {
					chords.push(chord);
				}
			} while (rest.length < before);

			return chords;
		},
		flush() {
			if (pasted !== undefined || rest === '') {
				return [];
			}

			const undecided = rest;
			rest = '';
			if (undecided === escape) {
				return [{key: 'esc'}];
			}

			return undecided.length === 2 ? [{key: `alt-${undecided[1]!}`}] : [];
		},
		reset() {
			decoder = new StringDecoder('utf8');
			rest = '';
			pasted = undefined;
		},
		get pending() {
			return pasted === undefined ? (rest === '' ? undefined : 'escape') : 'paste';
		},
	};
}

/** How long an ESC may wait for the rest of its sequence, in milliseconds. */
const patience = 50;

/**
Calls `onChords` with the keys that came at once, from now on until the returned function is called. It takes the input as a whole: nothing else may read it.
*/
export function listenToKeys(stdin: NodeJS.ReadableStream, onChords: (chords: readonly Chord[]) => void): () => void {
	const parser = createKeyParser();
	let timer: NodeJS.Timeout | undefined;
	let lastChance: NodeJS.Immediate | undefined;
	const stopWaiting = (): void => {
		clearTimeout(timer);
		clearImmediate(lastChance);
	};

	const tell = (chords: Chord[]): void => {
		if (chords.length > 0) {
			onChords(chords);
		}
	};

	const onData = (data: Uint8Array | string): void => {
		stopWaiting();
		if (parser.pending === 'paste' && data.length === 1 && String(data) === '\u0003') {
			// A paste whose end was lost would swallow every key, and the way out with them.
			parser.reset();
		}

		tell(parser.feed(data));
		if (parser.pending === 'escape') {
			timer = setTimeout(() => {
				// After a busy moment the rest may have come long ago, and only waits to be read.
				lastChance = setImmediate(() => {
					tell(parser.flush());
				});
			}, patience);
		}
	};

	stdin.on('data', onData);
	stdin.resume();
	return () => {
		stopWaiting();
		stdin.off('data', onData);
		stdin.pause();
	};
}
