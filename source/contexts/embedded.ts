import type {Database} from '../database/index.ts';
import type {
	Context, HostedContext, Notice, Where,
} from '../operations/index.ts';
import {brokerContext} from './local.ts';
import {type Embedded, hostAlone} from './hosting.ts';
import {keepRoot, type RootGiven, samePassword} from './root.ts';
import {openShared} from './shared.ts';

export {openShared} from './shared.ts';

/** Opens the embedded database for this process alone, served to nobody. @throws ColoniesError `in-use` */
export async function openAlone({folder}: Embedded): Promise<Database> {
	const {openEmbedded} = await import('../database/embedded/index.ts');
	return openEmbedded({folder});
}

/** For callers from elsewhere, none of whom may set the first root password; the processes of this user go on sharing the database meanwhile. */
export async function hostEmbedded(embedded: Embedded, root: RootGiven, notice: Notice): Promise<HostedContext> {
	const {database, close} = await hostAlone(embedded);
	const served = brokerContext(database, {kind: 'embedded', name: embedded.name, local: false});
	try {
		await keepRoot(served.broker, notice, root);
	} catch (error) {
		await served.broker.close();
		await close();
		throw error;
	}

	return {
		...served,
		async close() {
			await served.broker.close();
			await close();
		},
	};
}

/** Forgets the root password of the embedded database. @returns whether there was one. @throws ColoniesError `in-use` */
export async function resetRootOfEmbedded(embedded: Embedded): Promise<boolean> {
	const {context, close} = await hostAlone(embedded);
	try {
		return await context.broker.resetRoot();
	} finally {
		await close();
	}
}

/** Brings the embedded database up to date, and keeps the root password when it is the first. @throws ColoniesError */
export async function createEmbedded(embedded: Embedded, notice: Notice, rootpassword: string | undefined): Promise<Where> {
	const context = await openShared(embedded);
	try {
		if (rootpassword !== undefined) {
			// Changing it to itself keeps the first one, checks another one, and changes nothing.
			let said = false;
			await context.run({root: rootpassword}, 'database.rootpassword', {newrootpassword: rootpassword}, {notice(sentence) {
				said = true;
				notice(sentence);
			}});
			if (!said) {
				notice(samePassword);
			}
		}

		const where = await context.where();
		notice(`The schema in ${where.place} is up to date.`);
		return where;
	} finally {
		await context.close();
	}
}
