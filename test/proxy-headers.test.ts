import assert from 'node:assert/strict';
import type {IncomingMessage} from 'node:http';
import {test} from 'node:test';
import fc from 'fast-check';
import {readNetworks, readOrigins} from '../source/operations/networks.ts';
import {TrustedProxies} from '../source/server/proxies.ts';
import {BrokenPreamble, isPreamble, readPreamble} from '../source/server/proxy-protocol.ts';
import {preamble1, preamble2} from './support/proxies.ts';

const trusting = (text: string): TrustedProxies => {
	const read = readNetworks(text);
	assert.ok('networks' in read, JSON.stringify(read));
	return new TrustedProxies(read.networks);
};

/** Who a request with these headers is from. */
const clientOf = (trusted: string, peer: string | {socket: string; source?: string; isSecure?: true}, headers: Record<string, string> = {}) =>
	trusting(trusted).clientOf({headers} as IncomingMessage, typeof peer === 'string' ? {socket: peer} : peer);

const addressOf = (...given: Parameters<typeof clientOf>): string => {
	const {address, fault} = clientOf(...given);
	assert.equal(fault, undefined);
	return address;
};

test('ranges are addresses of IPv4 and IPv6 with the bits that count', () => {
	const proxies = trusting('10.0.0.0/8, 192.0.2.7,2001:db8::/32 , ::1');
	for (const inside of ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8:ffff::1', '::1']) {
		assert.ok(proxies.has(inside), inside);
	}

	for (const outside of ['9.255.255.255', '11.0.0.0', '192.0.2.8', '2001:db9::', '::2', 'local', '', 'fe80::1%eth0', '10.0.0']) {
		assert.ok(!proxies.has(outside), outside);
	}

	assert.ok(!new TrustedProxies([]).has('127.0.0.1'));
	assert.ok(trusting('fe80::/10').has('fe80::1%eth0'));
});

test('what is no range is named, with what to write', () => {
	for (const [text, problem] of [
		['10.0.0.0/33', 'must have a prefix length from 0 to 32 in "10.0.0.0/33"'],
		['10.0.0.0/', 'must have a prefix length from 0 to 32 in "10.0.0.0/"'],
		['10.0.0.1,::/129', 'must have a prefix length from 0 to 128 in "::/129"'],
		['10.0.0/8', 'must be IP ranges in CIDR notation ("10.0.0/8" is none)'],
		['proxy.example', 'must be IP ranges in CIDR notation ("proxy.example" is none)'],
		['fe80::1%eth0', 'must be IP ranges in CIDR notation ("fe80::1%eth0" is none)'],
		[' , ', 'must have at least one IP range'],
	] as const) {
		const read = readNetworks(text);
		assert.equal('problem' in read && read.problem, problem);
		assert.ok('hint' in read && read.hint.includes('10.0.0.0/8'));
	}
});

test('origins are exact, in the form in which browsers send them', () => {
	assert.deepEqual(readOrigins('https://A.example, http://localhost:5173/,https://b.example:443'), {origins: ['https://a.example', 'http://localhost:5173', 'https://b.example']});
	for (const text of ['*', 'null', 'a.example', 'https://a.example/path', 'https://a.example?', 'https://user@a.example', 'ftp://a.example', 'https://*.example', '']) {
		assert.ok('problem' in readOrigins(text), text);
	}
});

