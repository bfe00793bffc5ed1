import {passphraseIn, passphraseMissing} from '../keychain/index.ts';

/** `ask`: asks on the terminal, and shows nothing of what is typed. */
type Asking = {env: NodeJS.ProcessEnv; stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream; ask: (question: string) => Promise<string>};

/** Where the keychain gets its passphrase: from the environment, or typed at the terminal. @throws Unauthenticated when there is neither */
export const askPassphrase = ({env, stdin, stderr, ask}: Asking) => async (): Promise<string> => {
	const given = passphraseIn(env);
	if (given !== undefined) {
		return given;
	}

	if (!stdin.isTTY || !stderr.isTTY) {
		throw passphraseMissing();
	}

	const typed = await ask('Passphrase of your keys');
	if (typed === '') {
		throw passphraseMissing();
	}

	return typed;
};
