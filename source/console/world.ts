import type {Keychain, Settings} from '../keychain/index.ts';
import type {Context, ContextChoice, Contexts} from '../operations/index.ts';

/** What the console is handed by the door. */
export type World = {
	contexts: Contexts;
	choice: ContextChoice;
	keychain: Keychain;
	settings: Settings;
	version: string;
	readOnly: boolean;
	/** Opens the demo: its own database and keychain, with computers at work. */
	openDemo: () => Promise<{context: Context; keychain: Keychain; root: string; stop: () => Promise<void>}>;
	/** Reads a JSON file that the operator named. @throws ColoniesError */
	readSpec: (file: string) => Promise<unknown>;
	/** Writes to standard output what is no picture for a terminal. @throws ColoniesError when it cannot be written */
	print: (text: string) => Promise<void>;
};
