import type {Fields} from '../operations/fields.ts';
import {type CommandEntry, generalFlags, storeFlags} from './command.ts';
import {commands} from './entries.ts';
import {valueName} from './help.ts';

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);

const code = (text: string): string => `\`${cell(text)}\``;

const flagList = (fields: Fields): string => Object.entries(fields)
	.map(([name, field]) => code(`--${name}${valueName(name, field)}`) + (field.optional ? '' : '\u00A0*'))
	.join(' ');

const row = ({words, summary, flags}: CommandEntry): string => `| ${code(words.join(' '))} | ${cell(summary)} | ${flagList(flags)} |`;

const flagTable = (fields: Fields): string => `| Flag | |\n|---|---|\n${Object.entries(fields).map(([name, field]) => `| ${code(`--${name}${valueName(name, field)}`)} | ${cell(field.summary)} |`).join('\n')}`;

/** Every command with its summary and flags, as Markdown, for generated documentation. A star marks a flag that must be given. */
export const describeCommands = (): string => `| Command | What it does | Flags (* must be given) |
|---|---|---|
${commands.map(entry => row(entry)).join('\n')}

Every command has these flags:

${flagTable(generalFlags)}

Those that work on a store have these, too:

${flagTable(storeFlags)}
`;
