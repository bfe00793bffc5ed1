import process from 'node:process';
import {wantsAscii} from '../core/ascii.ts';
import {toColoniesError} from '../core/errors.ts';
import {readArguments} from './arguments.ts';
import type {World} from './world.ts';

type Streams = {stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream; env: NodeJS.ProcessEnv};

/** Whether there is a terminal at both ends that can do more than print lines. */
const isTerminal = ({stdin, stdout, env}: Streams): boolean => Boolean(stdin.isTTY && stdout.isTTY) && env.TERM !== 'dumb';

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
