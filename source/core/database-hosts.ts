import {InvalidInput} from './errors.ts';
import {type AddressFault, inUrl, readDatabaseHost} from './address.ts';
import {quoted} from './text.ts';

/** A host, or the folder of a Unix socket, and its port. */
export type DatabasePlace = {host: string; port: number};

/** Which of several hosts is used, as libpq's `target_session_attrs` says it (PostgreSQL, "Database Connection Control Functions"). */
export const sessionTargets = ['read-write', 'prefer-standby', 'any'] as const;
export type SessionTarget = typeof sessionTargets[number];

const usualPort = 5432;

/** Splits `host`, `host:port`, `[::1]:port` or `::1`. */
function split(text: string): {host: string; port: string | undefined} {
	const [, host, port] = /^(\[[^\]]*]|[^:]*):(\d+)$/.exec(text) ?? [];
	return host === undefined ? {host: text, port: undefined} : {host, port};
}

const isPort = (text: string): boolean => Number(text) >= 1 && Number(text) <= 65_535;

/** Reads one host with an optional port. @returns it in its usual form, or what is wrong with it */
function readPlace(text: string): {place: string} | AddressFault {
	const {host, port} = split(text);
	const read = readDatabaseHost(host);
	if ('problem' in read) {
		return read;
	}

	if (port !== undefined && !isPort(port)) {
		return {problem: `must have a port from 1 to 65535, not ${quoted(port)}`, hint: `Write ${host}:${usualPort}.`};
	}

	return {place: port === undefined ? read.host : `${inUrl(read.host)}:${Number(port)}`};
}

/** Reads `HOST[:PORT]`, or several of them separated by commas. */
export function readDatabaseAddress(text: string): {host: string} | AddressFault {
	const places: string[] = [];
	for (const part of text.split(',').map(each => each.trim())) {
		const read = readPlace(part);
		if ('problem' in read) {
			return read;
		}

		places.push(read.place);
	}

	return {host: places.join(',')};
}

/** Reads where a database is: one host without its port, or several separated by commas, each with an optional port. */
export const readDatabaseHosts = (text: string): {host: string} | AddressFault => text.includes(',') ? readDatabaseAddress(text) : readDatabaseHost(text);

/** The places that a text names. @param port for those that name none */
export const placesOf = (text: string, port: number): DatabasePlace[] => text.split(',').map(part => {
	const {host, port: own} = split(part);
	return {host: host.replaceAll(/^\[|]$/g, ''), port: own === undefined ? port : Number(own)};
});

/** A place for people: `db.example.org:5432`, or the folder of a socket and its port. */
export const placeText = ({host, port}: DatabasePlace): string => host.startsWith('/') ? `${host}, port ${port}` : `${inUrl(host)}:${port}`;

/** The values of libpq that mean one of ours. */
const meanings: Readonly<Record<string, SessionTarget>> = {
	any: 'any', 'read-write': 'read-write', primary: 'read-write', 'prefer-standby': 'prefer-standby', standby: 'prefer-standby', 'read-only': 'prefer-standby',
};

/**
Takes out of a connection string what `pg` cannot read: the further hosts, and `target_session_attrs`.
@returns `url`: with the first host alone; `hosts`: all of them where there are several
@throws InvalidInput
*/
export function splitHosts(text: string): {url: string; hosts: string | undefined; target: SessionTarget | undefined} {
	const [address = '', query = ''] = text.split(/\?(.*)/s);
	const parameters = new URLSearchParams(query);
	const asked = parameters.get('target_session_attrs');
	if (asked !== null && !Object.hasOwn(meanings, asked)) {
		throw new InvalidInput(`The connection string has target_session_attrs=${quoted(asked)}.`, {hint: `It is ${Object.keys(meanings).join(', ')}.`});
	}

	parameters.delete('target_session_attrs');
	const [, before = '', list = '', after = ''] = /^([a-z]+:\/\/(?:[^/@]*@)?)([^/]*)(.*)$/is.exec(address) ?? [];
	const [hosts, ports] = [parameters.get('host'), parameters.get('port')?.split(',')];
	let several = list.includes(',') ? list : undefined;
	if (hosts?.includes(',')) {
		several = hosts.split(',').map((host, index) => {
			const port = ports?.length === 1 ? ports[0] : ports?.[index];
			return port ? `${inUrl(host)}:${port}` : host;
		}).join(',');
		parameters.delete('host');
		parameters.delete('port');
	}

	const first = list.includes(',') ? list.split(',')[0]! : list;
	const rest = parameters.size === 0 ? '' : `?${parameters.toString()}`;
	return {url: `${before === '' ? address : `${before}${first}${after}`}${rest}`, hosts: several && checked(several), target: asked === null ? undefined : meanings[asked]};
}

/** @throws InvalidInput */
function checked(hosts: string): string {
	const read = readDatabaseHosts(hosts);
	if ('problem' in read) {
		throw new InvalidInput(`A host of the connection string ${read.problem}.`, {hint: read.hint});
	}

	return read.host;
}
