import {EventEmitter} from 'node:events';
import type {Size} from './rows.ts';

/** Codes that Ink writes beside frames (cursor on and off, erasing); the screen has its own. */
// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
const onlyControls = /^(?:\u001B\[[\d;?]*[A-Za-ln-z])+$/;

/**
What Ink takes for its standard output. With `debug: true` Ink hands over one whole frame per write, which goes to `onFrame` instead of a terminal.
It is no terminal to Ink, so that Ink sends it no modes.
*/
// eslint-disable-next-line unicorn/prefer-event-target -- Ink listens to it as to a stream.
export class InkStdout extends EventEmitter {
	readonly #size: () => Size;

	readonly #onFrame: (frame: string) => void;

	constructor(size: () => Size, onFrame: (frame: string) => void) {
		super();
		this.#size = size;
		this.#onFrame = onFrame;
	}

	get isTTY(): boolean {
		return false;
	}

	get columns(): number {
		return this.#size().columns;
	}

	get rows(): number {
		return this.#size().rows;
	}

	/** Takes a frame. A write with a callback is Ink waiting for what it wrote before, and no frame. */
	write(frame: string, written?: () => void): boolean {
		if (written) {
			setImmediate(written);
		} else if (!onlyControls.test(frame)) {
			this.#onFrame(frame);
		}

		return true;
	}
}
