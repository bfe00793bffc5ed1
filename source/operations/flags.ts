import {sessionTargets} from '../core/database-hosts.ts';
import {InvalidInput} from '../core/errors.ts';
import type {ContextChoice} from './context.ts';
import {
	type Field, type Fields, type ValueOf, choice, databaseAddress, databaseHosts, databaseSchema, fingerprint, flag, fromText, host, integer, line, optional, secret,
} from './fields.ts';
import {parseInput} from './parse.ts';

/** The flags that say which server is meant. */
export const serverFlags = {
	host: optional(host('Host', 'Host of a Colonies server to work on: a name or an IP address')),
	port: optional(integer('Port', 'Its port, 8080 unless given', {least: 1, most: 65_535})),
	tlsca: optional(line('Authority', 'File with the certificate (PEM) of the authority that signed the server\'s; those of the system unless given', {longest: 4096})),
	fingerprint: optional(fingerprint('Fingerprint', 'SHA-256 of the server\'s certificate: that one is trusted and no other')),
	insecure: optional(flag('Insecure', 'Trust whatever answers, with a warning')),
};

/** The flags that say which database is meant. */
export const databaseFlags = {
	dbhost: optional(databaseHosts('Host', 'Host of a PostgreSQL or TimescaleDB to work on, or the folder of its Unix socket. Several, as db1,db2:5433: the one that --dbtarget asks for')),
	dbport: optional(integer('Port', 'Its port, 5432 unless given', {least: 1, most: 65_535})),
	dbuser: optional(line('User', 'Its user, postgres unless given')),
	dbpassword: optional(secret('Password', 'Password of that user')),
	dbname: optional(line('Database', 'Its database, postgres unless given')),
	dbschema: optional(databaseSchema('Schema', 'Schema of that database to work in, colonies unless given')),
	dbssl: optional(flag('SSL', 'Connect with SSL, and check the certificate')),
	dbpool: optional(integer('Pool', 'Connections to it at most, besides one that listens; 8 unless given. Where it gives fewer, calls wait for them', {least: 2, most: 1000})),
	dbtarget: optional(choice('Target', 'Which of several hosts: read-write (unless given) finds the primary and follows a failover; prefer-standby reads from a standby; any takes the first that answers', sessionTargets)),
	dblisten: optional(databaseAddress('Listen', 'HOST[:PORT] on which notifications are heard, past a transaction pooler that drops them')),
	dbprepare: optional(choice('Prepare', 'Prepared statements, on unless given. Turn them off behind a transaction pooler that does not support them (PgBouncer before 1.21); otherwise the first failure turns them off', ['on', 'off'])),
};

/** The flags that say which store is meant; what they leave open the environment or the saved context says. */
export const storeFlags = {
	...serverFlags,
	...databaseFlags,
	demo: optional(flag('Demo', 'Work on the demo, which is kept apart from real data')),
};

/** The environment variable that stands for a flag of a store: `COLONIES_DBHOST` for `dbhost`. */
export const variableOfFlag = (name: string): string => `COLONIES_${name.toUpperCase()}`;

/** Flags as they were typed: text, or whether a switch is on. A program may give numbers. */
export type Typed = Readonly<Record<string, string | number | boolean | undefined>>;

/** Whether a flag stands alone or takes a value. */
export const flagType = ({kind}: Field): 'string' | 'boolean' => kind === 'switch' ? 'boolean' : 'string';

const asInput = (field: Field, typed: unknown): unknown => typeof typed === 'string' ? fromText(field, typed) : typed;

const asFlag = (name: string): string => `--${name}`;

/**
Checks what was typed against fields, and names a flag as it was typed in what it throws.
@throws InvalidInput
*/
export function checkFlags<Some extends Fields>(fields: Some, typed: Typed, asTyped: (name: string) => string = asFlag): ValueOf<Some> {
	const names = Object.keys(fields);
	const value = parseInput(
		Object.fromEntries(names.map(name => [asTyped(name), fields[name]!])),
		Object.fromEntries(names.filter(name => typed[name] !== undefined).map(name => [asTyped(name), asInput(fields[name]!, typed[name])])),
	);
	return Object.fromEntries(names.map(name => [name, value[asTyped(name)]])) as ValueOf<Some>;
}

/** @throws InvalidInput when two flags are given that exclude each other */
export function refuseBoth(flags: Readonly<Record<string, unknown>>, names: readonly string[], hint: string, asTyped: (name: string) => string = asFlag): void {
	const given = names.filter(name => flags[name] !== undefined);
	if (given.length > 1) {
		throw new InvalidInput(`${asTyped(given[0]!)} and ${asTyped(given[1]!)} exclude each other.`, {hint});
	}
}

type Reading = {
	/** The fields that are offered, of `storeFlags`. */
	fields?: Fields;
	/** How a field is called in what is thrown: as a flag, unless a form has words for it. */
	asTyped?: (name: string) => string;
};

/**
Which store is meant by what was typed.
@throws InvalidInput for a value that is wrong, and for fields that exclude each other
*/
export function readChoice(typed: Typed, {fields = storeFlags, asTyped = asFlag}: Reading = {}): ContextChoice {
	const choice = checkFlags(fields, typed, asTyped) as ContextChoice;
	for (const server of Object.keys(serverFlags)) {
		for (const database of [...Object.keys(databaseFlags), 'demo']) {
			refuseBoth(choice, [server, database], `The store is a server (${asTyped('host')}) or a database (${asTyped('dbhost')}).`, asTyped);
		}
	}

	refuseBoth({...choice, insecure: choice.insecure === true ? true : undefined}, ['tlsca', 'fingerprint', 'insecure'], 'The server\'s certificate is checked in one way.', asTyped);
	return choice;
}
