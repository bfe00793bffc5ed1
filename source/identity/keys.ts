import {createHash, createHmac} from 'node:crypto';
import {getPublicKey, hashes, sign as signDigest, utils} from '@noble/secp256k1';
import {InvalidInput} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import {addon} from './addon.ts';
import {sha3Bytes} from './hash.ts';
import {idOfPublicKey} from './ids.ts';

// The synchronous functions of noble need their hashes handed to them; they make the RFC 6979 nonces.
hashes.sha256 = (message: Uint8Array) => new Uint8Array(createHash('sha256').update(message).digest());
hashes.hmacSha256 = (key: Uint8Array, message: Uint8Array) => new Uint8Array(createHmac('sha256', key).update(message).digest());

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A new random private key as 64 hex digits. */
export const newPrivateKey = (): string => toHex(utils.randomSecretKey());

/**
Checks a private key: 64 hex digits, 1..n-1. Returns it in lowercase.
@throws InvalidInput without the key in its message.
*/
export function checkPrivateKey(text: string): string {
	const key = text.trim().toLowerCase();
	if (!/^[\da-f]{64}$/.test(key)) {
		throw new InvalidInput(`A private key is 64 hex digits; this has ${key.length} characters${/^[\da-f]*$/.test(key) ? '' : ', some of them not hex digits'}.`, {hint: 'It is what `colonies keychain privatekey --id …` prints.'});
	}

	if (!utils.isValidSecretKey(fromHex(key))) {
		throw new InvalidInput('This private key is out of the range of secp256k1.', {hint: 'It lies between 1 and the order of the curve minus 1.'});
	}

	return key;
}

/** The uncompressed public key of a private key: 130 hex digits that begin with `04`. */
export const publicKeyOf = (privateKey: string): string => toHex(getPublicKey(fromHex(privateKey), false));

/** The id of a private key: SHA3-256 over the ASCII hex text of its uncompressed public key (domain.md). */
export const idOf = (privateKey: string): Id => idOfPublicKey(publicKeyOf(privateKey));

/** Signs a digest of 32 bytes: r ‖ s ‖ v, 65 bytes. */
type SignDigest = (digest: Uint8Array, key: Uint8Array) => Uint8Array;

/** By noble: the reference, on every machine. It puts the recovery byte first; ours stands last. */
const referenceSign: SignDigest = (digest, key) => {
	const signature = signDigest(digest, key, {prehash: false, format: 'recovered', lowS: true});
	return joined(signature.subarray(1), signature.subarray(0, 1));
};

/** What the addon must sign as noble does before it is believed. */
const probe = {digest: new Uint8Array(32).fill(0x5A), key: new Uint8Array(32).fill(0x11)};

/** By the addon, or undefined where there is none that signs the probe as noble does. Its nonces are those of RFC 6979 too, so that the same message has the same signature. */
export function addonSign(): SignDigest | undefined {
	const found = addon();
	const signByAddon: SignDigest | undefined = found && ((digest, key) => {
		const {signature, recid} = found.ecdsaSign(digest, key);
		return joined(signature, new Uint8Array([recid]));
	});
	return signByAddon && toHex(signByAddon(probe.digest, probe.key)) === toHex(referenceSign(probe.digest, probe.key)) ? signByAddon : undefined;
}

/** Signatures that are made by noble before the addon is looked for: a command makes one or two, and does not pay for loading it. */
const firstByReference = 3;

let made = 0;
let proven: {sign: SignDigest} | undefined;

/**
Signs a message: hex of r(32) ‖ s(32) ‖ v(1), v 0 or 1, low s, RFC 6979 nonce, over SHA3-256 of the message (domain.md).
*/
export function sign(privateKey: string, message: string | Uint8Array): string {
	const isFew = made < firstByReference;
	made++;
	const signer = isFew ? referenceSign : (proven ??= {sign: addonSign() ?? referenceSign}).sign;
	return toHex(signer(new Uint8Array(sha3Bytes(message)), fromHex(privateKey)));
}

/** `sign` by noble alone. */
export const signByReference = (privateKey: string, message: string | Uint8Array): string => toHex(referenceSign(new Uint8Array(sha3Bytes(message)), fromHex(privateKey)));
