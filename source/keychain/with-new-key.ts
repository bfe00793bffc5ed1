import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Keychain, KeyLabel} from './keychain.ts';

type Registration<Result> = {
	/** Registers the id; what it throws decides what becomes of the key. */
	register: (id: Id) => Promise<Result>;
	/** What the key is for, once it is registered. */
	label: (id: Id) => KeyLabel;
	/** Hears what the operator should know beside the outcome, one sentence each. */
	notice: (sentence: string) => void;
};

/** Whether nobody can say if it was done: the answer got lost, or was none. */
const isUncertain = ({code, nothingDone}: ColoniesError): boolean => !nothingDone && (code === 'unavailable' || code === 'internal');

/** Notes what a key is for. The registration stands whether or not this can be kept. */
async function describe(keychain: Keychain, id: Id, {label, notice}: Registration<unknown>): Promise<void> {
	try {
		await keychain.describe(id, label(id));
	} catch (error) {
		notice(`The key is kept, but not what it is for: ${toColoniesError(error).message}`);
	}
}

async function forget(keychain: Keychain, id: Id, {notice}: Registration<unknown>): Promise<void> {
	try {
		await keychain.remove(id);
	} catch {
		notice(`The key of ${id}, which was not registered, is still in the keychain.`);
	}
}

/**
Registers something under a new identity (domain.md, "Registering"). Its key is kept before anything is registered, so that no colony or computer is without its key;
it is forgotten when the registration was refused for certain, and kept when nobody knows.
@throws ColoniesError, what `register` threw
*/
export async function withNewKey<Result>(keychain: Keychain, registration: Registration<Result>): Promise<{id: Id; result: Result}> {
	const {identity: {id}} = await keychain.create();
	let result: Result;
	try {
		result = await registration.register(id);
	} catch (error) {
		const failure = toColoniesError(error);
		if (isUncertain(failure)) {
			await describe(keychain, id, registration);
			registration.notice(`Whether ${id} was registered is not known. Its key is kept: look for it in the list before you register again.`);
		} else {
			await forget(keychain, id, registration);
		}

		throw failure;
	}

	await describe(keychain, id, registration);
	return {id, result};
}
