import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {ContextChoice} from '../operations/index.ts';

/** The flags that the console takes; those of a database are the same as for the commands. */
export const consoleFlags = {
	demo: {type: 'boolean', summary: 'Open the demo: a colony of simulated computers at work, apart from real data'},
	'read-only': {type: 'boolean', summary: 'Refuse every change'},
	dbhost: {type: 'string', summary: 'Host of a PostgreSQL, or the folder of its Unix socket'},
	dbport: {type: 'string', summary: 'Its port'},
	dbuser: {type: 'string', summary: 'Its user'},
	dbpassword: {type: 'string', summary: 'Its password'},
	dbname: {type: 'string', summary: 'Its database'},
	dbssl: {type: 'boolean', summary: 'Use TLS'},
	debug: {type: 'boolean', summary: 'Show the stack of a fault'},
} as const;

/** Whether a command line asks for the console: nothing on it but the console's own flags and their values. */
export function isConsole(argv: readonly string[]): boolean {
	for (let index = 0; index < argv.length; index++) {
		const [name, value] = argv[index]!.split(/=(.*)/s, 2);
		const flag = name!.startsWith('--') ? consoleFlags[name!.slice(2) as keyof typeof consoleFlags] : undefined;
		if (!flag) {
			return false;
		}

		index += flag.type === 'string' && value === undefined ? 1 : 0;
	}

	return true;
}

export type ConsoleArguments = {choice: ContextChoice; demo: boolean; readOnly: boolean; debug: boolean};

function portOf(text: string | undefined): number | undefined {
	const port = text === undefined ? undefined : Number(text);
	if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
		throw new InvalidInput(`--dbport must be a port from 1 to 65535, not ${quoted(text)}.`);
	}

	return port;
}

/** Reads the console's flags. @throws InvalidInput */
export async function readArguments(argv: readonly string[]): Promise<ConsoleArguments> {
	const {default: meow} = await import('meow');
	const flags = Object.fromEntries(Object.entries(consoleFlags).map(([name, {type}]) => [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), {type}]));
	const {flags: given} = meow({importMeta: import.meta, argv, flags, autoHelp: false, autoVersion: false, help: '', pkg: {}});
	const text = (name: string) => given[name] as string | undefined;
	const empty = Object.entries(consoleFlags).find(([name, {type}]) => type === 'string' && text(name) === '');
	if (empty) {
		throw new InvalidInput(`--${empty[0]} wants a value.`, {hint: `${empty[1].summary}.`});
	}

	return {
		choice: {dbhost: text('dbhost'), dbport: portOf(text('dbport')), dbuser: text('dbuser'), dbpassword: text('dbpassword'), dbname: text('dbname'), dbssl: argv.some(argument => argument.startsWith('--dbssl')) ? Boolean(given.dbssl) : undefined},
		demo: Boolean(given.demo),
		readOnly: Boolean(given.readOnly),
		debug: Boolean(given.debug),
	};
}
