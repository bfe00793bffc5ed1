import type {Context} from '../operations/context.ts';
import type {Caller} from '../operations/broker.ts';
import {line, optional} from '../operations/fields.ts';
import {operations, type ResultOf} from '../operations/registry.ts';
import {
	type CommandEntry, defineCommand, localStoreFlags, storeFlags,
} from './command.ts';
import {say, toNotice} from './output.ts';
import {startProgress} from './progress.ts';
import {outputFlags, printResult} from './results.ts';
import {callerOf, signingFlags} from './signers.ts';
import {withStore} from './store.ts';
import type {World} from './world.ts';

const {demo: _, ...cellFlags} = localStoreFlags;

const addCell = defineCommand({
	words: ['cell', 'add'],
	summary: 'Make a cell in another database, given by --dbhost, for the installation of the current context.',
	flags: {name: optional(line('Name', 'Name of the cell; HOST/SCHEMA unless given'))},
	store: cellFlags,
	async run({world, flags, choice}) {
		await world.contexts.addCell(choice, flags.name, toNotice(world));
	},
});

const moveOperation = operations['colony.move'];

/** Moves it, step by step. */
async function moveAll(world: World, context: Context, caller: Caller, input: {colonyid: string; cell: string}): Promise<ResultOf<'colony.move'>> {
	let progress: ReturnType<typeof startProgress> | undefined;
	try {
		for (;;) {
			const step = await context.run(caller, 'colony.move', input, {notice: toNotice(world)}); // eslint-disable-line no-await-in-loop -- one after another
			if (step.state === 'moved') {
				return step;
			}

			progress ??= startProgress(world, step.of);
			progress.show(step.rows);
		}
	} finally {
		progress?.end();
	}
}

const moveColony = defineCommand({
	words: ['colony', 'move'],
	summary: 'Move a colony with its history to another cell; it stands still for the last moment of it. Where it was cut off, it goes on.',
	flags: {
		...moveOperation.input,
		...signingFlags(moveOperation) as Record<never, never>,
		...outputFlags,
	},
	signing: Object.keys(signingFlags(moveOperation)),
	store: storeFlags,
	async run({world, input, flags, choice}) {
		const {colonyid, cell} = flags;
		const caller = await callerOf(world, input, moveOperation, {flags: flags as Readonly<Record<string, unknown>>, signs: undefined, colony: undefined});
		await withStore(world, choice, async context => {
			const moved = await moveAll(world, context, caller, {colonyid, cell});
			if (flags.output !== undefined) {
				await printResult(world, moved, {output: flags.output});
			}

			await say(world, moveOperation.tells!(moved));
		});
	},
});

export const ownCellCommands: readonly CommandEntry[] = [addCell];
export const operationCellCommands: readonly CommandEntry[] = [moveColony];
