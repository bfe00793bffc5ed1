import {type Database, schemaVersion} from '../database/index.ts';
import {type Context, Broker} from '../operations/index.ts';
import {keepTime} from './keep-time.ts';

type LocalOptions = {
	kind: 'embedded' | 'database';
	name: string;
	/** Whether callers are on this machine: only they may set the first root password. */
	local: boolean;
	/** Whether to see to deadlines while it is open. */
	attended?: boolean;
};

/** The operations on a database that this process holds a connection to. Closing it closes the database. */
export function brokerContext(database: Database, {kind, name, local, attended = false}: LocalOptions): Context {
	const broker = new Broker(database, {local});
	const stopKeepingTime = attended ? keepTime(broker) : async () => undefined;
	return {
		kind,
		name,
		run: async (caller, operation, input, notice) => broker.run(caller, operation, input, notice),
		watch: hear => broker.news.watch(hear),
		watchReachability: tell => database.watchReachability(tell),
		async where() {
			const [place, schema] = await Promise.all([database.describe(), schemaVersion(database)]);
			return {context: name, kind, ...place, schema};
		},
		async close() {
			await stopKeepingTime();
			await broker.news.close();
			await database.close();
		},
	};
}
