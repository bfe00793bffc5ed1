import type {IncomingMessage, ServerResponse} from 'node:http';

/** What signed requests need (docs/protocol.md). Root's password is not among them: a page in a browser is no place for it. */
const requestHeaders = 'content-type, content-digest, signature, signature-input, idempotency-key, last-event-id';
const exposedHeaders = 'colonies-notice, retry-after, allow, www-authenticate';
const methods = 'GET, POST, PUT, DELETE';
/** Seconds for which a browser may keep the answer to a preflight. */
const preflightMaxAge = 600;

/**
Answers pages of other origins (WHATWG Fetch, "CORS protocol"): those that are listed may read answers; never with credentials.
Written on the response itself, for an event stream has no other.
@returns whether the request was a preflight and is answered
*/
export function answerCors(request: IncomingMessage, response: ServerResponse, origins: ReadonlySet<string>): boolean {
	if (origins.size === 0) {
		return false;
	}

	const {origin} = request.headers;
	response.setHeader('vary', 'origin');
	if (origin === undefined || !origins.has(origin)) {
		return false;
	}

	response.setHeader('access-control-allow-origin', origin);
	if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
		response.setHeader('access-control-expose-headers', exposedHeaders);
		return false;
	}

	response.writeHead(204, {'access-control-allow-methods': methods, 'access-control-allow-headers': requestHeaders, 'access-control-max-age': String(preflightMaxAge)});
	response.end();
	return true;
}
