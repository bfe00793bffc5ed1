import path from 'node:path';
import type {Client, Database} from '../types.ts';
import {EmbeddedDatabase} from './database.ts';
import {engineOf, startEngine, type Engine} from './engine.ts';
import {
	folderError, makeFolder, prepareData, startError,
} from './folder.ts';
import {takeLock, type Lock} from './lock.ts';
import type {Instance} from './protocol.js';
import {findTemplate} from './template.ts';
import {Upkeep} from './upkeep.ts';

export {readHolder, type Holder} from './lock.ts';
export type {Instance} from './protocol.js';

export type EmbeddedOptions = {
	/** Where it lives: `data`, its `lock` and what it needs beside. */
	folder: string;
	/** Runs when this process has the folder to itself, before the database has started. */
	onHeld?: () => void | Promise<void>;
} | {
	/** Nothing on disk, and gone when it is closed. */
	inMemory: true;
};

async function startIn(folder: string): Promise<Engine> {
	try {
		const {data, staging} = await prepareData(folder);
		return await startEngine({folder: data, staging, template: await findTemplate()});
	} catch (error) {
		throw startError(folder, error);
	}
}

function databaseIn(folder: string, engine: Engine, lock: Lock): Database {
	const database: Database = new EmbeddedDatabase({
		engine,
		place: `embedded in ${folder}`,
		restart: async () => startIn(folder),
		onUse() {
			upkeep.wasUsed = true;
		},
		beforeClose: async (client: Client) => upkeep.finish(client),
		afterClose: async () => lock.release(),
	});
	const upkeep = new Upkeep(database, path.join(folder, 'vacuumed'));
	return database;
}

async function openFolder(folder: string, onHeld?: () => void | Promise<void>): Promise<Database> {
	let lock: Lock;
	try {
		await makeFolder(folder);
		lock = await takeLock(folder);
	} catch (error) {
		throw folderError(folder, error);
	}

	try {
		await onHeld?.();
		return databaseIn(folder, await startIn(folder), lock);
	} catch (error) {
		await lock.release();
		throw error;
	}
}

/**
Opens the embedded PostgreSQL of a folder, which is made when it is not there. This process holds the folder's lock until the database is closed.
@throws ColoniesError `in-use` (another process has it open), `damaged`, `newer-database`, `disk-full`, or `unavailable` where the folder may not be written
*/
export async function openEmbedded(options: EmbeddedOptions): Promise<Database> {
	if ('folder' in options) {
		return openFolder(path.resolve(options.folder), options.onHeld);
	}

	return new EmbeddedDatabase({engine: await startEngine({template: await findTemplate()}), place: 'embedded in memory'});
}

/** Wraps a PGlite that runs in this thread. Closing the database closes it. */
export async function openPgliteInstance(instance: Instance, {place, schema}: {place: string; schema?: string}): Promise<Database> {
	const engine = engineOf(instance);
	return new EmbeddedDatabase({engine, place, schema});
}
