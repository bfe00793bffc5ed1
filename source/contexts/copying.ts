import fs from 'node:fs/promises';
import {ColoniesError, InvalidInput, storeUnavailable} from '../core/errors.ts';
import {cells, copyInstallation, type Database, migrate, newestSchema} from '../database/index.ts';
import type {CopiedStore} from '../operations/index.ts';
import {checkSchema, connect} from './databases.ts';
import {refuseSeveral} from './open-cells.ts';
import {embeddedFolder} from './places.ts';
import type {CopyTarget, ServerTarget, Target} from './resolve.ts';

type Options = {data: string; tell?: (done: number, total: number) => void; signal?: AbortSignal};

const folderOf = (store: CopyTarget, data: string): string | undefined => {
	switch (store.kind) {
		case 'folder': {
			return store.folder;
		}

		case 'embedded': {
			return embeddedFolder(data, store.name);
		}

		case 'database': {
			return undefined;
		}
	}
};

/** Where a store lies, the same for each way in which it was named. */
const placeOf = (store: CopyTarget, data: string): string => store.kind === 'database' ? `${store.host}:${store.port}/${store.database}, schema ${store.schema}` : folderOf(store, data)!;

/** Whether `context use` takes its name. */
const isNamed = (to: CopyTarget): to is Exclude<CopyTarget, {kind: 'folder'}> => to.kind === 'embedded' ? to.name === 'embedded' : to.kind === 'database' && to.url === undefined;

async function filesIn(folder: string): Promise<string[] | undefined> {
	try {
		return await fs.readdir(folder);
	} catch {
		// What it is else says whoever opens it.
		return undefined;
	}
}

/** Opens a folder that holds an embedded database, or nothing. `undo`: removes it where it was not there. @throws ColoniesError */
async function openFolder(folder: string): Promise<{database: Database; undo(): Promise<void>}> {
	const before = await filesIn(folder);
	if (before && before.length > 0 && !before.some(name => name === 'data' || name.startsWith('data.'))) {
		throw new InvalidInput(`The folder ${folder} holds other files, and no embedded database.`, {hint: 'Give a folder that is empty or does not exist.'});
	}

	const {openEmbedded} = await import('../database/embedded/index.ts');
	return {
		database: await openEmbedded({folder}),
		async undo() {
			if (before === undefined) {
				await fs.rm(folder, {recursive: true, force: true});
			}
		},
	};
}

/** Opens a database with no limit for how long a statement takes. @throws ColoniesError */
async function open(store: CopyTarget, data: string): Promise<{database: Database; undo(): Promise<void>}> {
	return store.kind === 'database' ? {database: await connect(store, false, 0), undo: async () => undefined} : openFolder(folderOf(store, data)!);
}

/** The source of a copy, at the schema of this program. An embedded one that does not exist is not made. @throws ColoniesError */
async function openSource(store: Exclude<Target, ServerTarget>, data: string): Promise<Database> {
	const folder = folderOf(store, data);
	if (folder !== undefined && await filesIn(folder) === undefined) {
		throw new ColoniesError('not-found', `There is no embedded database in ${folder} to copy.`, {hint: 'Give the database to copy with --dbhost, or make its context the current one.', outward: storeUnavailable});
	}

	const {database} = await open(store, data);
	try {
		await (store.kind === 'database' ? checkSchema(database, store) : migrate(database));
		refuseSeveral(await cells.membership(database), 'a copy is of one');
		return database;
	} catch (error) {
		await database.close();
		throw error;
	}
}

/** Copies everything from one store to another that is empty. @throws ColoniesError; the target is as it was then */
export async function copyStore(from: Exclude<Target, ServerTarget>, to: CopyTarget, {data, tell, signal}: Options): Promise<CopiedStore> {
	if (placeOf(from, data) === placeOf(to, data)) {
		throw new InvalidInput(`The source and the target are the same: ${placeOf(to, data)}.`, {hint: 'Say with --to where else the copy goes.'});
	}

	const source = await openSource(from, data);
	try {
		const {database: target, undo} = await open(to, data);
		let copied: CopiedStore;
		try {
			const [{place: fromPlace}, {place: toPlace}] = [await source.describe(), await target.describe()];
			const done = await copyInstallation(source, target, {tell, signal});
			copied = {from: fromPlace, to: toPlace, schema: newestSchema, ...done, ...(isNamed(to) && {context: to.name})};
		} catch (error) {
			await target.close();
			await undo();
			throw error;
		}

		await target.close();
		return copied;
	} finally {
		await source.close();
	}
}
