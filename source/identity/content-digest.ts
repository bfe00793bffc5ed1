import {createHash, timingSafeEqual} from 'node:crypto';
import {type Dictionary, serializeBytes} from './structured-fields.ts';

const sha256 = (body: Uint8Array): Uint8Array => createHash('sha256').update(body).digest();

/** The value of Content-Digest (RFC 9530 §2) for a body: `sha-256=:base64:`. */
export const contentDigest = (body: Uint8Array): string => `sha-256=${serializeBytes(sha256(body))}`;

/** What is wrong with a Content-Digest for a body, or undefined when its sha-256 fits. Other algorithms may stand beside it and are not looked at. */
export function digestFault(digests: Dictionary, body: Uint8Array): string | undefined {
	const member = digests.get('sha-256');
	if (member === undefined || !('item' in member) || member.item.type !== 'bytes') {
		return 'The header content-digest has no digest by sha-256.';
	}

	const {value} = member.item;
	return value.length === 32 && timingSafeEqual(value, sha256(body)) ? undefined : 'The body does not fit its content-digest.';
}
