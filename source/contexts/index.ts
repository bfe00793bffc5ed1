import {Unavailable} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {type Database, dropSchema, migrate, newestSchema, refuseNewer} from '../database/index.ts';
import type {Folders, Settings} from '../keychain/index.ts';
import {type Context, type ContextChoice, type Contexts, type Notice, Broker} from '../operations/index.ts';
import {brokerContext} from './local.ts';
import {embeddedFolder} from './places.ts';
import {type DatabaseTarget, type Target, resolveTarget} from './resolve.ts';
import {savedContexts} from './saved.ts';

export {brokerContext} from './local.ts';

type World = {env: NodeJS.ProcessEnv; folders: Folders; settings: Settings};

// Each kind is loaded only when it is asked for: together they would cost every start.
async function connect(target: Target, {folders}: World, startUnreachable = false): Promise<Database> {
	if (target.kind === 'embedded') {
		const {openEmbedded} = await import('../database/embedded/index.ts');
		return openEmbedded({folder: embeddedFolder(folders.data, target.name)});
	}

	const {openPostgres} = await import('../database/postgres.ts');
	const {host, port, user, password, database, ssl, url} = target;
	const where = url === undefined ? {host, port, user, database} : {connectionString: url};
	return openPostgres({...where, ...(ssl === undefined ? {} : {ssl}), password, applicationName: 'colonies-tui', startUnreachable});
}

const describeTarget = (target: Target, {folders}: World): string => target.kind === 'embedded'
	? `the embedded database in ${embeddedFolder(folders.data, target.name)}`
	: `the schema "colonies" in the database ${target.database} on ${target.host}:${target.port}`;

/** Refuses a database without our schema, or with one that is not of this version. */
async function checkSchema(database: Database, target: DatabaseTarget): Promise<void> {
	const version = await refuseNewer(database);
	if (version < newestSchema) {
		throw new Unavailable(
			version === 0
				? `The database ${quoted(target.database)} on ${target.host}:${target.port} has no Colonies schema.`
				: `The schema in ${quoted(target.database)} on ${target.host}:${target.port} has version ${version}; this program needs ${newestSchema}.`,
			{hint: 'Run `colonies database create` with the same database flags: it makes the schema, or brings it up to date.'},
		);
	}
}

/** An embedded database is brought up to date by whoever opens it; the schema of a shared one is made on purpose only. */
async function prepare(database: Database, target: Target, attended: boolean): Promise<void> {
	if (target.kind === 'embedded') {
		await migrate(database);
		return;
	}

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

/** How this program's contexts are opened, made and dropped. */
export function createContexts(world: World): Contexts {
	const resolve = async (choice: ContextChoice): Promise<Target> => resolveTarget(choice, world.env, await world.settings.read());

	const open = async (choice: ContextChoice, {attended = false} = {}): Promise<Context> => {
		const target = await resolve(choice);
		const database = await connect(target, world, attended);
		return closing(database, async () => {
			await prepare(database, target, attended);
			// A console outlives restarts of its database, which may come back as that of a newer version.
			const check = attended && target.kind === 'database' ? async () => checkSchema(database, target) : undefined;
			return brokerContext(database, {kind: target.kind, name: target.name, local: true, attended, check});
		});
	};

	return {
		open,
		...savedContexts(world),
		async openHosted(choice, {rootpassword, notice}) {
			const target = await resolve(choice);
			const database = await connect(target, world);
			return closing(database, async () => {
				await prepare(database, target, false);
				await keepRoot(database, notice, rootpassword);
				return brokerContext(database, {kind: target.kind, name: target.name, local: false, attended: true});
			});
		},
		async create(choice, notice, rootpassword) {
			const target = await resolve(choice);
			const database = await connect(target, world);
			return closing(database, async () => {
				const done = await migrate(database);
				await keepRoot(database, notice, rootpassword);
				const context = brokerContext(database, {kind: target.kind, name: target.name, local: true});
				const where = await context.where();
				notice(done.length > 0 ? `Made the schema in ${where.place}.` : `The schema in ${where.place} is up to date already.`);
				if (target.kind === 'database') {
					await save(world.settings, target, notice);
				}

				await context.close();
				return where;
			});
		},
		async prepareDrop(choice) {
			// Once, before the question: what is dropped is what was asked about, whatever becomes the current context meanwhile.
			const target = await resolve(choice);
			return {
				what: describeTarget(target, world),
				async drop(notice) {
					const database = await connect(target, world);
					await dropSchema(database).finally(async () => database.close());
					notice(`Dropped ${describeTarget(target, world)}.`);
					if (target.kind === 'database' && await world.settings.forgetContext(target.name)) {
						notice(`Forgot the context ${quoted(target.name)}; what is not told otherwise goes to the embedded database now.`);
					}
				},
			};
		},
	};
}

async function keepRoot(database: Database, notice: Notice, rootpassword: string | undefined): Promise<void> {
	if (rootpassword !== undefined) {
		const {kept} = await new Broker(database, {local: true}).verifyRoot(rootpassword);
		notice(kept ? 'The root password was kept: it is the first given to this database.' : 'The root password is the one that is kept.');
	}
}

async function save(settings: Settings, {name, host, port, user, password, database, ssl}: DatabaseTarget, notice: Notice): Promise<void> {
	if (name === 'DATABASE_URL') {
		notice('It is the one that DATABASE_URL names; no context was saved.');
		return;
	}

	await settings.saveContext(name, {kind: 'database', host, port, user, password, database, ssl}, {use: true});
	notice(`Saved the context ${quoted(name)} and made it current: commands without database flags go there now.`);
}
