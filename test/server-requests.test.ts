import assert from 'node:assert/strict';
import net from 'node:net';
import {test} from 'node:test';
import {limits} from '../source/core/limits.ts';
import type {Attribute} from '../source/core/types.ts';
import {openAny, openColony} from './support/colony.ts';
import {
	authority, byRoot, Lines, problem, serve, signed, wire, type Answer, type Outgoing,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const served = await serve(database);
const processes = `/colonies/${colony.id}/processes`;

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const send = async (body: unknown, headers: Record<string, string> = {}, method = 'POST'): Promise<Answer> => served.send(signed(colony.owner, {method, target: processes, body}, {headers}));

/** Writes to a connection of its own and gives all that comes back until it is closed. */
async function raw(text: string | Buffer, {port = served.port, more = async () => undefined}: {port?: number; more?: (socket: net.Socket) => Promise<unknown>} = {}): Promise<string> {
	const socket = net.connect(port, '127.0.0.1');
	let answer = '';
	socket.setEncoding('latin1').on('data', (chunk: string) => {
		answer += chunk;
	});
	const closed = new Promise<void>(resolve => {
		socket.once('close', () => {
			resolve();
		});
	});
	// The other end may be gone before all is written.
	socket.on('error', () => undefined);
	socket.write(text);
	await more(socket);
	await closed;
	return answer;
}

/** The problem in an answer that was read byte by byte. */
function rawProblem(answer: string, status: number, code: string): void {
	assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
	const parsed = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {code: string; status: number};
	assert.equal(parsed.code, code);
	assert.equal(parsed.status, status);
}

test('JSON that is broken is refused with the place of the fault, and never quoted', async () => {
	problem(await send(bytes('{"spec": {"targetcolonyid": "secret",\n "cores": }}')), 400, 'invalid-input', /^The body is no JSON: see line 2, column 11.$/);
	problem(await send(bytes('{"spec": "secret')), 400, 'invalid-input', /line 1, column 17/);
	problem(await send(bytes('')), 400, 'invalid-input', /spec is missing/);
	problem(await send(bytes('null')), 400, 'invalid-input', /JSON object/);
	problem(await send(bytes('"text"')), 400, 'invalid-input', /JSON object/);
	problem(await send(bytes(`${'['.repeat(500_000)}`)), 400, 'invalid-input', /no JSON/);
	problem(await send(bytes(`{"spec": {"in": {"key": ${'['.repeat(400_000)}${']'.repeat(400_000)}}}}`)), 400, 'invalid-input', /^The body has lists or objects in each other more than 16 levels deep.$/);
	problem(await send(bytes(`"${'a'.repeat(1_000_000)}`)), 400, 'invalid-input', /no JSON/);
	problem(await send(new Uint8Array([0x7B, 0xFF, 0xFE, 0x7D])), 401, 'unauthenticated', /UTF-8/);
	problem(await send({spec: {targetcolonyid: colony.id}, other: 1}), 400, 'invalid-input', /^Unknown field "other" in the body.$/);
});

test('a number that nothing can hold is named as it was sent', async () => {
	problem(await send(bytes('{"spec": {"computertype": "1e999",\n "cores": -1e999}}')), 400, 'invalid-input', /^The body has the number "-1e999" at line 2, column 11, which is out of range.$/);
	problem(await send(bytes(`{"spec": {"mem": ${'9'.repeat(309)}.5}}`)), 400, 'invalid-input', /^The body has the number "9{79}…" at line 1, column 18,/);
	assert.equal((await send({spec: {computertype: '"1e999'}})).status, 200);
	problem(await served.send(signed(colony.owner, {method: 'GET', target: `${processes}?count=${'9'.repeat(400)}`})), 400, 'invalid-input', /^count must be a whole number from 1 to 1000, not "9{79}…".$/);
});

test('keys that are properties of every object are keys like others', async () => {
	const {status, json} = await send(bytes('{"spec": {"in": {"__proto__": "a", "constructor": "b", "toString": "c"}}}'));
	assert.equal(status, 200);
	assert.deepEqual(json.in.map(({key, value}: Attribute) => [key, value]).sort(), [['__proto__', 'a'], ['constructor', 'b'], ['toString', 'c']]);
	problem(await send(bytes('{"__proto__": {"spec": {}}}')), 400, 'invalid-input');
	problem(await send(bytes('{"spec": {"__proto__": {"cores": 1}, "cores": "x"}}')), 400, 'invalid-input', /^Unknown field "__proto__" in spec.$/);
});

test('a body is JSON in UTF-8, as it is', async () => {
	const {'content-type': _, ...headers} = signed(colony.owner, {method: 'POST', target: processes, body: {spec: {}}}).headers;
	problem(await served.send({method: 'POST', target: processes, headers, body: bytes('{"spec":{}}')}), 415, 'invalid-input');
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data; boundary=x', 'nonsense', '']) {
		problem(await send({spec: {}}, {'content-type': type}), 415, 'invalid-input');
	}

	assert.equal((await send({spec: {}}, {'content-type': 'application/json; charset=utf-8'})).status, 200);
	assert.equal((await send({spec: {}}, {'content-type': 'Application/JSON'})).status, 200);
	problem(await send({spec: {}}, {'content-encoding': 'gzip'}), 415, 'invalid-input', /compressed/);
	const {body, ...rest} = signed(colony.owner, {method: 'GET', target: processes, body: {}});
	problem(await served.send({...rest, body}), 400, 'invalid-input', /no body/);
});

