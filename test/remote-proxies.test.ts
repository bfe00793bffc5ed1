import assert from 'node:assert/strict';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {after, test} from 'node:test';
import {NoAnswer, openRemote} from '../source/remote/index.ts';
import type {Context} from '../source/operations/index.ts';
import {openAny, openColony} from './support/colony.ts';
import {failureOf} from './support/outcomes.ts';
import {serve, testCertificate} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const served = await serve(database, {secure: true});
const certificate = await testCertificate();

/** What the proxy answers in place of the server, whose own answer it drops. */
type Own = {status: number; type?: string; body?: string};

/** A proxy that passes every request on, and answers the first ones itself. */
class DroppingProxy {
	/** Every request that came, as `METHOD path?query key`. */
	readonly requests: string[] = [];
	/** What it answers next, in order. */
	readonly owns: Own[] = [];
	port = 0;

	async start(): Promise<Context> {
		const server = https.createServer({cert: certificate.cert, key: certificate.key}, (request, response) => {
			this.requests.push([request.method, request.url, request.headers['idempotency-key'] ?? ''].join(' ').trim());
			const behind = https.request({host: '127.0.0.1', port: served.port, ca: certificate.cert, servername: 'localhost', method: request.method, path: request.url, headers: request.headers}, answer => {
				const own = this.owns.shift();
				if (own === undefined) {
					response.writeHead(answer.statusCode!, answer.headers);
					answer.pipe(response);
				} else {
					answer.resume().once('end', () => {
						response.writeHead(own.status, {'content-type': own.type ?? 'text/html'}).end(own.body ?? '<html><body>No.</body></html>');
					});
				}
			});
			request.pipe(behind);
		});
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		this.port = (server.address() as AddressInfo).port;
		const context = await openRemote({address: {host: '127.0.0.1', port: this.port, trust: {kind: 'fingerprint', sha256: certificate.fingerprint}, place: 'the server at lab'}, kind: 'server', name: 'test', longestWait: 0.3});
		after(async () => {
			await context.close();
			server.close();
			server.closeAllConnections();
		});
		this.requests.length = 0;
		return context;
	}
}

const proxy = new DroppingProxy();
const context = await proxy.start();
const {owner: identity, id: colonyid} = colony;

test('an answer of the proxy is told as its own, with any body; a change that cannot come twice is not sent again', async () => {
	const {id: computerid} = await colony.computer();
	for (const [own, title] of [
		[{status: 502}, '502 Bad Gateway'],
		[{status: 503}, '503 Service Unavailable'],
		[{status: 504, body: ''}, '504 Gateway Timeout'],
		[{status: 504, type: 'application/json', body: '{"message": "Endpoint request timed out"}'}, '504 Gateway Timeout'],
		[{status: 503, type: 'application/json', body: '[]'}, '503 Service Unavailable'],
	] as Array<[Own, string]>) {
		proxy.requests.length = 0;
		proxy.owns.push(own);
		const failure = await failureOf(context.run({identity}, 'computer.rename', {colonyid, computerid, name: title}));
		assert.ok(failure instanceof NoAnswer);
		assert.deepEqual([failure.code, failure.message, failure.isSent, failure.nothingDone], ['unavailable', `The proxy in front of the server at lab answered ${title}.`, true, false]);
		assert.notEqual(failure.hint, undefined);
		assert.equal(proxy.requests.length, 1);
		assert.equal((await context.run({identity}, 'computer.get', {colonyid, computerid})).name, title, 'it was carried out all the same');
	}
});

test('what may come twice is sent again under its key, and done once', async () => {
	const computer = await colony.computer();
	const {waiting: before} = await context.run({identity}, 'process.count', {colonyid});
	proxy.requests.length = 0;
	proxy.owns.push({status: 504}, {status: 502});
	const {processid} = await context.run({identity}, 'process.submit', {spec: {targetcolonyid: colonyid, targetcomputerids: [computer.id]}});
	proxy.owns.push({status: 503}, {status: 504});
	assert.equal((await context.run({identity}, 'process.get', {colonyid, processid})).processid, processid);
	assert.equal((await context.run({identity}, 'process.count', {colonyid})).waiting, before + 1);
	const submits = proxy.requests.filter(request => request.startsWith('POST'));
	assert.equal(submits.length, 3);
	assert.equal(new Set(submits).size, 1, 'each with the same key');
});

