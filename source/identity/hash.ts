import {createHash} from 'node:crypto';

/** Hex of SHA3-256 (FIPS 202, not Keccak) over UTF-8 text or bytes. */
export const sha3 = (message: string | Uint8Array): string => createHash('sha3-256').update(message).digest('hex');

/** The same as 32 bytes. */
export const sha3Bytes = (message: string | Uint8Array): Uint8Array => createHash('sha3-256').update(message).digest();
