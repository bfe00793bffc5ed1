import fs from 'node:fs';
import {InvalidInput, Unauthenticated} from '../core/errors.ts';
import {quoted} from '../core/text.ts';

/** The variables of a passphrase: the text itself, or an open file descriptor whose first line it is. */
export type PassphraseVariables = {text: string; descriptor: string};
export const currentPassphrase: PassphraseVariables = {text: 'COLONIES_PASSPHRASE', descriptor: 'COLONIES_PASSPHRASE_FD'};
export const newPassphrase: PassphraseVariables = {text: 'COLONIES_NEW_PASSPHRASE', descriptor: 'COLONIES_NEW_PASSPHRASE_FD'};

/** Each can be read once. */
const read = new Map<string, string>();

/** The passphrase that the environment gives; undefined where it gives none. @throws InvalidInput for a descriptor that cannot be read */
export function passphraseIn(env: NodeJS.ProcessEnv, {text, descriptor}: PassphraseVariables = currentPassphrase): string | undefined {
	const number = env[descriptor];
	if (number === undefined || number === '') {
		return env[text] === '' ? undefined : env[text];
	}

	const known = read.get(number);
	if (known !== undefined) {
		return known;
	}

	try {
		const [line = ''] = fs.readFileSync(/^\d{1,4}$/.test(number) ? Number(number) : -1, 'utf8').split(/\r?\n/);
		read.set(number, line);
		return line;
	} catch (error) {
		throw new InvalidInput(`${descriptor} is ${quoted(number)}, and nothing can be read there.`, {hint: 'Give the number of a descriptor that is open for reading, as in 3< FILE.', cause: error});
	}
}

/** No passphrase was given where one is needed. */
export const passphraseMissing = () => new Unauthenticated('The keys are encrypted, and no passphrase was given.', {
	hint: 'Set COLONIES_PASSPHRASE, or COLONIES_PASSPHRASE_FD to an open file descriptor; on a terminal it is asked for.',
});

/** Where a keychain gets its passphrase when nobody can be asked. @throws Unauthenticated */
export const passphraseFrom = (env: NodeJS.ProcessEnv) => async (): Promise<string> => {
	const given = passphraseIn(env);
	if (given === undefined) {
		throw passphraseMissing();
	}

	return given;
};
