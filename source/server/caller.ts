import type {IncomingMessage} from 'node:http';
import {InvalidInput, NotAllowed, Unauthenticated} from '../core/errors.ts';
import {checkIdempotencyKey} from '../core/idempotency-key.ts';
import {verifyHttp} from '../identity/index.ts';
import type {Caller} from '../operations/index.ts';
import type {Client} from './proxies.ts';

/** How requests come: over TLS, over plain TCP from this machine or a trusted proxy, over a Unix socket of this user. */
export type Transport = 'tls' | 'plain' | 'socket';

/** How one request came. */
type Path = {transport: Transport; client: Client};

/**
Whether nobody on the way could read a password: on a Unix socket, or where the client came over TLS, to a trusted proxy or to this
server itself.
*/
const isConfidential = ({transport, client: {scheme}}: Path): boolean => transport === 'socket' || scheme === 'https' || (transport === 'tls' && scheme === undefined);

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

/** What to do where the root password came over plain HTTP. */
function plainHint({client: {scheme, proxy}}: Path): string {
	if (scheme === 'http') {
		return 'The client reached the proxy over plain HTTP: use https.';
	}

	return proxy === undefined
		? 'Start the server with TLS, or behind a proxy that ends TLS with --trustproxy and the address of the proxy; or use the database itself.'
		: 'Let the proxy say that its client came over TLS: X-Forwarded-Proto: https, Forwarded: proto=https, or send-proxy-v2-ssl.';
}

/**
Who sends a request: whoever signed it, or root by its password, which is not checked here.
@param body the bytes as they came
@throws Unauthenticated, NotAllowed, InvalidInput
*/
export function callerOf(request: IncomingMessage, body: Buffer | undefined, path: Path): Caller {
	const {headers, method = '', url = ''} = request;
	const isSigned = headers.signature !== undefined || headers['signature-input'] !== undefined;
	const {authorization} = headers;
	if (isSigned && authorization !== undefined) {
		throw new InvalidInput('The request is signed and has the header authorization too.', {hint: 'Root gives its password, everybody else signs; not both.'});
	}

	if (isSigned) {
		// A proxy that is not trusted, on this machine, may have a client that came over https.
		const {transport, client: {scheme}} = path;
		const schemes = scheme === undefined ? (transport === 'plain' ? ['http', 'https'] as const : ['https'] as const) : [scheme];
		return {signer: verifyHttp({method, authority: headers.host ?? '', target: url, headers, body}, {now: Date.now(), schemes})};
	}

	if (authorization === undefined) {
		throw new Unauthenticated('The request is not signed.', {hint: 'Sign it as docs/protocol.md says; root gives its password by HTTP Basic, over TLS.'});
	}

	if (!isConfidential(path)) {
		throw new NotAllowed('The root password is not accepted over plain HTTP.', {hint: `${plainHint(path)} A token is for GET /metrics alone.`});
	}

	return {root: rootPassword(authorization), ...(headers['colonies-root'] === 'kept' ? {mustBeKept: true} : {})};
}

/** The token of a request that is not signed (RFC 6750 §2.1); undefined where it brings none. Also over plain HTTP, which comes from this machine alone: all that it opens is the metrics. */
export function bearerToken({headers}: IncomingMessage): string | undefined {
	const isSigned = headers.signature !== undefined || headers['signature-input'] !== undefined;
	return isSigned ? undefined : /^bearer +([\w~+/.-]+=*) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** How a client proves who it is, for answers with 401 (RFC 9110 §11.6.1). `tokens`: whether a token will do. */
export const challenge = (path: Path, {tokens = false}: {tokens?: boolean} = {}): string => [
	'Signature realm="colonies"',
	...(isConfidential(path) ? ['Basic realm="colonies root", charset="UTF-8"'] : []),
	...(tokens ? ['Bearer realm="colonies metrics"'] : []),
].join(', ');

/** @throws InvalidInput */
export function idempotencyKeyOf({headers}: IncomingMessage): string | undefined {
	const key = single(headers['idempotency-key'])?.trim();
	return key === undefined ? undefined : checkIdempotencyKey(key, 'The header idempotency-key');
}
