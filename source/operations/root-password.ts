import {
	createHmac, randomBytes, scrypt, timingSafeEqual,
} from 'node:crypto';
import {promisify} from 'node:util';
import {Unauthenticated} from '../core/errors.ts';
import {type Client, installation} from '../database/index.ts';

const derive = promisify<string, Buffer, number, {N: number; r: number; p: number}, Buffer>(scrypt);
const cost = {N: 16_384, r: 8, p: 1};
const length = 32;

/** A salted scrypt hash (RFC 7914) as text, with its parameters in front. */
export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(16);
	const hash = await derive(password, salt, length, cost);
	return ['scrypt', cost.N, cost.r, cost.p, salt.toString('hex'), hash.toString('hex')].join('$');
}

async function fits(password: string, kept: string): Promise<boolean> {
	const [, n, r, p, salt, hash] = kept.split('$');
	const expected = Buffer.from(hash!, 'hex');
	return timingSafeEqual(expected, await derive(password, Buffer.from(salt!, 'hex'), expected.length, {N: Number(n), r: Number(r), p: Number(p)}));
}

/** Checks root passwords against the kept hash, and remembers what fitted, for scrypt is slow on purpose. */
export class RootPasswords {
	readonly #key = randomBytes(32);
	/** The hash that was kept, and a keyed digest of the password that fitted it. */
	#known: {kept: string; digest: Buffer} | undefined;

	/**
	@param local whether the caller is on this machine (embedded, its socket, a database context): only then the first password of a fresh database is kept.
	@returns whether this password was kept just now as the first.
	@throws Unauthenticated
	*/
	async verify(client: Client, password: string, {local}: {local: boolean}): Promise<{kept: boolean}> {
		let kept = await installation.rootPasswordHash(client);
		if (kept === undefined) {
			if (!local) {
				throw new Unauthenticated('This installation has no root password yet.', {hint: 'Give it one on the machine of the server: `colonies server start --rootpassword …` or `colonies database create --rootpassword …`.'});
			}

			if (await installation.keepFirstRootPassword(client, await hashPassword(password))) {
				return {kept: true};
			}

			kept = await installation.rootPasswordHash(client);
		}

		const digest = createHmac('sha256', this.#key).update(password).digest();
		if (this.#known?.kept === kept && timingSafeEqual(this.#known!.digest, digest)) {
			return {kept: false};
		}

		if (!await fits(password, kept!)) {
			throw new Unauthenticated('The root password is wrong.', {hint: 'It is the one first given to this database; `colonies database rootpassword` changes it.'});
		}

		this.#known = {kept: kept!, digest};
		return {kept: false};
	}
}
