import type {Effect, Message, State} from './state.ts';
import type {Chord} from './terminal/keys.ts';
import {nextKey} from './typed.ts';
import {update} from './update.ts';

/** News from outside reaches React at most this often, in milliseconds: a thousand changes a second would take a core. Keys go through at once. */
const gathering = 100;

/** Holds the state. A message changes it at once; who watches is told at once of a key, and gathered of everything else. */
export class Store {
	#state: State;
	readonly #watchers = new Set<() => void>();
	readonly #carryOut: (effect: Effect, state: State) => void;
	#timer: NodeJS.Timeout | undefined;
	#toldAt = 0;
	/** The state that whoever watches was told of last. */
	#told: State;
	#closed = false;

	constructor(state: State, carryOut: (effect: Effect, state: State) => void) {
		this.#state = state;
		this.#told = state;
		this.#carryOut = carryOut;
	}

	readonly get = (): State => this.#state;

	readonly subscribe = (watcher: () => void): (() => void) => {
		this.#watchers.add(watcher);
		return () => {
			this.#watchers.delete(watcher);
		};
	};

	readonly dispatch = (message: Message): void => {
		if (this.#closed) {
			return;
		}

		if (message.type === 'key' && this.#state.overlays.length > this.#told.overlays.length) {
			// Something has opened by itself and is not on the screen yet: the key was meant for what is.
			this.#tell(true);
			return;
		}

		const [state, effects] = update(this.#state, message);
		const isChanged = state !== this.#state;
		this.#state = state;
		for (const effect of effects) {
			this.#carryOut(effect, state);
		}

		if (isChanged) {
			this.#tell(message.type === 'key' || message.type === 'resized');
		}
	};

	/** Keys that came at once; text for a field counts as one. */
	readonly press = (chords: readonly Chord[]): void => {
		for (let index = 0; index < chords.length;) {
			const {chord, count} = nextKey(this.#state, chords, index);
			this.dispatch({type: 'key', ...chord});
			index += count;
		}
	};

	/** Stops hearing and telling. */
	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#watchers.clear();
	}

	#tell(now: boolean): void {
		const wait = gathering - (Date.now() - this.#toldAt);
		if (now || wait <= 0) {
			clearTimeout(this.#timer);
			this.#timer = undefined;
			this.#toldAt = Date.now();
			this.#told = this.#state;
			for (const watcher of this.#watchers) {
				watcher();
			}
		} else {
			this.#timer ??= setTimeout(() => {
				this.#timer = undefined;
				this.#tell(true);
			}, wait);
		}
	}
}
