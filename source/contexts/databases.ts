import {storeUnavailable, Unavailable} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import {defaultSchema} from '../core/schema-name.ts';
import {quoted} from '../core/text.ts';
import {
	cells, continueNumbers, type Database, distributeSchema, migrate, newestSchema, refuseEncoding, refuseForeign, refuseNewer, refuseWorker, schemaVersion,
} from '../database/index.ts';
import type {SavedSettings, Settings} from '../keychain/index.ts';
import {
	Broker, type Context, type HostedContext, type Notice, type Where,
} from '../operations/index.ts';
import {brokerContext} from './local.ts';
import {
	addCellElsewhere, installationContext, makeCells, migrateCells, refuseCell, targetOf, type Ways,
} from './open-cells.ts';
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
async function prepare(database: Database, target: DatabaseTarget, attended: boolean): Promise<cells.Membership> {
	try {
		await checkSchema(database, target);
		const membership = await cells.membership(database);
		refuseCell(membership, target);
		return membership;
	} catch (error) {
		// An operator's console opens on a database that is away; it is checked when it is back.
		if (!attended || await isReachable(database)) {
			throw error;
		}

		return {cells: [], of: undefined};
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
export async function openDatabase(target: DatabaseTarget, attended: boolean, saved: SavedSettings): Promise<Context> {
	const database = await connect(target, attended);
	return closing(database, async () => {
		const membership = await prepare(database, target, attended);
		// A console outlives restarts of its database, which may come back as that of a newer version.
		const check = attended ? async () => checkSchema(database, target) : undefined;
		const context = brokerContext(database, {kind: 'database', name: target.name, local: true, isLocal: isHere(target), attended, check});
		return installationContext({database, context}, membership, {target, local: true, isLocal: isHere(target), attended, ways: waysOf(saved)});
	});
}

const waysOf = (saved: SavedSettings): Ways => ({connect, check: checkSchema, saved});

/** For callers from elsewhere, none of whom may set the first root password: whoever starts the server does. */
export async function hostDatabase(target: DatabaseTarget, root: RootGiven, notice: Notice, saved: SavedSettings): Promise<HostedContext> {
	const database = await connect(target);
	const membership = await closing(database, async () => prepare(database, target, false));
	const context = brokerContext(database, {kind: 'database', name: target.name, local: false, attended: true, check: async () => checkSchema(database, target)});
	try {
		await keepRoot(context.broker, notice, root);
	} catch (error) {
		await context.close();
		throw error;
	}

	return installationContext({database, context}, membership, {target, local: false, attended: true, ways: waysOf(saved)});
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

/** `cells`: how many there are to be; `citus`: each is a schema that Citus places. */
type Making = {rootpassword: string | undefined; cells: number | undefined; citus: boolean | undefined};

/** Makes the schema, saves the context and makes it current. @throws ColoniesError */
export async function createDatabase(settings: Settings, target: DatabaseTarget, notice: Notice, {rootpassword, cells: count, citus = false}: Making): Promise<Where> {
	const database = await connect(target);
	return closing(database, async () => {
		const done = await migrate(database, undefined, ({place, of, name, rows}) => {
			notice(`Bringing the schema up to date, step ${place} of ${of}: ${name}${rows > 0 ? `, about ${rows.toLocaleString('en')} rows` : ''} …`);
		});
		if (rootpassword !== undefined) {
			await keepRoot(new Broker(database, {local: true}), notice, {rootpassword});
		}

		if (citus) {
			await distributeSchema(database);
			notice(`Citus places the schema ${quoted(target.schema)}.`);
		}

		const ways = waysOf(await settings.read());
		await migrateCells({database, target}, ways, notice);
		if (count !== undefined) {
			await makeCells({database, target}, {count, citus}, ways, notice);
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

/** Where the other cells of an installation are; none where the store is not at hand, or has no schema yet. @throws ColoniesError */
export async function otherCells(target: DatabaseTarget, saved: SavedSettings): Promise<DatabaseTarget[]> {
	const database = await connect(target);
	try {
		const version = await schemaVersion(database);
		const {cells: all} = version < newestSchema ? {cells: []} : await cells.membership(database);
		return all.filter(({cell}) => cell !== cells.firstCell).map(cell => targetOf(target, cell, saved));
	} finally {
		await database.close();
	}
}

/** Adds a cell that lies elsewhere. Its password is kept on this machine, as that of a context. @throws ColoniesError */
export async function addCellTo(settings: Settings, first: DatabaseTarget, target: DatabaseTarget, name: string | undefined, notice: Notice): Promise<void> {
	const database = await connect(first);
	try {
		await checkSchema(database, first);
		await addCellElsewhere({database, target: first}, target, name, waysOf(await settings.read()), notice);
	} finally {
		await database.close();
	}

	const {host, port, user, password, ssl} = target;
	if (password !== undefined && password !== first.password) {
		await settings.saveContext(name ?? target.name, {kind: 'database', host, port, user, password, database: target.database, ...keptSchema(target.schema), ssl, ...mannerOf(target)});
		notice('Its password is saved on this machine alone; give other servers one with the same password, or a context for it: colonies context add.');
	}
}
