import {quoted} from './text.ts';

/** What is wrong with an address, as it ends a sentence that begins with its field, and what to write in its place. */
export type AddressFault = {problem: string; hint: string};

const isIpv6 = (text: string): boolean => /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);

/** A host that may stand in a hint, and its port. */
const said = (host: string, port = ''): string => `Give the host ${host}${port === '' ? ' alone' : `, and the port ${port} by itself`}.`;

/** What a URL, or something like one, was meant to say. It is not repeated, for it may hold a password. */
function faultOfUrl(text: string): AddressFault {
	const scheme = /^((?:[a-z][a-z\d+.-]*:)+)\/\//i.exec(text)?.[1] ?? '';
	// A colon before a digit is not of a scheme: a port follows.
	const [, host, port] = /^(?:[a-z][a-z\d+.-]*:(?!\d))*\/*(?:[^/?#]*@)?(\[[\da-f:.]+]|[\w.-]+)(?::(\d{1,5}))?(?:[/?#]|$)/i.exec(text) ?? [];
	return {
		problem: scheme === '' ? 'must be a host alone, without a user or a path' : `must be a host alone, not a URL (it begins with ${scheme})`,
		hint: /^(?:jdbc:)?postgres(?:ql)?:$/i.test(scheme) ? 'Set DATABASE_URL to such a URL, or give host, port, user and database by themselves.' : (host === undefined ? 'It is a name or an IP address.' : said(host, port)),
	};
}

/**
A host as somebody wrote it: a name, an address of IPv4, or one of IPv6, with or without its brackets and zone. The one place that reads them.
@returns the host without brackets, or what is wrong with it
*/
export function readHost(text: string): {host: string} | AddressFault {
	const [, inBrackets] = /^\[([^\]]*)]$/.exec(text) ?? [];
	const [address, zone] = (inBrackets ?? text).split(/%(.*)/s) as [string, string?];
	if (isIpv6(address) && (zone === undefined || /^[\w.-]+$/.test(zone))) {
		return {host: inBrackets ?? text};
	}

	if (/[/@?#\\]/.test(text)) {
		return faultOfUrl(text);
	}

	if (text.includes(',') || /\s/.test(text)) {
		return {problem: `must be one host, not ${quoted(text)}`, hint: 'Give one name or IP address.'};
	}

	const [, host, port] = /^(\[[\da-f:.]+]|[\w.-]+):(\d+)$/i.exec(text) ?? [];
	if (host !== undefined) {
		return {problem: `must be a host alone, without a port, not ${quoted(text)}`, hint: said(host, port)};
	}

	if (text.includes(':') || text.includes('[')) {
		return {problem: `must be a name or an IP address, not ${quoted(text)}`, hint: 'An address of IPv6 is written as ::1 or [::1].'};
	}

	// What is not ASCII is a name of IDNA; everything else stays as it was written.
	const named = /^[\w.-]+$/.test(text) || !URL.canParse(`http://${text}/`) ? text : new URL(`http://${text}/`).hostname;
	return /^[\w.-]+$/.test(named) ? {host: named} : {problem: `must be a name or an IP address, not ${quoted(text)}`, hint: 'A name has letters, digits, dots and hyphens.'};
}

/** The same, or the folder of a Unix socket. */
export const readDatabaseHost = (text: string): {host: string} | AddressFault => text.startsWith('/') ? {host: text} : readHost(text);

/** Hosts with commas between them. */
export function readHosts(text: string): {hosts: string[]} | AddressFault {
	const hosts: string[] = [];
	for (const each of text.split(',').map(part => part.trim()).filter(part => part !== '')) {
		const read = readHost(each);
		if ('problem' in read) {
			return read;
		}

		hosts.push(read.host.toLowerCase());
	}

	return hosts.length === 0 ? {problem: 'must have at least one host', hint: 'Give the names by which clients know it, with commas between them.'} : {hosts};
}

/** A host as it stands in a URL, or before a port. */
export const inUrl = (host: string): string => host.includes(':') ? `[${host}]` : host;
