/**
The manual page `colonies(1)` in mdoc(7), from the definitions that help and docs/commands.md come from.
*/
import {errorCodes} from '../core/errors.ts';
import type {Fields} from '../operations/fields.ts';
import {type CommandEntry, generalFlags, operandName, storeFlags} from './command.ts';
import {commands} from './entries.ts';
import {
	ownVariables, programVariables, storeVariables, systemVariables, type Variable,
} from './environment.ts';
import {calledAs, defaultOf, usageOf, valueName} from './help.ts';

const escapes: Readonly<Record<string, string>> = {
	'\\': String.raw`\e`, '-': String.raw`\-`, '\'': String.raw`\(aq`, '`': String.raw`\(ga`, '"': String.raw`\(dq`, '^': String.raw`\(ha`, '~': String.raw`\(ti`,
};

/** A text that shows as it is, wherever it stands in roff. Line breaks become spaces. */
export const roffText = (text: string): string => text.replaceAll(/\s+/g, ' ')
	.replaceAll(/[\\\-'`"^~]/g, character => escapes[character]!)
	.replaceAll(/[^ -~]/gu, character => String.raw`\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
	.replace(/^\./, String.raw`\&.`);

/** One argument of a macro: quoted where it has spaces, and never a macro itself. */
const argument = (text: string): string => {
	const escaped = String.raw`\&${roffText(text)}`;
	return escaped.includes(' ') ? `"${escaped}"` : escaped;
};

/** A line of one macro with one argument. */
const macro = (name: string, text: string): string => `.${name} ${argument(text)}`;

/** Prose: a sentence a line, and what is between backticks in bold. */
const prose = (text: string): string => text.split(/(?<=[.!?]) (?=[A-Z`])/).map(sentence =>
	sentence.split('`').map((part, index) => index % 2 === 0 ? roffText(part) : String.raw`\fB${roffText(part)}\fR`).join('').replace(/^\./, String.raw`\&.`)).join('\n');

const sentence = (text: string): string => prose(/[.!?]$/.test(text) ? text : `${text}.`);

type Entry = readonly [macros: string, text: string];

/** A list of terms with their meanings. An empty one is nothing, which mdoc would warn of. */
const list = (entries: readonly Entry[]): string[] => entries.length === 0 ? [] : ['.Bl -tag -width Ds', ...entries.flatMap(([macros, text]) => [`.It ${macros}`, text]), '.El'];

/** A flag with what stands for its value, as macros. */
const flagMacros = (name: string, value: string): string => `Fl ${argument(`-${name}`)}${value === '' ? '' : ` Ar ${argument(value.trim())}`}`;

const flagEntries = (fields: Fields): Entry[] => Object.entries(fields).map(([name, field]) =>
	[flagMacros(name, valueName(name, field)), sentence(`${field.summary}${defaultOf(field)}${field.optional ? '' : '. Required'}`)]);

const variableEntries = (variables: readonly Variable[]): Entry[] => variables.map(([names, summary]) => [names.split(', ').map(name => `Ev ${argument(name)}`).join(' , '), sentence(summary)]);

/** Which flags of a store a command has, besides its own. */
function storeSentence({store}: CommandEntry): string[] {
	if (Object.keys(store).length === 0) {
		return [];
	}

	return [Object.hasOwn(store, 'fingerprint') ? 'It has the flags that choose a server or database.' : 'It has the flags that choose a database.'];
}

function commandLines(entry: CommandEntry): string[] {
	const operands: Entry[] = Object.entries(entry.operands).map(([name, field]) => [`Ar ${argument(operandName(name))}`, sentence(field.summary)]);
	const rest: Entry[] = entry.rest ? [[`Ar ${argument(entry.rest.name)}`, sentence(entry.rest.summary)]] : [];
	return [
		`.Ss ${argument(calledAs(entry))}`,
		`.Dl ${argument(usageOf(entry))}`,
		'.Pp',
		prose(entry.summary),
		...storeSentence(entry),
		...list([...operands, ...rest, ...flagEntries(entry.flags)]),
	];
}

const section = (name: string, ...lines: string[]): string[] => [`.Sh ${name}`, ...lines];

const examples: ReadonlyArray<readonly [what: string, line: string]> = [
	['Open the console with the demo:', 'colonies --demo'],
	['Register a colony in the embedded database; the first one sets the root password:', 'colonies colony register --spec colony.json'],
	['List failed processes of the last day:', 'colonies process ls --colonyid ID --filter \'state:failed ended<1d\' --output table'],
	['Retry them all, as a plan that asks first:', 'colonies process retry --colonyid ID --filter \'state:failed ended<1d\''],
	['Explain why a process waits:', 'colonies process explain --colonyid ID --processid ID --output table'],
	['Create the schema in a PostgreSQL and work there from now on:', 'colonies database create --dbhost localhost --dbuser postgres'],
	['Serve that database over HTTPS:', 'colonies server start --port 8080'],
	['Work on a server elsewhere:', 'colonies context add lab --host server.example --fingerprint SHA256 && colonies context use lab'],
	['Run a command for each process of a colony:', 'colonies computer work --colonyid ID --computerid ID -- sh -c \'cat; echo done\''],
	['Install completion for the shell in use:', 'colonies completion --install'],
];

