import {quoted} from '../core/text.ts';
import {line} from '../operations/fields.ts';
import {type CommandEntry, defineCommand, storeFlags} from './command.ts';
import {say, toNotice} from './output.ts';
import {outputFlags, printResult} from './results.ts';
import {warnOf} from './store.ts';
import type {World} from './world.ts';

const {demo: _, ...placeFlags} = storeFlags;

/** Variables of the environment that say which store is meant, before any context that is kept. */
const stronger = ['COLONIES_HOST', 'COLONIES_DBHOST', 'COLONIES_DBPORT', 'COLONIES_DBUSER', 'COLONIES_DBNAME', 'COLONIES_DBSCHEMA', 'DATABASE_URL'];

/** Says when what the settings hold is not what counts. */
async function sayWhatGoesBefore(world: World): Promise<void> {
	const variable = stronger.find(name => world.env[name] !== undefined && world.env[name] !== '');
	if (variable !== undefined) {
		await say(world, `${variable} is set in the environment, and goes before it.`);
	}
}

const addContext = defineCommand({
	words: ['context', 'add'],
	summary: 'Keep a server or a database under a name.',
	operands: {name: line('Name', 'What to call it')},
	flags: {},
	store: placeFlags,
	async run({world, flags: {name}, choice}) {
		await warnOf(choice, world);
		await world.contexts.save(name, choice, toNotice(world));
		const {current} = (await world.contexts.list()).find(context => context.name === name) ?? {};
		if (current !== true) {
			await say(world, `Work there from now on: colonies context use ${/^[\w.:-]+$/.test(name) ? name : quoted(name)}`);
		}
	},
});

const useContext = defineCommand({
	words: ['context', 'use'],
	summary: 'Work in a context from now on, where no flag says otherwise.',
	operands: {name: line('Name', 'Name of a context, or `embedded` for the store in the data folder')},
	flags: {},
	async run({world, flags: {name}}) {
		await world.contexts.use(name);
		const context = (await world.contexts.list()).find(context => context.name === name);
		await say(world, `${quoted(name)} is the current context: ${context?.where}.`);
		await sayWhatGoesBefore(world);
	},
});

const listContexts = defineCommand({
	words: ['context', 'ls'],
	summary: 'List the contexts that are kept, without passwords.',
	flags: outputFlags,
	async run({world, flags}) {
		await printResult(world, await world.contexts.list(), {
			output: flags.output,
			columns: [['', ({current}) => current ? '*' : ''], 'name', 'kind', 'where'],
		});
		await sayWhatGoesBefore(world);
	},
});

const removeContext = defineCommand({
	words: ['context', 'remove'],
	summary: 'Forget a context; nothing is changed where it leads.',
	operands: {name: line('Name', 'Name of a context')},
	flags: {},
	async run({world, flags: {name}}) {
		const isCurrent = (await world.contexts.list()).some(context => context.name === name && context.current);
		await world.contexts.forget(name);
		await say(world, `Forgot the context ${quoted(name)}.${isCurrent ? ' It was the current one: what is not told otherwise goes to the embedded store now.' : ''}`);
	},
});

export const contextCommands: readonly CommandEntry[] = [addContext, useContext, listContexts, removeContext];
