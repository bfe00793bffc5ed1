import type {Database} from '../database/index.ts';
import {Broker, type Notice} from '../operations/index.ts';

/** Said to whoever gives the root password again. */
export const samePassword = 'The root password is the one that is kept.';

/** Keeps the root password of whoever sets up a store, when it is the first; checks it otherwise, and says which. @throws Unauthenticated */
export async function keepRoot(database: Database, notice: Notice, rootpassword: string): Promise<void> {
	const {kept} = await new Broker(database, {local: true}).verifyRoot(rootpassword);
	notice(kept ? 'The root password was kept: it is the first given to this database.' : samePassword);
}
