import type {Id} from '../core/types.ts';
import {checkPrivateKey, idOf, newPrivateKey, sign} from './keys.ts';

/**
Somebody who has proved to hold a private key. Made by `prove` from the key itself and by nothing else, so that whoever is handed one need not ask again.
The key stays inside: it is never printed, serialised or logged.
*/
export class Identity {
	/** Whether a value is an identity that was proved in this process. */
	static isProved(value: unknown): value is Identity {
		return typeof value === 'object' && value !== null && #privateKey in value;
	}

	readonly id: Id;
	readonly #privateKey: string;

	/** @throws InvalidInput when it is no private key. */
	constructor(privateKey: string) {
		this.#privateKey = checkPrivateKey(privateKey);
		this.id = idOf(this.#privateKey);
	}

	/** Signs as this identity; the form is that of domain.md. */
	sign(message: string | Uint8Array): string {
		return sign(this.#privateKey, message);
	}

	toJSON(): {id: Id} {
		return {id: this.id};
	}
}

/** Proves an identity from its private key. @throws InvalidInput */
export const prove = (privateKey: string): Identity => new Identity(privateKey);

/** A new identity and the key to keep for it. */
export function createIdentity(): {identity: Identity; privateKey: string} {
	const privateKey = newPrivateKey();
	return {identity: new Identity(privateKey), privateKey};
}