test('a body has up to 1 MiB', async () => {
	const [begin, end] = ['{"spec":{"in":{"key":"', '"}}}'];
	const sized = (size: number): Uint8Array => bytes(`${begin}${'a'.repeat(size - begin.length - end.length)}${end}`);
	assert.equal((await send(sized(limits.body))).status, 200);
	problem(await send(sized(limits.body + 1)), 413, 'too-large');
	// The connection is not cut while it is sent.
	problem(await send(sized(6 * limits.body)), 413, 'too-large');
	rawProblem(await raw(`POST ${processes} HTTP/1.1\r\nhost: ${authority}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{`), 413, 'too-large');
	const chunk = `${(65_536).toString(16)}\r\n${'a'.repeat(65_536)}\r\n`;
	rawProblem(await raw(`POST ${processes} HTTP/1.1\r\nhost: ${authority}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(17)}`), 413, 'too-large');
});

test('headers have up to 16 KiB, and a request is HTTP', async () => {
	const many = Array.from({length: 100}, (_, index) => `x-${index}: ${'a'.repeat(1000)}`).join('\r\n');
	rawProblem(await raw(`GET /healthz HTTP/1.1\r\nhost: ${authority}\r\n${many}\r\n\r\n`), 431, 'too-large');
	const twice = `GET /healthz HTTP/1.1\r\nhost: ${authority}\r\n\r\n`;
	const answers = await raw(twice, {async more(socket) {
		await new Promise(resolve => {
			socket.once('data', resolve);
		});
		socket.write(`GET /healthz HTTP/1.1\r\nhost: ${authority}\r\n${many}\r\n\r\n`);
	}});
	assert.match(answers, /^HTTP\/1.1 200 [^]*HTTP\/1.1 431 /);
	for (const text of ['nonsense\r\n\r\n', 'GET\r\n\r\n', '\u0016\u0003\u0001\u0002\u0000', 'GET / HTTP/9.9\r\n\r\n', `GET / HTTP/1.1\r\nhost: ${authority}\r\ncontent-length: -1\r\n\r\n`, `GET / HTTP/1.1\r\nhost: ${authority}\r\nbad header: x\r\n\r\n`, `POST / HTTP/1.1\r\nhost: ${authority}\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`]) {
		rawProblem(await raw(text), 400, 'invalid-input');
	}

	assert.match(await raw('GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n'), /^HTTP\/1.1 400 /, 'without a host');
});

