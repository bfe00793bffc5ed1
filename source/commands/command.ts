import {InvalidInput} from '../core/errors.ts';
import type {ContextChoice} from '../operations/context.ts';
import {
	type Field, type Fields, type ValueOf, flag, fromText, integer, line, optional, secret,
} from '../operations/fields.ts';
import {parseInput} from '../operations/parse.ts';
import type {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

/** One call of a command: its checked flags, which store, and everything outside. */
export type Invocation<Flags> = {world: World; input: StandardInput; flags: Flags; choice: ContextChoice};

/** A command of the program, from an operation or of its own. */
export type CommandEntry = {
	words: readonly [noun: string, verb: string];
	summary: string;
	/** Flags by their name without dashes, besides those of every command. */
	flags: Fields;
	/** Those of `flags` that say who signs; help shows them apart. */
	signing: ReadonlySet<string>;
	/** Whether it has a store to work on, and so the flags that say which. */
	hasStore: boolean;
	/** @throws ColoniesError */
	run(call: {world: World; input: StandardInput; typed: Readonly<Record<string, string | boolean>>}): Promise<void>;
};

/** The flags that say which store is meant; what they leave open the environment or the saved context says. */
export const storeFlags = {
	dbhost: optional(line('Host', 'Host of a PostgreSQL or TimescaleDB to work on')),
	dbport: optional(integer('Port', 'Its port, 5432 unless given', {least: 1, most: 65_535})),
	dbuser: optional(line('User', 'Its user, postgres unless given')),
	dbpassword: optional(secret('Password', 'Password of that user')),
	dbname: optional(line('Database', 'Its database, postgres unless given')),
	dbssl: optional(flag('SSL', 'Connect with SSL, and check the certificate')),
	demo: optional(flag('Demo', 'Work on the demo, which is kept apart from real data')),
};

/** The flags that every command has. */
export const generalFlags = {
	debug: optional(flag('Debug', 'Show where in the program an error arose')),
	help: optional(flag('Help', 'Show help')),
	version: optional(flag('Version', 'Show the version')),
};

const asInput = (field: Field, typed: string | boolean): unknown => typeof typed === 'string' ? fromText(field, typed) : typed;

/**
Checks what was typed against fields, and names a flag as it was typed in what it throws.
@throws InvalidInput
*/
export function checkFlags<Some extends Fields>(fields: Some, typed: Readonly<Record<string, string | boolean>>): ValueOf<Some> {
	const names = Object.keys(fields);
	const {value} = parseInput(
		Object.fromEntries(names.map(name => [`--${name}`, fields[name]!])),
		Object.fromEntries(names.filter(name => typed[name] !== undefined).map(name => [`--${name}`, asInput(fields[name]!, typed[name]!)])),
	);
	return Object.fromEntries(names.map(name => [name, value[`--${name}`]])) as ValueOf<Some>;
}

type Definition<Some extends Fields> = {
	words: readonly [noun: string, verb: string];
	summary: string;
	flags: Some;
	signing?: readonly string[];
	hasStore?: boolean;
	run(call: Invocation<ValueOf<Some>>): Promise<void>;
};

/** Defines a command whose flags are checked before it runs. */
export function defineCommand<Some extends Fields>({words, summary, flags, signing = [], hasStore = false, run}: Definition<Some>): CommandEntry {
	return {
		words, summary, flags, hasStore, signing: new Set(signing),
		async run({world, input, typed}) {
			await run({
				world, input, flags: checkFlags(flags, typed), choice: hasStore ? checkFlags(storeFlags, typed) : {},
			});
		},
	};
}

/** All flags of a command, its own first. */
export const flagsOf = ({flags, hasStore}: CommandEntry): Fields => ({...flags, ...(hasStore ? storeFlags : {}), ...generalFlags});

/** Whether a flag stands alone or takes a value. */
export const flagType = ({kind}: Field): 'string' | 'boolean' => kind === 'switch' ? 'boolean' : 'string';

/** @throws InvalidInput when two flags are given that exclude each other */
export function refuseBoth(flags: Readonly<Record<string, unknown>>, names: readonly string[], hint: string): void {
	const given = names.filter(name => flags[name] !== undefined);
	if (given.length > 1) {
		throw new InvalidInput(`--${given[0]!} and --${given[1]!} exclude each other.`, {hint});
	}
}