test('a refusal of the server, and a page of something else, are told as before', async () => {
	proxy.owns.push({status: 503, type: 'application/problem+json', body: JSON.stringify({type: 'urn:colonies:error:disk-full', status: 503, code: 'in-use', detail: 'It is in use.'})});
	assert.deepEqual((({code, message}) => [code, message])(await failureOf(context.run({identity}, 'colony.get', {colonyid}))), ['in-use', 'It is in use.']);
	proxy.owns.push({status: 404});
	assert.equal((await failureOf(context.run({identity}, 'colony.get', {colonyid}))).hint, 'Is it a Colonies server? Check --host and --port.');
});

test('a long wait is made of short requests under one key, and the next one takes what came in between', async () => {
	const computer = await colony.computer();
	proxy.requests.length = 0;
	assert.equal((await failureOf(context.run({identity: computer}, 'process.assign', {colonyid, wait: 1}, {idempotencyKey: 'in-vain'}))).code, 'nothing-to-assign');
	assert.ok(proxy.requests.length >= 3, String(proxy.requests.length));
	for (const request of proxy.requests) {
		const [, wait, key] = /^POST \S+\?wait=([\d.]+) (\S+)$/.exec(request)!;
		assert.ok(Number(wait) > 0 && Number(wait) <= 0.3, wait);
		assert.equal(key, 'in-vain');
	}

	proxy.requests.length = 0;
	const waiting = context.runMany({identity: computer}, 'process.assign', Array.from({length: 2}, () => ({colonyid, wait: 60})), {idempotencyKey: 'two'});
	await requests(3);
	const {processid} = await colony.submit({targetcomputerids: [computer.id]});
	const [first, second] = await waiting;
	assert.ok(first && 'result' in first && first.result.processid === processid);
	assert.ok(second && 'code' in second && second.code === 'nothing-to-assign');
	assert.ok(proxy.requests.every(request => /\?wait=0\.\d+&count=2 two$/.test(request)), proxy.requests.join('\n'));
});

test('what the last request of a wait got is found out under its key', async () => {
	const computer = await colony.computer();
	proxy.requests.length = 0;
	const waiting = failureOf(context.run({identity: computer}, 'process.assign', {colonyid, wait: 60}, {idempotencyKey: 'lost'}));
	await requests(2);
	proxy.owns.push({status: 504});
	const {processid} = await colony.submit({targetcomputerids: [computer.id]});
	const failure = await waiting;
	assert.ok(failure instanceof NoAnswer && failure.isSent);
	const found = await context.run({identity: computer}, 'process.assign', {colonyid}, {idempotencyKey: 'lost'}).catch(() => undefined);
	// The answer that was dropped is the one that had it, or that of an empty request just before; then the process still waits, for anybody's next request.
	assert.ok(found === undefined || found.processid === processid);
	const taken = found ?? await context.run({identity: computer}, 'process.assign', {colonyid}, {idempotencyKey: 'next'});
	assert.equal(taken.processid, processid);
});

test('a wait ends with its signal, between two requests too', async () => {
	const computer = await colony.computer();
	const stop = new AbortController();
	proxy.requests.length = 0;
	const waiting = failureOf(context.run({identity: computer}, 'process.assign', {colonyid, wait: 60}, {signal: stop.signal}));
	await requests(2);
	stop.abort();
	assert.equal((await waiting).code, 'nothing-to-assign');
});

/** Resolves when the proxy has seen so many requests. */
async function requests(count: number): Promise<void> {
	const patience = Date.now() + 20_000;
	while (proxy.requests.length < count) {
		assert.ok(Date.now() < patience);
		await new Promise(setImmediate);
	}
}
