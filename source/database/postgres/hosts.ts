import type {DatabasePlace, SessionTarget} from '../../core/database-hosts.ts';
import type {NoChanges} from '../../core/reachability.ts';

/** Milliseconds that a host later in the list waits for those before it to answer. */
const precedenceMs = 250;

/** Connects to a place, asks whether it takes changes, and closes. @throws as pg does */
type Probe = (place: DatabasePlace) => Promise<NoChanges | undefined>;

const fits = (target: SessionTarget, noChanges: NoChanges | undefined): boolean =>
	target === 'any' || (target === 'read-write' ? noChanges === undefined : noChanges === 'standby');

/**
The hosts that a database may be at, and the one that connections go to: the first in the list that is what `target` asks for, or where none is, the first that answers.
It is looked for when it is first needed, and again after it failed or was found to be something else.
*/
export class Hosts {
	readonly #target: SessionTarget;
	readonly #probe: Probe;
	#current: DatabasePlace | undefined;
	#looking: Promise<DatabasePlace> | undefined;

	constructor(readonly places: readonly DatabasePlace[], target: SessionTarget, probe: Probe) {
		this.#target = target;
		this.#probe = probe;
		this.#current = places.length === 1 ? places[0] : undefined;
	}

	/** Where connections go now, as far as is known. */
	get current(): DatabasePlace | undefined {
		return this.#current;
	}

	/** Where the next connection goes. @throws as pg does for the first host, when none answers */
	async next(): Promise<DatabasePlace> {
		if (this.#current) {
			return this.#current;
		}

		this.#looking ??= this.#look().finally(() => {
			this.#looking = undefined;
		});
		this.#current = await this.#looking;
		return this.#current;
	}

	/** A place did not answer, or is not what was asked for: the next connection looks at all of them. */
	forget(place: DatabasePlace): void {
		if (this.places.length > 1 && place === this.#current) {
			this.#current = undefined;
		}
	}

	/** What a session at a place was told. */
	found(place: DatabasePlace, noChanges: NoChanges | undefined): void {
		if (this.#target === 'read-write' && !fits(this.#target, noChanges)) {
			this.forget(place);
		}
	}

	async #look(): Promise<DatabasePlace> {
		const answers = this.places.map(async place => this.#probe(place));
		const settled = answers.map(async answer => Promise.allSettled([answer]));
		const chosen = answers.map(async (answer, index) => {
			if (!fits(this.#target, await answer)) {
				throw new Error('It is not what is asked for.');
			}

			// One that comes first goes first, unless it takes long to say so.
			await Promise.race([Promise.all(settled.slice(0, index)), new Promise(resolve => {
				setTimeout(resolve, precedenceMs).unref();
			})]);
			return this.places[index]!;
		});
		try {
			return await Promise.any(chosen);
		} catch {
			const all = await Promise.allSettled(answers);
			const index = all.findIndex(({status}) => status === 'fulfilled');
			if (index === -1) {
				throw (all[0] as PromiseRejectedResult).reason as Error;
			}

			return this.places[index]!;
		}
	}
}
