import {type Database, schemaVersion} from '../database/index.ts';
import {Broker, type Context} from '../operations/index.ts';
import {keepTime} from './keep-time.ts';

type LocalOptions = {
	kind: 'embedded' | 'database';
	name: string;
	/** Whether callers are on this machine: only they may set the first root password. */
	local: boolean;
	/** Whether the database is on this machine; so unless given. */
	isLocal?: boolean;
	/** Whether to see to deadlines while it is open. */
	attended?: boolean;
	/** Refuses a database that this program must not touch; asked before the first use and after each time that it was away. */
	check?: (() => Promise<void>) | undefined;
	/** The broker of the first cell, where this is another one. */
	first?: Broker;
};

/** A context with its own broker. */
export type BrokerContext = Context & {readonly broker: Broker};

/** Asks `check` once for each time that the database has come back. */
function guardWith(database: Database, check: (() => Promise<void>) | undefined): () => Promise<void> {
	if (!check) {
		return async () => undefined;
	}

	let passed = false;
	database.watchReachability(({reachable}) => {
		passed &&= reachable;
	});
	return async () => {
		if (!passed) {
			await check();
			passed = true;
		}
	};
}

/** Whether what is to be done in the background can be: on a database that takes no changes it would only fail. */
function readyFor(database: Database, guard: () => Promise<void>): () => Promise<boolean> {
	let takesChanges = true;
	database.watchReachability(({noChanges}) => {
		takesChanges = noChanges === undefined;
	});
	return async () => {
		await guard();
		return takesChanges;
	};
}

/** The operations on a database that this process holds a connection to. Closing it closes the database. */
export function brokerContext(database: Database, {kind, name, local, isLocal = true, attended = false, check, first}: LocalOptions): BrokerContext {
	const broker = new Broker(database, {local, ...(first && {first})});
	const guard = guardWith(database, check);
	const stopKeepingTime = attended ? keepTime(broker, readyFor(database, guard)) : async () => undefined;
	return {
		kind,
		name,
		isLocal,
		broker,
		async run(caller, operation, input, options) {
			await guard();
			return broker.run(caller, operation, input, options);
		},
		async runMany(caller, operation, inputs, options) {
			await guard();
			return broker.runMany(caller, operation, inputs, options);
		},
		watch: hear => broker.news.watch(hear),
		watchReachability: tell => database.watchReachability(tell),
		async where() {
			const [place, schema] = await Promise.all([database.describe(), schemaVersion(database)]);
			const {noChanges} = database.load();
			return {context: name, kind, ...place, schema, ...(noChanges && {readonly: noChanges})};
		},
		async close() {
			await stopKeepingTime();
			if (attended && kind === 'embedded') {
				// Nobody else may be there to seal what a command has just done. What is not sealed now is, the next time.
				await broker.seal().catch(() => undefined);
			}

			await broker.close();
			await database.close();
		},
	};
}
