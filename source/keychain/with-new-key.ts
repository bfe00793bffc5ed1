import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Keychain} from './keychain.ts';

type Registration<Result> = {
	/** Registers the id; what it throws decides what becomes of the key. */
	register: (id: Id) => Promise<Result>;
	/** Notes what the key is for, once it is registered or nobody knows; `result` is undefined then. */
	note: (id: Id, result: Result | undefined) => Promise<void>;
	/** Said when nobody knows. */
	unknown?: (id: Id) => string;
	/** Hears what the operator should know beside the outcome, one sentence each. */
	notice: (sentence: string) => void;
};

/** Whether nobody can say if it was done: the answer got lost, or was none. */
const isUncertain = ({code, nothingDone}: ColoniesError): boolean => !nothingDone && (code === 'unavailable' || code === 'internal');

/** Notes what a key is for. The registration stands whether or not this can be kept. */
async function describe<Result>(id: Id, result: Result | undefined, {note, notice}: Registration<Result>): Promise<void> {
	try {
		await note(id, result);
	} catch (error) {
		notice(`The key is kept, but not what it is for: ${toColoniesError(error).message}`);
	}
}

async function forget(keychain: Keychain, id: Id, {notice}: Pick<Registration<unknown>, 'notice'>): Promise<void> {
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
			await describe(id, undefined, registration);
			registration.notice(registration.unknown?.(id) ?? `Whether ${id} was registered is not known. Its key is kept: look for it in the list before you register again.`);
		} else {
			await forget(keychain, id, registration);
		}

		throw failure;
	}

	await describe(id, result, registration);
	return {id, result};
}
