import process from 'node:process';
import {inAscii, wantsAscii} from '../core/ascii.ts';
import {ColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import type {OutputStream, World} from './world.ts';

/** Whoever read our output has gone, as `head` does; nothing is wrong. */
export class OutputClosed extends Error {}

/** What the system says of a failed write, without its code and call. */
const reasonOf = (error: unknown): string => {
	const text = error instanceof Error ? error.message : String(error);
	return /^E[A-Z]+: ([^,]+)/.exec(text)?.[1] ?? text;
};

/** Standard output takes no more, as on a full disk. `done`: what was changed before, in a sentence. */
export class OutputFailed extends ColoniesError {
	constructor(cause: unknown, done?: string) {
		super('disk-full', `The answer could not be written to standard output: ${reasonOf(cause)}.${done === undefined ? '' : ` ${done}`}`, {
			hint: done === undefined ? 'Make room there, or write it elsewhere.' : 'It need not be done again.', cause,
		});
	}
}

const isClosed = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ERR_STREAM_WRITE_AFTER_END');

/** Writes, and returns when it is written. @throws OutputClosed when nobody reads any more; OutputFailed */
async function write(stream: OutputStream, text: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		const fail = (error: Error) => {
			reject(isClosed(error) ? new OutputClosed() : new OutputFailed(error));
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

/** Writes data to standard output. @throws OutputClosed, OutputFailed */
export const print = async ({stdout}: Pick<World, 'stdout'>, text: string): Promise<void> => write(stdout, text);

/** The same, quiet when nobody reads any more. @throws OutputFailed */
export async function printIfRead(world: Pick<World, 'stdout'>, text: string): Promise<void> {
	try {
		await print(world, text);
	} catch (error) {
		if (!(error instanceof OutputClosed)) {
			throw error;
		}
	}
}

/** Shows the answer to a change that is done. `done`: that it is, in a sentence. @throws OutputFailed, which says so too; OutputClosed */
export async function showDone(done: string, show: () => Promise<void>): Promise<void> {
	try {
		await show();
	} catch (error) {
		throw error instanceof OutputFailed ? new OutputFailed(error.cause, done) : error;
	}
}

/** Tells people something, one line of standard error, in ASCII where the locale shows nothing else. Whether anybody reads it makes no difference. */
export async function say({stderr, env = {}}: Pick<World, 'stderr'> & Partial<Pick<World, 'env'>>, sentence: string): Promise<void> {
	try {
		const text = visible(sentence);
		await write(stderr, `${wantsAscii(env, process.platform) ? inAscii(text) : text}\n`);
	} catch {
		// There is nowhere left to say so.
	}
}

/** The same for whoever wants to say something without waiting. */
export const toNotice = (world: Pick<World, 'stderr'> & Partial<Pick<World, 'env'>>) => (sentence: string): void => {
	void say(world, sentence);
};
