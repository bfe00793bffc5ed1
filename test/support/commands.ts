import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Readable, Writable} from 'node:stream';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';
import {runCommand, type World} from '../../source/commands/index.ts';
import {brokerContext} from '../../source/contexts/index.ts';
import {savedContexts} from '../../source/contexts/saved.ts';
import {
	dropSchema, migrate, newestSchema, type Database,
} from '../../source/database/index.ts';
import {
	folders, openKeychain, openSettings, type Folders, type Keychain, type Settings,
} from '../../source/keychain/index.ts';
import {Broker, type Contexts} from '../../source/operations/index.ts';
import {openMemory} from './databases.ts';

/** What a command line did. */
export type Outcome = {code: number; stdout: string; stderr: string};

/** Runs a command line, with this on its standard input. */
export type Run = (words: readonly string[], input?: string | Uint8Array) => Promise<Outcome>;

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-commands-'));
	after(() => {
		rmSync(folder, {recursive: true, force: true});
	});
	return folder;
}

/** Writes a file into a folder, and gives its path. */
export function writeInto(folder: string, name: string, content: string | Uint8Array): string {
	const file = path.join(folder, name);
	writeFileSync(file, content);
	return file;
}

/** The operations on one database that is open already; opening and closing a context leaves it open. Contexts are named in the settings of `home`. */
export function contextsOn(database: Database, home: Home = freshHome()): Contexts {
	const context = {...brokerContext(database, {kind: 'embedded', name: 'embedded', local: true}), close: async () => undefined};
	return {
		...savedContexts({env: {}, ...home}),
		open: async () => context,
		async openHosted(_choice, {rootpassword}) {
			await new Broker(database, {local: true}).keepRoot(rootpassword);
			return context;
		},
		async create(_choice, notice, {rootpassword} = {}) {
			await migrate(database);
			if (rootpassword !== undefined) {
				await new Broker(database, {local: true}).keepRoot(rootpassword);
			}

			notice('Made the schema.');
			return {context: context.name, kind: context.kind, ...await database.describe(), schema: newestSchema};
		},
		addCell: async () => assert.fail('It adds no cell.'),
		copy: async () => assert.fail('It copies nothing.'),
		resetRoot: async () => new Broker(database, {local: true}).resetRoot(),
		prepareDrop: async () => ({
			what: 'the schema "colonies"',
			async drop(notice) {
				await dropSchema(database);
				notice('Dropped the schema.');
			},
		}),
	};
}

/** Collects what is written. */
export class Collector extends Writable {
	text = '';
	isTTY = false;
	columns = 80;

	override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
		this.text += Buffer.from(chunk).toString();
		done();
	}
}

export type Home = {keychain: Keychain; settings: Settings; folders: Folders};

/** A user's own keychain and settings, in a temporary folder. */
export function freshHome(): Home {
	const places = folders({COLONIES_HOME: temporaryFolder()});
	return {keychain: openKeychain({folder: places.config}), settings: openSettings({folder: places.config}), folders: places};
}

/** A world to run commands in; `change` replaces parts of it. */
export function worldOf(contexts: Contexts, home: Home, change: Partial<World> = {}): World & {stdout: Collector; stderr: Collector} {
	return {
		contexts, keychain: home.keychain, folders: home.folders, env: {}, stdin: Readable.from([]), version: '1.2.3', ...change, stdout: new Collector(), stderr: new Collector(),
	};
}

/** Runs command lines in this process. */
export const inProcess = (contexts: Contexts, home: Home, change: Partial<World> = {}): Run => async (words, input = '') => {
	const world = worldOf(contexts, home, {stdin: Readable.from(input.length === 0 ? [] : [Buffer.from(input)]), ...change});
	const code = await runCommand(words, world);
	return {code, stdout: world.stdout.text, stderr: world.stderr.text};
};

export const examples = fileURLToPath(new URL('../../examples', import.meta.url));

/** A colony and a computer of it, approved, registered by commands with the root password `secret`. */
export async function settle(run: Run): Promise<{colony: string; computer: string}> {
	const words = async (...line: string[]): Promise<string> => {
		const {code, stdout, stderr} = await run(line);
		if (code !== 0) {
			throw new Error(`${line.join(' ')}: ${stderr}`);
		}

		return stdout.trim();
	};

	const colony = await words('colony', 'register', '--rootpassword', 'secret', '--spec', path.join(examples, 'colony.json'));
	const computer = await words('computer', 'register', '--colonyid', colony, '--spec', path.join(examples, 'computer.json'));
	await words('computer', 'approve', '--colonyid', colony, '--computerid', computer);
	return {colony, computer};
}

/** A memory database with the schema, and a user with a colony in it. */
export async function openSettled(): Promise<{database: Database; contexts: Contexts; home: Home; run: Run; colony: string; computer: string}> {
	const database = await openMemory();
	after(async () => database.close());
	await migrate(database);
	const home = freshHome();
	const contexts = contextsOn(database, home);
	const run = inProcess(contexts, home);
	return {database, contexts, home, run, ...await settle(run)};
}
