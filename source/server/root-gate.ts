import {setTimeout as pause} from 'node:timers/promises';
import {ColoniesError, Unavailable} from '../core/errors.ts';
import {Turnstile} from './turnstile.ts';

/** Milliseconds of the first delay; each further failure doubles it up to `longest`. */
const shortest = 250;
const longest = 10_000;
/** Milliseconds after which one failure is forgiven. */
const forgiveness = 30_000;
/** Milliseconds for which an address that gave the right password does not wait for the failures of others. */
const trustFor = 3_600_000;
/** Addresses that are remembered; tries that wait, of one address and of all. */
const most = {addresses: 10_000, ofOne: 100, ofAll: 1000};
/** Failures after which the delay grows no more. */
const worst = 1 + Math.ceil(Math.log2(longest / shortest));

type Failures = {count: number; at: number};
type Entry = Failures & {trustedUntil: number; queued: number; turn: Turnstile};

type Options = {
	/** Checks a password. @throws Unauthenticated when it is wrong */
	verify: (password: string) => Promise<{kept: boolean}>;
	/** Milliseconds, of a clock that never goes back. */
	now?: () => number;
	wait?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
};

/** What one guesser looks like: an IPv4 address, or the 64 bits of an IPv6 network that one customer has. */
export function guesserOf(address: string | undefined): string {
	const plain = (address ?? 'local').replace(/^::ffff:(?=\d+\.)/i, '');
	if (!plain.includes(':')) {
		return plain;
	}

	const [head = '', tail] = plain.split('%')[0]!.split('::');
	const [front, back] = [head, tail ?? ''].map(part => part === '' ? [] : part.split(':')) as [string[], string[]];
	const groups = tail === undefined ? front : [...front, ...Array.from<string>({length: Math.max(0, 8 - front.length - back.length)}).fill('0'), ...back];
	return groups.slice(0, 4).map(group => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':');
}

/**
Lets tries of the root password through: one at a time from one address, at most two at once, and after failures with a growing delay, for the address and for all together.
Whoever gave the right password lately does not wait for the failures of others.
*/
export class RootGate {
	readonly #verify: Options['verify'];
	readonly #now: () => number;
	readonly #wait: NonNullable<Options['wait']>;
	readonly #entries = new Map<string, Entry>();
	readonly #all: Failures = {count: 0, at: 0};
	readonly #strangers = new Turnstile(2);
	readonly #friends = new Turnstile(2);
	#queued = 0;

	constructor({verify, now = () => performance.now(), wait = async (milliseconds, signal) => pause(milliseconds, undefined, {signal})}: Options) {
		this.#verify = verify;
		this.#now = now;
		this.#wait = wait;
	}

	/** Addresses that are remembered. */
	get size(): number {
		return this.#entries.size;
	}

	/**
	Checks a root password in its turn. `signal`: nobody waits for the answer any more.
	@returns whether it was kept just now as the first
	@throws Unauthenticated, Unavailable when too many wait or the signal comes
	*/
	async check(address: string, password: string, signal: AbortSignal): Promise<{kept: boolean}> {
		const entry = this.#entryOf(address);
		if (entry.queued >= most.ofOne || (!this.#isTrusted(entry) && this.#queued >= most.ofAll)) {
			throw new Unavailable('Too many requests of root wait for their turn.', {hint: 'Try it again in some seconds.'});
		}

		entry.queued++;
		this.#queued++;
		try {
			return await entry.turn.run(async () => this.#try(entry, password, signal));
		} finally {
			entry.queued--;
			this.#queued--;
		}
	}

	async #try(entry: Entry, password: string, signal: AbortSignal): Promise<{kept: boolean}> {
		const delay = Math.max(this.#left(entry), this.#isTrusted(entry) ? 0 : this.#left(this.#all));
		if (delay > 0 && !signal.aborted) {
			// It rejects when the signal comes.
			await this.#wait(delay, signal).catch(() => undefined);
		}

		if (signal.aborted) {
			throw new Unavailable('It is not waited for any more.', {hint: 'Try it again in a moment.'});
		}

		try {
			const result = await (this.#isTrusted(entry) ? this.#friends : this.#strangers).run(async () => this.#verify(password));
			Object.assign(entry, {count: 0, trustedUntil: this.#now() + trustFor});
			return result;
		} catch (error) {
			if (error instanceof ColoniesError && error.code === 'unauthenticated') {
				entry.trustedUntil = 0;
				this.#fail(entry);
				this.#fail(this.#all);
			}

			throw error;
		}
	}

	#isTrusted({trustedUntil}: Entry): boolean {
		return trustedUntil > this.#now();
	}

	/** Failures that are not forgiven yet. */
	#standing({count, at}: Failures): number {
		return Math.max(0, count - Math.floor((this.#now() - at) / forgiveness));
	}

	/** Milliseconds until the next try. */
	#left(failures: Failures): number {
		const count = this.#standing(failures);
		return count === 0 ? 0 : Math.max(0, failures.at + Math.min(longest, shortest * (2 ** (count - 1))) - this.#now());
	}

	#fail(failures: Failures): void {
		failures.count = Math.min(worst, this.#standing(failures) + 1);
		failures.at = this.#now();
	}

	/** The entry of an address, which becomes the newest. */
	#entryOf(address: string): Entry {
		const entry = this.#entries.get(address) ?? {count: 0, at: 0, trustedUntil: 0, queued: 0, turn: new Turnstile(1)};
		this.#entries.delete(address);
		this.#entries.set(address, entry);
		if (this.#entries.size > most.addresses) {
			this.#forget();
		}

		return entry;
	}

	/** Forgets the oldest address for which nobody waits. */
	#forget(): void {
		for (const [address, {queued}] of this.#entries) {
			if (queued === 0) {
				this.#entries.delete(address);
				return;
			}
		}
	}
}
