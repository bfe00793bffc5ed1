import path from 'node:path';
import {parse} from 'pg-connection-string';
import {inUrl} from '../core/address.ts';
import {type SessionTarget, splitHosts} from '../core/database-hosts.ts';
import {InvalidInput} from '../core/errors.ts';
import {defaultSchema} from '../core/schema-name.ts';
import {quoted} from '../core/text.ts';
import type {SavedContext, SavedSettings} from '../keychain/index.ts';
import {
	checkFlags, type ContextChoice, readChoice, storeFlags, variableOfFlag,
} from '../operations/index.ts';

/** How a database is connected to, beside where it is; what is undefined is as usual. */
export type ConnectionManner = {
	/** Connections at most. */
	pool?: number;
	/** Whether statements are prepared. */
	prepare?: boolean;
	/** Which of several hosts. */
	target?: SessionTarget;
	/** Where notifications are heard, past a pooler. */
	listen?: string;
};

/** The manner alone, for what is saved and passed on. */
export const mannerOf = ({pool, prepare, target, listen}: ConnectionManner): ConnectionManner => ({pool, prepare, target, listen});

/** A PostgreSQL that was meant. */
export type DatabaseTarget = {kind: 'database'; name: string; host: string; port: number; user: string; password?: string; database: string; schema: string; /** Undefined with a connection string that says it itself. */ ssl: boolean | undefined; /** A connection string to use in place of the parts. */ url?: string} & ConnectionManner;
/** A Colonies server that was meant. `tlsca`: the path of a PEM file. */
export type ServerTarget = {kind: 'server'; name: string; host: string; port: number; tlsca?: string; fingerprint?: string; insecure?: boolean};
export type Target = {kind: 'embedded'; name: 'embedded' | 'demo'} | DatabaseTarget | ServerTarget;

/** The port of a server that none is given for. */
export const serverPort = 8080;

const switches: Record<string, boolean> = {
	'': false, 0: false, false: false, no: false, disable: false, 1: true, true: true, yes: true, require: true,
};

/** What a variable says of a switch, in more words than a flag takes; what is none of them is refused as a flag's is. */
const switchOf = (text: string): string | boolean => Object.hasOwn(switches, text.toLowerCase()) ? switches[text.toLowerCase()]! : text;

const {demo: _, ...placeFlags} = storeFlags;

/** What the environment says of the store, read as the flags of the same names are. @throws InvalidInput, which names the variable */
function fromEnvironment(env: NodeJS.ProcessEnv): ContextChoice {
	const typed = Object.entries(placeFlags).flatMap(([name, field]) => {
		const text = env[variableOfFlag(name)];
		return text === undefined || (text === '' && field.kind !== 'switch') ? [] : [[name, field.kind === 'switch' ? switchOf(text) : text] as const];
	});
	const {DATABASE_URL: url} = env;
	return {...checkFlags(placeFlags, Object.fromEntries(typed), variableOfFlag), url: url === '' ? undefined : url};
}

/** Checks a choice as a program makes it, with the names that it gives things. @throws InvalidInput */
export const checkChoice = (choice: ContextChoice): ContextChoice => readChoice(choice, {asTyped: name => name});

const urlForm = 'Its form is postgresql://user:password@host:5432/database; encode special characters of the password, such as @ as %40.';

/** The scheme of a connection string. The rest is not repeated: it may hold a password. @throws InvalidInput, which names where it was given: `called` */
function checkScheme(text: string, called: string): void {
	const scheme = /^[a-z][a-z\d+.-]*:/i.exec(text.trim())?.[0].toLowerCase();
	if (scheme === 'jdbc:') {
		throw new InvalidInput(`${called} begins with jdbc:.`, {hint: 'Leave that out, and put user and password before the host: postgresql://user:password@host:5432/database.'});
	}

	if ((scheme !== 'postgresql:' && scheme !== 'postgres:') || !/^[a-z]+:\/\//i.test(text)) {
		throw new InvalidInput(scheme === undefined ? `${called} is no URL.` : `${called} begins with ${scheme}, and is no URL of a PostgreSQL.`, {hint: urlForm});
	}
}

