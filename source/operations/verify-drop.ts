import type {Id} from '../core/types.ts';
import {closedDrops} from '../database/index.ts';
import type {KeptRequest} from './kept-request.ts';

type Told = {count?: unknown; ids?: unknown; which?: unknown};

/** The processes that a request names and a row about closed processes takes in. */
export function namedIn({inputs}: Pick<KeptRequest, 'inputs'>, detail: unknown): Id[] {
	const {which} = (detail ?? {}) as Told;
	return inputs.filter((_, index) => typeof which !== 'string' || which[index] === '1').map(({processid}) => String(processid).toLowerCase());
}

/** What is wrong with a row about closed processes that somebody removed together, beside the request for it; undefined when nothing is. */
export function dropFault(kept: KeptRequest, detail: unknown): string | undefined {
	const {count, ids} = (detail ?? {}) as Told;
	const named = namedIn(kept, detail);
	return kept.operation.name === 'process.remove' && named.length === count && closedDrops.hashOfIds(named) === ids ? undefined : 'has a request for something else than what was removed';
}
