import {
	createHmac, randomBytes, scrypt, timingSafeEqual,
} from 'node:crypto';
import {promisify} from 'node:util';
import {type ColoniesError, Unauthenticated} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {Turnstile} from '../core/turnstile.ts';
import {type Client, installation} from '../database/index.ts';

const derive = promisify<string, Buffer, number, {N: number; r: number; p: number}, Buffer>(scrypt);
const cost = {N: 16_384, r: 8, p: 1};
const length = 32;

/** A salted scrypt hash (RFC 7914) as text, with its parameters in front. */
export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(16);
	const hash = await deriving.run(async () => derive(password, salt, length, cost));
	return ['scrypt', cost.N, cost.r, cost.p, salt.toString('hex'), hash.toString('hex')].join('$');
}

/** Derivations that run at once: each takes a core for some 50 ms and 16 MB. */
const deriving = new Turnstile(2);

/** Whether a password is the one of a hash. */
export async function fits(password: string, kept: string): Promise<boolean> {
	const [, n, r, p, salt, hash] = kept.split('$');
	const expected = Buffer.from(hash!, 'hex');
	return timingSafeEqual(expected, await deriving.run(async () => derive(password, Buffer.from(salt!, 'hex'), expected.length, {N: Number(n), r: Number(r), p: Number(p)})));
}

const none = 'This installation has no root password yet.';

/** Whether root was refused because no root password is set yet. */
export const isWithoutRoot = ({code, message}: Pick<ColoniesError, 'code' | 'message'>): boolean => code === 'unauthenticated' && message === none;

const withoutRoot = () => new Unauthenticated(none, {hint: 'Set it where the data is, not through a server: `colonies database rootpassword`, `colonies database create --rootpassword …` or `colonies server start`.'});

/** Characters as a person counts them. */
export const isShort = (password: string): boolean => [...password].length < limits.rootPasswordLength;

/** Why a short root password is a risk. */
export const shortWarning = `It has fewer than ${limits.rootPasswordLength} characters and can be guessed: colonies database rootpassword changes it.`;

/** Said to whoever gave the first root password. */
export const keptNotice = (password: string): string => `Saved as this database's root password.${isShort(password) ? ` ${shortWarning}` : ''}`;

/** Checks root passwords against the kept hash, and remembers what fitted, for scrypt is slow on purpose. */
export class RootPasswords {
	readonly #key = randomBytes(32);
	/** The hash that was kept, and a keyed digest of the password that fitted it. */
	#known: {kept: string; digest: Buffer} | undefined;

	/**
	@param mayKeep whether this password is kept where none is set yet (domain.md, "Who may do what")
	@returns whether it was kept just now as the first
	@throws Unauthenticated
	*/
	async verify(client: Client, password: string, {mayKeep}: {mayKeep: boolean}): Promise<{kept: boolean}> {
		let kept = await installation.rootPasswordHash(client);
		if (kept === undefined) {
			if (!mayKeep) {
				throw withoutRoot();
			}

			const hash = await hashPassword(password);
			if (await installation.keepFirstRootPassword(client, hash)) {
				return {kept: true};
			}

			kept = await installation.rootPasswordHash(client);
		}

		if (this.#remembers(kept, password)) {
			return {kept: false};
		}

		if (!await fits(password, kept!)) {
			throw new Unauthenticated('The root password is wrong.', {hint: 'It is the one first given to this database; `colonies database rootpassword` changes it, and `colonies database resetroot` forgets it.'});
		}

		this.#known = {kept: kept!, digest: this.#digest(password)};
		return {kept: false};
	}

	/** Whether a password is the one that fitted before, and that is still kept. */
	async isRemembered(client: Client, password: string): Promise<boolean> {
		return this.#known !== undefined && this.#remembers(await installation.rootPasswordHash(client), password);
	}

	#remembers(kept: string | undefined, password: string): boolean {
		return this.#known !== undefined && this.#known.kept === kept && timingSafeEqual(this.#known.digest, this.#digest(password));
	}

	#digest(password: string): Buffer {
		return createHmac('sha256', this.#key).update(password).digest();
	}
}
