import {readFileSync} from 'node:fs';
import type {ConnectionOptions} from 'node:tls';
import type pg from 'pg';
import {InvalidInput} from '../../core/errors.ts';
import {defaultSchema} from '../schema.ts';
import {parserOf} from '../values.ts';

export type PostgresOptions = {
	/** A name, an address, or the folder of a Unix socket. */
	host?: string;
	port?: number;
	user?: string;
	password?: string;
	database?: string;
	/** The schema that holds the tables; `colonies` unless given. */
	schema?: string;
	/** TLS, with the certificate checked against the system's authorities or against `ca` (PEM). */
	ssl?: boolean | {ca?: string};
	/** `postgresql://…` with libpq's `sslmode` and `sslrootcert`; the options beside it go first. */
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

function splitConnectionString(text: string | undefined): {connectionString?: string; ssl?: Tls} {
	if (text === undefined) {
		return {};
	}

	const [address = '', query = ''] = text.split(/\?(.*)/s);
	const parameters = new URLSearchParams(query);
	const ssl = tlsOf(parameters);
	for (const name of tlsParameters) {
		parameters.delete(name);
	}

	return {connectionString: parameters.size === 0 ? address : `${address}?${parameters.toString()}`, ssl};
}

const given = <Value>(name: string, value: Value | undefined): Record<string, Value> => value === undefined ? {} : {[name]: value};

/** What pg needs to know, and what people are told. @throws InvalidInput */
export function readSettings(options: PostgresOptions, PgClient: typeof pg.Client): Settings {
	const {connectionString, ssl: sslOfString} = splitConnectionString(options.connectionString);
	const ssl = options.ssl ?? sslOfString;
	const {schema = defaultSchema, statementTimeout = 30_000} = options;
	let parsed: pg.Client;
	try {
		parsed = new PgClient({connectionString});
	} catch {
		// Its own message may hold the password.
		throw new InvalidInput('The connection string of the database cannot be read.', {hint: 'It looks like postgresql://user:password@host:5432/database; encode special characters of the password, such as @ as %40.'});
	}

	const config: pg.ClientConfig = {
		host: options.host ?? parsed.host,
		port: options.port ?? parsed.port,
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
	const {host = '', port = 5432, user = '', database = ''} = config;
	const isSocket = host.startsWith('/');
	return {
		config,
		place: `PostgreSQL ${isSocket ? `in ${host}, port ${port}` : `at ${host.includes(':') ? `[${host}]` : host}:${port}`}, database ${database}${schema === defaultSchema ? '' : `, schema ${schema}`}, as user ${user}`,
		host,
		isSocket,
		port,
		user,
		database,
		schema,
		hasPassword: Boolean(config.password),
		usesTls: Boolean(ssl),
		statementTimeout,
	};
}
