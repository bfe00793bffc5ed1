import type {Field} from '../../operations/fields.ts';
import {
	type CommandEntry, fileFlags, flagsOf, flagType,
} from '../command.ts';

/** Where the values of a flag, or of an operand, come from when a shell completes it. */
export type Source = {from: 'choices'; choices: readonly string[]} | {from: 'file'} | {from: 'keychain'; kind: KeyKind} | {from: 'contexts'} | {from: 'nowhere'};

export const keyKinds = ['key', 'colony', 'computer'] as const;
export type KeyKind = (typeof keyKinds)[number];

const kindOf: Readonly<Record<string, KeyKind>> = {id: 'key', colonyid: 'colony', computerid: 'computer'};

/** Where the values of a flag come from. */
export function sourceOf(name: string, {choices, kind}: Field): Source {
	if (choices) {
		return {from: 'choices', choices};
	}

	if (fileFlags.has(name)) {
		return {from: 'file'};
	}

	const keys = kind === 'id' ? kindOf[name] : undefined;
	return keys === undefined ? {from: 'nowhere'} : {from: 'keychain', kind: keys};
}

/** Where the operand of a command comes from; undefined when it has none. */
export function operandSource({words: [noun, verb], operands}: CommandEntry): Source | undefined {
	if (Object.keys(operands).length === 0) {
		return undefined;
	}

	return noun === 'context' && verb !== 'add' ? {from: 'contexts'} : {from: 'nowhere'};
}

/** Every flag that takes a value; what completes it is the same in all commands. */
export const valuedFlags = (commands: readonly CommandEntry[]): ReadonlyMap<string, Source> => new Map(commands.flatMap(command => Object.entries(flagsOf(command)).filter(([, field]) => flagType(field) === 'string').map(([name, field]) => [name, sourceOf(name, field)] as const)));

/** A shell's pipe that prints the ids in the keychain, of colonies or computers alone where that is wanted. */
export const keysFrom = (program: string, kind: KeyKind): string => `${program} keychain ls --output csv 2>/dev/null | awk -F, 'NR > 1${kind === 'key' ? '' : ` && $2 == "${kind}"`} {print $1}'`;

/** The first field of a record of CSV, out of its quotes: a context may be called anything. */
const firstField = String.raw`if (/^"/) {match($0, /^"([^"]|"")*"/); name = substr($0, 2, RLENGTH - 2); gsub(/""/, "\"", name); print name} else print $1`;

/** The same for the names of the contexts. */
export const contextsFrom = (program: string): string => `${program} context ls --output csv 2>/dev/null | awk -F, 'NR > 1 {${firstField}}'`;

export const nounsOf = (commands: readonly CommandEntry[]): string[] => [...new Set(commands.map(({words: [noun]}) => noun))];

export const ofNoun = (commands: readonly CommandEntry[], noun: string): CommandEntry[] => commands.filter(({words}) => words[0] === noun);

export {flagsOf, flagType} from '../command.ts';
export type {CommandEntry} from '../command.ts';
