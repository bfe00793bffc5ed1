/** Lets so many through at once; the others wait in the order in which they came. */
export class Turnstile {
	#free: number;
	readonly #waiting: Array<() => void> = [];

	constructor(width: number) {
		this.#free = width;
	}

	async run<Result>(work: () => Promise<Result>): Promise<Result> {
		if (this.#free > 0) {
			this.#free--;
		} else {
			await new Promise<void>(resolve => {
				this.#waiting.push(resolve);
			});
		}

		try {
			return await work();
		} finally {
			const next = this.#waiting.shift();
			if (next) {
				next();
			} else {
				this.#free++;
			}
		}
	}
}