test('what is nowhere is not found, whatever is sent there', async () => {
	for (const [method, target] of [['GET', '/'], ['GET', '/colonies/'], ['POST', '/nothing'], ['GET', `${processes}/`], ['GET', '/colonies//processes'], ['DELETE', '/../colonies'], ['GET', `/colonies/${'a'.repeat(200)}`], ['GET', '//healthz'], ['GET', '/healthz/'], ['GET', '/Colonies'], ['GET', '/.env']] as const) {
		problem(await served.send({method, target, headers: {host: authority}}), 404, 'not-found');
	}

	problem(await served.send({method: 'POST', target: '/nothing', headers: {'content-type': 'text/plain'}, body: bytes('text')}), 404, 'not-found');
	problem(await served.send({method: 'GET', target: '/colonies/%zz', headers: {}}), 400, 'invalid-input');
	problem(await served.send({method: 'GET', target: '/colonies/%ff%fe', headers: {}}), 400, 'invalid-input');
	for (const target of ['http://elsewhere.test/healthz', '*', 'healthz']) {
		assert.match(await raw(`OPTIONS ${target} HTTP/1.1\r\nhost: ${authority}\r\nconnection: close\r\n\r\n`), /^HTTP\/1.1 40[045] /);
	}
});

test('a header that has one value stands once', async () => {
	const {headers, target} = signed(colony.owner, wire('process.list', {colonyid: colony.id}));
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
	for (const [name, value] of [['Host', 'elsewhere.test'], ['host', authority], ['Idempotency-Key', 'a'], ['Content-Type', 'application/json'], ['Last-Event-ID', '1.1'], ['Authorization', 'Basic cm9vdDp4']] as const) {
		const twice = name.toLowerCase() === 'host' ? `${name}: ${value}\r\n` : `${name}: ${value}\r\n${name.toUpperCase()}: ${value}\r\n`;
		const answer = await raw(`GET ${target} HTTP/1.1\r\n${lines}${twice}connection: close\r\n\r\n`);
		rawProblem(answer, 400, 'invalid-input');
		assert.ok(answer.includes(`The header ${name.toLowerCase()} is given twice.`), answer);
	}
});

test('another method than those of an address is refused with those', async () => {
	for (const [method, target, allow] of [
		['PATCH', '/colonies', 'GET, POST'], ['PUT', processes, 'GET, POST'], ['HEAD', '/healthz', 'GET'], ['POST', '/openapi.json', 'GET'], ['GET', '/rootpassword', 'PUT'], ['OPTIONS', `${processes}/${'a'.repeat(64)}`, 'DELETE, GET'], ['PROPFIND', '/colonies', 'GET, POST'],
	] as const) {
		const answer = await served.send({method, target, headers: {host: authority}});
		assert.equal(answer.status, 405, `${method} ${target}`);
		assert.equal(answer.headers.allow, allow);
	}
});

test('a query has what is known, each once', async () => {
	const get = async (query: string) => served.send(signed(colony.owner, {method: 'GET', target: `${processes}?${query}`}));
	problem(await get('colour=red'), 400, 'invalid-input', /^Unknown field "colour" in the query.$/);
	problem(await get('count=1&count=2'), 400, 'invalid-input', /given twice/);
	for (const query of ['count=0', 'count=1e3', 'count=0x10', 'count=1001', 'count=', 'state=done', 'olderthan=-1', 'position=nonsense', 'attribute=x', 'attributes=yes', 'text=%00', 'computerid=abc', '__proto__=1']) {
		problem(await get(query), 400, 'invalid-input');
	}

	assert.equal((await get('')).status, 200);
	assert.equal((await get('count=5&state=waiting&text=%F0%9F%98%80')).status, 200);
	problem(await served.send(signed(colony.owner, {method: 'POST', target: `${processes}/assign?count=1001`})), 400, 'invalid-input', /count/);
	problem(await served.send(signed(colony.owner, {method: 'POST', target: `${processes}/assign?wait=61`})), 400, 'invalid-input', /wait/);
});

