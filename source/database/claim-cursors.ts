import type {Time} from '../core/types.ts';

/** Milliseconds for which the beginning of a queue that was looked through is taken for passed; and those between two looks for a claim that finds too little. */
const [good, pause] = [1000, 100];

/** Kinds of work that are remembered. */
const most = 256;

/** What was claimed: of which kind of work, and when a little before it was submitted. */
export type Taken = {demand_id: number; passed: Time};

/**
How far claims have come in the queue of each kind of work (rows of `demands`), on this server. A queue on PostgreSQL is slow where the entries of what was claimed lie before what waits,
as long as vacuum may not take them away: so a claim begins where the last one ended, and from the beginning once a second.
What was put back stands by itself in an index and is found at once; what was committed a tenth of a second after its time, or was claimed by a transaction that came to nothing, is found by the next look from the beginning: at once where nothing else is found and the caller does not ask again by itself.
*/
export class ClaimCursors {
	readonly #places = new Map<number, {passed: Time; until: number}>();
	readonly #now: () => number;
	#lookedAt = -Infinity;

	/** @param now a clock that only goes forward, in milliseconds */
	constructor(now = () => performance.now()) {
		this.#now = now;
	}

	/** The places that hold now, as lists of kinds and times. */
	get(): {demands: number[]; times: Time[]} {
		const now = this.#now();
		const held = [...this.#places].filter(([, {until}]) => now < until);
		return {demands: held.map(([demand]) => demand), times: held.map(([, {passed}]) => passed)};
	}

	/** Whether it is worth looking from the beginning again, where what was found from the places on is too little. */
	mayLook(): boolean {
		const now = this.#now();
		const may = now - this.#lookedAt > pause;
		this.#lookedAt = may ? now : this.#lookedAt;
		return may;
	}

	/** Goes on behind what was claimed. */
	pass(taken: readonly Taken[]): void {
		const now = this.#now();
		for (const {demand_id: demand, passed} of taken) {
			const place = this.#places.get(demand);
			const holds = place !== undefined && now < place.until;
			this.#places.delete(demand);
			this.#places.set(demand, holds ? {passed: [place.passed, passed].sort()[1]!, until: place.until} : {passed, until: now + good});
		}

		for (const demand of [...this.#places.keys()].slice(0, Math.max(0, this.#places.size - most))) {
			this.#places.delete(demand);
		}
	}
}
