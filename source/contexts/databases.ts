import {storeUnavailable, Unavailable} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import {defaultSchema} from '../core/schema-name.ts';
import {quoted} from '../core/text.ts';
import {
	continueNumbers, type Database, migrate, newestSchema, refuseEncoding, refuseForeign, refuseNewer, refuseWorker,
} from '../database/index.ts';
import type {Settings} from '../keychain/index.ts';
import {
	Broker, type Context, type HostedContext, type Notice, type Where,
} from '../operations/index.ts';
import {brokerContext} from './local.ts';
import {type DatabaseTarget, keptSchema, mannerOf} from './resolve.ts';
import {keepRoot, type RootGiven} from './root.ts';

/** Connects to a PostgreSQL, which is loaded only when it is asked for. `statementTimeout`: milliseconds, 0 for none. @throws ColoniesError */
export async function connect({host, port, user, password, database, schema, ssl, pool, prepare, target, listen, url}: DatabaseTarget, startUnreachable = false, statementTimeout?: number): Promise<Database> {
	const {openPostgres} = await import('../database/postgres.ts');
	const where = url === undefined ? {host, port, user, database} : {connectionString: url};
	return openPostgres({...where, schema, ...(ssl === undefined ? {} : {ssl}), password, applicationName: 'colonies-tui', poolSize: pool, prepare, target, listen, startUnreachable, ...(statementTimeout !== undefined && {statementTimeout})});
}

/** Whether a database is on this machine: its host is a folder with a Unix socket, or a loopback address. */
const isHere = ({host}: DatabaseTarget): boolean => host.startsWith('/') || isLoopback(host);

/** Refuses a database without our schema, or with one that is not of this version. In a copy from another server the numbers of the history go on from here. */
export async function checkSchema(database: Database, target: DatabaseTarget): Promise<void> {
	await refuseEncoding(database);
	await refuseWorker(database);
	await refuseForeign(database, database);
	const version = await refuseNewer(database);
	if (version < newestSchema) {
		throw new Unavailable(
			version === 0
				? `The database ${quoted(target.database)} on ${target.host}:${target.port} has no ${database.schema === defaultSchema ? 'Colonies schema' : `schema ${quoted(database.schema)} of Colonies`}.`
				: `The schema in ${quoted(target.database)} on ${target.host}:${target.port} has version ${version}; this program needs ${newestSchema}.`,
			{hint: 'Run `colonies database create` with the same database flags: it makes the schema, or brings it up to date.', outward: storeUnavailable},
		);
	}

	await continueNumbers(database);
}

/** The schema of a shared database is made on purpose only. */
async function prepare(database: Database, target: DatabaseTarget, attended: boolean): Promise<void> {
	try {
		await checkSchema(database, target);
	} catch (error) {
		// An operator's console opens on a database that is away; it is checked when it is back.
		if (!attended || await isReachable(database)) {
			throw error;
		}
	}
}

/** Whether the database answers now. */
const isReachable = async (database: Database): Promise<boolean> => new Promise(resolve => {
	const stop = database.watchReachability(({reachable}) => {
		resolve(reachable);
		queueMicrotask(() => {
			stop();
		});
	});
});

/** Closes a database that could not be used, and throws why. */
async function closing<Result>(database: Database, work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		await database.close();
		throw error;
	}
}

/** The operations on a database. `attended`: for as long as an operator stays; one that is away now is tried again. @throws ColoniesError */
export async function openDatabase(target: DatabaseTarget, attended: boolean): Promise<Context> {
	const database = await connect(target, attended);
	return closing(database, async () => {
		await prepare(database, target, attended);
		// A console outlives restarts of its database, which may come back as that of a newer version.
		const check = attended ? async () => checkSchema(database, target) : undefined;
		return brokerContext(database, {kind: 'database', name: target.name, local: true, isLocal: isHere(target), attended, check});
	});
}

/** For callers from elsewhere, none of whom may set the first root password: whoever starts the server does. */
export async function hostDatabase(target: DatabaseTarget, root: RootGiven, notice: Notice): Promise<HostedContext> {
	const database = await connect(target);
	await closing(database, async () => prepare(database, target, false));
	const context = brokerContext(database, {kind: 'database', name: target.name, local: false, attended: true, check: async () => checkSchema(database, target)});
	try {
		await keepRoot(context.broker, notice, root);
	} catch (error) {
		await context.close();
		throw error;
	}

	return context;
}

/** Forgets the root password of a database. @returns whether there was one */
export async function resetRootOf(target: DatabaseTarget): Promise<boolean> {
	const database = await connect(target);
	try {
		await prepare(database, target, false);
		return await new Broker(database, {local: true}).resetRoot();
	} finally {
		await database.close();
	}
}

/** Makes the schema, saves the context and makes it current. @throws ColoniesError */
export async function createDatabase(settings: Settings, target: DatabaseTarget, notice: Notice, rootpassword: string | undefined): Promise<Where> {
	const database = await connect(target);
	return closing(database, async () => {
		const done = await migrate(database, undefined, ({place, of, name, rows}) => {
			notice(`Bringing the schema up to date, step ${place} of ${of}: ${name}${rows > 0 ? `, about ${rows.toLocaleString('en')} rows` : ''} …`);
		});
		if (rootpassword !== undefined) {
			await keepRoot(new Broker(database, {local: true}), notice, {rootpassword});
		}

		const context = brokerContext(database, {kind: target.kind, name: target.name, local: true});
		const where = await context.where();
		notice(done.length > 0 ? (done.includes(1) ? `Made the schema in ${where.place}.` : `Brought the schema in ${where.place} up to date.`) : `The schema in ${where.place} is up to date already.`);
		await save(settings, target, notice);
		await context.close();
		return where;
	});
}

async function save(settings: Settings, target: DatabaseTarget, notice: Notice): Promise<void> {
	const {name, host, port, user, password, database, schema, ssl} = target;
	if (name === 'DATABASE_URL') {
		notice('It is the one that DATABASE_URL names; no context was saved.');
		return;
	}

	await settings.saveContext(name, {kind: 'database', host, port, user, password, database, ...keptSchema(schema), ssl, ...mannerOf(target)}, {use: true});
	notice(`Saved the context ${quoted(name)} and made it current: commands without database flags go there now.`);
}
