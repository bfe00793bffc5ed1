import {readFileSync} from 'node:fs';
import type {ConnectionOptions} from 'node:tls';
import type pg from 'pg';
import {
	type DatabasePlace, type SessionTarget, placesOf, placeText, splitHosts,
} from '../../core/database-hosts.ts';
import {InvalidInput} from '../../core/errors.ts';
import {defaultSchema} from '../schema.ts';
import {parserOf} from '../values.ts';

export type PostgresOptions = {
	/** A name, an address, or the folder of a Unix socket; several with commas between them, each with an optional port. */
	host?: string;
	port?: number;
	user?: string;
	password?: string;
	database?: string;
	/** The schema that holds the tables; `colonies` unless given. */
	schema?: string;
	/** TLS, with the certificate checked against the system's authorities or against `ca` (PEM). */
	ssl?: boolean | {ca?: string};
	/** Which of several hosts; `read-write` unless given. */
	target?: SessionTarget;
	/** `HOST[:PORT]` on which notifications are heard, where `host` is a pooler that drops them. */
	listen?: string;
	/** `postgresql://…` with libpq's `sslmode`, `sslrootcert` and `target_session_attrs`, of one host or several; the options beside it go first. */
	connectionString?: string;
	/** Seen in `pg_stat_activity`. */
	applicationName?: string;
	/** Connections at most, the one for notifications not counted. */
	poolSize?: number;
	/** Whether hot statements are prepared; true unless given. The first failure behind a pooler that does not support them turns it off. */
	prepare?: boolean;
	/** Statements that may wait for a connection; more are refused. */
	maxWaiting?: number;
	/** Milliseconds until a statement is given up; 0 for never. */
	statementTimeout?: number;
	/** Milliseconds to wait for a connection. */
	connectTimeout?: number;
	/** Return a database that is not reachable yet where it is away, instead of failing. What no waiting mends (a wrong password, no such database) fails all the same. */
	startUnreachable?: boolean;
};

export type Settings = {
	config: pg.ClientConfig;
	/** For people: `PostgreSQL at db.example.org:5432, database postgres, as user postgres`. */
	place: string;
	/** The same of one of several places. */
	describe(place: DatabasePlace): string;
	places: DatabasePlace[];
	target: SessionTarget;
	/** Where notifications are heard, if not at `places`. */
	listenPlaces: DatabasePlace[] | undefined;
	host: string;
	/** A folder holds a Unix socket. */
	isSocket: boolean;
	port: number;
	user: string;
	database: string;
	schema: string;
	hasPassword: boolean;
	usesTls: boolean;
	statementTimeout: number;
};

type Tls = NonNullable<pg.ClientConfig['ssl']>;

const tlsParameters = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];

const readPem = (file: string): string => {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new InvalidInput(`The certificate file ${file} cannot be read.`, {hint: 'Correct its path in the connection string.', cause: error});
	}
};

/** What libpq's TLS parameters mean to Node. pg reads them differently and prints a warning, so it never sees them. */
function tlsOf(parameters: URLSearchParams): Tls | undefined {
	const mode = parameters.get('sslmode') ?? (['true', '1', 'require'].includes(parameters.get('ssl') ?? '') ? 'verify-full' : undefined);
	if (mode === undefined) {
		return undefined;
	}

	const files = {ca: parameters.get('sslrootcert'), cert: parameters.get('sslcert'), key: parameters.get('sslkey')};
	const pem = Object.fromEntries(Object.entries(files).flatMap(([name, file]) => file ? [[name, readPem(file)]] : [])) as ConnectionOptions;
	switch (mode) {
		case 'disable':
		case 'allow':
		case 'prefer': {
			return false;
		}

		case 'verify-full': {
			return pem;
		}

		case 'verify-ca':
		case 'require':
		case 'no-verify': {
			return mode === 'verify-ca' || (mode === 'require' && pem.ca) ? {...pem, checkServerIdentity: () => undefined} : {...pem, rejectUnauthorized: false};
		}

		default: {
			throw new InvalidInput(`The connection string has sslmode=${mode}.`, {hint: 'It is disable, prefer, require, verify-ca or verify-full.'});
		}
	}
}

function splitConnectionString(text: string | undefined): {connectionString?: string; ssl?: Tls; hosts?: string; target?: SessionTarget} {
	if (text === undefined) {
		return {};
	}

	const {url, hosts, target} = splitHosts(text);
	const [address = '', query = ''] = url.split(/\?(.*)/s);
	const parameters = new URLSearchParams(query);
	const ssl = tlsOf(parameters);
	for (const name of tlsParameters) {
		parameters.delete(name);
	}

	return {connectionString: parameters.size === 0 ? address : `${address}?${parameters.toString()}`, ssl, hosts, target};
}

const given = <Value>(name: string, value: Value | undefined): Record<string, Value> => value === undefined ? {} : {[name]: value};

/** What pg needs to know, and what people are told. @throws InvalidInput */
export function readSettings(options: PostgresOptions, PgClient: typeof pg.Client): Settings {
	const {connectionString, ssl: sslOfString, hosts, target} = splitConnectionString(options.connectionString);
	const ssl = options.ssl ?? sslOfString;
	const {schema = defaultSchema, statementTimeout = 30_000} = options;
	let parsed: pg.Client;
	try {
		parsed = new PgClient({connectionString});
	} catch {
		// Its own message may hold the password.
		throw new InvalidInput('The connection string of the database cannot be read.', {hint: 'It looks like postgresql://user:password@host:5432/database; encode special characters of the password, such as @ as %40.'});
	}

	// Of several hosts of a connection string, those that name no port have the usual one.
	const usualPort = options.port ?? (hosts === undefined ? parsed.port : 5432);
	const places = placesOf(options.host ?? hosts ?? parsed.host, usualPort);
	const [{host, port}] = places as [DatabasePlace];
	const config: pg.ClientConfig = {
		host,
		port,
		user: options.user ?? parsed.user,
		database: options.database ?? parsed.database,
		...given('password', options.password ?? parsed.password),
		...given('ssl', ssl),
		application_name: options.applicationName ?? 'colonies',
		connectionTimeoutMillis: options.connectTimeout ?? 10_000,
		keepAlive: true,
		keepAliveInitialDelayMillis: 10_000,
		types: {getTypeParser: (oid: number) => parserOf(oid) as never},
	};
	const {user = '', database = ''} = config;
	const inWords = (place: DatabasePlace) => `${place.host.startsWith('/') ? 'in' : 'at'} ${placeText(place)}`;
	const described = (where: string) => `PostgreSQL ${where}, database ${database}${schema === defaultSchema ? '' : `, schema ${schema}`}, as user ${user}`;
	return {
		config,
		place: described(places.map(place => inWords(place)).join(' or ')),
		describe: place => described(inWords(place)),
		places,
		target: options.target ?? target ?? 'read-write',
		listenPlaces: options.listen === undefined ? undefined : placesOf(options.listen, 5432),
		host,
		isSocket: host.startsWith('/'),
		port,
		user,
		database,
		schema,
		hasPassword: Boolean(config.password),
		usesTls: Boolean(ssl),
		statementTimeout,
	};
}