/** What can be said of a connection string, as the driver reads it. @throws InvalidInput */
function fromUrl(text: string, called = 'DATABASE_URL'): DatabaseTarget {
	checkScheme(text, called);
	// What it says of TLS is read where the connection is made; here it would read files.
	const {url, hosts, target} = splitHosts(text);
	const [address = '', query = ''] = url.split(/\?(.*)/s);
	const parameters = new URLSearchParams(query);
	const kept = new URLSearchParams([...parameters].filter(([name]) => name === 'host' || name === 'port' || name === 'user'));
	let read: ReturnType<typeof parse>;
	try {
		read = parse(kept.size === 0 ? address : `${address}?${kept.toString()}`);
	} catch {
		throw new InvalidInput(`${called} cannot be read.`, {hint: urlForm});
	}

	const {dbhost, dbport} = checkFlags({dbhost: placeFlags.dbhost, dbport: placeFlags.dbport}, {...(read.host ? {dbhost: read.host} : {}), ...(read.port ? {dbport: read.port} : {})}, name => `The ${name === 'dbhost' ? 'host' : 'port'} of ${called}`);
	return {
		kind: 'database', name: 'DATABASE_URL', url: text, host: hosts ?? dbhost ?? 'localhost', port: hosts === undefined ? dbport ?? 5432 : 5432, target, user: read.user || 'postgres', database: read.database || read.user || 'postgres', schema: defaultSchema, ssl: undefined, // eslint-disable-line @typescript-eslint/prefer-nullish-coalescing -- what is empty is not given
	};
}

/** What is kept of a schema: its name, unless it is the one that is meant anyway. */
export const keptSchema = (schema: string): {schema?: string} => schema === defaultSchema ? {} : {schema};

/** The name under which a database is saved and shown. */
export const nameOf = ({host, port, database, schema}: Pick<DatabaseTarget, 'host' | 'port' | 'database' | 'schema'>): string =>
	`${host}${port === 5432 ? '' : `:${port}`}${database === 'postgres' && schema === defaultSchema ? '' : `/${database}`}${schema === defaultSchema ? '' : `/${schema}`}`;

function fromParts(choice: ContextChoice): DatabaseTarget {
	const parts = {host: choice.dbhost ?? 'localhost', port: choice.dbport ?? 5432, database: choice.dbname ?? 'postgres', schema: choice.dbschema ?? defaultSchema};
	return {kind: 'database', name: nameOf(parts), ...parts, user: choice.dbuser ?? 'postgres', password: choice.dbpassword, ssl: choice.dbssl ?? false};
}

/** The trust that a choice states; undefined where it says nothing. */
const trustIn = ({tlsca, fingerprint, insecure}: ContextChoice): Pick<ServerTarget, 'tlsca' | 'fingerprint' | 'insecure'> | undefined => tlsca === undefined && fingerprint === undefined && insecure === undefined ? undefined : {tlsca, fingerprint, insecure};

/** A server by its address; what is trusted about it may be known from a context that was saved for the very same. */
function fromAddress(choice: ContextChoice, environment: ContextChoice, {contexts}: SavedSettings): ServerTarget {
	const port = choice.port ?? environment.port ?? serverPort;
	const host = choice.host!;
	const known = Object.entries(contexts).find(([, saved]) => saved.kind === 'server' && saved.host === host && saved.port === port);
	const trust = trustIn(choice) ?? trustIn(environment) ?? trustIn(known?.[1] as ContextChoice | undefined ?? {});
	return {kind: 'server', name: known?.[0] ?? `${inUrl(host)}:${port}`, host, port, ...trust};
}

const fromSaved = (name: string, saved: Extract<SavedContext, {kind: 'database'}>): DatabaseTarget => ({
	kind: 'database', name, host: saved.host, port: saved.port, user: saved.user, password: saved.password, database: saved.database, schema: saved.schema ?? defaultSchema, ssl: saved.ssl ?? false, ...mannerOf(saved),
});

const names = ['dbhost', 'dbport', 'dbuser', 'dbname'] as const;
const isGiven = (choice: ContextChoice): boolean => names.some(name => choice[name] !== undefined);

/**
Which store is meant: flags go before the environment, the environment before the saved context, that before the embedded one (design.md, "Where the data lives").
A password, `--dbschema`, `--dbssl`, `--dbpool`, `--dbprepare`, `--dbtarget` or `--dblisten` alone completes the rest.
@throws InvalidInput
*/
export function resolveTarget(flags: ContextChoice, env: NodeJS.ProcessEnv, settings: SavedSettings): Target {
	if (flags.demo) {
		return {kind: 'embedded', name: 'demo'};
	}

	const environment = fromEnvironment(env);
	const given = <Name extends keyof ContextChoice>(name: Name): ContextChoice[Name] => flags[name] ?? environment[name];
	if (flags.host !== undefined && isGiven(flags)) {
		throw new InvalidInput('--host and --dbhost exclude each other.', {hint: 'Give a server with --host, or a database with --dbhost.'});
	}

	const target = storeOf(flags, environment, settings);
	if (flags.dbschema !== undefined && target.kind !== 'database') {
		throw new InvalidInput('--dbschema is given, and no database is meant.', {hint: 'Give the database with --dbhost, or choose its context: colonies context use.'});
	}

	return target.kind === 'database'
		? {
			...withSchema(target, given('dbschema')),
			password: given('dbpassword') ?? target.password,
			ssl: given('dbssl') ?? target.ssl,
			pool: given('dbpool') ?? target.pool,
			prepare: given('dbprepare') === undefined ? target.prepare : given('dbprepare') === 'on',
			target: given('dbtarget') ?? target.target,
			listen: given('dblisten') ?? target.listen,
		}
		: target;
}

