import {passphraseIn, passphraseMissing} from '../keychain/index.ts';

type Streams = {env: NodeJS.ProcessEnv; stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream};

/** Where the keychain gets its passphrase: from the environment, or whoever sits at the terminal. @throws Unauthenticated when there is neither */
export const askPassphrase = ({env, stdin, stderr}: Streams) => async (): Promise<string> => {
	const given = passphraseIn(env);
	if (given !== undefined) {
		return given;
	}

	if (!stdin.isTTY || !stderr.isTTY) {
		throw passphraseMissing();
	}

	const [{askSecret}, {StandardInput}] = await Promise.all([import('../commands/ask.ts'), import('../commands/standard-input.ts')]);
	const typed = await askSecret(new StandardInput(stdin), {stderr}, 'Passphrase of your keys');
	if (typed === '') {
		throw passphraseMissing();
	}

	return typed;
};
