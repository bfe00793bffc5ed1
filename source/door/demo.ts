import path from 'node:path';
import {type Folders, type Keychain, openKeychain} from '../keychain/index.ts';
import type {Context, Contexts} from '../operations/index.ts';

/** The demo's root password. No secret: nothing in it is real. */
const root = 'demo';

/** The demo's own keychain, apart from real keys. */
export const demoKeychain = ({data}: Folders): Keychain => openKeychain({folder: path.join(data, 'demo-keychain')});

/** Opens the demo: an embedded database and a keychain of its own, apart from real data, and simulated computers at work until `stop`. */
export async function openDemo(contexts: Contexts, places: Folders): Promise<{context: Context; keychain: Keychain; root: string; stop: () => Promise<void>}> {
	const keychain = demoKeychain(places);
	const context = await contexts.open({demo: true}, {attended: true});
	try {
		const {startDemo} = await import('../work/demo.ts');
		const {stop} = await startDemo({context, root, keys: keychain});
		return {context, keychain, root, stop};
	} catch (error) {
		await context.close();
		throw error;
	}
}
