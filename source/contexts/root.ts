import {Unauthenticated, toColoniesError} from '../core/errors.ts';
import {type Broker, isWithoutRoot, keptNotice, type Notice} from '../operations/index.ts';

/** Said to whoever gives the root password again. */
export const samePassword = 'The root password is the one that is kept.';

/** The root password of whoever sets up a store or serves one. `mustBeKept`: it does not become the first one, for it was typed only once. */
export type RootGiven = {rootpassword: string; mustBeKept?: boolean};

/** Keeps a root password when it is the first; checks it otherwise, and says which. @throws Unauthenticated, which says that another one is kept, or none */
export async function keepRoot(broker: Broker, notice: Notice, {rootpassword, mustBeKept = false}: RootGiven): Promise<void> {
	try {
		const {kept} = await (mustBeKept ? broker.verifyRoot(rootpassword) : broker.keepRoot(rootpassword));
		notice(kept ? keptNotice(rootpassword) : samePassword);
	} catch (error) {
		const failure = toColoniesError(error);
		throw failure.code === 'unauthenticated' && !isWithoutRoot(failure)
			? new Unauthenticated('The root password given is not the one that this database keeps.', {hint: 'Give that one, or change it: colonies database rootpassword. With access to the database itself you can reset it: colonies database resetroot.', cause: error})
			: failure;
	}
}
