import type {Field, Fields} from '../operations/fields.ts';
import {parseInput} from '../operations/parse.ts';
import {
	type CommandEntry, fileFlags, generalFlags, operandName,
} from './command.ts';
import {commands, nouns} from './entries.ts';
import {ownVariables} from './environment.ts';

/** The width that help is written for. */
const width = 100;

const placeholders: Record<Field['kind'], string> = {
	id: 'ID', text: 'TEXT', secret: 'SECRET', integer: 'N', number: 'N', choice: '', switch: '', pair: 'KEY=VALUE', spec: 'FILE', filter: 'FILTER',
};

/** What stands for a flag's value, ` ID`; nothing for a switch. */
export function valueName(name: string, {kind, choices}: Field): string {
	const placeholder = choices?.join('|') ?? (fileFlags.has(name) ? 'FILE' : placeholders[kind]);
	return placeholder === '' ? '' : ` ${placeholder}`;
}

/** The default of a flag in parentheses, after a space; nothing for a flag without one. */
export function defaultOf(field: Field): string {
	const value = field.optional ? parseInput({field}, {}).field : undefined;
	return typeof value === 'string' || typeof value === 'number' ? ` (${value} unless given)` : '';
}

function wrap(text: string, indent: number): string {
	const lines: string[] = [''];
	for (const word of text.split(' ')) {
		if (lines.at(-1)!.length + word.length + 1 > width - indent && lines.at(-1) !== '') {
			lines.push('');
		}

		lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`;
	}

	return lines.join(`\n${' '.repeat(indent)}`);
}

type ListRows = ReadonlyArray<readonly [left: string, right: string]>;

const widthOf = (rows: ListRows): number => Math.min(32, Math.max(...rows.map(([text]) => text.length)));

function list(rows: ListRows, left = widthOf(rows)): string {
	return rows.map(([text, right]) => text.length > left ? `  ${text}\n${' '.repeat(left + 4)}${wrap(right, left + 4)}` : `  ${text.padEnd(left)}  ${wrap(right, left + 4)}`).join('\n');
}

const flagRows = (fields: Fields): Array<[string, string]> => Object.entries(fields).map(([name, field]) => [`--${name}${valueName(name, field)}`, `${field.summary}${defaultOf(field)}`]);

const section = (title: string, fields: Fields): string => Object.keys(fields).length === 0 ? '' : `\n${title}:\n${list(flagRows(fields))}\n`;

const pick = (fields: Fields, wanted: (name: string) => boolean): Fields => Object.fromEntries(Object.entries(fields).filter(([name]) => wanted(name)));

const required = (fields: Fields): string => Object.entries(fields).filter(([, field]) => !field.optional).map(([name, field]) => ` --${name}${valueName(name, field)}`).join('');

/** A command's words with its operands: `context use NAME`. */
export const calledAs = ({words, operands}: CommandEntry): string => [...words, ...Object.keys(operands).map(name => operandName(name))].join(' ');

/** What stands behind a command and its flags: ` -- COMMAND [ARG…]`; nothing mostly. */
export const restName = ({rest}: CommandEntry): string => rest ? ` -- ${rest.name}` : '';

/** How a command is called: `colonies process get --processid ID [flags]`. */
export const usageOf = (entry: CommandEntry): string => `colonies ${calledAs(entry)}${required(entry.flags)} [flags]${restName(entry)}`;

/** Help on one command: its operands and flags, who signs, and which store. */
export function commandHelp(entry: CommandEntry): string {
	const {summary, operands, rest, flags, signing, store} = entry;
	const named = [...Object.entries(operands).map(([name, field]) => [operandName(name), field.summary] as const), ...(rest ? [[rest.name, rest.summary] as const] : [])];
	return `${wrap(summary, 0)}

Usage: ${wrap(usageOf(entry), 7)}
${named.length > 0 ? `\n${list(named)}\n` : ''}${section('Flags', pick(flags, name => !signing.has(name)))}${section('Who signs', pick(flags, name => signing.has(name)))}${section('Where', store)}${section('Also', generalFlags)}`;
}

const verbRows = (noun: string): Array<[string, string]> => commands.filter(({words}) => words[0] === noun).map(entry => [calledAs(entry), entry.summary]);

/** Help on the commands of a noun. */
export const nounHelp = (noun: string): string => `Usage: colonies ${noun} COMMAND [flags]\n\n${list(verbRows(noun))}\n\n\`colonies help ${noun} COMMAND\` shows the flags of one.\n`;

/** Stands for all variables that choose a store: there are many. */
const placeVariables = 'COLONIES_HOST, COLONIES_DBHOST, DATABASE_URL …';

/** Help on everything: without arguments the program is the console. */
export const generalHelp = (): string => `Colonies: distributed work, signed and kept in PostgreSQL.

Usage: colonies                       opens the console
       colonies NOUN COMMAND [flags]  does one thing

${nouns.map(noun => list(verbRows(noun), widthOf(nouns.flatMap(noun => verbRows(noun))))).join('\n\n')}

Environment:
${list([...ownVariables, [placeVariables, 'Defaults of the flags that choose a server or database']])}

\`colonies help NOUN COMMAND\` shows the flags of one. \`man colonies\` has all of it after a global install.
`;
