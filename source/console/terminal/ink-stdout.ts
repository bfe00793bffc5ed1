import {EventEmitter} from 'node:events';
import type {Size} from './rows.ts';

/** Codes that Ink writes beside frames (cursor on and off, erasing); the screen has its own. */
const onlyControls = /^(?:\u001B\[[\d;?]*[A-Za-ln-z])+$/;

/**
What Ink takes for its standard output. With `debug: true` Ink hands over one whole frame per write, which goes to `onFrame` instead of a terminal.
It is no terminal to Ink, so that Ink sends it no modes.
*/
export class InkStdout extends EventEmitter {
	readonly isTTY = false;

	readonly #size: () => Size;

	readonly #onFrame: (frame: string) => void;

	constructor(size: () => Size, onFrame: (frame: string) => void) {
		super();
		this.#size = size;
		this.#onFrame = onFrame;
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
