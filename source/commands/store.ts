import type {Context, ContextChoice} from '../operations/context.ts';
import {say} from './output.ts';
import type {World} from './world.ts';

const insecure = 'Warning: nobody checks the certificate of this server, so that anybody on the way can read and change what is sent. Check it with --fingerprint or --tlsca.';

/** Warns when whatever answers is trusted. */
export async function warnOf({insecure: isInsecure}: {readonly insecure?: boolean}, world: World): Promise<void> {
	if (isInsecure === true) {
		await say(world, insecure);
	}
}

/**
Does something with the store that is meant, and lets go of it. `attended`: for as long as an operator wants, also while it is away.
@throws ColoniesError
*/
export async function withStore<Result>(world: World, choice: ContextChoice, act: (context: Context) => Promise<Result>, options: {attended?: boolean} = {}): Promise<Result> {
	await warnOf(choice, world);
	const context = await world.contexts.open(choice, options);
	try {
		await warnOf({insecure: context.insecure === true && choice.insecure !== true}, world);
		return await act(context);
	} finally {
		await context.close();
	}
}
