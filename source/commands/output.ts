import {visible} from '../core/text.ts';
import type {OutputStream, World} from './world.ts';

/** Whoever read our output has gone, as `head` does; nothing is wrong. */
export class OutputClosed extends Error {}

const isClosed = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ERR_STREAM_WRITE_AFTER_END');

/** Writes, and returns when it is written. @throws OutputClosed when nobody reads any more */
async function write(stream: OutputStream, text: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		const fail = (error: Error) => {
			reject(isClosed(error) ? new OutputClosed() : error);
		};

		// A failed write is told to the callback and as an event, and an event that nobody hears ends the process.
		stream.once('error', fail);
		stream.write(text, error => {
			if (error) {
				fail(error);
			} else {
				stream.removeListener('error', fail);
				resolve();
			}
		});
	});
}

/** Writes data to standard output. @throws OutputClosed */
export const print = async ({stdout}: Pick<World, 'stdout'>, text: string): Promise<void> => write(stdout, text);

/** Tells people something, one line of standard error. Whether anybody reads it makes no difference. */
export async function say({stderr}: Pick<World, 'stderr'>, sentence: string): Promise<void> {
	try {
		await write(stderr, `${visible(sentence)}\n`);
	} catch {
		// There is nowhere left to say so.
	}
}

/** The same for whoever wants to say something without waiting. */
export const toNotice = (world: Pick<World, 'stderr'>) => (sentence: string): void => {
	void say(world, sentence);
};
