import type {Barrier} from './errors.ts';

/** Why a database that answers takes no changes: it is a standby of another server, or is set to be read-only. */
export type NoChanges = 'standby' | 'read-only';

/** Why no connection stands, and what to do. */
export type Unreached = {message: string; hint?: string; barrier?: Barrier};

/**
Whether a store can be worked with. `unheard`: its notifications do not arrive, so changes are found by polling. `since`: milliseconds since 1970 of the last turn. Where it cannot: why, what to do, and whether somebody answers there all the same.
`noChanges`: why it takes none, as far as is known.
*/
export type Reachability = {reachable: boolean; since: number; reason?: string; hint?: string; barrier?: Barrier; noChanges?: NoChanges; unheard?: true};

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
		const {reachable, noChanges, unheard} = this.#state;
		if (!reachable) {
			this.#turn({reachable: true, since: Date.now(), ...(noChanges && {noChanges}), ...(unheard && {unheard})});
		}
	}

	/** It takes changes (undefined), or none. */
	takesChanges(noChanges: NoChanges | undefined): void {
		const {noChanges: before, ...state} = this.#state;
		if (noChanges !== before) {
			this.#turn({...state, ...(noChanges && {noChanges})});
		}
	}

	/** Its notifications arrive, or do not. */
	hears(isHearing: boolean): void {
		const {unheard: before, ...state} = this.#state;
		if (isHearing === (before ?? false)) {
			this.#turn({...state, ...(!isHearing && {unheard: true})});
		}
	}

	/** It does not answer, or may not be worked with; `since` stays at the first time, the reason is the newest. */
	down({message: reason, hint, barrier}: Unreached): void {
		const {reachable, since, reason: before, noChanges} = this.#state;
		if (reachable || reason !== before) {
			this.#turn({reachable: false, since: reachable ? Date.now() : since, reason, ...(hint !== undefined && {hint}), ...(barrier && {barrier}), ...(noChanges && {noChanges})});
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
