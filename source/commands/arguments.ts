import meow from 'meow';
import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';

/** Whether a flag stands alone or brings a value along. */
export type FlagTypes = Readonly<Record<string, 'string' | 'boolean'>>;

/** A command line, taken apart: words, flags as they were typed, and flags that no command has. */
export type Arguments = {
	words: string[];
	flags: Record<string, string | boolean>;
	unknown: string[];
	/** The last of the words: those that stand behind `--`, where it is. */
	rest: string[];
};

/** A command line up to `--`: what is for this program and no other. */
export const ownPart = (argv: readonly string[]): readonly string[] => argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;

const isFlag = (token: string): boolean => token.startsWith('-') && token !== '-';

/** The value of a flag that takes one: after `=`, or the next token. */
function valueOf(name: string, attached: string | undefined, next: string | undefined): string {
	if (attached !== undefined) {
		return attached;
	}

	if (next === undefined || next.startsWith('--')) {
		throw new InvalidInput(`--${name} has no value.`, {hint: `Write --${name} VALUE, or --${name}=VALUE where the value begins with two dashes.`});
	}

	return next;
}

function switchOf(name: string, attached: string | undefined): string {
	if (attached !== undefined && attached !== 'true' && attached !== 'false') {
		throw new InvalidInput(`--${name} takes no value but true or false, not ${quoted(attached)}.`);
	}

	return attached ?? 'true';
}

/**
Writes a command line in the one form that the parser takes literally. Left to itself it drops `-` and empty values, takes the quotes off a value
that has some, reads `--a.b` as an object and lets a value that begins with a dash become a flag.
*/
function normalize(argv: readonly string[], types: FlagTypes): {tokens: string[]; unknown: string[]} {
	const [flags, words, unknown] = [new Map<string, string>(), [] as string[], [] as string[]];
	for (let at = 0; at < argv.length; at++) {
		const token = argv[at]!;
		if (token === '--') {
			words.push(...argv.slice(at + 1));
			break;
		}

		const [, typed, attached] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(token === '-h' ? '--help' : token) ?? [];
		if (!isFlag(token)) {
			words.push(token);
		} else if (typed === undefined || !Object.hasOwn(types, typed)) {
			unknown.push(token.replace(/=[\s\S]*$/, ''));
		} else if (flags.has(typed)) {
			throw new InvalidInput(`--${typed} is given twice.`, {hint: 'Give it once.'});
		} else if (types[typed] === 'boolean') {
			flags.set(typed, `--${typed}=${switchOf(typed, attached)}`);
		} else {
			flags.set(typed, `--${typed}="${valueOf(typed, attached, argv[at + 1])}"`);
			at += attached === undefined ? 1 : 0;
		}
	}

	return {tokens: [...flags.values(), '--', ...words], unknown};
}

/**
Takes a command line apart. Values stay the text that was typed, so that an id of digits is no number.
@throws InvalidInput for a flag that is given twice or lacks its value
*/
export function parseArguments(argv: readonly string[], types: FlagTypes): Arguments {
	const {tokens, unknown} = normalize(argv, types);
	const {input, flags} = meow('', {
		importMeta: import.meta,
		// Also the title of the process, which takes the place of the arguments in the list of processes: they may hold a password.
		pkg: {name: 'colonies'},
		argv: tokens,
		flags: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, {type}])),
		description: false,
		autoHelp: false,
		autoVersion: false,
		booleanDefault: undefined,
	});
	return {words: input, flags: Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as Arguments['flags'], unknown, rest: argv.slice(ownPart(argv).length + 1)};
}
