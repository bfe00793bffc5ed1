import process from 'node:process';
import {plural} from '../core/text.ts';
import type {CopiedStore} from '../operations/context.ts';
import {
	flag, integer, line, optional, secret,
} from '../operations/fields.ts';
import {askYes} from './ask.ts';
import {
	type CommandEntry, defineCommand, localStoreFlags, storeFlags,
} from './command.ts';
import {say, showDone, toNotice} from './output.ts';
import {startProgress} from './progress.ts';
import {outputFlags, printResult} from './results.ts';
import {givenSecret, rootPassword} from './secrets.ts';
import {withStore} from './store.ts';

const createDatabase = defineCommand({
	words: ['database', 'create'],
	summary: 'Make the schema in a database and work there from now on; harmless when repeated.',
	flags: {
		rootpassword: optional(secret(rootPassword.label, 'Kept as the root password when it is the first; else COLONIES_ROOT_PASSWORD')),
		cells: optional(integer('Cells', 'Schemas that colonies are spread over, so many in this database: SCHEMA, SCHEMA_01, …', {least: 1, most: 99})),
		citus: optional(flag('Citus', 'On a coordinator of Citus: each cell is a schema that Citus places on a worker and moves')),
		...outputFlags,
	},
	store: localStoreFlags,
	async run({world, flags, choice}) {
		const where = await world.contexts.create(choice, toNotice(world), {rootpassword: givenSecret(world, rootPassword, flags.rootpassword), cells: flags.cells, citus: flags.citus});
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

const targetPassword = {label: 'Target password'};

/** What was copied, in sentences. */
const sentencesOf = ({from, to, rows, tables, head, context}: CopiedStore): string[] => [
	`Copied ${rows.toLocaleString('en')} rows of ${plural(tables.length, 'table')} from ${from} to ${to}.`,
	head === null ? 'The history has no seal yet, in both.' : `The last seal of the history is the same in both: ${head.number}, ${head.hash}.`,
	`The source was not changed.${context === undefined ? '' : ` Work in the copy from now on: colonies context use ${context}`}`,
];

const copyDatabase = defineCommand({
	words: ['database', 'copy'],
	summary: 'Copy everything to an empty database, embedded, PostgreSQL or TimescaleDB, and check the copy.',
	flags: {
		to: line('To', 'Where it goes: the name of a context, postgresql://user@host:5432/database, or a folder, ./NAME, for an embedded one', {longest: 4096}),
		topassword: optional(secret(targetPassword.label, 'Password of the user there, where --to does not say it; else COLONIES_TARGET_PASSWORD')),
		...outputFlags,
	},
	store: localStoreFlags,
	async run({world, flags, choice}) {
		const stopping = new AbortController();
		const signals = world.signals ?? process;
		let progress: ReturnType<typeof startProgress> | undefined;
		const stop = () => {
			progress?.end();
			void say(world, 'Stopping; the target is left as it was …');
			stopping.abort();
		};

		const tell = (done: number, total: number) => {
			progress ??= startProgress(world, total);
			progress.show(done);
		};

		signals.on('SIGINT', stop);
		let copied: CopiedStore;
		try {
			copied = await world.contexts.copy(choice, {place: flags.to, password: givenSecret(world, targetPassword, flags.topassword)}, {tell, signal: stopping.signal});
		} finally {
			signals.removeListener('SIGINT', stop);
			progress?.end();
		}

		for (const sentence of sentencesOf(copied)) {
			await say(world, sentence); // eslint-disable-line no-await-in-loop
		}

		if (flags.output !== undefined) {
			await showDone('It was done.', async () => printResult(world, copied, {
				output: flags.output, records: ({tables}: CopiedStore) => tables,
				layout: ({tables}: CopiedStore) => ({lines: [], rows: tables, columns: ['table', 'rows']}),
			}));
		}
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

export const databaseCommands: readonly CommandEntry[] = [createDatabase, copyDatabase, dropDatabase, showDatabase, resetRoot];
