import {cellBounds, secondsOfCell} from '../core/durations.ts';
import {
	type PulseCount, pulseCounts, pulsePercentiles, type PulseSeries, type PulseTotals,
} from '../core/pulse.ts';
import {processStates} from '../core/types.ts';

/** How states are written down where moves are counted: by their places among `processStates`. */
export const [waiting, running] = [processStates.indexOf('waiting'), processStates.indexOf('running')] as const;

/**
One line of what is read. `rank`: 0 for all together, then the types or computers by volume, the rest under the last. By `kind`:
`move`, that `n` went from one state to another in a bucket, and of how many of them a span was counted in which cells, as `cell count cell count …`; `key`, which type or computer a rank is; `rest`, how many share the last rank; `now`, how many are in the state `move`.
*/
export type Line = {kind: 'move' | 'key' | 'rest' | 'now'; rank: number; bucket: number; move: number; n: number; cells: string | null; key: string | null; name: string | null};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const zeros = (count: number): number[] => Array.from({length: count}, () => 0);
const nulls = (count: number): Array<number | null> => Array.from({length: count}, () => null);

function each<Name extends string, Value>(names: readonly Name[], make: () => Value): Record<Name, Value> {
	return Object.fromEntries(names.map(name => [name, make()])) as Record<Name, Value>;
}

/** What a change of state counts as; `from` and `to` are states, or nothing beyond them. */
function countOf(from: number, to: number): PulseCount | undefined {
	if (to === waiting) {
		return processStates[from] === undefined ? 'submitted' : 'requeued';
	}

	const state = processStates[to];
	return state === 'running' ? 'assigned' : (state === 'successful' || state === 'failed' ? state : undefined);
}

/** How many spans are in each cell. */
class Cells {
	readonly #counts = new Float64Array(cellBounds.length + 1);
	#total = 0;

	/** `cell count cell count …` */
	addText(text: string): void {
		const numbers = text.split(' ');
		for (let index = 0; index < numbers.length; index += 2) {
			const count = Number(numbers[index + 1]);
			this.#counts[Number(numbers[index])]! += count;
			this.#total += count;
		}
	}

	addAll(others: Cells): void {
		for (let cell = 0; cell < this.#counts.length; cell++) {
			this.#counts[cell]! += others.#counts[cell]!;
		}

		this.#total += others.#total;
	}

	/** The nearest-rank percentile in seconds; null where there is nothing. */
	percentile(hundredths: number): number | null {
		if (this.#total === 0) {
			return null;
		}

		const rank = Math.ceil(this.#total * hundredths / 100);
		let cell = 0;
		for (let upto = this.#counts[0]!; upto < rank; upto += this.#counts[cell]!) {
			cell++;
		}

		return secondsOfCell(cell);
	}
}

/** What was counted for one rank, bucket by bucket. */
export class Gathered {
	readonly counts: Record<PulseCount, number[]>;
	/** By how many the waiting and the running ones grew in each bucket. */
	readonly grew: {waiting: number[]; running: number[]};
	readonly #cells = {wait: new Map<number, Cells>(), run: new Map<number, Cells>()};
	readonly #size: number;

	constructor(size: number) {
		this.#size = size;
		this.counts = each(pulseCounts, () => zeros(size));
		this.grew = {waiting: zeros(size), running: zeros(size)};
	}

	add({bucket, move, n, cells}: Line): void {
		const [from, to] = [Math.floor(move / 8), move % 8];
		const name = countOf(from, to);
		if (name !== undefined) {
			this.counts[name][bucket]! += n;
		}

		for (const [state, index] of [['waiting', waiting], ['running', running]] as const) {
			this.grew[state][bucket]! += (to === index ? n : 0) - (from === index ? n : 0);
		}

		if (cells !== null) {
			this.#cellsOf(to === running ? 'wait' : 'run', bucket).addText(cells);
		}
	}

	addAll(other: Gathered): void {
		for (let bucket = 0; bucket < this.#size; bucket++) {
			for (const name of pulseCounts) {
				this.counts[name][bucket]! += other.counts[name][bucket]!;
			}

			for (const state of ['waiting', 'running'] as const) {
				this.grew[state][bucket]! += other.grew[state][bucket]!;
			}
		}

		for (const what of ['wait', 'run'] as const) {
			for (const [bucket, cells] of other.#cells[what]) {
				this.#cellsOf(what, bucket).addAll(cells);
			}
		}
	}

	numbers(): {totals: PulseTotals; series: PulseSeries} {
		const [all, series] = [{wait: new Cells(), run: new Cells()}, {...this.counts, ...each(pulsePercentiles, () => nulls(this.#size))}];
		for (const what of ['wait', 'run'] as const) {
			for (const [bucket, cells] of this.#cells[what]) {
				all[what].addAll(cells);
				series[`${what}p50`][bucket] = cells.percentile(50);
				series[`${what}p95`][bucket] = cells.percentile(95);
			}
		}

		const {submitted, assigned, successful, failed, requeued} = this.counts;
		return {
			totals: {
				submitted: sum(submitted), assigned: sum(assigned), successful: sum(successful), failed: sum(failed), requeued: sum(requeued),
				waitp50: all.wait.percentile(50), waitp95: all.wait.percentile(95), runp50: all.run.percentile(50), runp95: all.run.percentile(95),
			},
			series,
		};
	}

	#cellsOf(what: 'wait' | 'run', bucket: number): Cells {
		const cells = this.#cells[what].get(bucket) ?? new Cells();
		this.#cells[what].set(bucket, cells);
		return cells;
	}
}

/** How many there were at the end of each bucket, from how many there are now and by how many they grew; at least so many where they were not counted to the end. */
export function levelsOf(now: number, grew: readonly number[]): number[] {
	const levels: number[] = [];
	let level = 0;
	for (const growth of [...grew].reverse()) {
		levels.unshift(level);
		level -= growth;
	}

	const last = Math.max(now, -Math.min(...levels));
	return levels.map(level => level + last);
}
