import {readFile} from 'node:fs/promises';
import {InvalidInput, Unavailable} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {type Database, dropSchema, migrate, newestSchema, refuseNewer} from '../database/index.ts';
import type {Folders, Settings} from '../keychain/index.ts';
import {
	type Context, type ContextChoice, type Contexts, type HostedContext, type Notice, type Where, Broker,
} from '../operations/index.ts';
import type {Trust} from '../remote/index.ts';
import type {Embedded} from './hosting.ts';
import {brokerContext} from './local.ts';
import {embeddedFolder} from './places.ts';
import {
	type DatabaseTarget, type ServerTarget, type Target, resolveTarget,
} from './resolve.ts';
import {savedContexts} from './saved.ts';

export {brokerContext} from './local.ts';

type World = {env: NodeJS.ProcessEnv; folders: Folders; settings: Settings; /** Of the program. */ version?: string};

// Each kind is loaded only when it is asked for: together they would cost every start.
async function connect({host, port, user, password, database, ssl, url}: DatabaseTarget, startUnreachable = false): Promise<Database> {
	const {openPostgres} = await import('../database/postgres.ts');
	const where = url === undefined ? {host, port, user, database} : {connectionString: url};
	return openPostgres({...where, ...(ssl === undefined ? {} : {ssl}), password, applicationName: 'colonies-tui', startUnreachable});
}

async function visitServer({name, host, port, ...trust}: ServerTarget, attended: boolean): Promise<Context> {
	const {openRemote} = await import('../remote/index.ts');
	const place = `the server at ${host.includes(':') ? `[${host}]` : host}:${port}`;
	return openRemote({address: {host, port, trust: await readTrust(trust), place}, kind: 'server', name, startUnreachable: attended});
}

/** What is believed of a server's certificate. @throws InvalidInput */
async function readTrust({tlsca, fingerprint, insecure}: Pick<ServerTarget, 'tlsca' | 'fingerprint' | 'insecure'>): Promise<Trust> {
	const given = [tlsca !== undefined && '--tlsca', fingerprint !== undefined && '--fingerprint', insecure === true && '--insecure'].filter(Boolean);
	if (given.length > 1) {
		throw new InvalidInput(`${given[0] as string} and ${given[1] as string} exclude each other.`, {hint: 'Give one of them.'});
	}

	if (fingerprint !== undefined) {
		const {readFingerprint} = await import('../remote/index.ts');
		return {kind: 'fingerprint', sha256: readFingerprint(fingerprint)};
	}

	if (tlsca === undefined) {
		return {kind: insecure === true ? 'anything' : 'system'};
	}

	try {
		return {kind: 'authority', ca: await readFile(tlsca, 'utf8')};
	} catch (error) {
		throw new InvalidInput(`The certificate ${quoted(tlsca)} cannot be read.`, {hint: 'Give the path of a PEM file with --tlsca.', cause: error});
	}
}

const describeTarget = (target: Exclude<Target, ServerTarget>, {folders}: World): string => target.kind === 'embedded'
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

const noServer = () => new InvalidInput('This is done where the data is, not through a server.', {hint: 'Give the database with --dbhost, or run it on the machine of the server.'});

