import type {IncomingMessage} from 'node:http';
import {InvalidInput, NotAllowed, Unauthenticated} from '../core/errors.ts';
import {checkIdempotencyKey} from '../core/idempotency-key.ts';
import {verifyHttp} from '../identity/index.ts';
import type {Caller} from '../operations/index.ts';

/** What is trusted about the way in which requests come: over TLS, over plain TCP from this machine, over a Unix socket of this user. */
export type Transport = 'tls' | 'loopback' | 'socket';

const single = (value: string | string[] | undefined): string | undefined => Array.isArray(value) ? value.join(', ') : value;

/** The password of HTTP Basic (RFC 7617) for the user root. @throws Unauthenticated */
function rootPassword(authorization: string): string {
	const encoded = /^basic +([\w+/=-]+)$/i.exec(authorization)?.[1];
	const [, user, password] = /^([^:]*):(.*)$/s.exec(encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
	if (user !== 'root' || password === undefined || password === '') {
		throw new Unauthenticated('The header authorization is not that of the user root with a password.', {hint: 'Root uses HTTP Basic; everybody else signs the request. A token is for GET /metrics alone.'});
	}

	return password;
}

/**
Who sends a request: whoever signed it, or root by its password, which is not checked here.
@param body the bytes as they came
@throws Unauthenticated, NotAllowed, InvalidInput
*/
export function callerOf(request: IncomingMessage, body: Buffer | undefined, transport: Transport): Caller {
	const {headers, method = '', url = ''} = request;
	const isSigned = headers.signature !== undefined || headers['signature-input'] !== undefined;
	const {authorization} = headers;
	if (isSigned && authorization !== undefined) {
		throw new InvalidInput('The request is signed and has the header authorization too.', {hint: 'Root gives its password, everybody else signs; not both.'});
	}

	if (isSigned) {
		// Whoever comes over plain HTTP is a program of this machine, or a proxy for a client that came over https.
		const schemes = transport === 'loopback' ? ['http', 'https'] as const : ['https'] as const;
		return {signer: verifyHttp({method, authority: headers.host ?? '', target: url, headers, body}, {now: Date.now(), schemes})};
	}

	if (authorization === undefined) {
		throw new Unauthenticated('The request is not signed.', {hint: 'Sign it as docs/protocol.md says; root gives its password by HTTP Basic, over TLS.'});
	}

	if (transport === 'loopback') {
		throw new NotAllowed('The root password is not taken over plain HTTP.', {hint: 'Start the server with TLS, or use the database itself. A token is for GET /metrics alone.'});
	}

	return {root: rootPassword(authorization), ...(headers['colonies-root'] === 'kept' ? {mustBeKept: true} : {})};
}

/** The token of a request that is not signed (RFC 6750 §2.1); undefined where it brings none. Also over plain HTTP, which comes from this machine alone: all that it opens is the metrics. */
export function bearerToken({headers}: IncomingMessage): string | undefined {
	const isSigned = headers.signature !== undefined || headers['signature-input'] !== undefined;
	return isSigned ? undefined : /^bearer +([\w~+/.-]+=*) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** How a client proves who it is, for answers with 401 (RFC 9110 §11.6.1). `tokens`: whether a token will do. */
export const challenge = (transport: Transport, {tokens = false}: {tokens?: boolean} = {}): string => [
	'Signature realm="colonies"',
	...(transport === 'loopback' ? [] : ['Basic realm="colonies root", charset="UTF-8"']),
	...(tokens ? ['Bearer realm="colonies metrics"'] : []),
].join(', ');

/** @throws InvalidInput */
export function idempotencyKeyOf({headers}: IncomingMessage): string | undefined {
	const key = single(headers['idempotency-key'])?.trim();
	return key === undefined ? undefined : checkIdempotencyKey(key, 'The header idempotency-key');
}
