import {isIPv4, isIPv6, SocketAddress} from 'node:net';

/**
The header that a proxy sends before a connection's own bytes (HAProxy's proxy-protocol.txt, "The PROXY protocol", versions 1 and 2).
`length`: bytes of the header. `address`: where the connection came from; undefined where the proxy speaks for itself or does not know.
`isSecure`: whether the client reached the proxy over TLS, as PP2_TYPE_SSL says; undefined where nothing says so.
*/
export type Preamble = {length: number; address?: string; isSecure?: true};

const signature1 = Buffer.from('PROXY ');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
/** Version 1 has 107 bytes at most (section 2.1). Version 2 may have 65,551: nobody sends as much, and nginx takes 4,096 as well. */
const longest = {version1: 107, version2: 4096};
/** Bytes of version 2 before its addresses. */
const fixedBytes = 16;
/** Bytes of a block of addresses by its family: unspecified, IPv4, IPv6, Unix. */
const addressBytes = [0, 12, 36, 216];
const typeSsl = 0x20;
const clientSsl = 0x01;

/** A header that cannot be read. The message says why. */
export class BrokenPreamble extends Error {
	override readonly name = 'BrokenPreamble';
}

const startsLike = (bytes: Buffer, signature: Buffer): boolean => {
	const length = Math.min(bytes.length, signature.length);
	return bytes.subarray(0, length).equals(signature.subarray(0, length));
};

/** Whether bytes begin with the signature of either version. */
export const isPreamble = (bytes: Buffer): boolean => [signature1, signature2].some(signature => bytes.length >= signature.length && startsLike(bytes, signature));

function readVersion1(bytes: Buffer): Preamble | 'more' {
	const end = bytes.subarray(0, longest.version1).indexOf('\r\n');
	if (end === -1) {
		if (bytes.length >= longest.version1) {
			throw new BrokenPreamble('its first line is longer than 107 bytes');
		}

		return 'more';
	}

	const length = end + 2;
	const [, family, source = '', destination = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
	if (family === 'UNKNOWN') {
		return {length};
	}

	const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
	const isPort = (text: string): boolean => /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
	if ((family !== 'TCP4' && family !== 'TCP6') || [source, destination].some(address => !isAddress(address) || address.includes('%')) || ports.length !== 2 || !ports.every(port => isPort(port))) {
		throw new BrokenPreamble('its first line is malformed');
	}

	return {length, address: source};
}

/** Whether the client reached the proxy over TLS, by the type-length-value vectors (section 2.2.6). */
function readSecure(vectors: Buffer): {isSecure?: true} {
	let found: {isSecure?: true} = {};
	for (let at = 0; at < vectors.length;) {
		const [type, start] = [vectors[at], at + 3];
		const end = start + (start <= vectors.length ? vectors.readUInt16BE(at + 1) : Infinity);
		if (end > vectors.length) {
			throw new BrokenPreamble('one of its values is cut short');
		}

		if (type === typeSsl && end > start && (vectors[start]! & clientSsl) !== 0) { // eslint-disable-line no-bitwise
			found = {isSecure: true};
		}

		at = end;
	}

	return found;
}

function readVersion2(bytes: Buffer): Preamble | 'more' {
	if (bytes.length < fixedBytes) {
		return 'more';
	}

	const [command, family, protocol] = [bytes[12]! - 0x20, bytes[13]! >> 4, bytes[13]! & 0x0F]; // eslint-disable-line no-bitwise
	const length = fixedBytes + bytes.readUInt16BE(14);
	const vectorsFrom = fixedBytes + (addressBytes[family] ?? Infinity);
	if ((command !== 0 && command !== 1) || family > 3 || protocol > 2 || length > longest.version2) {
		throw new BrokenPreamble('its version, command, family or length is not supported');
	}

	if (bytes.length < length) {
		return 'more';
	}

	// LOCAL: the proxy itself, for instance a health check. What follows is skipped (section 2.2).
	if (command === 0) {
		return {length};
	}

	if (vectorsFrom > length) {
		throw new BrokenPreamble('it is shorter than its addresses');
	}

	const secure = readSecure(bytes.subarray(vectorsFrom, length));
	if (family === 1) {
		return {length, address: bytes.subarray(fixedBytes, fixedBytes + 4).join('.'), ...secure};
	}

	if (family === 2) {
		const groups = Array.from({length: 8}, (_, index) => bytes.readUInt16BE(fixedBytes + (2 * index)).toString(16));
		return {length, address: new SocketAddress({address: groups.join(':'), family: 'ipv6'}).address, ...secure};
	}

	return {length, ...secure};
}

/**
Reads the header at the beginning of a connection.
@returns `none` where it begins with something else, `more` where it takes more bytes to tell
@throws BrokenPreamble
*/
export function readPreamble(bytes: Buffer): Preamble | 'none' | 'more' {
	if (isPreamble(bytes)) {
		return startsLike(bytes, signature1) ? readVersion1(bytes) : readVersion2(bytes);
	}

	return [signature1, signature2].some(signature => startsLike(bytes, signature)) ? 'more' : 'none';
}
