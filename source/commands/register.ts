import {toColoniesError} from '../core/errors.ts';
import type {Computer, Id} from '../core/types.ts';
import {type KeyLabel, noteKey, withNewKey} from '../keychain/index.ts';
import type {Caller, Notice} from '../operations/broker.ts';
import type {Context} from '../operations/context.ts';
import type {AnyOperation, OperationName} from '../operations/registry.ts';
import type {World} from './world.ts';

type Registration = {world: World; context: Context; caller: Caller; operation: AnyOperation; input: Record<string, unknown>; notice: Notice};

/**
Carries out an operation that registers a new identity, with a key made for it.
@throws ColoniesError
*/
export async function registerWith({world: {keychain}, context, caller, operation, input, notice}: Registration): Promise<unknown> {
	const {name} = input.spec as {name: string};
	const {result} = await withNewKey(keychain, {
		register: async id => context.run(caller, operation.name as OperationName, {...input, [operation.creates!]: id}, {notice}),
		note: async id => keychain.describe(id, {kind: operation.name.split('.')[0] as KeyLabel['kind'], name, colonyid: (input.colonyid as Id | undefined) ?? id}),
		notice,
	});
	return result;
}

/**
Gives a computer another key: one that is made here, unless the input names one. Where the keychain holds that, it signs for the computer from now on; what it held before is noted as replaced.
@throws ColoniesError
*/
export async function rekeyWith({world: {keychain}, context, caller, input, notice}: Registration): Promise<unknown> {
	const of = {colonyid: input.colonyid as Id, computerid: input.computerid as Id};
	const rekey = async (keyid: Id): Promise<Computer> => context.run(caller, 'computer.rekey', {...of, keyid}, {notice});
	if (input.keyid === undefined) {
		const {result} = await withNewKey(keychain, {
			register: rekey,
			note: async (_, computer) => computer && noteKey(keychain, computer, notice),
			unknown: id => `Whether the computer has the key ${id} now is not known. It is kept: give the same command again, with --keyid ${id}.`,
			notice,
		});
		return result;
	}

	try {
		const computer = await rekey(input.keyid as Id);
		await noteKey(keychain, computer, notice);
		return computer;
	} catch (error) {
		if (toColoniesError(error).code === 'conflict') {
			// It may have the key since a command whose answer was lost.
			const computer = await context.run(caller, 'computer.get', of);
			await ((computer.keyid ?? computer.computerid) === input.keyid ? noteKey(keychain, computer, notice) : undefined);
		}

		throw error;
	}
}
