import type {IncomingMessage} from 'node:http';
import {BlockList, isIP} from 'node:net';
import parseForwarded from 'forwarded-parse';
import type {ColoniesError} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import type {Network} from '../operations/index.ts';
import {HttpRefusal} from './problem.ts';

/**
The other end of a connection. `socket`: its own address; `local` for a Unix socket. `source`: where the connection came from, as the
proxy's PROXY header says.
*/
export type Peer = {socket: string; source?: string | undefined; isSecure?: true | undefined};

/** Who sent a request, as far as the peer or the proxies that are trusted say. */
export type Client = {
	/** IP address; `local` for a Unix socket. */
	address: string;
	/** The proxy that passed it on, where one is believed. */
	proxy?: string;
	/** Scheme of the address that the client used, where a trusted proxy says so. */
	scheme?: 'http' | 'https';
	/** Whether the connection is from this machine or a trusted proxy: plain HTTP is for nobody else. */
	isNear: boolean;
	/** Why the request is refused: its proxy headers are malformed or contradict each other. */
	fault?: ColoniesError;
};

/** An address without the form that IPv4 has on an IPv6 socket (RFC 4291 §2.5.5.2), and without a zone. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*/s, '');

/** One hop as a header tells it: where the proxy got the request from; undefined where it does not say. */
type Hop = {address: string | undefined; scheme: string | undefined};

/**
The address of a node (RFC 7239 §6): with or without a port, IPv6 in brackets or, in `X-Forwarded-For`, without. Undefined for `unknown`
and for obfuscated names.
*/
function addressOf(node: string): string | undefined {
	const [, inBrackets, ipv4] = /^(?:\[([\da-f:.]+)](?::\w+)?|([\d.]+):\w+)$/i.exec(node) ?? [];
	const address = inBrackets ?? ipv4 ?? node;
	return isIP(address) === 0 ? undefined : plainAddress(address);
}

const valuesOf = (header: string | string[] | undefined): string[] => header === undefined ? [] : String(header).split(',').map(value => value.trim());

/** @throws HttpRefusal */
function hopsOfForwarded(header: string): Hop[] {
	try {
		return parseForwarded(header).map(({for: node, proto}) => ({address: node === undefined ? undefined : addressOf(node), scheme: proto?.toLowerCase()}));
	} catch {
		throw new HttpRefusal(400, 'invalid-input', 'The header forwarded is malformed.', {hint: 'It is a list as RFC 7239 §4 says: for=192.0.2.1;proto=https. Let the proxy replace what clients send.'});
	}
}

/** `X-Forwarded-Proto` has a value for each address, or one that the last proxy wrote. */
function hopsOfLegacy(forwardedFor: string[], protos: string[]): Hop[] {
	const addresses = forwardedFor.length === 0 ? [''] : forwardedFor;
	return addresses.map((node, index) => ({address: addressOf(node), scheme: (protos.length === addresses.length ? protos[index] : protos.at(-1))?.toLowerCase()}));
}

const schemeOf = (text: string | undefined): 'http' | 'https' | undefined => text === 'http' || text === 'https' ? text : undefined;

/** The proxies that are believed about who their clients are. */
export class TrustedProxies {
	readonly #list = new BlockList();
	readonly #isEmpty: boolean;

	/** @param networks ranges in which they are; empty: nobody is trusted */
	constructor(networks: readonly Network[]) {
		this.#isEmpty = networks.length === 0;
		for (const {address, prefix, family} of networks) {
			this.#list.addSubnet(address, prefix, family);
		}
	}

	/** @param address of an IP socket, in any form */
	has(address: string): boolean {
		if (this.#isEmpty) {
			return false;
		}

		const plain = plainAddress(address);
		const version = isIP(plain);
		return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
	}

	/**
	Who sent a request: the nearest address that is no trusted proxy, going back from the peer hop by hop.
	`Forwarded` (RFC 7239) is read first, else `X-Forwarded-For` and `X-Forwarded-Proto`, and only if the peer is trusted. A PROXY header says who the peer is, and is believed before.
	*/
	clientOf({headers}: IncomingMessage, {socket, source, isSecure}: Peer): Client {
		const [own, peer] = [plainAddress(socket), plainAddress(source ?? socket)];
		const isNear = own === 'local' || isLoopback(own) || this.has(own);
		const known: Client = {address: peer, isNear, ...(peer === own ? {} : {proxy: own}), ...(isSecure ? {scheme: 'https'} : {})};
		if (!this.has(peer)) {
			return known;
		}

		try {
			const found = this.#walk(peer, headers);
			return {...known, ...found, ...(found.address === own ? {} : {proxy: own})};
		} catch (error) {
			return {...known, fault: error as ColoniesError};
		}
	}

	/** @throws HttpRefusal */
	#walk(peer: string, headers: IncomingMessage['headers']): Pick<Client, 'address' | 'scheme'> {
		const {forwarded} = headers;
		const [forwardedFor, protos] = [valuesOf(headers['x-forwarded-for']), valuesOf(headers['x-forwarded-proto'])];
		const legacy = this.#back(peer, hopsOfLegacy(forwardedFor, protos));
		if (forwarded === undefined || forwarded.trim() === '') {
			return legacy;
		}

		const found = this.#back(peer, hopsOfForwarded(forwarded));
		// The proxy writes one of them and may pass on the other as its client sent it: nobody can tell which.
		if (forwardedFor.length > 0 && legacy.address !== found.address) {
			throw new HttpRefusal(400, 'invalid-input', 'The headers forwarded and x-forwarded-for name different clients.', {hint: 'Let the proxy write one of them and remove the other.'});
		}

		return {...legacy, ...found};
	}

	/** Goes back from the last hop while it is a trusted proxy. What stands before the first other address anybody may have written. */
	#back(peer: string, hops: readonly Hop[]): Pick<Client, 'address' | 'scheme'> {
		let found: Pick<Client, 'address' | 'scheme'> = {address: peer};
		for (const {address, scheme: text} of hops.toReversed()) {
			const scheme = schemeOf(text) ?? found.scheme;
			found = {address: address ?? found.address, ...(scheme && {scheme})};
			if (address === undefined || !this.has(address)) {
				break;
			}
		}

		return found;
	}
}