test('somebody proves who they are in one way', async () => {
	const bare = await served.send({method: 'GET', target: processes, headers: {host: authority}});
	problem(bare, 401, 'unauthenticated', /not signed/);
	assert.equal(bare.headers['www-authenticate'], 'Signature realm="colonies"');
	const request = signed(colony.owner, wire('process.list', {colonyid: colony.id}));
	problem(await served.send({...request, headers: {...request.headers, authorization: 'Basic cm9vdDp4'}}), 400, 'invalid-input', /authorization too/);
	const {signature: _, ...half} = request.headers;
	problem(await served.send({...request, headers: half}), 401, 'unauthenticated');
	problem(await served.send(byRoot('whatever', wire('colony.list', {}))), 403, 'not-allowed', /plain HTTP/);
	problem(await served.send({method: 'GET', target: '/metrics', headers: {authorization: 'Basic cm9vdDp4'}}), 403, 'not-allowed', /plain HTTP/);
	problem(await served.send({method: 'GET', target: '/metrics', headers: {authorization: 'Bearer x'}}), 401, 'unauthenticated', /unknown or revoked/);
	problem(await served.send({method: 'GET', target: '/colonies', headers: {authorization: 'Bearer x'}}), 403, 'not-allowed', /plain HTTP/);
});

test('a client that is too slow is let go, and one that waits is not', async () => {
	const impatient = await serve(database, {times: {headers: 200, request: 400, looks: 50, still: 1000}});
	rawProblem(await raw('GET /healthz HTTP/1.1\r\nhost: a', {port: impatient.port}), 408, 'invalid-input');
	rawProblem(await raw(`POST ${processes} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`, {port: impatient.port}), 408, 'invalid-input');
	const quiet = await openColony(database, colony.broker);
	const idle = await quiet.computer();
	const began = performance.now();
	problem(await impatient.send(signed(idle, wire('process.assign', {colonyid: quiet.id, wait: 0.7}))), 404, 'nothing-to-assign');
	assert.ok(performance.now() - began > 700);
});

test('an answer that nobody takes is given up', async () => {
	const impatient = await serve(database, {times: {still: 300}});
	const big = await openColony(database, colony.broker);
	for (let count = 0; count < 20; count++) {
		await big.submit({in: {key: 'a'.repeat(1_000_000)}});
	}

	const {method, target, headers} = signed(big.owner, wire('process.list', {colonyid: big.id, count: 100}));
	const head = `${method} ${target} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`;
	const socket = net.connect({port: impatient.port, host: '127.0.0.1'});
	socket.on('error', () => undefined);
	socket.write(head);
	socket.pause();
	await impatient.listening.close();
	socket.resume();
	await new Promise(resolve => {
		socket.once('close', resolve);
	});
	assert.ok(socket.bytesRead < 20_000_000, `${socket.bytesRead} bytes came.`);
});

test('a client that goes in the midst of its request, or shuts its end, is forgotten', async () => {
	const log = new Lines();
	const watched = await serve(database, {log});
	const quiet = await openColony(database, colony.broker);
	const computer = await quiet.computer();
	const head = ({method, target, headers}: Outgoing, more = ''): string => `${method} ${target} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n${more}\r\n`;
	await raw(`POST ${processes} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`, {port: watched.port, async more(socket) {
		socket.resetAndDestroy();
	}});
	await raw(head(signed(computer, wire('process.assign', {colonyid: quiet.id, wait: 60}))), {port: watched.port, async more(socket) {
		while (watched.context.broker.waiting.size === 0) {
			await new Promise(setImmediate);
		}

		socket.end();
	}});
	while (watched.context.broker.waiting.size > 0 || log.text === '') {
		await new Promise(setImmediate);
	}

	assert.deepEqual(log.lines.filter(({level}) => level !== 'info'), []);
	assert.equal((await watched.send({method: 'GET', target: '/healthz', headers: {}})).status, 200);
});