test('headers count from a trusted peer only', () => {
	const headers = {forwarded: 'for=192.0.2.1;proto=https', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https'};
	assert.deepEqual(clientOf('10.0.0.1', '10.0.0.1', headers), {address: '192.0.2.1', proxy: '10.0.0.1', scheme: 'https', isNear: true});
	assert.deepEqual(clientOf('10.0.0.1', '10.0.0.2', headers), {address: '10.0.0.2', isNear: false});
	assert.deepEqual(clientOf('10.0.0.1', '10.0.0.2', {forwarded: 'malformed'}), {address: '10.0.0.2', isNear: false});
	assert.deepEqual(clientOf('10.0.0.1', '127.0.0.1', headers), {address: '127.0.0.1', isNear: true}, 'this machine is near, and no proxy unless it is named');
	assert.deepEqual(clientOf('10.0.0.1', '::ffff:10.0.0.1'), {address: '10.0.0.1', isNear: true});
	assert.deepEqual(clientOf('10.0.0.1', 'local', headers), {address: 'local', isNear: true});
});

test('X-Forwarded-For is read from the right, past trusted proxies', () => {
	const by = (value: string, trusted = '10.0.0.0/8') => addressOf(trusted, '10.0.0.1', {'x-forwarded-for': value});
	assert.equal(by('192.0.2.1'), '192.0.2.1');
	assert.equal(by('198.51.100.66, 192.0.2.1'), '192.0.2.1', 'what the client sent is not believed');
	assert.equal(by('198.51.100.66, 192.0.2.1, 10.0.0.9'), '192.0.2.1');
	assert.equal(by('10.0.0.7, 10.0.0.9'), '10.0.0.7', 'a client inside');
	assert.equal(by('192.0.2.1, nonsense'), '10.0.0.1');
	assert.equal(by('192.0.2.1, nonsense, 10.0.0.9'), '10.0.0.9');
	assert.equal(by(''), '10.0.0.1');
	assert.equal(by('192.0.2.1:4711'), '192.0.2.1');
	assert.equal(by('[2001:db8::1]:4711'), '2001:db8::1');
	assert.equal(by('[2001:db8::1]'), '2001:db8::1');
	assert.equal(by('x192.0.2.1:4711'), '10.0.0.1');
	assert.equal(by('2001:db8::1'), '2001:db8::1');
	assert.equal(by('::ffff:192.0.2.1'), '192.0.2.1');
});

test('Forwarded is read from the right, past trusted proxies', () => {
	const by = (forwarded: string) => addressOf('10.0.0.0/8', '10.0.0.1', {forwarded});
	assert.equal(by('for=192.0.2.1'), '192.0.2.1');
	assert.equal(by('For="[2001:db8::17]:4711";by=10.0.0.1;proto=https'), '2001:db8::17');
	assert.equal(by('for=198.51.100.66, for=192.0.2.1, for=10.0.0.9'), '192.0.2.1');
	assert.equal(by('for=192.0.2.1, for=unknown'), '10.0.0.1');
	assert.equal(by('for=192.0.2.1, for="_gazonk", for=10.0.0.9'), '10.0.0.9');
	assert.equal(by('by=10.0.0.1'), '10.0.0.1');
	assert.equal(by(' '), '10.0.0.1');
	assert.deepEqual(clientOf('10.0.0.0/8', '10.0.0.1', {forwarded: 'for=192.0.2.1;proto=https, for=10.0.0.9;proto=http'}), {address: '192.0.2.1', proxy: '10.0.0.1', scheme: 'https', isNear: true}, 'the scheme that the client used');
	assert.equal(clientOf('10.0.0.0/8', '10.0.0.1', {forwarded: 'for=198.51.100.66;proto=https, for=192.0.2.1;proto=http'}).scheme, 'http', 'not what the client claims');
	assert.equal(clientOf('10.0.0.0/8', '10.0.0.1', {forwarded: 'for=192.0.2.1;proto=wss'}).scheme, undefined);
	for (const malformed of ['for', 'for=', 'for=192.0.2.1;;', 'for="192.0.2.1', 'for=x;by=", for=192.0.2.1', ',']) {
		const {fault, address} = clientOf('10.0.0.0/8', '10.0.0.1', {forwarded: malformed});
		assert.deepEqual([address, fault?.status, fault?.message], ['10.0.0.1', 400, 'The header forwarded is malformed.'], malformed);
	}
});

test('two headers that name different clients are refused, for a client may have sent one of them', () => {
	const both = (forwarded: string, list: string) => clientOf('10.0.0.0/8', '10.0.0.1', {forwarded, 'x-forwarded-for': list});
	assert.equal(both('for=192.0.2.1', '192.0.2.1').address, '192.0.2.1');
	assert.equal(both('for=192.0.2.1', '198.51.100.66, 192.0.2.1').fault, undefined);
	assert.equal(both('for=198.51.100.66', '192.0.2.1').fault?.message, 'The headers forwarded and x-forwarded-for name different clients.');
	assert.equal(both('for=unknown', '192.0.2.1').fault?.status, 400);
});

test('the scheme is that of the client, or of the last proxy where only that one says', () => {
	const by = (list: string, protos: string) => clientOf('10.0.0.0/8', '10.0.0.1', {...(list === '' ? {} : {'x-forwarded-for': list}), 'x-forwarded-proto': protos}).scheme;
	assert.equal(by('192.0.2.1', 'https'), 'https');
	assert.equal(by('192.0.2.1, 10.0.0.9', 'https'), 'https');
	assert.equal(by('192.0.2.1, 10.0.0.9', 'https, http'), 'https');
	assert.equal(by('198.51.100.66, 192.0.2.1', 'https, http'), 'http');
	assert.equal(by('192.0.2.1', 'https, http'), 'http', 'one that the client sent stands first');
	assert.equal(by('', 'HTTPS'), 'https');
	assert.equal(by('192.0.2.1', 'gopher'), undefined);
});

test('after a PROXY header the headers of requests count only if that source is a trusted proxy too', () => {
	const headers = {'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http'};
	assert.deepEqual(clientOf('10.0.0.0/8', {socket: '10.0.0.1', source: '198.51.100.7', isSecure: true}, headers), {address: '198.51.100.7', proxy: '10.0.0.1', scheme: 'https', isNear: true});
	assert.deepEqual(clientOf('10.0.0.0/8', {socket: '10.0.0.1', source: '10.0.0.9'}, headers), {address: '192.0.2.1', proxy: '10.0.0.1', scheme: 'http', isNear: true});
});

test('an untrusted client cannot choose the address that is seen', () => {
	const trusted = trusting('10.0.0.0/8');
	const part = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('unknown', '_x', '"', '\\', ',', ';', 'for=', '10.0.0.5', ' '), fc.string());
	fc.assert(fc.property(fc.array(part, {maxLength: 6}).map(parts => parts.join(',')), forged => {
		const legacy = trusted.clientOf({headers: {'x-forwarded-for': `${forged}, 192.0.2.1`}} as unknown as IncomingMessage, {socket: '10.0.0.1'});
		assert.deepEqual([legacy.address, legacy.fault], ['192.0.2.1', undefined]);
		for (const own of ['for=192.0.2.1', 'for="192.0.2.1:4711";proto=https']) {
			const {address, fault} = trusted.clientOf({headers: {forwarded: `${forged}, ${own}`}} as unknown as IncomingMessage, {socket: '10.0.0.1'});
			assert.ok(fault !== undefined || address === '192.0.2.1', `${forged}: ${address}`);
		}
	}), {numRuns: 2000});
});

