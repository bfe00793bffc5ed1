import {Conflict, InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {dropSchema} from '../database/index.ts';
import type {Folders, Settings} from '../keychain/index.ts';
import type {ContextChoice, Contexts} from '../operations/index.ts';
import {
	addCellTo, connect, createDatabase, hostDatabase, openDatabase, otherCells, resetRootOf,
} from './databases.ts';
import type {Embedded} from './hosting.ts';
import {embeddedFolder} from './places.ts';
import {
	checkChoice, resolveCopyTarget, type ServerTarget, type Target, resolveTarget,
} from './resolve.ts';
import {savedContexts} from './saved.ts';
import {visitServer} from './servers.ts';

export {type BrokerContext, brokerContext} from './local.ts';

type World = {env: NodeJS.ProcessEnv; folders: Folders; settings: Settings; /** Of the program. */ version?: string};

const describeTarget = (target: Exclude<Target, ServerTarget>, {folders}: World): string => target.kind === 'embedded'
	? `the embedded database in ${embeddedFolder(folders.data, target.name)}`
	: `the schema ${quoted(target.schema)} in the database ${target.database} on ${target.host}:${target.port}`;

const noServer = () => new InvalidInput('This is done where the data is, not through a server.', {hint: 'Give the database with --dbhost, or run it on the machine of the server.'});

/** How this program's contexts are opened, made and dropped. */
export function createContexts(world: World): Contexts {
	const resolve = async (choice: ContextChoice): Promise<Target> => resolveTarget(checkChoice(choice), world.env, await world.settings.read());
	const embedded = (name: 'embedded' | 'demo'): Embedded => ({folder: embeddedFolder(world.folders.data, name), run: world.folders.run, name, version: world.version ?? ''});

	return {
		async open(choice, {attended = false} = {}) {
			const target = await resolve(choice);
			switch (target.kind) {
				case 'embedded': {
					const {openShared} = await import('./embedded.ts');
					return openShared(embedded(target.name));
				}

				case 'server': {
					return visitServer(target, attended);
				}

				case 'database': {
					return openDatabase(target, attended, await world.settings.read());
				}
			}
		},
		...savedContexts(world),
		async openHosted(choice, {notice, ...root}) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			if (target.kind === 'database') {
				return hostDatabase(target, root, notice, await world.settings.read());
			}

			const {hostEmbedded} = await import('./embedded.ts');
			return hostEmbedded(embedded(target.name), root, notice);
		},
		async create(choice, notice, {rootpassword, cells, citus} = {}) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			if (target.kind === 'database') {
				return createDatabase(world.settings, target, notice, {rootpassword, cells, citus});
			}

			if (cells !== undefined || citus === true) {
				throw new InvalidInput('The embedded database has one cell.', {hint: 'Give a PostgreSQL with --dbhost.'});
			}

			const {createEmbedded} = await import('./embedded.ts');
			return createEmbedded(embedded(target.name), notice, rootpassword);
		},
		async addCell(choice, name, notice) {
			const first = await resolve({});
			if (first.kind !== 'database') {
				throw new InvalidInput('The first cell is a PostgreSQL, and the current context is none.', {hint: 'Choose its context: colonies context use NAME; or name it in DATABASE_URL.'});
			}

			// What the environment says is the first one's.
			const target = resolveTarget(checkChoice(choice), {}, {contexts: {}, current: undefined, console: {}});
			if (target.kind !== 'database') {
				throw new InvalidInput('A cell needs a place.', {hint: 'Give its database with --dbhost.'});
			}

			return addCellTo(world.settings, first, target, name, notice);
		},
		async resetRoot(choice) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			if (target.kind === 'database') {
				return resetRootOf(target);
			}

			const {resetRootOfEmbedded} = await import('./embedded.ts');
			return resetRootOfEmbedded(embedded(target.name));
		},
		async copy(choice, to, options) {
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			const {copyStore} = await import('./copying.ts');
			return copyStore(target, resolveCopyTarget(to.place, to.password, await world.settings.read()), {data: world.folders.data, ...options});
		},
		async prepareDrop(choice) {
			// Once, before the question: what is dropped is what was asked about, whatever becomes the current context meanwhile.
			const target = await resolve(choice);
			if (target.kind === 'server') {
				throw noServer();
			}

			// A database that is away now is asked about all the same, and says so when it is dropped.
			const others = target.kind === 'database' ? await otherCells(target, await world.settings.read()).catch(() => []) : [];
			return {
				what: `${describeTarget(target, world)}${others.length === 0 ? '' : ` and its other cells (${others.map(each => describeTarget(each, world)).join('; ')})`}`,
				async drop(notice) {
					const now = target.kind === 'database' ? await otherCells(target, await world.settings.read()) : [];
					if (now.length !== others.length) {
						throw new Conflict('This installation has other cells than a moment ago; nothing was dropped.', {hint: 'Run the command again, and see what it asks.'});
					}

					for (const other of others) {
						/* eslint-disable no-await-in-loop */
						const database = await connect(other);
						await dropSchema(database).finally(async () => database.close());
						notice(`Dropped ${describeTarget(other, world)}.`);
						/* eslint-enable no-await-in-loop */
					}

					// To itself, for nothing may be written meanwhile.
					const database = target.kind === 'database' ? await connect(target) : await import('./embedded.ts').then(async ({openAlone}) => openAlone(embedded(target.name)));
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
