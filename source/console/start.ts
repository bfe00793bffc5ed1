import process from 'node:process';
import {wantsAscii} from '../core/ascii.ts';
import {toColoniesError} from '../core/errors.ts';
import {passphraseIn} from '../keychain/index.ts';
import {readArguments} from './arguments.ts';
import type {World} from './world.ts';

type Streams = {stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream; env: NodeJS.ProcessEnv};

/** Whether there is a terminal at both ends that can do more than print lines. */
const isTerminal = ({stdin, stdout, env}: Streams): boolean => Boolean(stdin.isTTY && stdout.isTTY) && env.TERM !== 'dumb';

/** How often the passphrase is asked for. */
const passphraseTries = 3;

/** Asks for the passphrase of encrypted keys, once, before the screen is drawn. With a wrong one typed, it is asked for again. @throws ColoniesError */
async function unlock({keychain}: Pick<World, 'keychain'>, {stderr, env}: Streams): Promise<void> {
	for (let tries = 1; ; tries++) {
		try {
			await keychain.unlock(); // eslint-disable-line no-await-in-loop
			return;
		} catch (error) {
			const {code, message} = toColoniesError(error);
			if (code !== 'unauthenticated' || tries === passphraseTries || passphraseIn(env) !== undefined) {
				throw error;
			}

			stderr.write(`${message}\n`);
		}
	}
}

/**
The console for an operator at a terminal; without one, a plain snapshot of what it would show. @returns the exit code
*/
export async function runConsole(argv: readonly string[], world: Omit<World, 'choice' | 'readOnly'>, streams: Streams): Promise<number> {
	const {stdin, stdout, stderr, env} = streams;
	try {
		const {choice, demo, readOnly, screenReader, ascii: isAsked, debug} = await readArguments(argv);
		const ascii = isAsked || wantsAscii(env, process.platform);
		const complete = {...world, choice, readOnly};
		if (!isTerminal(streams)) {
			const {printSnapshot} = await import('./snapshot.ts');
			await printSnapshot(complete, {columns: stdout.columns, demo, ascii});
			return 0;
		}

		if (!demo) {
			await unlock(complete, streams);
		}

		if (screenReader || env.INK_SCREEN_READER === 'true') {
			const {openReader} = await import('./reader.ts');
			return await openReader(complete, {stdin, stdout, env, ascii, demo, debug});
		}

		const {openConsole} = await import('./index.tsx');
		return await openConsole(complete, {stdin, stdout, env, ascii, demo, debug});
	} catch (error) {
		const {message, hint, exitCode, stack} = toColoniesError(error);
		stderr.write([`colonies: ${message}`, hint, argv.includes('--debug') ? stack : undefined].filter(Boolean).join('\n') + '\n');
		return exitCode;
	}
}
