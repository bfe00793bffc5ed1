import {flag, optional, secret} from '../operations/fields.ts';
import {askYes} from './ask.ts';
import {
	type CommandEntry, defineCommand, localStoreFlags, storeFlags,
} from './command.ts';
import {say, showDone, toNotice} from './output.ts';
import {outputFlags, printResult} from './results.ts';
import {givenSecret, rootPassword} from './secrets.ts';
import {withStore} from './store.ts';

const createDatabase = defineCommand({
	words: ['database', 'create'],
	summary: 'Make the schema in a database and work there from now on; harmless when repeated.',
	flags: {rootpassword: optional(secret(rootPassword.label, 'Kept as the root password when it is the first; else COLONIES_ROOT_PASSWORD')), ...outputFlags},
	store: localStoreFlags,
	async run({world, flags, choice}) {
		const where = await world.contexts.create(choice, toNotice(world), givenSecret(world, rootPassword, flags.rootpassword));
		if (flags.output !== undefined) {
			await showDone('It was done.', async () => printResult(world, where, {output: flags.output}));
		}
	},
});

const dropDatabase = defineCommand({
	words: ['database', 'drop'],
	summary: 'Drop the schema with all colonies, computers, processes and their history.',
	flags: {yes: optional(flag('Yes', 'Drop without asking'))},
	store: localStoreFlags,
	async run({world, input, flags, choice}) {
		const {what, drop} = await world.contexts.prepareDrop(choice);
		if (flags.yes !== true) {
			await askYes(input, world, `This drops ${what}, with all that is in it.`);
		}

		await drop(toNotice(world));
	},
});

const showDatabase = defineCommand({
	words: ['database', 'where'],
	summary: 'Show where the data and the keys live, and the versions.',
	flags: outputFlags,
	store: storeFlags,
	async run({world, flags, choice}) {
		await withStore(world, choice, async context => printResult(world, {...await context.where(), keys: world.folders.keys}, {output: flags.output}));
	},
});

const resetRoot = defineCommand({
	words: ['database', 'resetroot'],
	summary: 'Forget the root password, where the data is; the next `database rootpassword` sets another one.',
	flags: {yes: optional(flag('Yes', 'Forget it without asking'))},
	store: localStoreFlags,
	async run({world, input, flags, choice}) {
		if (flags.yes !== true) {
			await askYes(input, world, 'This forgets the root password. Until another one is set nobody is root, also on servers that are running.');
		}

		const isDone = await world.contexts.resetRoot(choice);
		await say(world, isDone ? 'The root password is forgotten. Set another one: colonies database rootpassword' : 'There is no root password. Set one: colonies database rootpassword');
	},
});

export const databaseCommands: readonly CommandEntry[] = [createDatabase, dropDatabase, showDatabase, resetRoot];
