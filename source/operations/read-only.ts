import {NotAllowed} from '../core/errors.ts';
import type {Context} from './context.ts';
import {type AnyOperation, type OperationName, operations} from './registry.ts';

/** Why nothing may be changed, and what to do about it; undefined when it may. */
export type Refusal = {message: string; hint: string} | undefined;

/** Whether an operation only reads, whatever its method on the wire: a long list of ids is asked about in a body. */
export function isReading(name: OperationName): boolean {
	const {route, changes, operator}: AnyOperation = operations[name];
	return route.startsWith('GET ') || (changes.length === 0 && operator !== true);
}

/**
The same store, where operations that change something are refused, before anything is sent, for as long as `why` has a reason. It is asked anew for each.
*/
export function guarded(context: Context, why: () => Refusal): Context {
	const check = (name: OperationName): void => {
		const refusal = isReading(name) ? undefined : why();
		if (refusal) {
			throw new NotAllowed(`${refusal.message} Nothing was changed.`, {hint: refusal.hint});
		}
	};

	return {
		kind: context.kind,
		name: context.name,
		isLocal: context.isLocal,
		...(context.insecure === undefined ? {} : {insecure: context.insecure}),
		async run(caller, name, input, options) {
			check(name);
			return context.run(caller, name, input, options);
		},
		async runMany(caller, name, inputs, options) {
			check(name);
			return context.runMany(caller, name, inputs, options);
		},
		watch: (hear, as) => context.watch(hear, as),
		watchReachability: tell => context.watchReachability(tell),
		where: async () => context.where(),
		close: async () => context.close(),
	};
}
