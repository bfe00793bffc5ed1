import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	inUrl, readDatabaseHost, readHost, readHosts,
} from '../../source/core/address.ts';
import {quoted} from '../../source/core/text.ts';

const hostOf = (text: string) => {
	const read = readHost(text);
	return 'host' in read ? read.host : assert.fail(`${text} ${read.problem}.`);
};

/** Checks that each text is refused with a problem and a hint. */
function refuses(texts: readonly string[], problem: (text: string) => string, hint: string): void {
	for (const text of texts) {
		assert.deepEqual(readHost(text), {problem: problem(text), hint}, text);
	}
}

test('a name stays as it was written', () => {
	for (const name of ['localhost', 'Server.Example', 'a_b-c.d', '127.0.0.1', '1', '0x7f.1', 'cafe']) {
		assert.equal(hostOf(name), name);
	}
});

test('a name in another script is the one that the DNS knows', () => {
	assert.deepEqual(['bücher.example', 'ü', 'xü', 'üx'].map(name => hostOf(name)), ['xn--bcher-kva.example', 'xn--tda', 'xn--x-eha', 'xn--x-dha']);
});

test('an address of IPv6 is read with or without brackets, and with a zone', () => {
	assert.deepEqual(['::1', '[::1]', '[2001:DB8::1]', '::ffff:10.0.0.1', 'fe80::1%eth0', '[fe80::1%eth0.1_a-b]', 'fe80::1%25eth0'].map(text => hostOf(text)), ['::1', '::1', '2001:DB8::1', '::ffff:10.0.0.1', 'fe80::1%eth0', 'fe80::1%eth0.1_a-b', 'fe80::1%25eth0']);
});

test('what looks like an address of IPv6 and is none is refused', () => {
	const texts = ['1::2::3', '::g', '[x]', '[]', '[::1', '[::1]x', 'x[::1]', 'a[b', 'fe80::1%', 'fe80::1%:eth', 'fe80::1%eth:', 'fe80::1%a%b', '[zz]:80', 'x:y', 'x:80y', 'x:', ':80', '*x:80', 'x*:80', 'ü:80'];
	refuses(texts, text => `must be a name or an IP address, not ${quoted(text)}`, 'An address of IPv6 is written as ::1 or [::1].');
});

test('what is neither a name nor an address is refused', () => {
	refuses(['*', '*a', 'a*', 'a%b', 'ü*', 'ü%', ''], text => `must be a name or an IP address, not ${quoted(text)}`, 'A name has letters, digits, dots and hyphens.');
});

test('several hosts are not one', () => {
	refuses(['a,b', 'a b', 'a\tb', ' a', '::1,::2', 'fe80::1%a b', '[::1] '], text => `must be one host, not ${quoted(text)}`, 'Give one name or IP address.');
});

test('a host with a port is taken apart in the hint', () => {
	for (const [text, host, port] of [['x:8443', 'x', 8443], ['a_b-c.D:1', 'a_b-c.D', 1], ['[::1]:8443', '[::1]', 8443], ['[2001:DB8::1]:123456', '[2001:DB8::1]', 123_456]] as const) {
		refuses([text], () => `must be a host alone, without a port, not ${quoted(text)}`, `Give the host ${host}, and the port ${port} by itself.`);
	}
});

