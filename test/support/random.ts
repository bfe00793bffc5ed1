/** Numbers that come the same for the same seed (mulberry32). */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed;
	}

	/** From 0 to 1. */
	next(): number {
		/* eslint-disable no-bitwise, unicorn/prefer-math-trunc */
		this.#state = (this.#state + 0x6D_2B_79_F5) | 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
		/* eslint-enable no-bitwise, unicorn/prefer-math-trunc */
	}

	/** A whole number from 0 to below `end`. */
	below(end: number): number {
		return Math.floor(this.next() * end);
	}

	/** Whether something of this chance happens. */
	chance(chance: number): boolean {
		return this.next() < chance;
	}

	pick<Value>(values: readonly Value[]): Value {
		return values[this.below(values.length)]!;
	}
}
