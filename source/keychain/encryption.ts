import {Buffer} from 'node:buffer';
import {
	createCipheriv, createDecipheriv, randomBytes, scrypt as scryptOf, type ScryptOptions,
} from 'node:crypto';
import {promisify} from 'node:util';
import * as v from 'valibot';
import type {Id} from '../core/types.ts';

const scrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scryptOf);

/** What new keys are derived with: 128 MiB and some 0.4 s a guess (RFC 7914; OWASP, "Password Storage Cheat Sheet"). */
const cost = {n: 2 ** 17, r: 8, p: 1};

const bytes = (length: number) => v.pipe(v.string(), v.base64(), v.check(text => Buffer.from(text, 'base64').length === length));
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** More than these a file may not ask for, or reading it would take the memory of the machine. */
const encryptedSchema = v.strictObject({
	version: v.literal(1),
	kdf: v.literal('scrypt'),
	n: v.pipe(whole(2 ** 14, 2 ** 20), v.check(n => Number.isInteger(Math.log2(n)))),
	r: whole(1, 16),
	p: whole(1, 4),
	salt: bytes(16),
	cipher: v.literal('aes-256-gcm'),
	nonce: bytes(12),
	text: bytes(32),
	tag: bytes(16),
});

/** A private key under a passphrase, as its file keeps it (docs/keychain.md). Bytes are Base64. */
export type EncryptedKey = v.InferOutput<typeof encryptedSchema>;

export const isEncryptedKey = (value: unknown): value is EncryptedKey => v.is(encryptedSchema, value);

/** The id is authenticated too, so the file of one key does not pass for that of another. */
const aboutOf = (id: Id): Buffer => Buffer.from(`colonies private key 1 ${id}`);

type Salted = Pick<EncryptedKey, 'n' | 'r' | 'p' | 'salt'>;

/** A passphrase, with the keys that were derived from it: files that share a salt are opened at the cost of one. */
export class Passphrase {
	readonly #text: string;
	readonly #derived = new Map<string, Promise<Buffer>>();
	#salted: Salted | undefined;

	constructor(text: string) {
		// Keyboards compose characters in more than one way.
		this.#text = text.normalize('NFC');
	}

	/** @returns the private key, 64 hex digits; undefined when this is not its passphrase, or the file was altered */
	async open(id: Id, {salt, n, r, p, nonce, text, tag}: EncryptedKey): Promise<string | undefined> {
		const decipher = createDecipheriv('aes-256-gcm', await this.#derive({salt, n, r, p}), Buffer.from(nonce, 'base64'), {authTagLength: 16});
		decipher.setAAD(aboutOf(id));
		decipher.setAuthTag(Buffer.from(tag, 'base64'));
		try {
			const key = Buffer.concat([decipher.update(Buffer.from(text, 'base64')), decipher.final()]).toString('hex');
			this.#salted ??= {salt, n, r, p};
			return key;
		} catch {
			return undefined;
		}
	}

	/** Encrypts a private key, with the salt of those that were opened or encrypted before and a nonce of its own. */
	async seal(id: Id, privateKey: string): Promise<EncryptedKey> {
		this.#salted ??= {...cost, salt: randomBytes(16).toString('base64')};
		const nonce = randomBytes(12);
		const cipher = createCipheriv('aes-256-gcm', await this.#derive(this.#salted), nonce);
		cipher.setAAD(aboutOf(id));
		const text = Buffer.concat([cipher.update(Buffer.from(privateKey, 'hex')), cipher.final()]);
		return {
			version: 1, kdf: 'scrypt', ...this.#salted, cipher: 'aes-256-gcm',
			nonce: nonce.toString('base64'), text: text.toString('base64'), tag: cipher.getAuthTag().toString('base64'),
		};
	}

	async #derive({salt, n, r, p}: Salted): Promise<Buffer> {
		const name = [salt, n, r, p].join(' ');
		const derived = this.#derived.get(name) ?? scrypt(this.#text, Buffer.from(salt, 'base64'), 32, {N: n, r, p, maxmem: 256 * n * r});
		this.#derived.set(name, derived);
		return derived;
	}
}
