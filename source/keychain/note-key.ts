import {toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Keychain} from './keychain.ts';

/** A computer of a colony, as an operation answers it. */
type Rekeyed = {computerid: Id; colonyid: Id; name: string; keyid?: Id};

/** Notes which key a computer has now. The key stands whether or not this can be done. */
export async function noteKey(keychain: Keychain, {keyid, ...computer}: Rekeyed, notice: (sentence: string) => void): Promise<void> {
	try {
		await keychain.replace(computer, keyid ?? computer.computerid);
	} catch (error) {
		notice(`It has its new key, but the keychain does not say so: ${toColoniesError(error).message}`);
	}
}
