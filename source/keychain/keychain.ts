import fs from 'node:fs';
import path from 'node:path';
import {ColoniesError, InvalidInput, Unauthenticated} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {
	createIdentity, isId, prove, type Identity,
} from '../identity/index.ts';
import {
	damaged, fileError, readError, systemCode,
} from './failures.ts';
import {makePrivateFolder, tighten, type Warn} from './folder.ts';
import {
	isThere, readStore, removeStaged, writeStore,
} from './store.ts';

/** What a key is for, as people know it. */
export type KeyLabel = {kind: 'colony' | 'computer'; name: string; colonyid: Id};

/** One row of the list of keys: never the key itself. `note`: why it is damaged, or why its label is missing. */
export type KeyEntry = {id: Id; label?: KeyLabel; damaged?: true; note?: string};

/**
The private keys of this user, one conf file each: `keys/<id>.json`, written once and never changed. Their labels lie apart (`labels/<id>.json`), so that naming a key cannot harm it.
Every function may throw `damaged` (naming the file, which is left as it is), `disk-full`, and InvalidInput for an id that is none or a folder that cannot be written to.
*/
export type Keychain = {
	/** A new key pair; its private key is on disk before this returns. */
	create(): Promise<{identity: Identity}>;
	/** Keeps a private key; harmless when it is kept already. @throws InvalidInput when it is none. */
	add(privateKey: string): Promise<Identity>;
	/** The identity that a kept key proves. @throws Unauthenticated when there is no such key. */
	identity(id: Id): Promise<Identity>;
	/** Whether there is a key file for this id, damaged or not. */
	has(id: Id): Promise<boolean>;
	/** The private key itself, 64 hex digits: for showing it to its owner and nothing else. @throws Unauthenticated when there is no such key. */
	privateKey(id: Id): Promise<string>;
	/** Forgets a key and its label, damaged or not. False when there was none. */
	remove(id: Id): Promise<boolean>;
	/** Notes what a key is for. @throws Unauthenticated when there is no such key. */
	describe(id: Id, label: KeyLabel): Promise<void>;
	/** All keys, sorted by id, each one checked. */
	list(): Promise<KeyEntry[]>;
};

const missing = (id: Id): ColoniesError => new Unauthenticated(`The keychain holds no key for ${shortId(id)}.`, {hint: 'Add it: colonies keychain add < keyfile'});

function check(id: Id): Id {
	if (!isId(id)) {
		// Shortened, because what stands in the wrong place may be a private key.
		throw new InvalidInput(`An id is 64 lowercase hex digits; ${quoted(shortId(id))} has ${id.length} characters.`, {hint: 'See the ids of your keys: colonies keychain ls'});
	}

	return id;
}

/** A private key that was proved, in the one form that is kept. */
const normalized = (privateKey: string): string => privateKey.trim().toLowerCase();

/** The identity and key in a file; undefined when there is no file. */
async function readKey(file: string, id: Id, warn?: Warn): Promise<{identity: Identity; privateKey: string} | undefined> {
	const values = await readStore(file);
	if (values === undefined) {
		return undefined;
	}

	if (typeof values.privatekey !== 'string') {
		throw damaged(file, 'it holds no privatekey');
	}

	let identity: Identity;
	try {
		identity = prove(values.privatekey);
	} catch {
		throw damaged(file, 'its privatekey is no private key');
	}

	if (identity.id !== id) {
		throw damaged(file, `its privatekey belongs to ${shortId(identity.id)}`);
	}

	tighten(file, 0o600, warn);
	return {identity, privateKey: normalized(values.privatekey)};
}

/** The label in a file; undefined when there is none. */
async function readLabel(file: string): Promise<KeyLabel | undefined> {
	const values = await readStore(file);
	if (values === undefined) {
		return undefined;
	}

	const {kind, name, colonyid} = values;
	if ((kind !== 'colony' && kind !== 'computer') || typeof name !== 'string' || typeof colonyid !== 'string') {
		throw damaged(file, 'it holds no label');
	}

	return {kind, name, colonyid};
}

/** The ids in a folder of keys; whatever else lies there is not looked at. */
function idsIn(folder: string): Id[] {
	try {
		return fs.readdirSync(folder).filter(name => name.endsWith('.json')).map(name => name.slice(0, -5)).filter(name => isId(name)).sort();
	} catch (error) {
		if (systemCode(error) === 'ENOENT') {
			return [];
		}

		throw readError(folder, error);
	}
}

const noteOf = (error: unknown): string => error instanceof ColoniesError ? error.message : String(error);

/**
Opens the keychain in a folder (`folders().config`); reads and creates nothing yet. `warn` hears when a key or its folder was open to other users.
*/
export function openKeychain({folder, warn}: {folder: string; warn?: Warn}): Keychain {
	const keys = path.join(folder, 'keys');
	const labels = path.join(folder, 'labels');
	const keyFile = (id: Id): string => path.join(keys, `${check(id)}.json`);
	const labelFile = (id: Id): string => path.join(labels, `${check(id)}.json`);

	const read = async (id: Id) => {
		const file = keyFile(id);
		if (isThere(keys)) {
			tighten(keys, 0o700, warn);
		}

		return readKey(file, id, warn);
	};

	const find = async (id: Id) => {
		const found = await read(id);
		if (found === undefined) {
			throw missing(id);
		}

		return found;
	};

	const keep = async (identity: Identity, privatekey: string): Promise<void> => {
		makePrivateFolder(keys, warn);
		await writeStore(keyFile(identity.id), {privatekey});
	};

	const entry = async (id: Id): Promise<KeyEntry> => {
		try {
			await read(id);
		} catch (error) {
			return {id, damaged: true, note: noteOf(error)};
		}

		try {
			const label = await readLabel(labelFile(id));
			return label === undefined ? {id} : {id, label};
		} catch (error) {
			return {id, note: noteOf(error)};
		}
	};

	return {
		async create() {
			const {identity, privateKey} = createIdentity();
			await keep(identity, privateKey);
			return {identity};
		},
		async add(privateKey) {
			const identity = prove(privateKey);
			// Reading it also refuses to write over a file that is damaged.
			if (await read(identity.id) === undefined) {
				await keep(identity, normalized(privateKey));
			}

			return identity;
		},
		async identity(id) {
			const {identity} = await find(id);
			return identity;
		},
		has: async id => isThere(keyFile(id)),
		async privateKey(id) {
			const {privateKey} = await find(id);
			return privateKey;
		},
		async remove(id) {
			const [file, label] = [keyFile(id), labelFile(id)];
			const wasThere = isThere(file);
			try {
				fs.rmSync(file, {force: true});
				for (const each of [file, label].filter(each => isThere(path.dirname(each)))) {
					removeStaged(each);
				}

				fs.rmSync(label, {force: true});
			} catch (error) {
				throw fileError(file, error);
			}

			return wasThere;
		},
		async describe(id, {kind, name, colonyid}) {
			if (!isThere(keyFile(id))) {
				throw missing(id);
			}

			const file = labelFile(id);
			await readLabel(file);
			makePrivateFolder(labels, warn);
			await writeStore(file, {kind, name, colonyid});
		},
		list: async () => Promise.all(idsIn(keys).map(async id => entry(id))),
	};
}
