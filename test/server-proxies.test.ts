import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import {test} from 'node:test';
import tls from 'node:tls';
import {readNetworks} from '../source/operations/networks.ts';
import type {Network} from '../source/operations/index.ts';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {preamble1, preamble2} from './support/proxies.ts';
import {
	authority, byRoot, Lines, type Outgoing, problem, serve, signed, testCertificate, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const here = networks('127.0.0.1');

function networks(text: string): Network[] {
	return (readNetworks(text) as {networks: Network[]}).networks;
}

type Logged = {address: string; proxy?: string; who?: string};
type Raw = {status: number; text: string; json: any};

/** A request as it stands on the wire. */
const textOf = ({method, target, headers, body}: Outgoing): Buffer => Buffer.concat([
	Buffer.from(`${method} ${target} HTTP/1.1\r\n${Object.entries({...headers, connection: 'close', ...(body ? {'content-length': String(body.length)} : {})}).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
	body ?? Buffer.alloc(0),
]);

/** Reads what comes until the other end closes. */
const readAll = async (socket: net.Socket): Promise<Raw> => new Promise((resolve, reject) => {
	const chunks: Buffer[] = [];
	socket.on('data', (chunk: Buffer) => chunks.push(chunk));
	socket.once('error', reject);
	socket.once('close', () => {
		const text = Buffer.concat(chunks).toString();
		const body = text.split('\r\n\r\n').slice(1).join('\r\n\r\n');
		resolve({status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text, json: body.startsWith('{') ? JSON.parse(body) as unknown : undefined});
	});
});

/** Writes pieces, each after the one before has gone out, and reads the answer. */
async function exchange(port: number, pieces: readonly Buffer[], localAddress = '127.0.0.1'): Promise<Raw> {
	const socket = net.connect({port, host: '127.0.0.1', localAddress, noDelay: true});
	const answer = readAll(socket);
	for (const piece of pieces) {
		await new Promise<void>(resolve => {
			socket.write(piece, () => {
				setImmediate(resolve);
			});
		});
	}

	return answer;
}

const readColony = () => signed(colony.owner, wire('colony.get', {colonyid: colony.id}));
const listColonies = (headers: Record<string, string> = {}, password = rootPassword) => byRoot(password, wire('colony.list', {}), headers);

test('a PROXY header of a trusted proxy says who the client is, in the log and after it', async () => {
	const log = new Lines();
	const served = await serve(database, {log, trustproxy: here});
	for (const header of [preamble1('192.0.2.1', 4), preamble2('192.0.2.1', 4), preamble1('2001:db8::1', 6), preamble2('2001:db8::1', 6)]) {
		assert.equal((await exchange(served.port, [Buffer.concat([header, textOf(readColony())])])).status, 200);
		// In pieces: each byte of the header by itself.
		assert.equal((await exchange(served.port, [...[...header].map(byte => Buffer.from([byte])), textOf(readColony())])).status, 200);
	}

	assert.deepEqual(log.lines.map(({address, proxy}: Logged) => [address, proxy]), ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.1', '2001:db8::1', '2001:db8::1', '2001:db8::1', '2001:db8::1'].map(address => [address, '127.0.0.1']));
	assert.equal((await exchange(served.port, [textOf(readColony())])).status, 200, 'one is not needed');
	assert.deepEqual([log.lines.at(-1).address, log.lines.at(-1).proxy], ['127.0.0.1', undefined]);
	assert.equal((await exchange(served.port, [Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), textOf({method: 'GET', target: '/readyz', headers: {host: authority}})])])).status, 200, 'a health check of the proxy itself');
});

test('a large body behind a PROXY header comes whole', async () => {
	const served = await serve(database, {trustproxy: here});
	const value = 'x'.repeat(900_000);
	const request = signed(colony.owner, wire('process.submit', {spec: {targetcolonyid: colony.id, in: {value}}}));
	const {status, json} = await exchange(served.port, [Buffer.concat([preamble2('192.0.2.1', 4), textOf(request)])]);
	assert.equal(status, 200, JSON.stringify(json));
	assert.equal(json.in[0].value.length, value.length);
});

test('a PROXY header stands before TLS', async () => {
	const log = new Lines();
	const served = await serve(database, {secure: true, log, trustproxy: here});
	const {cert: ca} = await testCertificate();
	for (const header of [preamble1('192.0.2.1', 4), preamble2('2001:db8::1', 6)]) {
		const socket = net.connect({port: served.port, host: '127.0.0.1'});
		socket.write(header);
		const secure = tls.connect({socket, ca, servername: 'localhost'});
		const answer = readAll(secure);
		secure.write(textOf(listColonies()));
		assert.equal((await answer).status, 200);
	}

	assert.deepEqual(log.lines.map(({address, who}: Logged) => [address, who]), [['192.0.2.1', 'root'], ['2001:db8::1', 'root']]);
	assert.equal((await served.send(readColony())).status, 200, 'TLS from the first byte');
});

test('a PROXY header of somebody else is refused, and one that cannot be read closes the connection', async () => {
	const log = new Lines();
	const served = await serve(database, {log, trustproxy: networks('127.0.0.3')});
	for (const header of [preamble1('192.0.2.1', 4), preamble2('192.0.2.1', 4)]) {
		const {status, json} = await exchange(served.port, [Buffer.concat([header, textOf(readColony())])]);
		assert.deepEqual([status, json.detail, json.hint], [400, 'A PROXY header came from a peer that is no trusted proxy.', 'Start the server with --trustproxy 127.0.0.1 if the proxy there is yours.']);
	}

	assert.equal((await exchange(served.port, [Buffer.concat([Buffer.from('PROXY TCP4 nonsense\r\n'), textOf(readColony())])], '127.0.0.3')).text, '');
	assert.match(log.lines.at(-1).msg, /^Closed a connection from the proxy 127\.0\.0\.3: it sent a PROXY header that cannot be read, its first line is malformed\.$/);

	const secureLog = new Lines();
	const secure = await serve(database, {secure: true, log: secureLog});
	await exchange(secure.port, [Buffer.concat([preamble1('192.0.2.1', 4), Buffer.alloc(64)])]).catch(() => undefined);
	assert.match(secureLog.lines.at(-1).msg, /it does not speak TLS\. A proxy that sends a PROXY header must be in --trustproxy\.$/);
});

test('a trusted proxy that sends nothing is let go, and closing does not wait for it', {timeout: 20_000}, async () => {
	const served = await serve(database, {trustproxy: here, times: {headers: 200}});
	const silent = net.connect({port: served.port, host: '127.0.0.1'});
	assert.equal((await readAll(silent)).text, '');
	const patient = await serve(database, {trustproxy: here, times: {headers: 29_000}});
	const socket = net.connect({port: patient.port, host: '127.0.0.1'});
	const gone = readAll(socket).catch(() => undefined);
	socket.write('PROX');
	await exchange(patient.port, [textOf(readColony())]);
	await patient.listening.close();
	await gone;
});

test('the headers of others are ignored', async () => {
	const log = new Lines();
	const served = await serve(database, {log, trustproxy: networks('127.0.0.3')});
	const headers = {forwarded: 'for=192.0.2.1;proto=https', 'x-forwarded-for': '192.0.2.2', 'x-forwarded-proto': 'https'};
	const ask = async (localAddress: string, more: Record<string, string>) => exchange(served.port, [textOf({...readColony(), headers: {...readColony().headers, ...more}})], localAddress);
	assert.equal((await ask('127.0.0.1', headers)).status, 200);
	assert.equal((await ask('127.0.0.3', {'x-forwarded-for': '198.51.100.66, 192.0.2.2'})).status, 200);
	const {status, json} = await ask('127.0.0.3', headers);
	assert.deepEqual([status, json.detail], [400, 'The headers forwarded and x-forwarded-for name different clients.']);
	assert.deepEqual(log.lines.map(({address, proxy}: Logged) => [address, proxy]), [['127.0.0.1', undefined], ['192.0.2.2', '127.0.0.3'], ['127.0.0.3', undefined]]);
	assert.equal((await exchange(served.port, [textOf(listColonies(headers))])).status, 403, 'nor may root in');
});

test('root gives its password over plain HTTP only where a trusted proxy says that the client came over TLS', async () => {
	const served = await serve(database, {trustproxy: here});
	const ask = async (headers: Record<string, string>, header: Buffer = Buffer.alloc(0)) => exchange(served.port, [Buffer.concat([header, textOf(listColonies(headers))])]);
	for (const headers of [{'x-forwarded-proto': 'https'}, {forwarded: 'for=192.0.2.1;proto=https'}, {'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'HTTPS'}] as Array<Record<string, string>>) {
		assert.equal((await ask(headers)).status, 200);
	}

	assert.equal((await ask({}, preamble2('192.0.2.1', 4, {isSecure: true}))).status, 200);
	for (const [headers, hint] of [
		[{}, /--trustproxy/],
		[{'x-forwarded-for': '192.0.2.1'}, /X-Forwarded-Proto: https/],
		[{'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http'}, /use https/],
		[{forwarded: 'for=192.0.2.1;proto=http', 'x-forwarded-proto': 'https'}, /use https/],
	] as Array<[Record<string, string>, RegExp]>) {
		const {status, json} = await ask(headers);
		assert.deepEqual([status, json.detail], [403, 'The root password is not accepted over plain HTTP.']);
		assert.match(json.hint, hint);
	}

	assert.equal((await ask({}, preamble2('192.0.2.1', 4))).status, 403);
	assert.match((await exchange(served.port, [textOf({method: 'GET', target: '/colonies', headers: {host: authority, 'x-forwarded-proto': 'https'}})])).text, /www-authenticate: .*Basic/);
	assert.doesNotMatch((await exchange(served.port, [textOf({method: 'GET', target: '/colonies', headers: {host: authority}})])).text, /www-authenticate: .*Basic/);

	const secure = await serve(database, {secure: true, trustproxy: here});
	assert.equal((await secure.send(listColonies({'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https'}))).status, 200);
	problem(await secure.send(listColonies({'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http'})), 403, 'not-allowed');
});

test('wrong root passwords are held against the client, not against its proxy', async () => {
	const served = await serve(database, {trustproxy: here});
	const guess = (client: string): {socket: net.Socket; answer: Promise<Raw>} => {
		const socket = net.connect({port: served.port, host: '127.0.0.1'});
		socket.write(textOf(listColonies({'x-forwarded-for': client, 'x-forwarded-proto': 'https'}, 'wrong')));
		return {socket, answer: readAll(socket)};
	};

	// One address may have 20 that wait: what comes beyond is turned away.
	const guesses = Array.from({length: 30}, () => guess('192.0.2.1'));
	const {status} = await Promise.any(guesses.map(async ({answer}) => {
		const read = await answer;
		assert.equal(read.status, 503);
		return read;
	}));
	assert.equal(status, 503);
	assert.equal((await guess('192.0.2.2').answer).status, 401, 'another client through the same proxy');
	for (const {socket} of guesses) {
		socket.destroy();
	}
});

test('plain HTTP beyond this machine is for trusted proxies, and probes for everybody', async () => {
	const served = await serve(database, {host: '0.0.0.0', trustproxy: networks('127.0.0.3')});
	const address = await ownAddress();
	if (address === undefined) {
		console.error('\n!!! This machine has no address besides its loopback. The test is WEAKER here.\n');
		return;
	}

	const get = async (target: string, headers: Record<string, string> = {}) => new Promise<{status: number; json: any}>((resolve, reject) => {
		const {headers: proof} = signed(colony.owner, {method: 'GET', target});
		http.get({host: address, port: served.port, path: target, agent: false, headers: {...proof, ...headers}}, response => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
			});
			response.once('end', () => {
				resolve({status: response.statusCode!, json: JSON.parse(text) as unknown});
			});
		}).once('error', reject);
	});
	const {status, json} = await get(`/colonies/${colony.id}`, {'x-forwarded-for': '127.0.0.1'});
	assert.deepEqual([status, json.detail], [403, `Plain HTTP is for trusted proxies, and ${address} is none.`]);
	assert.equal((await get('/healthz')).status, 200);
	assert.equal((await get('/readyz')).status, 200);
	assert.equal((await exchange(served.port, [textOf(readColony())], '127.0.0.3')).status, 200);
	assert.equal((await exchange(served.port, [textOf(readColony())])).status, 200, 'this machine');
	const trusting = await serve(database, {host: '0.0.0.0', trustproxy: networks(address)});
	assert.equal((await new Promise<number>((resolve, reject) => {
		http.get({host: address, port: trusting.port, path: `/colonies/${colony.id}`, agent: false, headers: readColony().headers}, response => {
			response.resume();
			resolve(response.statusCode!);
		}).once('error', reject);
	})), 200);
});

/** An address of this machine that is not of its loopback: the one from which it would reach others. */
async function ownAddress(): Promise<string | undefined> {
	const {networkInterfaces} = await import('node:os');
	return Object.values(networkInterfaces()).flat().find(address => address?.family === 'IPv4' && !address.internal)?.address;
}

test('a signature that does not fit is told which authority the server saw', async () => {
	const served = await serve(database);
	const request = readColony();
	const answer = await served.send({...request, headers: {...request.headers, host: 'internal:8080'}});
	problem(answer, 401, 'unauthenticated', /not by its keyid/);
	assert.match(answer.json.hint, /^The server saw the authority "internal:8080"\. If the client addressed another, a proxy in between changed Host: pass it on \(nginx: proxy_set_header Host \$http_host\)\./);
	// Nobody's word counts for the authority, not even a trusted proxy's.
	const trusting = await serve(database, {trustproxy: here});
	problem(await trusting.send({...request, headers: {...request.headers, host: 'internal:8080', 'x-forwarded-host': authority, forwarded: `for=192.0.2.1;host="${authority}"`}}), 401, 'unauthenticated');
	const named = await serve(database, {names: ['colonies.test']});
	const wrong = await named.send(signed(colony.owner, wire('colony.get', {colonyid: colony.id}), {authority: 'internal:8080'}));
	problem(wrong, 421, 'invalid-input');
	assert.match(wrong.json.hint, /proxy_set_header Host \$http_host/);
});

test('pages of the origins that are given may call, and others may not', async () => {
	const served = await serve(database, {origins: ['https://a.example', 'http://localhost:5173']});
	const preflight = async (origin: string, target = `/colonies/${colony.id}/processes`) => served.send({method: 'OPTIONS', target, headers: {host: authority, origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,signature,signature-input,content-digest'}});
	const {status, headers, text} = await preflight('https://a.example');
	assert.deepEqual([status, text], [204, '']);
	assert.equal(headers['access-control-allow-origin'], 'https://a.example');
	assert.equal(headers['access-control-allow-methods'], 'GET, POST, PUT, DELETE');
	assert.equal(headers['access-control-allow-headers'], 'content-type, content-digest, signature, signature-input, idempotency-key, last-event-id');
	assert.equal(headers.vary, 'origin');
	assert.equal(headers['access-control-allow-credentials'], undefined);
	for (const origin of ['https://b.example', 'https://a.example.evil', 'http://a.example', 'null', '*']) {
		const other = await preflight(origin);
		assert.deepEqual([other.status, other.headers['access-control-allow-origin'], other.headers.vary], [405, undefined, 'origin']);
	}

	const ask = async (origin: string, extra: Record<string, string> = {}) => served.send({...readColony(), headers: {...readColony().headers, origin, ...extra}});
	const good = await ask('http://localhost:5173');
	assert.deepEqual([good.status, good.headers['access-control-allow-origin'], good.headers['access-control-expose-headers']], [200, 'http://localhost:5173', 'colonies-notice, retry-after, allow, www-authenticate']);
	assert.equal((await ask('https://b.example')).headers['access-control-allow-origin'], undefined);
	const refused = await ask('https://a.example', {signature: 'garbled'});
	assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, 'https://a.example'], 'a page may read a refusal');

	const stream = signed(colony.owner, {method: 'GET', target: `/colonies/${colony.id}/events`}, {headers: {accept: 'text/event-stream', origin: 'https://a.example'}});
	const request = served.begin(stream, {agent: false});
	const response = await new Promise<http.IncomingMessage>(resolve => {
		request.once('response', resolve);
	});
	assert.deepEqual([response.headers['content-type'], response.headers['access-control-allow-origin'], response.headers.vary], ['text/event-stream', 'https://a.example', 'origin']);
	request.destroy();

	const closed = await serve(database);
	const off = await closed.send({...readColony(), headers: {...readColony().headers, origin: 'https://a.example'}});
	assert.deepEqual([off.status, off.headers['access-control-allow-origin'], off.headers.vary], [200, undefined, undefined]);
	assert.equal((await closed.send({method: 'OPTIONS', target: '/colonies', headers: {host: authority, origin: 'https://a.example', 'access-control-request-method': 'POST'}})).status, 405);
});
