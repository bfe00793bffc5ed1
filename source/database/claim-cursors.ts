import type {Time} from '../core/types.ts';

/** Milliseconds for which the beginning of a queue that was looked through is taken for passed. */
const good = 1000;

/** Milliseconds by which a place stays behind what was claimed: so long after its time what was submitted may come into sight. */
export const behind = 250;

/** Kinds of work that are remembered. */
const most = 256;

/** What was claimed: of which kind of work, and when a little before it was submitted. */
export type Taken = {demand_id: number; passed: Time};

/**
How far claims have come in the queue of each kind of work (rows of `demands`), on this server. A queue on PostgreSQL is slow where the entries of what was claimed lie before what waits,
as long as vacuum may not take them away: so a claim begins where the last one ended, and from the beginning once a second.
What was put back stands by itself in an index and is found at once, and so is what took long to commit on this server (`committed`).
What took long on another one, or was claimed by a transaction that came to nothing, is found by the next look from the beginning.
*/
export class ClaimCursors {
	readonly #places = new Map<number, {passed: Time; until: number}>();
	readonly #now: () => number;
	/** How often something was committed late. */
	#late = 0;

	/** @param now a clock that only goes forward, in milliseconds */
	constructor(now = () => performance.now()) {
		this.#now = now;
	}

	/** The places that hold now, as lists of kinds and times; `late`: for `pass`. */
	get(): {demands: number[]; times: Time[]; late: number} {
		const now = this.#now();
		const held = [...this.#places].filter(([, {until}]) => now < until);
		return {demands: held.map(([demand]) => demand), times: held.map(([, {passed}]) => passed), late: this.#late};
	}

	/** Forgets the places of kinds of work of which something was committed so many milliseconds after its transaction began, where claims may have gone by it. */
	committed(demands: readonly number[], took: number): void {
		if (took >= behind && demands.length > 0) {
			this.#late++;
			for (const demand of demands) {
				this.#places.delete(demand);
			}
		}
	}

	/** Goes on behind what was claimed, unless something was committed late since the claim took its places. */
	pass(taken: readonly Taken[], {late}: {late: number}): void {
		if (late !== this.#late) {
			return;
		}

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