test('of a URL the scheme is told, and the host and port in the hint, and nothing that may be a password', () => {
	for (const [text, scheme, hint] of [
		['https://x', 'https:', 'Give the host x alone.'],
		['HTTPS://X/', 'HTTPS:', 'Give the host X alone.'],
		['svn+ssh://x', 'svn+ssh:', 'Give the host x alone.'],
		['h2.a-b://x', 'h2.a-b:', 'Give the host x alone.'],
		['jdbc:mysql://x', 'jdbc:mysql:', 'Give the host x alone.'],
		['https:////x', 'https:', 'Give the host x alone.'],
		['https://x:8443/colonies', 'https:', 'Give the host x, and the port 8443 by itself.'],
		['https://[2001:DB8::1]:65535', 'https:', 'Give the host [2001:DB8::1], and the port 65535 by itself.'],
		['https://u:hush@x:1?y', 'https:', 'Give the host x, and the port 1 by itself.'],
		['https://u@v@x#y', 'https:', 'Give the host x alone.'],
		['https://x/y@z', 'https:', 'Give the host x alone.'],
		['https://x?y@z', 'https:', 'Give the host x alone.'],
		['https://x:123456', 'https:', 'It is a name or an IP address.'],
		['https://x:port', 'https:', 'It is a name or an IP address.'],
		['https://', 'https:', 'It is a name or an IP address.'],
		['https://[zz]/', 'https:', 'It is a name or an IP address.'],
		['https://a b/', 'https:', 'It is a name or an IP address.'],
	] as const) {
		assert.deepEqual(readHost(text), {problem: `must be a host alone, not a URL (it begins with ${scheme})`, hint}, text);
	}
});

test('the URL of a PostgreSQL belongs in DATABASE_URL', () => {
	const hint = 'Set DATABASE_URL to such a URL, or give host, port, user and database by themselves.';
	for (const scheme of ['postgres:', 'postgresql:', 'PostgreSQL:', 'jdbc:postgresql:', 'jdbc:postgres:']) {
		refuses([`${scheme}//u:hush@h/db`], () => `must be a host alone, not a URL (it begins with ${scheme})`, hint);
	}

	for (const scheme of ['xpostgres:', 'postgresx:', 'postgres:x:', 'x:postgres:']) {
		refuses([`${scheme}//h/db`], () => `must be a host alone, not a URL (it begins with ${scheme})`, 'Give the host h alone.');
	}
});

test('a host with a user or a path is not alone', () => {
	for (const [text, hint] of [
		['root:hush@x', 'Give the host x alone.'],
		['x/path', 'Give the host x alone.'],
		['x?y', 'Give the host x alone.'],
		['x#y', 'Give the host x alone.'],
		['//x', 'Give the host x alone.'],
		['localhost:8443/colonies', 'Give the host localhost, and the port 8443 by itself.'],
		['x:80/https://y', 'Give the host x, and the port 80 by itself.'],
		['root:1234@x', 'Give the host x alone.'],
		['a/https://y', 'Give the host a alone.'],
		[String.raw`a\b`, 'It is a name or an IP address.'],
		['::1]/#', 'It is a name or an IP address.'],
		['x@[::1', 'It is a name or an IP address.'],
		['mailto:root@x', 'Give the host x alone.'],
	] as const) {
		refuses([text], () => 'must be a host alone, without a user or a path', hint);
	}
});

test('the host of a database may be the folder of its socket', () => {
	assert.deepEqual(readDatabaseHost('/run/postgresql'), {host: '/run/postgresql'});
	assert.deepEqual(readDatabaseHost('[::1]'), {host: '::1'});
	assert.deepEqual(readDatabaseHost('run/'), {problem: 'must be a host alone, without a user or a path', hint: 'Give the host run alone.'});
});

test('hosts with commas between them are read one by one, in lower case', () => {
	assert.deepEqual(readHosts('a, B.Example ,,[::A]'), {hosts: ['a', 'b.example', '::a']});
	assert.deepEqual(readHosts('a,b c,*'), {problem: 'must be one host, not "b c"', hint: 'Give one name or IP address.'});
	for (const nothing of ['', ',', ' , ']) {
		assert.deepEqual(readHosts(nothing), {problem: 'must have at least one host', hint: 'Give the names by which clients know it, with commas between them.'});
	}
});

test('an address of IPv6 stands in brackets in a URL', () => {
	assert.deepEqual(['::1', 'x', '127.0.0.1'].map(host => inUrl(host)), ['[::1]', 'x', '127.0.0.1']);
});
