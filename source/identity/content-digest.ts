import {createHash, timingSafeEqual} from 'node:crypto';
import {bytesOf, type Dictionary, serializeBytes} from './structured-fields.ts';

const sha256 = (body: Uint8Array): Uint8Array => createHash('sha256').update(body).digest();

/** The value of Content-Digest (RFC 9530 §2) for a body: `sha-256=:base64:`. */
export const contentDigest = (body: Uint8Array): string => `sha-256=${serializeBytes(sha256(body))}`;

/** The algorithms whose digests are checked, with their length in bytes: those that RFC 9530 §5 calls active. */
const checked = new Map([['sha-256', 32], ['sha-512', 64]]);

/** Whether a digest is that of a body. */
const fits = (algorithm: string, length: number, digest: Uint8Array | undefined, body: Uint8Array): boolean => digest?.length === length
	&& timingSafeEqual(digest, createHash(algorithm.replace('-', '')).update(body).digest());

/** What is wrong with a Content-Digest for a body, or undefined when it has a sha-256, and that and a sha-512 beside it fit. Other algorithms are too weak to say anything, and are not looked at. */
export function digestFault(digests: Dictionary, body: Uint8Array): string | undefined {
	if (bytesOf(digests.get('sha-256')) === undefined) {
		return 'The header content-digest has no digest by sha-256.';
	}

	for (const [algorithm, length] of checked) {
		const member = digests.get(algorithm);
		if (member !== undefined && !fits(algorithm, length, bytesOf(member), body)) {
			return `The body does not fit its content-digest by ${algorithm}.`;
		}
	}

	return undefined;
}