/** A target in another schema than it said; what was saved under its name is another store. */
const withSchema = (target: DatabaseTarget, schema = target.schema): DatabaseTarget => schema === target.schema
	? target
	: {...target, schema, name: target.url === undefined ? nameOf({...target, schema}) : target.name};

/** What the settings keep under a name; names come from outside, and an object knows more names than were given to it. */
const savedAs = (name: string, {contexts}: SavedSettings): SavedContext | undefined => Object.hasOwn(contexts, name) ? contexts[name] : undefined;

/** The current context; undefined where none is. @throws InvalidInput when the settings name one that they do not keep: nothing may go to another store instead */
function currentOf(settings: SavedSettings): SavedContext | undefined {
	const {current, contexts} = settings;
	const saved = current === undefined ? undefined : savedAs(current, settings);
	if (current !== undefined && saved === undefined) {
		const names = ['embedded', ...Object.keys(contexts)].map(each => quoted(each)).join(', ');
		throw new InvalidInput(`The settings say that the current context is ${quoted(current)}, and keep none of that name.`, {hint: `Choose one that there is with \`colonies context use\`: ${names}.`});
	}

	return saved;
}

function storeOf(flags: ContextChoice, environment: ContextChoice, settings: SavedSettings): Target {
	if (flags.host !== undefined) {
		return fromAddress(flags, environment, settings);
	}

	if (isGiven(flags)) {
		const target = fromParts({...environment, ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))});
		const saved = savedAs(target.name, settings);
		return saved?.kind === 'database' && saved.user === target.user ? {...target, password: target.password ?? saved.password, ssl: target.ssl === true || saved.ssl === true, ...mannerOf(saved)} : target;
	}

	if (environment.host !== undefined) {
		return fromAddress(environment, {}, settings);
	}

	if (environment.url !== undefined && !isGiven(environment)) {
		return fromUrl(environment.url);
	}

	if (isGiven(environment)) {
		return fromParts(environment);
	}

	const saved = currentOf(settings);
	if (saved?.kind === 'server') {
		const {host, port, ...trust} = saved;
		return {kind: 'server', name: settings.current!, host, port, ...(trustIn(flags) ?? trustIn(environment) ?? trustIn(trust))};
	}

	return saved ? fromSaved(settings.current!, saved) : {kind: 'embedded', name: 'embedded'};
}

/** Where a copy goes: a store that has a name, a PostgreSQL, or a folder for an embedded database. */
export type CopyTarget = Exclude<Target, ServerTarget> | {kind: 'folder'; folder: string};

/**
Where `--to` says that a copy goes: the name of a context, `postgresql://…`, or the path of a folder, which has a slash or begins with a point.
@throws InvalidInput
*/
export function resolveCopyTarget(to: string, password: string | undefined, settings: SavedSettings): CopyTarget {
	if (/^[a-z][a-z\d+.-]+:\/\//i.test(to) || /^jdbc:/i.test(to)) {
		const target = fromUrl(to, '--to');
		return {...target, name: nameOf(target), ...(password !== undefined && {password})};
	}

	if (to === 'embedded' || to === 'demo') {
		return {kind: 'embedded', name: to};
	}

	const saved = savedAs(to, settings);
	if (saved?.kind === 'server') {
		throw new InvalidInput(`The context ${quoted(to)} is a server; a copy goes to where the data is.`, {hint: 'Give the context of its database, or run the command on its machine.'});
	}

	if (saved !== undefined) {
		const target = fromSaved(to, saved);
		return {...target, password: password ?? target.password};
	}

	if (/[/\\]|^\./.test(to)) {
		return {kind: 'folder', folder: path.resolve(to)};
	}

	const names = ['embedded', ...Object.keys(settings.contexts)].map(each => quoted(each)).join(', ');
	throw new InvalidInput(`There is no context ${quoted(to)} to copy to.`, {hint: `There are ${names}. A folder is written with a slash, as ./${to}; a database as postgresql://user@host:5432/database.`});
}
