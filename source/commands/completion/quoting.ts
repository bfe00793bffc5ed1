/**
How a text gets into each shell's script as it is. Three layers that must not be mixed: a word of the shell, a text within a zsh specification, and a list of words.
A text is escaped for the inner layer first, then quoted as a word.
*/
export {shellWord} from '../../operations/command-line.ts';

/** A word for bash and zsh, always in single quotes. Nothing within is expanded. */
export const singleQuoted = (text: string): string => `'${text.replaceAll('\'', String.raw`'\''`)}'`;

/** A word for fish, in single quotes, where the backslash and the quote keep their meaning. */
export const fishQuoted = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

/** A text within a specification of zsh's `_arguments` or `_describe`, where colons and brackets separate. Not yet a word of the shell. */
export const zshSpecText = (text: string): string => text.replaceAll(/[:[\]\\]/g, String.raw`\$&`);
