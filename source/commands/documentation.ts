import type {Fields} from '../operations/fields.ts';
import {type CommandEntry, generalFlags, storeFlags} from './command.ts';
import {commands} from './entries.ts';
import {
	ownVariables, storeVariables, systemVariables, type Variable,
} from './environment.ts';
import {calledAs, restName, valueName} from './help.ts';

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);

const code = (text: string): string => `\`${cell(text)}\``;

const flagList = (fields: Fields): string => Object.entries(fields)
	.map(([name, field]) => code(`--${name}${valueName(name, field)}`) + (field.optional ? '' : '\u00A0*'))
	.join(' ');

const row = (entry: CommandEntry): string => `| ${code(calledAs(entry))} | ${cell(entry.summary)} | ${flagList(entry.flags)}${entry.rest ? ` ${code(restName(entry).trim())}\u00A0*` : ''} |`;

const flagTable = (fields: Fields): string => `| Flag | |\n|---|---|\n${Object.entries(fields).map(([name, field]) => `| ${code(`--${name}${valueName(name, field)}`)} | ${cell(field.summary)} |`).join('\n')}`;

/** The commands that work on no server, as a list for people. */
function localOnly(): string {
	const names = commands.filter(({store}) => Object.hasOwn(store, 'dbhost') && !Object.hasOwn(store, 'fingerprint')).map(({words}) => code(words.join(' ')));
	return `${names.slice(0, -1).join(', ')} and ${names.at(-1)!} take`;
}

/** Every command with its summary and flags, as Markdown, for generated documentation. A star marks a flag that must be given. */
export const describeCommands = (): string => `| Command | What it does | Flags (* must be given) |
|---|---|---|
${commands.map(entry => row(entry)).join('\n')}

Every command has these flags:

${flagTable(generalFlags)}

Those that work on a store have these, too; ${localOnly()} only those of a database:

${flagTable(storeFlags)}
`;

const variableRows = (variables: readonly Variable[]): string => variables.map(([names, summary]) => `| ${names.split(', ').map(name => code(name)).join(' ')} | ${cell(summary)} |`).join('\n');

/** Every environment variable that the program reads, as Markdown. */
export const describeEnvironment = (): string => `| Variable | |
|---|---|
${variableRows([...ownVariables, ...storeVariables, ...systemVariables])}
`;
