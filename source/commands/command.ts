import type {ContextChoice} from '../operations/context.ts';
import {
	type Fields, type ValueOf, flag, optional,
} from '../operations/fields.ts';
import {
	type Typed, checkFlags, databaseFlags, readChoice, storeFlags,
} from '../operations/flags.ts';
import type {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

export {flagType, refuseBoth, storeFlags} from '../operations/flags.ts';

/** One call of a command: its checked flags and operands, which store, and everything outside. */
export type Invocation<Flags> = {world: World; input: StandardInput; flags: Flags; choice: ContextChoice; /** The words behind `--`. */ rest: readonly string[]};

/** The command line of another program, as a command takes it. `name`: `COMMAND [ARG…]`. */
export type Rest = {name: string; summary: string};

/** A command of the program, from an operation or of its own. */
export type CommandEntry = {
	words: readonly [noun: string, verb: string];
	summary: string;
	/** What must stand after its words, in this order: `context use NAME`. */
	operands: Fields;
	/** What must stand behind `--`, a command line of another program. */
	rest?: Rest;
	/** Flags by their name without dashes, besides those of every command. */
	flags: Fields;
	/** Those of `flags` that say who signs; help shows them apart. */
	signing: ReadonlySet<string>;
	/** The flags that say which store it works on; none where it has no store. */
	store: Fields;
	/** @throws ColoniesError */
	run(call: {world: World; input: StandardInput; typed: Typed; operands: readonly string[]; rest: readonly string[]}): Promise<void>;
};

/** The flags of what works on a database or the embedded store itself, and never on a server. */
export const localStoreFlags = {...databaseFlags, demo: storeFlags.demo};

/** The flags that every command has. */
export const generalFlags = {
	debug: optional(flag('Debug', 'Show where in the program an error arose')),
	help: optional(flag('Help', 'Show help')),
	version: optional(flag('Version', 'Show the version')),
};

type Definition<Operands extends Fields, Some extends Fields> = {
	words: readonly [noun: string, verb: string];
	summary: string;
	operands?: Operands;
	rest?: Rest;
	flags: Some;
	signing?: readonly string[];
	store?: Fields;
	run(call: Invocation<ValueOf<Some> & ValueOf<Operands>>): Promise<void>;
};

/** What an operand is called in help and errors: `NAME`. */
export const operandName = (name: string): string => name.toUpperCase();

/** Defines a command whose flags and operands are checked before it runs. */
export function defineCommand<Some extends Fields, Operands extends Fields = Record<never, never>>({words, summary, operands, rest, flags, signing = [], store = {}, run}: Definition<Operands, Some>): CommandEntry {
	return {
		words, summary, operands: operands ?? {}, rest, flags, store, signing: new Set(signing),
		async run({world, input, typed, operands: given, rest}) {
			const named = Object.fromEntries(Object.keys(operands ?? {}).flatMap((name, index) => given[index] === undefined ? [] : [[name, given[index]]]));
			const checked: ValueOf<Some> & ValueOf<Operands> = Object.assign(checkFlags(flags, typed), checkFlags(operands ?? ({} as Operands), named, operandName)); // eslint-disable-line @typescript-eslint/consistent-type-assertions -- no operands are none
			await run({
				world, input, flags: checked, choice: readChoice(typed, {fields: store}), rest,
			});
		},
	};
}

/** All flags of a command, its own first. */
export const flagsOf = ({flags, store}: CommandEntry): Fields => ({...flags, ...store, ...generalFlags});

/** Flags whose value is the path of a file. */
export const fileFlags: ReadonlySet<string> = new Set(['spec', 'from', 'tlsca', 'tlscert', 'tlskey']);
