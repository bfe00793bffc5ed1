import {setTimeout as pause} from 'node:timers/promises';
import {ColoniesError, Unavailable} from '../core/errors.ts';
import {Turnstile} from '../core/turnstile.ts';

/** Milliseconds for which the answer to an address's first wrong guess is held; each further one doubles it up to `longestDelayMs`. */
const shortestDelayMs = 250;
const longestDelayMs = 10_000;
/** Milliseconds after which one wrong guess is forgiven. */
const forgivenessMs = 30_000;
/** Guesses of all addresses together: so many at once, and then one in so many milliseconds, which is 43,200 a day. A right password takes nothing of it. */
export const guessBurst = 20;
export const guessIntervalMs = 2000;
/** Addresses that are remembered; passwords that wait to be checked, of one address and of all. */
const most = {addresses: 10_000, ofOne: 20, ofAll: 500};
/** Wrong guesses after which the delay grows no more. */
const worst = 1 + Math.ceil(Math.log2(longestDelayMs / shortestDelayMs));

/** `until`: when it may be tried again. */
type Entry = {count: number; at: number; until: number; queued: number; turn: Turnstile};

type Options = {
	/** Whether a password is the one that was right before and still is. Cheap, and asked for every request. */
	remembers: (password: string) => Promise<boolean>;
	/** Checks a password, which takes a while on purpose. @throws Unauthenticated when it is wrong */
	verify: (password: string) => Promise<unknown>;
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
Lets root in by its password. One that is remembered as right never waits, whoever guesses beside it, from the same address or another.
Any other is checked in its turn, one at a time from one address, and as often as all addresses together may guess. A right one is answered at once, the answer to a wrong one is held, longer for each more.
*/
export class RootGate {
	readonly #options: Required<Options>;
	readonly #entries = new Map<string, Entry>();
	#queued = 0;
	/** When the guess after the last one may come if they came evenly (the theoretical arrival time of GCRA, ITU-T I.371). */
	#next = 0;

	constructor({remembers, verify, now = () => performance.now(), wait = async (milliseconds, signal) => pause(milliseconds, undefined, {signal})}: Options) {
		this.#options = {remembers, verify, now, wait};
	}

	/** Addresses that are remembered. */
	get size(): number {
		return this.#entries.size;
	}

	/**
	Checks a root password. `signal`: nobody waits for the answer any more.
	@throws Unauthenticated when it is wrong; Unavailable when too many wait to be checked, or the signal comes
	*/
	async check(address: string, password: string, signal: AbortSignal): Promise<void> {
		if (await this.#options.remembers(password)) {
			return;
		}

		const entry = this.#entryOf(address);
		if (entry.queued >= most.ofOne || this.#queued >= most.ofAll) {
			throw new Unavailable('Too many root passwords wait to be checked.', {hint: 'Try it again in some seconds.'});
		}

		entry.queued++;
		this.#queued++;
		try {
			await entry.turn.run(async () => this.#try(entry, password, signal));
		} finally {
			entry.queued--;
			this.#queued--;
		}
	}

	async #try(entry: Entry, password: string, signal: AbortSignal): Promise<void> {
		const {now, verify} = this.#options;
		// Somebody may have given it meanwhile.
		if (await this.#options.remembers(password)) {
			return;
		}

		await this.#pause(entry.until - now(), signal);
		const start = Math.max(now(), this.#next);
		this.#next = start + guessIntervalMs;
		await this.#pause(start - ((guessBurst - 1) * guessIntervalMs) - now(), signal);
		if (signal.aborted) {
			this.#next -= guessIntervalMs;
			throw new Unavailable('It is not waited for any more.', {hint: 'Try it again in a moment.'});
		}

		try {
			await verify(password);
			this.#next -= guessIntervalMs;
			entry.count = 0;
		} catch (error) {
			if (error instanceof ColoniesError && error.code === 'unauthenticated') {
				entry.count = Math.min(worst, Math.max(0, entry.count - Math.floor((now() - entry.at) / forgivenessMs)) + 1);
				entry.at = now();
				const delay = Math.min(longestDelayMs, shortestDelayMs * (2 ** (entry.count - 1)));
				entry.until = entry.at + delay;
				await this.#pause(delay, signal);
			}

			throw error;
		}
	}

	/** Waits, until the signal comes at most. */
	async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
		if (milliseconds > 0 && !signal.aborted) {
			await this.#options.wait(milliseconds, signal).catch(() => undefined);
		}
	}

	/** The entry of an address, which becomes the newest. */
	#entryOf(address: string): Entry {
		const entry = this.#entries.get(address) ?? {count: 0, at: 0, until: 0, queued: 0, turn: new Turnstile(1)};
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
