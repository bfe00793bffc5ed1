import {randomBytes} from 'node:crypto';
import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {contentDigest} from './content-digest.ts';
import type {Identity} from './identity.ts';
import {
	hasBody, type HttpRequest, requiredComponents, signatureBase, Unsignable,
} from './signature-base.ts';
import {isNonce, signatureInput} from './signature-input.ts';
import {serializeBytes} from './structured-fields.ts';

const label = 'sig1';

/** A request as a client is about to send it. */
export type UnsignedRequest = Pick<HttpRequest, 'method' | 'scheme' | 'authority' | 'target' | 'body'> & {
	/** What the header Idempotency-Key will say; the header itself is for the caller to send. */
	idempotencyKey?: string;
};

/** A nonce nobody else will use: 22 characters of 128 random bits. */
const newNonce = (): string => randomBytes(16).toString('base64url');

/**
Signs a request (RFC 9421). `now`: milliseconds since 1970 by the clock of the signer; `nonce`: 16 to 64 characters of A-Z a-z 0-9 _ -.
@returns the headers to add: signature-input, signature and, with a body, content-digest
@throws InvalidInput for what cannot be signed: a target that is no path, a header that is not ASCII
*/
export function signHttp(identity: Identity, request: UnsignedRequest, {now = Date.now(), nonce = newNonce()}: {now?: number; nonce?: string} = {}): Record<string, string> {
	const {idempotencyKey, ...rest} = request;
	const digest: Record<string, string> = hasBody(request.body) ? {'content-digest': contentDigest(request.body)} : {};
	const headers = {...digest, ...(idempotencyKey === undefined ? {} : {'idempotency-key': idempotencyKey})};
	if (!isNonce(nonce)) {
		throw new InvalidInput(`${quoted(nonce)} is no nonce.`, {hint: 'It is 16 to 64 characters of A-Z a-z 0-9 _ and -.'});
	}

	try {
		const components = requiredComponents({headers, body: request.body});
		const parameters = signatureInput(components, Math.floor(now / 1000), nonce, identity.id);
		const signature = identity.sign(signatureBase({...rest, headers}, components, parameters));
		return {...digest, 'signature-input': `${label}=${parameters}`, signature: `${label}=${serializeBytes(Buffer.from(signature, 'hex'))}`};
	} catch (error) {
		throw error instanceof Unsignable ? new InvalidInput(error.message, {hint: error.hint}) : error;
	}
}
