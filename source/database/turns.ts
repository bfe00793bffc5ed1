type Waiting = {isShared: boolean; begin: () => void};

/** Lets work run in the order in which it came: one after another, or several together that all agreed to share. */
export class Turns {
	readonly #waiting: Waiting[] = [];
	#sharing = 0;
	#isTaken = false;

	/** How many wait for their turn. */
	get waiting(): number {
		return this.#waiting.length;
	}

	/** Whether nothing runs. */
	get isIdle(): boolean {
		return this.#isFree(false);
	}

	/** Runs alone. */
	async run<Result>(work: () => Promise<Result>): Promise<Result> {
		return this.#run(work, false);
	}

	/** Runs beside others that share, after whatever came earlier and runs alone. */
	async share<Result>(work: () => Promise<Result>): Promise<Result> {
		return this.#run(work, true);
	}

	async #run<Result>(work: () => Promise<Result>, isShared: boolean): Promise<Result> {
		if (this.#waiting.length === 0 && this.#isFree(isShared)) {
			this.#enter(isShared);
		} else {
			await new Promise<void>(resolve => {
				this.#waiting.push({isShared, begin: resolve});
			});
		}

		try {
			return await work();
		} finally {
			this.#leave(isShared);
		}
	}

	#isFree(isShared: boolean): boolean {
		return !this.#isTaken && (isShared || this.#sharing === 0);
	}

	#enter(isShared: boolean): void {
		if (isShared) {
			this.#sharing++;
		} else {
			this.#isTaken = true;
		}
	}

	#leave(isShared: boolean): void {
		if (isShared) {
			this.#sharing--;
		} else {
			this.#isTaken = false;
		}

		while (this.#waiting.length > 0 && this.#isFree(this.#waiting[0]!.isShared)) {
			const next = this.#waiting.shift()!;
			this.#enter(next.isShared);
			next.begin();
		}
	}
}
