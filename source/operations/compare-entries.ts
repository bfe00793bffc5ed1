import type {Place, seals} from '../database/index.ts';

type Entry = seals.Entry;

/** How rows differ from what a seal lists. `entry`: the row, as it was sealed or, of one that was added, as it is. */
export type Difference = {kind: 'altered' | 'dropped' | 'added' | 'moved'; entry: Entry};

const compare = (one: Place, other: Place): number => one.txid - other.txid || one.row - other.row;

/** A row keeps its number and time where it is moved to another transaction. */
const isSame = (one: Entry, other: Entry): boolean => one.row === other.row && one.at === other.at;

/**
The first difference between the rows that a seal lists and those that are there; both in the order of the history.
@param horizon microseconds since 1970: rows that were older may be gone
*/
export function differenceOf(listed: readonly Entry[], present: readonly Entry[], horizon: bigint | undefined): Difference | undefined {
	let [at, other] = [0, 0];
	while (at < listed.length || other < present.length) {
		const [entry, row] = [listed[at], present[other]];
		const order = entry === undefined ? 1 : (row === undefined ? -1 : compare(entry, row));
		if (order === 0 && entry!.leaf === row!.leaf && entry!.at === row!.at) {
			at++;
			other++;
		} else if (order < 0 && horizon !== undefined && entry!.at < horizon) {
			at++;
		} else if (order === 0) {
			return {kind: 'altered', entry: entry!};
		} else if (order < 0) {
			return {kind: present.some(each => isSame(each, entry!)) ? 'moved' : 'dropped', entry: entry!};
		} else {
			return {kind: listed.some(each => isSame(each, row!)) ? 'moved' : 'added', entry: row!};
		}
	}

	return undefined;
}