/** How this program's contexts are opened, made and dropped. */
export function createContexts(world: World): Contexts {
	const resolve = async (choice: ContextChoice): Promise<Target> => resolveTarget(choice, world.env, await world.settings.read());
	const embedded = (name: 'embedded' | 'demo'): Embedded => ({folder: embeddedFolder(world.folders.data, name), run: world.folders.run, name, version: world.version ?? ''});

	return {
		async open(choice, {attended = false} = {}) {
			const target = await resolve(choice);
			switch (target.kind) {
				case 'embedded': {
					const {openShared} = await import('./shared.ts');
					return openShared(embedded(target.name));
				}

				case 'server': {
					return visitServer(target, attended);
				}

				case 'database': {
					return openDatabase(target, attended);
				}
			}
		},
		...savedContexts(world),
		async openHosted(choice, {rootpassword, notice}) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			return target.kind === 'embedded' ? hostEmbedded(embedded(target.name), rootpassword, notice) : hostDatabase(target, rootpassword, notice);
		},
		async create(choice, notice, rootpassword) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			return target.kind === 'embedded' ? createEmbedded(embedded(target.name), notice, rootpassword) : createDatabase(world, target, notice, rootpassword);
		},
		async prepareDrop(choice) {
			// Once, before the question: what is dropped is what was asked about, whatever becomes the current context meanwhile.
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			return {
				what: describeTarget(target, world),
				async drop(notice) {
					// To itself, for nothing may be written meanwhile.
					const database = target.kind === 'embedded' ? await openAlone(embedded(target.name)) : await connect(target);
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

async function openAlone({folder}: Embedded): Promise<Database> {
	const {openEmbedded} = await import('../database/embedded/index.ts');
	return openEmbedded({folder});
}

async function openDatabase(target: DatabaseTarget, attended: boolean): Promise<Context> {
	const database = await connect(target, attended);
	return closing(database, async () => {
		await prepare(database, target, attended);
		// A console outlives restarts of its database, which may come back as that of a newer version.
		const check = attended ? async () => checkSchema(database, target) : undefined;
		return brokerContext(database, {kind: 'database', name: target.name, local: true, attended, check});
	});
}

/** For callers from elsewhere, none of whom may set the first root password: whoever starts the server does. */
async function hostDatabase(target: DatabaseTarget, rootpassword: string, notice: Notice): Promise<HostedContext> {
	const database = await connect(target);
	return closing(database, async () => {
		await prepare(database, target, false);
		await keepRoot(database, notice, rootpassword);
		return brokerContext(database, {kind: 'database', name: target.name, local: false, attended: true, check: async () => checkSchema(database, target)});
	});
}

/** The same; the processes of this user go on sharing the database meanwhile. */
async function hostEmbedded(embedded: Embedded, rootpassword: string, notice: Notice): Promise<HostedContext> {
	const {hostAlone} = await import('./hosting.ts');
	const {database, close} = await hostAlone(embedded);
	try {
		await keepRoot(database, notice, rootpassword);
	} catch (error) {
		await close();
		throw error;
	}

	const served = brokerContext(database, {kind: 'embedded', name: embedded.name, local: false});
	return {
		...served,
		async close() {
			await served.broker.close();
			await close();
		},
	};
}

async function createEmbedded(embedded: Embedded, notice: Notice, rootpassword: string | undefined): Promise<Where> {
	const {openShared} = await import('./shared.ts');
	const context = await openShared(embedded);
	try {
		if (rootpassword !== undefined) {
			// Any operation of root's keeps the first password, and checks another one.
			let said = false;
			await context.run({root: rootpassword}, 'colony.list', {count: 1}, {notice(sentence) {
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

async function createDatabase({settings}: World, target: DatabaseTarget, notice: Notice, rootpassword: string | undefined): Promise<Where> {
	const database = await connect(target);
	return closing(database, async () => {
		const done = await migrate(database);
		if (rootpassword !== undefined) {
			await keepRoot(database, notice, rootpassword);
		}

		const context = brokerContext(database, {kind: target.kind, name: target.name, local: true});
		const where = await context.where();
		notice(done.length > 0 ? `Made the schema in ${where.place}.` : `The schema in ${where.place} is up to date already.`);
		await save(settings, target, notice);
		await context.close();
		return where;
	});
}

const samePassword = 'The root password is the one that is kept.';

async function keepRoot(database: Database, notice: Notice, rootpassword: string): Promise<void> {
	const {kept} = await new Broker(database, {local: true}).verifyRoot(rootpassword);
	notice(kept ? 'The root password was kept: it is the first given to this database.' : samePassword);
}

async function save(settings: Settings, {name, host, port, user, password, database, ssl}: DatabaseTarget, notice: Notice): Promise<void> {
	if (name === 'DATABASE_URL') {
		notice('It is the one that DATABASE_URL names; no context was saved.');
		return;
	}

	await settings.saveContext(name, {kind: 'database', host, port, user, password, database, ssl}, {use: true});
	notice(`Saved the context ${quoted(name)} and made it current: commands without database flags go there now.`);
}
