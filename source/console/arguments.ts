import {InvalidInput} from '../core/errors.ts';
import {type ContextChoice, flagType, readChoice, storeFlags, type Typed} from '../operations/index.ts';

type ConsoleFlag = {type: 'string' | 'boolean'; summary: string};

const {demo: _, ...placeFlags} = storeFlags;

/** The flags that the console takes; those that say which store are the same as for the commands. */
export const consoleFlags: Readonly<Record<string, ConsoleFlag>> = {
	demo: {type: 'boolean', summary: 'Open the demo: a colony of simulated computers at work, apart from real data'},
	'read-only': {type: 'boolean', summary: 'Refuse every change'},
	...Object.fromEntries(Object.entries(placeFlags).map(([name, field]) => [name, {type: flagType(field), summary: field.summary}])),
	'screen-reader': {type: 'boolean', summary: 'Speak line by line in place of drawing, for a screen reader (or INK_SCREEN_READER=true)'},
	ascii: {type: 'boolean', summary: 'Draw with ASCII alone; without it where the locale (LC_ALL, LC_CTYPE or LANG) is not UTF-8'},
	debug: {type: 'boolean', summary: 'Show the stack of a fault'},
};

/** Whether a command line asks for the console: nothing on it but the console's own flags and their values. */
export function isConsole(argv: readonly string[]): boolean {
	for (let index = 0; index < argv.length; index++) {
		const [name, value] = argv[index]!.split(/=(.*)/s, 2);
		const flag = name!.startsWith('--') && Object.hasOwn(consoleFlags, name!.slice(2)) ? consoleFlags[name!.slice(2)] : undefined;
		if (!flag) {
			return false;
		}

		index += flag.type === 'string' && value === undefined ? 1 : 0;
	}

	return true;
}

export type ConsoleArguments = {choice: ContextChoice; demo: boolean; readOnly: boolean; screenReader: boolean; ascii: boolean; debug: boolean};

/** Reads the console's flags. @throws InvalidInput */
export async function readArguments(argv: readonly string[]): Promise<ConsoleArguments> {
	const {default: meow} = await import('meow');
	const flags = Object.fromEntries(Object.entries(consoleFlags).map(([name, {type}]) => [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), {type}]));
	const {flags: given} = meow({importMeta: import.meta, argv, flags, autoHelp: false, autoVersion: false, help: '', pkg: {}});
	const empty = Object.entries(consoleFlags).find(([name, {type}]) => type === 'string' && given[name] === '');
	if (empty) {
		throw new InvalidInput(`--${empty[0]} wants a value.`, {hint: `${empty[1].summary}.`});
	}

	// A switch that is not on the command line is neither on nor off.
	const isGiven = (name: string) => argv.some(argument => argument === `--${name}` || argument.startsWith(`--${name}=`));
	const typed = Object.fromEntries(Object.keys(placeFlags).filter(name => isGiven(name)).map(name => [name, given[name]])) as Typed;
	return {
		choice: readChoice(typed, {fields: placeFlags}),
		demo: Boolean(given.demo),
		readOnly: Boolean(given.readOnly),
		screenReader: Boolean(given.screenReader),
		ascii: Boolean(given.ascii),
		debug: Boolean(given.debug),
	};
}
