import {inUrl} from '../core/address.ts';

/** What of a server's certificate is believed. */
export type Trust =
	/** The authorities of the system. */
	| {kind: 'system'}
	/** One authority, PEM. */
	| {kind: 'authority'; ca: string}
	/** One certificate: hex of the SHA-256 of its DER, 64 lowercase digits. */
	| {kind: 'fingerprint'; sha256: string}
	/** Whatever answers. */
	| {kind: 'anything'};

/** Where a server is: on the network, or a Unix socket of this machine. `place`: for people. */
export type Address = {place: string} & ({host: string; port: number; trust: Trust} | {socket: string});

/** What the Host header says, and with it the `@authority` that is signed: the default port is left out. */
export function authorityOf(address: Address): string {
	if ('socket' in address) {
		return 'localhost';
	}

	// A zone means something on this machine alone (RFC 6874 §3).
	return `${inUrl(address.host.replace(/%.*/s, ''))}${address.port === 443 ? '' : `:${address.port}`}`.toLowerCase();
}
