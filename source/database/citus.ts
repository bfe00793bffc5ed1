import {ColoniesError, storeUnavailable} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Client, Database} from './types.ts';

/** What lies behind the protocol of PostgreSQL, as far as it makes a difference to statements: `citus` where the schema is one that Citus has distributed. */
export type Engine = 'postgresql' | 'citus';

/** Whether Citus is in this database. Its catalogue is looked at only where it is. */
async function hasCitus(client: Client): Promise<boolean> {
	const {rows: [row]} = await client.query<{found: boolean}>('select exists (select from pg_catalog.pg_extension where extname = \'citus\') as found');
	return row!.found;
}

/** Whether the schema is distributed. Asked of the catalogue of the node that the session is on. */
async function isDistributed(client: Client): Promise<boolean> {
	const {rows: [row]} = await client.query<{found: boolean}>('select exists (select from pg_catalog.pg_dist_schema where schemaid = to_regnamespace(\'colonies\')) as found');
	return row!.found;
}

/** What is behind a client. */
export const engineBehind = async (client: Client): Promise<Engine> => await hasCitus(client) && await isDistributed(client) ? 'citus' : 'postgresql';

const engines = new WeakMap<Database, Engine | Promise<Engine>>();

/** What is behind a database; asked once for each that is open, for a schema is distributed before servers work with it. */
export async function findEngine(database: Database): Promise<Engine> {
	const known = engines.get(database);
	if (known !== undefined) {
		return known;
	}

	const found = database.kind === 'embedded' ? Promise.resolve('postgresql' as const) : engineBehind(database);
	engines.set(database, found);
	try {
		return await found;
	} catch (error) {
		engines.delete(database);
		throw error;
	}
}

const stepping = new WeakSet<Database>();

/** Has what goes to a database go as with Citus, also where that is not behind it, so that this way is tested and measured without Citus. */
export function goInSteps(database: Database): void {
	stepping.add(database);
}

/** Whether what is known of a database says that statements go as with Citus. */
const isKnownAsCitus = (database: Database): boolean => stepping.has(database) || engines.get(database) === 'citus';

/** The same, asked where it is not known yet. */
export const goesInSteps = async (database: Database): Promise<boolean> => stepping.has(database) || await findEngine(database) === 'citus';

const numbered = new WeakSet<Client>();

/** Notes of a transaction what is behind it. */
export function noteEngine(client: Client, database: Database): void {
	if (isKnownAsCitus(database)) {
		numbered.add(client);
	}
}

/** Whether rows of the history are given their numbers in this transaction: with Citus others count on another server. */
export const needsNumbers = (client: Client): boolean => numbered.has(client);

/**
Refuses a session on a worker of Citus. Statements that were begun there would take their transaction numbers from it, and the order of the history would break.
@throws ColoniesError `unavailable`
*/
export async function refuseWorker(client: Client): Promise<void> {
	if (!await hasCitus(client)) {
		return;
	}

	const {rows: [row]} = await client.query<{worker: boolean; address: string; name: string}>('select not citus_is_coordinator() as worker, coalesce(host(inet_server_addr()) || \':\' || inet_server_port(), \'its socket\') as address, current_database() as name');
	if (row!.worker) {
		throw new ColoniesError('unavailable', `The server at ${row!.address} is a worker of Citus; Colonies works with the coordinator alone.`, {
			hint: `Give the host of the coordinator of the database ${quoted(row!.name)} with --dbhost.`, outward: storeUnavailable,
		});
	}
}

/** Lets triggers stand on distributed tables, in a transaction. Ours guard the history and its seals against changes, and look at the row alone: they are as good on a worker. */
export const unsafeTriggers = 'set local citus.enable_unsafe_triggers = on';

/**
Makes the schema a distributed one, which Citus places on a worker, moves (`citus_schema_move`) and rebalances. What is in it goes there. Harmless when repeated.
@throws ColoniesError `unavailable` where Citus is not in the database, or this is a worker
*/
export async function distributeSchema(database: Database): Promise<void> {
	if (!await hasCitus(database)) {
		throw new ColoniesError('unavailable', 'The database has no Citus.', {hint: 'Let an administrator run `create extension citus` on all nodes and add the workers with `citus_add_node`; or leave --citus out.'});
	}

	await refuseWorker(database);
	if (await isDistributed(database)) {
		return;
	}

	await database.transaction(async client => {
		await client.query(unsafeTriggers);
		await client.query('select citus_schema_distribute(\'colonies\')');
	});
	engines.set(database, 'citus');
}
