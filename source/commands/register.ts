import type {Id} from '../core/types.ts';
import {type KeyLabel, withNewKey} from '../keychain/index.ts';
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
		label: id => ({kind: operation.name.split('.')[0] as KeyLabel['kind'], name, colonyid: (input.colonyid as Id | undefined) ?? id}),
		notice,
	});
	return result;
}
