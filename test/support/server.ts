import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import {mkdtempSync, rmSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Writable} from 'node:stream';
import {after} from 'node:test';
import {type BrokerContext, brokerContext} from '../../source/contexts/index.ts';
import type {Database} from '../../source/database/types.ts';
import {type Identity, signHttp} from '../../source/identity/index.ts';
import {type Certificate, ownCertificate} from '../../source/keychain/index.ts';
import {
	type AnyOperation, encodeCall, encodeCalls, type OperationName, operations, type WireRequest,
} from '../../source/operations/index.ts';
import {createHandler, listen, type Listening, type ListenOptions} from '../../source/server/index.ts';

let made: Promise<Certificate> | undefined;

/** A certificate for 127.0.0.1. */
export async function newCertificate(): Promise<Certificate> {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-certificate-'));
	try {
		return await ownCertificate({folder});
	} finally {
		rmSync(folder, {recursive: true});
	}
}

/** The same for all servers of a test file. */
export const testCertificate = async (): Promise<Certificate> => {
	made ??= newCertificate();
	return made;
};

export type Answer = {status: number; headers: http.IncomingHttpHeaders; text: string; /** Its JSON. */ json: any};

/** A request as it goes out, to be sent once or again. */
export type Outgoing = {method: string; target: string; headers: Record<string, string>; body?: Uint8Array};

type SignOptions = {idempotencyKey?: string; headers?: Record<string, string>; now?: number; nonce?: string; authority?: string};

const bytesOf = (body: unknown): Uint8Array | undefined => body === undefined ? undefined : (body instanceof Uint8Array ? body : new Uint8Array(Buffer.from(JSON.stringify(body))));

/** What everybody calls the servers of these tests, so that what was signed for one is good at another. */
export const authority = 'colonies.test:8443';

/** A request signed by somebody. */
export function signed(identity: Identity, {method, target, body: value}: {method: string; target: string; body?: unknown}, {idempotencyKey, headers = {}, authority: name = authority, ...rest}: SignOptions = {}): Outgoing {
	const body = bytesOf(value);
	const key: Record<string, string> = idempotencyKey === undefined ? {} : {'idempotency-key': idempotencyKey};
	return {
		method, target, body,
		headers: {host: name, ...(body ? {'content-type': 'application/json'} : {}), ...key, ...signHttp(identity, {method, authority: name, target, body, idempotencyKey}, rest), ...headers},
	};
}

/** A request with a root password. */
export function byRoot(password: string, {method, target, body: value}: {method: string; target: string; body?: unknown}, headers: Record<string, string> = {}): Outgoing {
	const body = bytesOf(value);
	return {method, target, body, headers: {host: authority, authorization: `Basic ${Buffer.from(`root:${password}`).toString('base64')}`, ...(body ? {'content-type': 'application/json'} : {}), ...headers}};
}

export const wire = (name: OperationName, input: Record<string, unknown>): WireRequest => encodeCall(operations[name] as AnyOperation, input);
export const wireMany = (name: OperationName, inputs: Array<Record<string, unknown>>): WireRequest => encodeCalls(operations[name] as AnyOperation, inputs);

/** Collects the lines that a server logs. */
export class Lines extends Writable {
	text = '';

	override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
		this.text += Buffer.from(chunk).toString();
		done();
	}

	get lines(): any[] {
		return this.text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as unknown);
	}
}

/** A server in this process, and what is sent to it. */
export class Served {
	readonly #agent: http.Agent;
	readonly #certificate: Certificate | undefined;

	constructor(readonly context: BrokerContext, readonly listening: Listening, certificate: Certificate | undefined) {
		this.#certificate = certificate;
		this.#agent = certificate ? new https.Agent({keepAlive: true, maxSockets: 64}) : new http.Agent({keepAlive: true, maxSockets: 64});
	}

	get port(): number {
		return this.listening.port;
	}

