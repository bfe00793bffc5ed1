import {ColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {shortId} from '../core/text.ts';
import {formatSpan} from '../core/time.ts';
import {identity, integer, otherwise} from '../operations/fields.ts';
import {operations} from '../operations/registry.ts';
import {type CommandEntry, defineCommand, storeFlags} from './command.ts';
import {checkProgram} from './find-program.ts';
import {say, toNotice} from './output.ts';
import {type Signing, callerOf, signingFlags} from './signers.ts';
import {withStore} from './store.ts';
import type {Progress} from './world.ts';

/** Characters of a reason that are shown: it may hold anything. */
const longestReason = 200;

/** Milliseconds as people read them: tenths of a second while it is short. */
const spanOf = (span: number): string => span < 10_000 ? `${(span / 1000).toFixed(1)}s` : formatSpan(span);

/** What is said of a process: one line when it is started and one when it is closed. One that is gone is told of by itself. */
export function progressLine({process: {processid}, state, span, reason}: Progress): string | undefined {
	switch (state) {
		case 'started': {
			return `${shortId(processid)} started`;
		}

		case 'successful': {
			return `${shortId(processid)} successful after ${spanOf(span)}`;
		}

		case 'failed': {
			return `${shortId(processid)} failed after ${spanOf(span)}: ${(reason ?? '').slice(0, longestReason)}`;
		}

		case 'gone': {
			return undefined;
		}
	}
}

// The computer signs for itself, and nobody for it.
const {id, colonyprvkey, ...keyFlags} = signingFlags(operations['process.assign']);

const workCommand = defineCommand({
	words: ['computer', 'work'],
	summary: 'Let a computer work until it is stopped with a signal: a command is run for each process that it is assigned.',
	flags: {
		colonyid: identity('Colony'),
		computerid: identity('Computer', 'Id of the computer, which signs'),
		concurrency: otherwise(integer('Concurrency', 'How many processes it runs at once', {least: 1, most: limits.batch}), 1),
		...keyFlags,
	},
	signing: Object.keys(keyFlags),
	store: storeFlags,
	rest: {name: 'COMMAND [ARG…]', summary: 'The command that is run for each process. In attributes are in its environment (COLONIES_IN_KEY), the process is JSON on its standard input; what it prints and its exit code become attributes'},
	async run({world, input, flags, choice, rest}) {
		const {work, env, signals} = world;
		if (work === undefined) {
			throw new ColoniesError('internal', 'This program was put together without computers.');
		}

		const {colonyid, computerid, concurrency} = flags;
		await checkProgram(rest[0]!, env);
		const caller = await callerOf(world, input, operations['process.assign'], {flags: flags as Signing['flags'], signs: computerid, colony: colonyid});
		if (!('identity' in caller)) {
			throw new ColoniesError('internal', 'A computer signs with its key.');
		}

		await withStore(world, choice, async context => {
			await say(world, `The computer ${shortId(computerid)} works for the colony ${shortId(colonyid)}, ${concurrency} at a time; a signal stops it.`);
			const report = (progress: Progress) => {
				const line = progressLine(progress);
				if (line !== undefined) {
					void say(world, line);
				}
			};

			await work({context, identity: caller.identity, computerid, colonyid, concurrency, command: rest, env, notice: toNotice(world), report, signals});
			await say(world, 'Stopped.');
		}, {attended: true});
	},
});

export const workCommands: readonly CommandEntry[] = [workCommand];
