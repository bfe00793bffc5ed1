import {toColoniesError} from '../core/errors.ts';
import type {Id} from '../core/types.ts';
import type {Keychain} from './keychain.ts';

/** Notes the new name of what a kept key is for, or those that it had; of a key that is not kept, or that has no label, nothing. The renaming stands whether or not this can be done. */
export async function noteName(keychain: Keychain, id: Id, name: string, notice: (sentence: string) => void): Promise<void> {
	try {
		const kept = (await keychain.list()).filter(({id: key, label}) => label && (label.computerid ?? key) === id);
		for (const {id: key, label} of kept) {
			await keychain.describe(key, {...label!, name}); // eslint-disable-line no-await-in-loop -- one file after the other
		}
	} catch (error) {
		notice(`It has its new name, but its key in the keychain keeps the old one: ${toColoniesError(error).message}`);
	}
}
