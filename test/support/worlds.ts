import fc from 'fast-check';
import type {Worker} from '../../source/core/matching.ts';
import type {ComputerStatus, Demand, Id} from '../../source/core/types.ts';
import {sha3} from '../../source/identity/index.ts';

/** Ids of a few computers, so that processes often name one that exists. */
export const names: readonly Id[] = ['a', 'b', 'c', 'd'].map(name => sha3(name));

// Small numbers and few words, so that two of them are often equal or next to each other.
const type = fc.constantFrom('', 'gpu', 'cpu');
const cores = fc.nat(3);
const mem = fc.nat(3).map(thousands => thousands * 1000);
const gpus = fc.nat(2);

/** What a process may ask of a computer. */
export const demands: fc.Arbitrary<Demand> = fc.record({
	targetcomputerids: fc.oneof({weight: 2, arbitrary: fc.constant<Id[]>([])}, fc.uniqueArray(fc.constantFrom(...names), {maxLength: 3})),
	computertype: type, cores, mem, gpus,
});

/** A computer in any state. */
export const workers: fc.Arbitrary<Worker> = fc.record({
	computerid: fc.constantFrom(...names),
	status: fc.constantFrom<ComputerStatus>(1, 1, 1, 0, 2),
	computertype: fc.oneof(type, fc.constant(undefined)),
	cores: fc.integer({min: 1, max: 4}),
	mem: fc.integer({min: 1, max: 4}).map(thousands => thousands * 1000),
	gpus,
});
