import {pause} from '../../core/backoff.ts';

/** Lets so many in at once, a number that may change; the others wait in the order in which they came. */
export class Places {
	#most: number;
	#taken = 0;
	readonly #waiting: Array<() => void> = [];

	constructor(most: number) {
		this.#most = most;
	}

	get most(): number {
		return this.#most;
	}

	set most(most: number) {
		this.#most = most;
		this.#letIn();
	}

	/** How many wait. */
	get waiting(): number {
		return this.#waiting.length;
	}

	/** Waits for a place, so many milliseconds at most. `first`: before all others. @returns whether there is one */
	async enter(timeLimit: number, {first = false} = {}): Promise<boolean> {
		if (this.#taken < this.#most && (first || this.#waiting.length === 0)) {
			this.#taken++;
			return true;
		}

		const entered = new AbortController();
		const letIn = () => {
			entered.abort();
		};

		this.#waiting.splice(first ? 0 : this.#waiting.length, 0, letIn);
		await pause(timeLimit, entered.signal);
		if (!entered.signal.aborted) {
			this.#waiting.splice(this.#waiting.indexOf(letIn), 1);
		}

		return entered.signal.aborted;
	}

	leave(): void {
		this.#taken--;
		this.#letIn();
	}

	#letIn(): void {
		while (this.#taken < this.#most && this.#waiting.length > 0) {
			this.#taken++;
			this.#waiting.shift()!();
		}
	}
}