const files: ReadonlyArray<readonly [path: string, summary: string]> = [
	['~/.config/colonies-tui/settings.json', 'Contexts and settings. On macOS the folder is ~/Library/Preferences/colonies-tui, on Windows %APPDATA%/colonies-tui/Config.'],
	['~/.config/colonies-tui/keys/', 'The keychain: one file for each private key, readable by its user only.'],
	['~/.config/colonies-tui/certificate.json', 'The self-signed certificate of server start, with its key.'],
	['~/.local/share/colonies-tui/', 'The embedded database. On macOS it is in ~/Library/Application Support/colonies-tui, on Windows in %LOCALAPPDATA%/colonies-tui/Data.'],
	['~/.cache/colonies-tui/', 'Compiled code of the program, with Node 22.1 and newer. It can be deleted at any time.'],
];

/** What the page needs besides the commands. `date`: of the build; `consoleFlags`: the flags of the console, by name. */
type Facts = {version: string; date: Date; consoleFlags: Readonly<Record<string, {type: 'string' | 'boolean'; summary: string}>>};

/** The whole page, as mdoc(7). */
export function manual({version, date, consoleFlags}: Facts): string {
	const day = date.toLocaleDateString('en-US', {
		year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC',
	});
	const ofConsole: Entry[] = Object.entries(consoleFlags).filter(([name]) => !Object.hasOwn(storeFlags, name) || name === 'demo').map(([name, {summary}]) => [flagMacros(name, ''), sentence(summary)]);
	return `${[
		`.Dd ${day}`,
		'.Dt COLONIES 1',
		`.Os ${argument(`colonies-tui ${version}`)}`,
		...section('NAME', '.Nm colonies ,', macro('Nm', 'colonies-tui'), '.Nd broker for distributed work, with a console for the terminal'),
		...section('SYNOPSIS', '.Nm colonies', '.Op Ar flags', '.Nm colonies', '.Ar noun Ar command', '.Op Ar flags', '.Nm colonies', '.Cm help', '.Op Ar noun Op Ar command', '.Nm colonies', macro('Fl', '-version')),
		...section(
			'DESCRIPTION',
			prose('A colony owns work. Computers register in it and, once its owner approves them, pull processes that match what they are. Everybody is a secp256k1 identity, and every change by an operator is signed and kept.'),
			'.Pp',
			prose('Without a command, `colonies` opens the console. With one, it does one thing, writes data to standard output and everything else to standard error. `colonies-tui` is the same program.'),
			'.Pp',
			prose('A store is the embedded database, a PostgreSQL or TimescaleDB, or a Colonies server. Flags take precedence over the environment, the environment over the current context, and the context over the embedded database.'),
			'.Pp',
			'The console has these flags, and those that choose a store:',
			...list(ofConsole),
		),
		...section('COMMANDS', ...commands.flatMap(entry => commandLines(entry))),
		...section('FLAGS', 'Every command has these flags:', ...list(flagEntries(generalFlags)), '.Pp', 'These choose the server or database that a command works on:', ...list(flagEntries(storeFlags)), '.Pp', prose('A password on a command line can be read by every user of the machine. Prefer the environment, the prompt, or a saved context.')),
		...section('ENVIRONMENT', ...list(variableEntries(ownVariables)), '.Pp', 'These choose the server or database:', ...list(variableEntries(storeVariables)), '.Pp', 'Variables of the system:', ...list(variableEntries(systemVariables)), '.Pp', prose('A program that `colonies computer work` runs finds these, and none of the variables that hold a secret:'), ...list(variableEntries(programVariables))),
		...section('FILES', prose('With COLONIES_HOME set, all of them are in that folder.'), ...list(files.map(([path, summary]) => [`Pa ${argument(path)}`, prose(summary)]))),
		...section('EXIT STATUS', ...list([['0', 'Success.'], ...Object.entries(errorCodes).map(([code, {exit, meaning}]): Entry => [`${exit} ${argument(`(${code})`)}`, sentence(meaning)])])),
		...section('EXAMPLES', ...examples.flatMap(([what, line], index) => [...(index === 0 ? [] : ['.Pp']), prose(what), `.Dl ${argument(line)}`])),
		...section('SEE ALSO', prose('`colonies help NOUN COMMAND` shows one command.'), prose('The package carries its documentation in docs/: the console\'s keys, filters, moving, monitoring, and the protocol.')),
	].join('\n')}\n`;
}
