import {ColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Keychain, KeyLabel} from './keychain.ts';

/** Codes after which nobody knows whether the change was made; the key is kept, for it may be the only one. */
const unknownOutcome = new Set(['unavailable', 'internal']);

/**
Registers something under a new identity (domain.md, "Registering"): the key is in the keychain before `register` runs; it goes again when the registration is refused for certain,
and stays, with a notice, when the outcome is unknown.
@throws what `register` throws
*/
export async function withNewKey<Result>(keychain: Keychain, {register, label, notice}: {register: (id: Id) => Promise<Result>; label: (id: Id) => KeyLabel; notice: (sentence: string) => void}): Promise<{id: Id; result: Result}> {
	const {identity: {id}} = await keychain.create();
	let result: Result;
	try {
		result = await register(id);
	} catch (error) {
		if (error instanceof ColoniesError && !unknownOutcome.has(error.code)) {
			await keychain.remove(id);
		} else {
			notice(`The key of ${id} was kept: it is not known whether it was registered.`);
		}

		throw error;
	}

	await keychain.describe(id, label(id));
	return {id, result};
}
