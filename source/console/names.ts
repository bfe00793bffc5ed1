import type {Id} from '../core/types.ts';
import {shortId, visible} from '../core/text.ts';
import type {ResultOf} from '../operations/index.ts';
import type {Ask} from './answers.ts';
import {answerIn} from './asking.ts';
import type {State} from './state.ts';

/** What a computer is called where a person reads of it: its name, or the short form of its id where it is not known. */
export type Names = (computer: Id) => string;

/** Computers whose names are read at once; of a larger colony the others are shown by their ids. */
const most = 1000;

/** The ask for the names of the computers of a colony. */
export const namesAsk = (colonyid: Id): Ask => ({slot: 'names', key: colonyid, operation: 'computer.list', input: {colonyid, count: most}, topics: ['computers'], every: 60_000});

const made = new WeakMap<ResultOf<'computer.list'>, Names>();
const unknown: Names = id => shortId(id);

/** The names of the computers of the colony, as far as they are known: the same function for as long as they are the same. */
export function namesOf(state: State): Names {
	const {result} = answerIn(state, 'names', state.colony?.colonyid ?? '', 'computer.list');
	if (result === undefined) {
		return unknown;
	}

	const known = made.get(result);
	if (known) {
		return known;
	}

	const names = new Map(result.rows.map(({computerid, name}) => [computerid, visible(name)]));
	const nameOf: Names = id => names.get(id) ?? shortId(id);
	made.set(result, nameOf);
	return nameOf;
}
