import {Point, recoverPublicKey} from '@noble/secp256k1';
import type {Id} from '../core/types.ts';
import {addon} from './addon.ts';
import {sha3Bytes} from './hash.ts';
import {idOfPublicKey} from './ids.ts';

/**
Finds the uncompressed public key (65 bytes, `04` first) that made a signature.
`compact` is r ‖ s, 64 bytes; `v` 0 or 1; `digest` the 32 bytes that were signed. Throws where there is none.
*/
type RecoverKey = (compact: Uint8Array, v: number, digest: Uint8Array) => Uint8Array;

/** By noble: the reference, on every machine. */
const referenceKey: RecoverKey = (compact, v, digest) =>
	Point.fromBytes(recoverPublicKey(new Uint8Array([v, ...compact]), digest, {prehash: false})).toBytes(false);

/** A signature that the addon must know before it is believed (domain.md, the fourth of its known answers). */
const probe = {
	message: 'hello',
	signature: 'e713a1bb015fecabb5a084b0fe6d6e7271fca6f79525a634183cfdb175fe69241f4da161779d8e6b761200e1cf93766010a19072fa778f9643363e2cfadd640900',
	id: '5d6568f883451ae2e407d1a0a7992e414f2a67b69d0e6e9176d353b98f06f696',
};

/** Half the order of the curve: the highest s that is accepted. */
const highestS = (Point.CURVE().n / 2n).toString(16).padStart(64, '0');

function recoverWith(recoverKey: RecoverKey, message: string | Uint8Array, signature: string): Id | undefined {
	// Digits of one length compare as the numbers do. The addon alone would take a high s.
	if (!/^[\da-f]{128}0[01]$/.test(signature) || signature.slice(64, 128) > highestS) {
		return undefined;
	}

	const bytes = Buffer.from(signature, 'hex');
	try {
		const publicKey = recoverKey(new Uint8Array(bytes.subarray(0, 64)), bytes[64]!, new Uint8Array(sha3Bytes(message)));
		return idOfPublicKey(Buffer.from(publicKey).toString('hex'));
	} catch {
		return undefined;
	}
}

/** `recover` by noble alone. */
export const recoverByReference = (message: string | Uint8Array, signature: string): Id | undefined => recoverWith(referenceKey, message, signature);

/** The addon, or undefined where there is none that knows the probe. */
function provenAddon(): RecoverKey | undefined {
	const found = addon();
	const recoverKey: RecoverKey | undefined = found && ((compact, v, digest) => found.ecdsaRecover(compact, v, digest, false));
	return recoverKey && recoverWith(recoverKey, probe.message, probe.signature) === probe.id ? recoverKey : undefined;
}

let proven: {recoverKey: RecoverKey | undefined} | undefined;

/** `recover` by the addon alone, or undefined where there is none. */
export function addonRecover(): ((message: string | Uint8Array, signature: string) => Id | undefined) | undefined {
	proven ??= {recoverKey: provenAddon()};
	const {recoverKey} = proven;
	return recoverKey && ((message, signature) => recoverWith(recoverKey, message, signature));
}

/**
The id of whoever signed a message, or undefined when the signature is none: wrong length, r or s out of range, high s, v above 1.
*/
export function recover(message: string | Uint8Array, signature: string): Id | undefined {
	proven ??= {recoverKey: provenAddon()};
	return recoverWith(proven.recoverKey ?? referenceKey, message, signature);
}
