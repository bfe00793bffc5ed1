import {isIP} from 'node:net';
import type {AddressFault} from '../core/address.ts';
import {quoted} from '../core/text.ts';

/** A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3): `prefix` is the number of leading bits that count. */
export type Network = {address: string; prefix: number; family: 'ipv4' | 'ipv6'};

/** One range. A single address is a range of its own. */
function readNetwork(text: string): Network | AddressFault {
	const [address, length] = text.split(/\/(.*)/s) as [string, string?];
	const version = isIP(address);
	if (version === 0 || address.includes('%')) {
		return {problem: `must be IP ranges in CIDR notation (${quoted(text)} is none)`, hint: 'Give ranges such as 10.0.0.0/8 or 2001:db8::/32, or single addresses, separated by commas.'};
	}

	const bits = version === 4 ? 32 : 128;
	if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > bits)) {
		return {problem: `must have a prefix length from 0 to ${bits} in ${quoted(text)}`, hint: 'Write the number of leading bits after the slash: 10.0.0.0/8.'};
	}

	return {address, prefix: Number(length ?? bits), family: version === 4 ? 'ipv4' : 'ipv6'};
}

const partsOf = (text: string): string[] => text.split(',').map(part => part.trim()).filter(part => part !== '');

/** Ranges of IP addresses, separated by commas. */
export function readNetworks(text: string): {networks: Network[]} | AddressFault {
	const networks: Network[] = [];
	for (const part of partsOf(text)) {
		const read = readNetwork(part);
		if ('problem' in read) {
			return read;
		}

		networks.push(read);
	}

	return networks.length === 0 ? {problem: 'must have at least one IP range', hint: 'Give ranges such as 10.0.0.0/8, separated by commas.'} : {networks};
}

/** Web origins (RFC 6454 §6.2) in the form in which browsers send them, separated by commas. */
export function readOrigins(text: string): {origins: string[]} | AddressFault {
	const origins: string[] = [];
	for (const part of partsOf(text)) {
		if (part === '*' || part === 'null') {
			return {problem: `must be exact origins, not ${quoted(part)}`, hint: 'List each origin that may call this server: https://a.example.'};
		}

		const url = URL.canParse(part) ? new URL(part) : undefined;
		// A trailing slash is all that may follow the host and port.
		if (url?.href !== `${url?.origin}/` || !/^https?:\/\/(?:[\w.-]+|\[[\da-f:.]+])(?::\d+)?\/?$/i.test(part)) {
			return {problem: `must be web origins (${quoted(part)} is none)`, hint: 'An origin is a scheme and a host, and a port if it is not the default: https://a.example, http://localhost:5173.'};
		}

		origins.push(url.origin);
	}

	return origins.length === 0 ? {problem: 'must have at least one origin', hint: 'Give origins such as https://a.example, separated by commas.'} : {origins};
}