	/** Begins a request; for those that read the answer as it comes. `agent`: false for a connection of its own. */
	begin({method, target, headers, body}: Outgoing, {agent}: {agent?: false} = {}): http.ClientRequest {
		const options = {host: '127.0.0.1', port: this.port, method, path: target, headers: {...headers, ...(body ? {'content-length': String(body.length)} : {})}, agent: agent ?? this.#agent};
		const request = this.#certificate ? https.request({...options, ca: this.#certificate.cert, servername: 'localhost'}) : http.request(options);
		request.end(body);
		return request;
	}

	async send(outgoing: Outgoing, options?: {agent?: false}): Promise<Answer> {
		return new Promise((resolve, reject) => {
			const request = this.begin(outgoing, options);
			request.once('error', reject);
			request.once('response', response => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => {
					chunks.push(chunk);
				});
				response.once('error', reject);
				response.once('end', () => {
					const text = Buffer.concat(chunks).toString();
					resolve({status: response.statusCode!, headers: response.headers, text, json: text !== '' && (response.headers['content-type'] ?? '').includes('json') ? JSON.parse(text) as unknown : undefined});
				});
			});
		});
	}

	/** Sends an operation as somebody who signs, or as root by its password. */
	async call(who: Identity | string, name: OperationName, input: Record<string, unknown>, options?: SignOptions): Promise<Answer> {
		return this.send(typeof who === 'string' ? byRoot(who, wire(name, input)) : signed(who, wire(name, input), options));
	}

	/** Sends a list of calls. */
	async many(who: Identity, name: OperationName, inputs: Array<Record<string, unknown>>, options?: SignOptions): Promise<Answer> {
		return this.send(signed(who, wireMany(name, inputs), options));
	}

	async close(): Promise<void> {
		await this.listening.close();
		this.#agent.destroy();
	}
}

type ServeOptions = Partial<Omit<ListenOptions, 'context'>> & {secure?: boolean; local?: boolean};

/** Serves a database on a free port of 127.0.0.1; closed after the tests of the file. The database is for whoever opened it to close. */
export async function serve(database: Database, {secure = false, local = false, ...options}: ServeOptions = {}): Promise<Served> {
	const context = brokerContext(database, {kind: 'database', name: 'test', local});
	const certificate = secure ? await testCertificate() : undefined;
	const listening = await listen({context, version: '0.0.0', host: '127.0.0.1', port: 0, tls: certificate, ...options});
	const served = new Served(context, listening, certificate);
	after(async () => {
		await served.close();
		await context.broker.close();
	});
	return served;
}

/** The same without a connection of TLS, for many requests: only the handler takes it for one. */
export async function serveBare(database: Database): Promise<Served> {
	const context = brokerContext(database, {kind: 'database', name: 'test', local: false});
	const handler = await createHandler({context, version: '0.0.0', transport: 'tls'});
	const server = http.createServer(handler.handle);
	const port = await new Promise<number>(resolve => {
		server.listen(0, '127.0.0.1', () => {
			resolve((server.address() as AddressInfo).port);
		});
	});
	const served = new Served(context, {
		port,
		reload: () => undefined,
		async close() {
			await handler.close();
			server.close();
			server.closeAllConnections();
		},
	}, undefined);
	after(async () => {
		await served.close();
		await context.broker.close();
	});
	return served;
}

/** Checks that an answer is a problem (RFC 9457) of a code. */
export function problem({status, headers, json}: Answer, expected: number, code: string, detail?: RegExp): void {
	assert.equal(status, expected, JSON.stringify(json));
	assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
	assert.equal(json.code, code);
	assert.equal(json.status, expected);
	assert.equal(json.type, `urn:colonies:error:${code}`);
	assert.deepEqual(Object.keys(json).filter(name => !['type', 'title', 'status', 'detail', 'code', 'hint', 'instance'].includes(name)), []);
	assert.doesNotMatch(JSON.stringify(json), /\bat \S+ \(|node_modules|\.[jt]s:\d/);
	if (detail) {
		assert.match(json.detail, detail);
	}
}