test('PROXY headers of both versions say where a connection came from, as the official layout has them', () => {
	assert.deepEqual(readPreamble(Buffer.from('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n')), {length: 56, address: '255.255.255.255'});
	assert.deepEqual(readPreamble(Buffer.from('PROXY TCP6 ffff:f::1 ffff::2 0 443\r\nGET')), {length: 36, address: 'ffff:f::1'});
	assert.deepEqual(readPreamble(Buffer.from('PROXY UNKNOWN\r\n')), {length: 15});
	assert.deepEqual(readPreamble(Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n')), {length: 35});
	// Written out by hand from section 2.2: signature, version and command, family, length, addresses, ports.
	const hand = Buffer.from('0d0a0d0a000d0a515549540a 21 11 000c c0000201 c0000202 115c 01bb'.replaceAll(' ', ''), 'hex');
	assert.deepEqual(readPreamble(hand), {length: 28, address: '192.0.2.1'});
	const ssl = Buffer.from('0d0a0d0a000d0a515549540a 21 11 0014 c0000201 c0000202 115c 01bb 20 0005 01 00000000'.replaceAll(' ', ''), 'hex');
	assert.deepEqual(readPreamble(ssl), {length: 36, address: '192.0.2.1', isSecure: true});
	ssl[31] = 0;
	assert.deepEqual(readPreamble(ssl), {length: 36, address: '192.0.2.1'}, 'the client spoke no TLS');
	assert.deepEqual(readPreamble(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')), {length: 16}, 'LOCAL');
	assert.deepEqual(readPreamble(Buffer.from('0d0a0d0a000d0a515549540a21000000', 'hex')), {length: 16}, 'not specified');
	for (const [rest, expected, why] of [
		['2011000cc0000201c0000202115c01bb', {length: 28}, 'LOCAL with addresses, which are skipped'],
		['2112000cc0000201c0000202115c01bb', {length: 28, address: '192.0.2.1'}, 'datagrams'],
		[`213100d8${'00'.repeat(216)}`, {length: 232}, 'a Unix socket'],
		[`21000ff0040fed${'00'.repeat(4077)}`, {length: 4096}, 'the longest that is read'],
		['21110012c0000201c0000202115c01bb200000210000', {length: 34, address: '192.0.2.1'}, 'an empty value before another'],
	] as Array<[string, object, string]>) {
		assert.deepEqual(readPreamble(Buffer.from(`0d0a0d0a000d0a515549540a${rest}01`, 'hex')), expected, why);
	}
});

test('every PROXY header is read as it was written, at any cut', () => {
	const source = fc.oneof(fc.ipV4().map(address => [address, 4] as const), fc.ipV6().map(address => [new URL(`http://[${address}]`).hostname.slice(1, -1), 6] as const));
	const vectors = fc.array(fc.tuple(fc.integer({min: 0x21, max: 0xFF}), fc.uint8Array({maxLength: 40})), {maxLength: 4});
	fc.assert(fc.property(source, fc.constantFrom('first', 'second', 'secure'), vectors, fc.uint8Array({maxLength: 30}), ([address, family], kind, more, rest) => {
		const isSecure = kind === 'secure';
		const header = kind === 'first' ? preamble1(address, family) : preamble2(address, family, {isSecure, more});
		const bytes = Buffer.concat([header, rest]);
		const read = readPreamble(bytes);
		assert.ok(typeof read === 'object');
		assert.equal(read.length, header.length);
		assert.equal(new URL(`http://${family === 4 ? read.address! : `[${read.address!}]`}`).hostname, family === 4 ? address : `[${address}]`);
		assert.equal(read.isSecure, isSecure ? true : undefined);
		for (let cut = 0; cut < header.length; cut++) {
			assert.equal(readPreamble(header.subarray(0, cut)), 'more', String(cut));
		}
	}), {numRuns: 300});
});

test('what is no PROXY header is left alone, and a broken one throws nothing else', () => {
	for (const text of ['GET / HTTP/1.1\r\n', 'POST /', 'PROXx', '\u0016\u0003\u0001', '\r\nG']) {
		assert.equal(readPreamble(Buffer.from(text)), 'none', text);
	}

	for (const rest of [
		'',
		'TCP4 1.2.3.4',
		'TCP4 ::1 ::1 1 1',
		'TCP4 1.2.3.4 ::1 1 1',
		'TCP5 ::1 ::1 1 1',
		'TCP6 fe80::1%a ::1 1 1',
		'TCP6 1.2.3.4 1.2.3.4 1 1',
		'TCP4 1.2.3.4 1.2.3.4 1 65536',
		'TCP4 1.2.3.4 1.2.3.4 01 1',
		'TCP4 1.2.3.4 1.2.3.4 1 1 1',
		'UDP4 1.2.3.4 1.2.3.4 1 1',
	]) {
		assert.throws(() => readPreamble(Buffer.from(`PROXY ${rest}\r\n`)), {name: 'BrokenPreamble', message: 'its first line is malformed'}, rest);
	}

	assert.throws(() => readPreamble(Buffer.from(`PROXY ${'x'.repeat(101)}`)), {message: 'its first line is longer than 107 bytes'});
	assert.equal(readPreamble(Buffer.from(`PROXY ${'x'.repeat(100)}`)), 'more');
	const addresses = 'c0000201c0000202115c01bb';
	for (const [message, rests] of Object.entries({
		// Other versions, another command, an unknown family and protocol, too long.
		'its version, command, family or length is not supported': [`3111000c${addresses}`, `1111000c${addresses}`, `2211000c${addresses}`, `2141000c${addresses}`, `2113000c${addresses}`, '21000ff1'],
		'it is shorter than its addresses': ['21110004c0000201'],
		'one of its values is cut short': [`2111000f${addresses}200005`, `2111000d${addresses}20`, `2111000e${addresses}2000`, `21110010${addresses}20000201`],
	})) {
		for (const rest of rests) {
			assert.throws(() => readPreamble(Buffer.from(`0d0a0d0a000d0a515549540a${rest}`, 'hex')), {name: 'BrokenPreamble', message}, rest);
		}
	}

	fc.assert(fc.property(fc.constantFrom('PROXY ', '\r\n\r\n\0\r\nQUIT\n'), fc.uint8Array({maxLength: 300}), (signature, rest) => {
		const bytes = Buffer.concat([Buffer.from(signature), rest]);
		assert.ok(isPreamble(bytes));
		try {
			const read = readPreamble(bytes);
			assert.ok(read === 'more' || (typeof read === 'object' && read.length <= bytes.length));
		} catch (error) {
			assert.ok(error instanceof BrokenPreamble, String(error));
		}
	}), {numRuns: 2000});
});
