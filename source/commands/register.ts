import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {KeyLabel, Keychain} from '../keychain/index.ts';
import type {Caller, Notice} from '../operations/broker.ts';
import type {Context} from '../operations/context.ts';
import type {AnyOperation, OperationName} from '../operations/registry.ts';
import type {World} from './world.ts';

type Registration = {world: World; context: Context; caller: Caller; operation: AnyOperation; input: Record<string, unknown>; notice: Notice};

/** Whether nobody can say if it was done: the answer got lost, or was none. */
const isUncertain = ({code}: ColoniesError): boolean => code === 'unavailable' || code === 'internal';

/** Notes what a key is for. The registration stands whether or not this can be kept. */
async function describe(keychain: Keychain, id: Id, {operation, input, notice}: Registration): Promise<void> {
	const {name} = input.spec as {name: string};
	try {
		await keychain.describe(id, {kind: operation.name.split('.')[0] as KeyLabel['kind'], name, colonyid: (input.colonyid as Id | undefined) ?? id});
	} catch (error) {
		notice(`The key is kept, but not what it is for: ${toColoniesError(error).message}`);
	}
}

async function forget(keychain: Keychain, id: Id, notice: Notice): Promise<void> {
	try {
		await keychain.remove(id);
	} catch {
		notice(`The key of ${id}, which was not registered, is still in the keychain.`);
	}
}

/**
Registers a new identity. Its key pair is made and kept before anything is registered, so that no colony or computer is without its key; it is forgotten when it was refused for certain, and kept when nobody knows.
@throws ColoniesError
*/
export async function registerWith(registration: Registration): Promise<unknown> {
	const {world: {keychain}, context, caller, operation, input, notice} = registration;
	const {identity: {id}} = await keychain.create();
	try {
		const result = await context.run(caller, operation.name as OperationName, {...input, [operation.creates!]: id}, notice);
		await describe(keychain, id, registration);
		return result;
	} catch (error) {
		const failure = toColoniesError(error);
		if (isUncertain(failure)) {
			await describe(keychain, id, registration);
			notice(`Whether ${id} was registered is not known. Its key is kept: look for it in the list before you register again.`);
		} else {
			await forget(keychain, id, notice);
		}

		throw failure;
	}
}
