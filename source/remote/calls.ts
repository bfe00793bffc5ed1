import {Buffer} from 'node:buffer';
import {ColoniesError, type ErrorCode, errorCodes, Unauthenticated} from '../core/errors.ts';
import {signHttp} from '../identity/index.ts';
import type {Caller, WireRequest} from '../operations/index.ts';
import {type Address, authorityOf} from './address.ts';
import type {Connections, Response} from './connections.ts';
import {isProxyStatus, noAnswer, proxyAnswer} from './failures.ts';

/** An answer: its JSON, and the sentences that came with it. */
export type Answer = {status: number; value: unknown; notices: string[]};

/** A request with the proof of who sends it. It is good for a minute, and once. */
export type Signed = {method: string; target: string; headers: Record<string, string>; body?: Uint8Array};

/** The largest answer that is taken, in bytes: a page of processes with all their attributes is large. */
const largest = 1_073_741_824;

/** Signs a request as an identity, or gives the root password with it. @throws Unauthenticated for somebody whose key is elsewhere */
export function prepare({address}: Connections, caller: Caller, {method, target, body: value}: WireRequest, {idempotencyKey, accept = 'application/json', headers: more = {}}: {idempotencyKey?: string; accept?: string; headers?: Record<string, string>} = {}): Signed {
	const body = value === undefined ? undefined : new Uint8Array(Buffer.from(JSON.stringify(value)));
	const headers: Record<string, string> = {accept, ...more, ...(body ? {'content-type': 'application/json'} : {}), ...(idempotencyKey === undefined ? {} : {'idempotency-key': idempotencyKey})};
	if ('root' in caller) {
		return {method, target, body, headers: {...headers, authorization: `Basic ${Buffer.from(`root:${caller.root}`).toString('base64')}`, ...(caller.mustBeKept ? {'colonies-root': 'kept'} : {})}};
	}

	if (!('identity' in caller)) {
		throw new Unauthenticated('Whoever signed a request to one server cannot be spoken for at another.');
	}

	return {method, target, body, headers: {...headers, ...signHttp(caller.identity, {method, authority: authorityOf(address), target, body, idempotencyKey})}};
}

/** The whole of an answer. @throws Error where it is too large, or cut short */
export async function collect({stream}: Response): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of stream) {
		chunks.push(chunk as Buffer);
		size += (chunk as Buffer).length;
		if (size > largest) {
			throw new Error('the answer is larger than 1 GiB');
		}
	}

	return Buffer.concat(chunks);
}

/** The error that a problem (RFC 9457) stands for. */
export function errorOf(problem: unknown, status: number): ColoniesError {
	const {code, detail, hint} = (typeof problem === 'object' && problem !== null ? problem : {}) as Record<string, unknown>;
	const known = typeof code === 'string' && Object.hasOwn(errorCodes, code) ? code as ErrorCode : (status >= 500 ? 'unavailable' : 'invalid-input');
	return new ColoniesError(known, typeof detail === 'string' ? detail : `The server answered with status ${status}.`, {hint: typeof hint === 'string' ? hint : undefined});
}

/** Whether a JSON value is one of the server's own: a problem of its type, or the readiness of `/readyz`. */
const isOurs = (value: unknown): boolean => typeof value === 'object' && value !== null && (
	('type' in value && typeof value.type === 'string' && value.type.startsWith('urn:colonies:'))
	|| ('status' in value && (value.status === 'unavailable' || value.status === 'read-only'))
);

/**
The JSON of an answer; undefined where there is none. @throws ColoniesError for what is no JSON; NoAnswer where a proxy answered in
place of the server
*/
export function readBody(address: Address, status: number, bytes: Buffer): unknown {
	let value: unknown;
	let isJson = true;
	try {
		value = bytes.length === 0 ? undefined : JSON.parse(bytes.toString());
	} catch {
		isJson = false;
	}

	if (isProxyStatus(status) && !isOurs(value)) {
		throw proxyAnswer(address, status);
	}

	if (!isJson) {
		throw new ColoniesError(status >= 500 ? 'unavailable' : 'internal', `The server answered with status ${status} and no JSON.`, {hint: 'Is it a Colonies server? Check --host and --port.'});
	}

	return value;
}

/** The value that came, or the problem as an error. */
function read(address: Address, {status, bytes}: {status: number; bytes: Buffer}, isAnswer: (value: unknown) => boolean): unknown {
	const value = readBody(address, status, bytes);
	if (status >= 400 && !isAnswer(value)) {
		throw errorOf(value, status);
	}

	return value;
}

const noticesOf = (header: string | string[] | undefined): string[] => String(header ?? '').split(', ').filter(text => text !== '').map(text => decodeURIComponent(text));

/** Sends a request and reads the whole answer. @throws ColoniesError: NoAnswer, or what the server says */
export async function exchange(connections: Connections, signed: Signed, {signal, silence, isAnswer = () => false}: {signal?: AbortSignal; silence: number; /** Whether what came with a status of failure is an answer all the same. */ isAnswer?: (value: unknown) => boolean}): Promise<Answer> {
	const response = await connections.send({...signed, signal, silence});
	let bytes: Buffer;
	try {
		bytes = await collect(response);
	} catch (error) {
		signal?.throwIfAborted();
		throw noAnswer(connections.address, error, true);
	}

	return {status: response.status, value: read(connections.address, {status: response.status, bytes}, isAnswer), notices: noticesOf(response.headers['colonies-notice'])};
}
