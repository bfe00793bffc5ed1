/** Whether a store answers. `since`: milliseconds since 1970 of the last turn. */
export type Reachability = {reachable: boolean; since: number; reason?: string};

type Tell = (state: Reachability) => void;

/** Keeps whether a store answers, and tells every turn to whoever watches. */
export class Reaching {
	#state: Reachability;
	readonly #watchers = new Set<Tell>();

	constructor(reachable: boolean, reason?: string) {
		this.#state = {reachable, since: Date.now(), ...(reason === undefined ? {} : {reason})};
	}

	get state(): Reachability {
		return this.#state;
	}

	/** It answers. */
	up(): void {
		if (!this.#state.reachable) {
			this.#turn({reachable: true, since: Date.now()});
		}
	}

	/** It does not answer; `since` stays at the first time, the reason is the newest. */
	down(reason: string): void {
		const {reachable, since, reason: before} = this.#state;
		if (reachable || reason !== before) {
			this.#turn({reachable: false, since: reachable ? Date.now() : since, reason});
		}
	}

	/** Tells the present state at once and then every turn, until the returned function is called. */
	watch(tell: Tell): () => void {
		const watcher: Tell = state => {
			tell(state);
		};

		this.#watchers.add(watcher);
		tell(this.#state);
		return () => {
			this.#watchers.delete(watcher);
		};
	}

	#turn(state: Reachability): void {
		this.#state = state;
		for (const watcher of this.#watchers) {
			// Later and alone, so that a watcher that throws stops neither the others nor the reconnecting.
			queueMicrotask(() => {
				if (this.#watchers.has(watcher)) {
					watcher(state);
				}
			});
		}
	}
}
