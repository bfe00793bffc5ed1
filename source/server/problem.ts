import {STATUS_CODES, type IncomingMessage} from 'node:http';
import {ColoniesError, type ErrorCode, errorCodes} from '../core/errors.ts';

/** A refusal as it goes over the wire (RFC 9457): `detail` says what is wrong, `hint` what to do next, `code` is for programs. */
export type Problem = {
	/** `urn:colonies:error:CODE`. */
	type: string;
	/** What the code means, the same each time. */
	title: string;
	status: number;
	detail: string;
	code: ErrorCode;
	hint?: string;
	/** The request, as the server's log names it; where the server is at fault. */
	instance?: string;
};

/** A refusal that HTTP knows and no operation has: its status is not that of its code. */
export class HttpRefusal extends ColoniesError {
	readonly headers: Readonly<Record<string, string>>;
	readonly #status: number;

	constructor(status: number, code: ErrorCode, message: string, {hint, headers = {}}: {hint?: string; headers?: Readonly<Record<string, string>>} = {}) {
		super(code, message, {hint});
		this.#status = status;
		this.headers = headers;
	}

	override get status(): number {
		return this.#status;
	}
}

export const problemType = (code: ErrorCode): string => `urn:colonies:error:${code}`;

/**
@param id of the request in the log
@param isInside whether it goes to a user of this machine, who may know how the installation is made up
*/
export function problemOf(error: ColoniesError, {id, isInside = false}: {id?: string; isInside?: boolean} = {}): Problem {
	const {code, status} = error;
	const {message, hint} = isInside ? error : error.outward ?? error;
	const isFault = code === 'internal';
	return {
		type: problemType(code),
		title: error instanceof HttpRefusal ? STATUS_CODES[status]! : errorCodes[code].meaning,
		status,
		// What went wrong inside is for those who run the server.
		detail: isFault ? 'Something went wrong inside the server.' : message,
		code,
		...(isFault ? {hint: 'Its log says more.'} : (hint === undefined ? {} : {hint})),
		...(status >= 500 && id !== undefined ? {instance: `urn:colonies:request:${id}`} : {}),
	};
}

/** What the log says of a refusal that the caller was not told: the whole message of one about the installation, and the code of what the database said (its text may repeat what was sent). */
export function reasonOf({outward, message, cause}: ColoniesError): string | undefined {
	const {code} = (typeof cause === 'object' && cause !== null ? cause : {}) as {code?: unknown};
	const said = typeof code === 'string' && /^[\dA-Z]{5}$/.test(code) && /\d/.test(code) ? `SQLSTATE ${code}` : undefined;
	return [outward && message, said].filter(Boolean).join(' ') || undefined;
}

/** What fastify and Node call their refusals, and what we call them. */
const refusals = new Map<string, () => ColoniesError>([
	['FST_ERR_CTP_BODY_TOO_LARGE', () => new HttpRefusal(413, 'too-large', 'The body has more than 1 MiB.', {hint: 'Send less in one request; keep large data elsewhere and pass its address.'})],
	['FST_ERR_CTP_INVALID_MEDIA_TYPE', () => new HttpRefusal(415, 'invalid-input', 'The body is no JSON by its content-type.', {hint: 'Send JSON in UTF-8 with the header content-type: application/json.'})],
	['FST_ERR_CTP_INVALID_CONTENT_LENGTH', () => new HttpRefusal(400, 'invalid-input', 'The body has not as many bytes as its content-length says.')],
	['FST_ERR_BAD_URL', () => new HttpRefusal(400, 'invalid-input', 'The path has a "%" without two hex digits behind it, or bytes that are not UTF-8.', {hint: 'Escape what is not printable ASCII in UTF-8.'})],
	['FST_ERR_MAX_PARAM_LENGTH', () => new HttpRefusal(404, 'not-found', 'There is nothing at this address.', {hint: 'See /openapi.json for what there is.'})],
	['ECONNRESET', () => new HttpRefusal(400, 'invalid-input', 'The request was cut short.')],
	['HPE_HEADER_OVERFLOW', () => new HttpRefusal(431, 'too-large', 'The headers of the request are too large.', {hint: 'They may have 16 KiB together.'})],
	['ERR_HTTP_REQUEST_TIMEOUT', () => new HttpRefusal(408, 'invalid-input', 'The request did not come in time.', {hint: 'Send headers within 10 seconds and the whole request within 30.'})],
]);

/** The refusal behind an error of fastify or Node; undefined where it is a fault of ours. */
export function refusalOf(error: unknown): ColoniesError | undefined {
	if (error instanceof ColoniesError) {
		return error;
	}

	const {code, statusCode} = error as {code?: string; statusCode?: number};
	const known = refusals.get(code ?? '')?.();
	if (known) {
		return known;
	}

	return code?.startsWith('FST_') && statusCode !== undefined && statusCode >= 400 && statusCode < 500
		? new HttpRefusal(statusCode, 'invalid-input', 'The request is malformed.')
		: undefined;
}

/** There is nothing at an address, or not by this method. */
export const nowhere = ({method}: IncomingMessage, allowed: readonly string[]): ColoniesError => allowed.length > 0
	? new HttpRefusal(405, 'invalid-input', `There is no ${method} at this address.`, {hint: `Use ${allowed.join(' or ')}.`, headers: {allow: allowed.join(', ')}})
	: new HttpRefusal(404, 'not-found', 'There is nothing at this address.', {hint: 'See /openapi.json for what there is.'});
