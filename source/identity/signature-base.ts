import {quoted} from '../core/text.ts';

/** How a client reaches a server: the scheme of the address that it has for it. */
export type Scheme = 'https' | 'http';

/** An HTTP request as whoever signs or verifies it sees it. */
export type HttpRequest = {
	/** As it stands in the request line: `POST`. */
	method: string;
	/** Of the client's address for the server, https unless given: its own port is not part of the authority. */
	scheme?: Scheme | undefined;
	/** Host with port, as in the header Host. */
	authority: string;
	/** Path with query, as they stand in the request line; nothing is decoded. */
	target: string;
	/** By their lowercase names. */
	headers: Readonly<Record<string, string | string[] | undefined>>;
	/** The bytes as they were sent; undefined or empty where there is no body. */
	body?: Uint8Array;
};

/** What cannot stand in a signature base. The message is a whole sentence. */
export class Unsignable extends Error {
	override readonly name = 'Unsignable';
	readonly hint: string;

	constructor(message: string, hint: string) {
		super(message);
		this.hint = hint;
	}
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** A header's line without the blanks around it. By hand: a pattern for the end of a text takes quadratic time on long blanks inside it. */
function trimmed(line: string): string {
	let [from, to] = [0, line.length];
	while (from < to && isBlank(line[from])) {
		from++;
	}

	while (to > from && isBlank(line[to - 1])) {
		to--;
	}

	return line.slice(from, to);
}

/**
The value of a header as RFC 9421 §2.1 combines it: each line trimmed, joined by a comma and a space. Undefined where there is no such header.
@throws Unsignable for what is folded over lines (obs-fold) or holds anything but printable ASCII.
*/
export function fieldValue(headers: HttpRequest['headers'], name: string): string | undefined {
	const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
	if (value === undefined) {
		return undefined;
	}

	const joined = (Array.isArray(value) ? value : [value]).map(line => trimmed(line)).join(', ');
	if (/[^\t -~]/.test(joined)) {
		throw new Unsignable(`The header ${name} holds something else than printable ASCII on one line.`, 'Encode what is not ASCII, and do not fold headers over lines.');
	}

	return joined;
}

const ownPorts: Readonly<Record<Scheme, string>> = {https: '443', http: '80'};

/** Lowercase, without the port that the scheme has by itself (RFC 9421 §2.2.3, RFC 9110 §4.2.3). */
function authorityOf({authority, scheme = 'https'}: HttpRequest): string {
	const [, host, port] = /^(\[[\da-f:.]+]|[\w.~%-]+)(?::(\d*))?$/.exec(authority.toLowerCase()) ?? [];
	if (host === undefined) {
		throw new Unsignable(`${quoted(authority)} is no authority.`, 'The header Host is a host, and a port where it is not that of the scheme: "colonies.example:8443".');
	}

	return port === undefined || port === '' || port === ownPorts[scheme] ? host : `${host}:${port}`;
}

/** Path and query as they stand; a query begins with its `?` and is `?` where there is none (RFC 9421 §2.2.7). */
function partsOf({target}: HttpRequest): {whole: string; path: string; query: string} {
	if (!/^\/[!"$-~]*$/.test(target)) {
		throw new Unsignable(`${quoted(target)} is no path with a query.`, 'It begins with "/", has no "#", and escapes everything that is not printable ASCII with "%".');
	}

	const mark = target.indexOf('?');
	return mark === -1 ? {whole: target, path: target, query: '?'} : {whole: target, path: target.slice(0, mark), query: target.slice(mark)};
}

function methodOf({method}: HttpRequest): string {
	if (!/^[\w!#$%&'*+\-.^`|~]+$/.test(method)) {
		throw new Unsignable(`${quoted(method)} is no method.`, 'It is a word like POST.');
	}

	return method;
}

/** The derived components that are understood (RFC 9421 §2.2). The server may stand behind another one that ends TLS, so the scheme is not among them. */
const derived: ReadonlyMap<string, (request: HttpRequest) => string> = new Map([
	['@method', methodOf],
	['@authority', authorityOf],
	['@path', (request: HttpRequest) => partsOf(request).path],
	['@query', (request: HttpRequest) => partsOf(request).query],
	['@request-target', (request: HttpRequest) => partsOf(request).whole],
]);

/**
The value of one covered component.
@throws Unsignable for a derived one that is not understood and a header that is not there.
*/
function componentValue(request: HttpRequest, name: string): string {
	if (name.startsWith('@')) {
		const derive = derived.get(name);
		if (derive === undefined) {
			throw new Unsignable(`The component ${quoted(name)} cannot be covered here.`, `Cover ${[...derived.keys()].join(', ')} and headers.`);
		}

		return derive(request);
	}

	const value = /^[\da-z!#$%&'*+\-.^_`|~]+$/.test(name) ? fieldValue(request.headers, name) : undefined;
	if (value === undefined) {
		throw new Unsignable(`The signature covers ${quoted(name)}, but the request has no such header.`, 'Cover what is sent, by its lowercase name.');
	}

	return value;
}

/**
The signature base of RFC 9421 §2.5: a line for each covered component, then the signature's own parameters, without a line break at the end.
`parameters` is the canonical text of Signature-Input's inner list.
@throws Unsignable
*/
export function signatureBase(request: HttpRequest, components: readonly string[], parameters: string): string {
	const lines = components.map(name => `"${name}": ${componentValue(request, name)}`);
	return [...lines, `"@signature-params": ${parameters}`].join('\n');
}

/** Whether a request has a body: one of at least one byte. */
export const hasBody = (body: Uint8Array | undefined): body is Uint8Array => body !== undefined && body.length > 0;

/** What a signature must cover at least for a request: everything that decides what is done. */
export function requiredComponents({headers, body}: Pick<HttpRequest, 'headers' | 'body'>): string[] {
	return [
		'@method',
		'@authority',
		'@path',
		'@query',
		...(hasBody(body) ? ['content-digest'] : []),
		...(Object.hasOwn(headers, 'idempotency-key') && headers['idempotency-key'] !== undefined ? ['idempotency-key'] : []),
	];
}
