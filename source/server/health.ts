import type {NoChanges} from '../core/reachability.ts';
import {type HostedContext, newestSchema} from '../operations/index.ts';

/** Milliseconds for which an answer is good, so that asking often asks the database no more often; and for which it is waited for. */
const fresh = 500;
const patience = 2000;

/** With what a caller may want to show: the versions of the database and its schema. */
export type Readiness = {ready: true; server: string; timescale: string | undefined; schema: number; /** Why no changes are taken: what reads is served all the same. */ readonly?: NoChanges} | {ready: false; reason: string};

/** What is said of a database that takes no changes. */
export const readOnlyReason: Readonly<Record<NoChanges, string>> = {
	standby: 'The database takes no changes: it is a standby.',
	'read-only': 'The database takes no changes: it is set to be read-only.',
};

async function look(context: HostedContext): Promise<Readiness> {
	let timer: NodeJS.Timeout | undefined;
	try {
		const late = new Promise<undefined>(resolve => {
			timer = setTimeout(resolve, patience, undefined);
		});
		const where = await Promise.race([context.where(), late]);
		if (where === undefined) {
			return {ready: false, reason: 'The database does not answer.'};
		}

		const {server, timescale, schema, readonly} = where;
		return schema === newestSchema ? {ready: true, server, timescale, schema, ...(readonly && {readonly})} : {ready: false, reason: 'The schema of the database is not that of this version.'};
	} catch {
		// Without its address: anyone may ask.
		return {ready: false, reason: 'The database does not answer.'};
	} finally {
		clearTimeout(timer);
	}
}

/** Whether requests can be served: the database answers, has the schema of this version, and takes changes or says why not. */
export function createReadiness(context: HostedContext): () => Promise<Readiness> {
	let last: {at: number; readiness: Promise<Readiness>} | undefined;
	return async () => {
		if (last === undefined || performance.now() - last.at > fresh) {
			last = {at: performance.now(), readiness: look(context)};
		}

		return last.readiness;
	};
}
