import {type HostedContext, newestSchema, type Where} from '../operations/index.ts';

/** Milliseconds for which an answer is good, so that asking often asks the database no more often; and for which it is waited for. */
const fresh = 500;
const patience = 2000;

/** What the database says of itself; undefined when it does not answer in time. */
async function ask(context: HostedContext): Promise<Where | undefined> {
	let timer: NodeJS.Timeout | undefined;
	try {
		const late = new Promise<undefined>(resolve => {
			timer = setTimeout(resolve, patience, undefined);
		});
		return await Promise.race([context.where(), late]);
	} catch {
		return undefined;
	} finally {
		clearTimeout(timer);
	}
}

export type Health = {
	/** What there is to say about the versions, as far as the database answers. Never where it is: anyone may ask. */
	about(): Promise<{schema?: number; server?: string; timescale?: string | undefined}>;
	/** Why requests cannot be served now; undefined when they can: the database answers, and has the schema of this version. */
	fault(): Promise<string | undefined>;
};

export function createHealth(context: HostedContext): Health {
	let last: {at: number; where: Promise<Where | undefined>} | undefined;
	const where = async () => {
		if (last === undefined || performance.now() - last.at > fresh) {
			last = {at: performance.now(), where: ask(context)};
		}

		return last.where;
	};

	return {
		async about() {
			const found = await where();
			return found ? {schema: found.schema, server: found.server, timescale: found.timescale} : {};
		},
		async fault() {
			const found = await where();
			if (found === undefined) {
				return 'The database does not answer.';
			}

			return found.schema === newestSchema ? undefined : 'The schema of the database is not that of this version.';
		},
	};
}
