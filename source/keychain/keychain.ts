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
import {type EncryptedKey, isEncryptedKey, Passphrase} from './encryption.ts';
import {makePrivateFolder, tighten, type Warn} from './folder.ts';
import {passphraseMissing} from './passphrase.ts';
import {
	isThere, readStore, removeStaged, writeStore,
} from './store.ts';

/** What a key is for, as people know it. `computerid`: the computer, where its id is not the key's; `replacedby`: the key that the computer has in place of this one. */
export type KeyLabel = {kind: 'colony' | 'computer'; name: string; colonyid: Id; computerid?: Id; replacedby?: Id};

/** One row of the list of keys: never the key itself. `encrypted`: a passphrase opens it; `note`: why it is damaged, or why its label is missing. */
export type KeyEntry = {id: Id; label?: KeyLabel; encrypted?: true; damaged?: true; note?: string};

/**
The private keys of this user, one conf file each: `keys/<id>.json`, which changes only when it is encrypted or decrypted. A new key is encrypted where others are. Their labels lie apart (`labels/<id>.json`), so that naming a key cannot harm it.
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
	/** Forgets a key and its label, damaged or not; a key that it had replaced is there for its computer again. False when there was none. */
	remove(id: Id): Promise<boolean>;
	/** Notes what a key is for. @throws Unauthenticated when there is no such key. */
	describe(id: Id, label: KeyLabel): Promise<void>;
	/**
	The id of the key with which a computer of a colony signs, as far as the labels tell; the computer's own where they do not.
	@throws Unauthenticated when that key was replaced by one that is not here
	*/
	keyOf(computerid: Id, colonyid: Id | undefined): Promise<Id>;
	/** Notes that a computer of a colony has another key: what it had, where it is here, stays as replaced. The other may be elsewhere. */
	replace(computer: {computerid: Id; colonyid: Id; name: string}, by: Id): Promise<void>;
	/** All keys, sorted by id, each one checked as far as that goes without a passphrase. */
	list(): Promise<KeyEntry[]>;
	/** Whether a passphrase is needed for any key. */
	isEncrypted(): Promise<boolean>;
	/** Checks the passphrase against a key that needs one. @throws Unauthenticated when it is missing or wrong; it is asked for again then */
	unlock(): Promise<void>;
	/** Puts every key that is not encrypted under a passphrase: the one of the others, where there are such. @returns the ids @throws Unauthenticated when it does not open the others */
	encrypt(passphrase: string): Promise<Id[]>;
	/** Keeps every key without a passphrase again. @returns the ids @throws Unauthenticated, before anything is written, when the passphrase does not open all of them */
	decrypt(): Promise<Id[]>;
	/** Puts the keys that the present passphrase opens under another one. @returns the ids, and those that it does not open @throws Unauthenticated when it opens none */
	changePassphrase(passphrase: string): Promise<{changed: Id[]; left: Id[]}>;
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

type Opened = {identity: Identity; privateKey: string};

/** What a file keeps of a key; undefined when there is no file. @throws damaged */
async function readKept(file: string): Promise<string | EncryptedKey | undefined> {
	const values = await readStore(file);
	if (values === undefined) {
		return undefined;
	}

	if (values.encrypted !== undefined) {
		if (!isEncryptedKey(values.encrypted)) {
			throw damaged(file, 'it holds an encrypted key of a form that this program does not know');
		}

		return values.encrypted;
	}

	if (typeof values.privatekey !== 'string') {
		throw damaged(file, 'it holds no privatekey');
	}

	return values.privatekey;
}

/** Checks a private key that a file holds. @throws damaged */
function proved(file: string, id: Id, privatekey: string): Opened {
	let identity: Identity;
	try {
		identity = prove(privatekey);
	} catch {
		throw damaged(file, 'its privatekey is no private key');
	}

	if (identity.id !== id) {
		throw damaged(file, `its privatekey belongs to ${shortId(identity.id)}`);
	}

	return {identity, privateKey: normalized(privatekey)};
}

/** The label in a file; undefined when there is none. */
async function readLabel(file: string): Promise<KeyLabel | undefined> {
	const values = await readStore(file);
	if (values === undefined) {
		return undefined;
	}

	const {kind, name, colonyid, computerid, replacedby} = values;
	const isOther = (id: unknown): id is Id | undefined => id === undefined || (typeof id === 'string' && isId(id));
	if ((kind !== 'colony' && kind !== 'computer') || typeof name !== 'string' || typeof colonyid !== 'string' || !isOther(computerid) || !isOther(replacedby)) {
		throw damaged(file, 'it holds no label');
	}

	return {kind, name, colonyid, ...(computerid && {computerid}), ...(replacedby && {replacedby})};
}

/** Whether a label is of a key that a computer of a colony has or had. */
const isOf = (id: Id, label: KeyLabel, {computerid, colonyid}: {computerid: Id; colonyid: Id}): boolean => label.kind === 'computer' && label.colonyid === colonyid && (label.computerid ?? id) === computerid;

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
`passphrase` is called when an encrypted key is first needed, and again after one that was wrong; the keychain holds it from then on.
*/
export function openKeychain({folder, warn, passphrase}: {folder: string; warn?: Warn; passphrase?: () => Promise<string>}): Keychain {
	const keys = path.join(folder, 'keys');
	const labels = path.join(folder, 'labels');
	const keyFile = (id: Id): string => path.join(keys, `${check(id)}.json`);
	const labelFile = (id: Id): string => path.join(labels, `${check(id)}.json`);

	let held: Promise<Passphrase> | undefined;
	const hold = async (): Promise<Passphrase> => {
		held ??= (async () => {
			if (!passphrase) {
				throw passphraseMissing();
			}

			return new Passphrase(await passphrase());
		})();
		try {
			return await held;
		} catch (error) {
			held = undefined;
			throw error;
		}
	};

	const readFile = async (id: Id): Promise<string | EncryptedKey | undefined> => {
		const file = keyFile(id);
		if (isThere(keys)) {
			tighten(keys, 0o700, warn);
		}

		const kept = await readKept(file);
		if (kept !== undefined) {
			tighten(file, 0o600, warn);
		}

		return kept;
	};

	/** Opens an encrypted key with the passphrase. @throws Unauthenticated */
	const openWith = async (id: Id, kept: EncryptedKey): Promise<string> => {
		const privateKey = await (await hold()).open(id, kept);
		if (privateKey === undefined) {
			held = undefined;
			throw new Unauthenticated(`The passphrase does not open the key of ${shortId(id)}.`, {
				hint: 'A passphrase that is lost cannot be recovered; the owner of a colony gives a computer another key with `colonies computer rekey`.',
			});
		}

		return privateKey;
	};

	const read = async (id: Id): Promise<Opened | undefined> => {
		const kept = await readFile(id);
		return kept === undefined ? undefined : proved(keyFile(id), id, typeof kept === 'string' ? kept : await openWith(id, kept));
	};

	/** Every key that can be read, as its file keeps it. */
	const keptKeys = async (): Promise<Array<{id: Id; kept: string | EncryptedKey}>> => {
		const found = await Promise.all(idsIn(keys).map(async id => ({id, kept: await readFile(id).catch(() => undefined)})));
		return found.filter((each): each is {id: Id; kept: string | EncryptedKey} => each.kept !== undefined);
	};

	const encryptedKeys = async () => (await keptKeys()).filter((each): each is {id: Id; kept: EncryptedKey} => typeof each.kept !== 'string');

	/** What is written is opened again before it takes the place of the file. */
	const writeEncrypted = async (id: Id, privateKey: string, by: Passphrase): Promise<void> => {
		const encrypted = await by.seal(id, privateKey);
		if (await by.open(id, encrypted) !== privateKey) {
			throw new ColoniesError('internal', `The key of ${shortId(id)} could not be encrypted; it was left as it is.`);
		}

		await writeStore(keyFile(id), {encrypted});
	};

	/** Checks the passphrase against the first key that needs one. @returns it, where there is such a key */
	const unlocked = async (): Promise<Passphrase | undefined> => {
		const [first] = await encryptedKeys();
		if (first === undefined) {
			return undefined;
		}

		await openWith(first.id, first.kept);
		return hold();
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
		const by = await unlocked();
		await (by ? writeEncrypted(identity.id, privatekey, by) : writeStore(keyFile(identity.id), {privatekey}));
	};

	const writeLabel = async (id: Id, label: KeyLabel): Promise<void> => {
		makePrivateFolder(labels, warn);
		await writeStore(labelFile(id), label);
	};

	/** The labels that can be read, of keys that are here. */
	const labelled = async (): Promise<Array<{id: Id; label: KeyLabel}>> => {
		const found = await Promise.all(idsIn(labels).filter(id => isThere(keyFile(id))).map(async id => ({id, label: await readLabel(labelFile(id)).catch(() => undefined)})));
		return found.filter((each): each is {id: Id; label: KeyLabel} => each.label !== undefined);
	};

	const entry = async (id: Id): Promise<KeyEntry> => {
		let encrypted: {encrypted?: true} = {};
		try {
			const kept = await readFile(id);
			if (typeof kept === 'string') {
				proved(keyFile(id), id, kept);
			} else {
				encrypted = {encrypted: true};
			}
		} catch (error) {
			return {id, damaged: true, note: noteOf(error)};
		}

		try {
			const label = await readLabel(labelFile(id));
			return {id, ...(label && {label}), ...encrypted};
		} catch (error) {
			return {id, ...encrypted, note: noteOf(error)};
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
			// A file that is damaged is not written over.
			const kept = await readFile(identity.id);
			if (kept === undefined) {
				await keep(identity, normalized(privateKey));
			} else if (typeof kept === 'string') {
				proved(keyFile(identity.id), identity.id, kept);
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

			for (const {id: old, label: {replacedby, ...rest}} of await labelled()) {
				if (replacedby === id) {
					await writeLabel(old, rest); // eslint-disable-line no-await-in-loop
				}
			}

			return wasThere;
		},
		async describe(id, label) {
			if (!isThere(keyFile(id))) {
				throw missing(id);
			}

			await readLabel(labelFile(id));
			await writeLabel(id, label);
		},
		async keyOf(computerid, colonyid) {
			const own = check(computerid);
			const its = colonyid === undefined ? [] : (await labelled()).filter(({id, label}) => isOf(id, label, {computerid, colonyid}));
			const by = its.find(({label}) => label.replacedby !== undefined)?.label.replacedby;
			const present = its.find(({label}) => label.replacedby === undefined);
			if (present !== undefined || by === undefined) {
				return present?.id ?? own;
			}

			if (!isThere(keyFile(by))) {
				throw new Unauthenticated(`The key of the computer ${shortId(own)} was replaced by ${shortId(by)}, which the keychain does not hold.`, {hint: 'Add it: colonies keychain add < keyfile'});
			}

			return by;
		},
		async replace({computerid, colonyid, name}, by) {
			const known = await labelled();
			const old = known.filter(({id, label}) => id !== by && isOf(id, label, {computerid, colonyid}));
			if (by !== computerid && isThere(keyFile(computerid)) && !known.some(({id}) => id === computerid)) {
				old.push({id: computerid, label: {kind: 'computer', name, colonyid}});
			}

			for (const {id, label} of old) {
				await writeLabel(id, {...label, name, replacedby: by}); // eslint-disable-line no-await-in-loop -- one file after the other
			}

			if (isThere(keyFile(by))) {
				await writeLabel(by, {kind: 'computer', name, colonyid, ...(by === computerid ? {} : {computerid})});
			}
		},
		list: async () => Promise.all(idsIn(keys).map(async id => entry(id))),
		isEncrypted: async () => (await encryptedKeys()).length > 0,
		async unlock() {
			await unlocked();
		},
		async encrypt(text) {
			const all = await keptKeys();
			const by = new Passphrase(text);
			const first = all.find(({kept}) => typeof kept !== 'string');
			if (first && await by.open(first.id, first.kept as EncryptedKey) === undefined) {
				throw new Unauthenticated('Other keys are encrypted already, and this is not their passphrase.', {hint: 'Give theirs; `colonies keychain passwd` changes it.'});
			}

			const done: Id[] = [];
			for (const {id, kept} of all) {
				if (typeof kept === 'string') {
					const {privateKey} = proved(keyFile(id), id, kept);
					await writeEncrypted(id, privateKey, by); // eslint-disable-line no-await-in-loop -- one file after the other
					done.push(id);
				}
			}

			held = Promise.resolve(by);
			return done;
		},
		async decrypt() {
			const opened: Array<{id: Id; privatekey: string}> = [];
			for (const {id, kept} of await encryptedKeys()) {
				opened.push({id, privatekey: proved(keyFile(id), id, await openWith(id, kept)).privateKey}); // eslint-disable-line no-await-in-loop
			}

			for (const {id, privatekey} of opened) {
				await writeStore(keyFile(id), {privatekey}); // eslint-disable-line no-await-in-loop
			}

			return opened.map(({id}) => id);
		},
		async changePassphrase(text) {
			const by = await hold();
			const opened: Array<{id: Id; privateKey: string}> = [];
			const left: Id[] = [];
			for (const {id, kept} of await encryptedKeys()) {
				const privateKey = await by.open(id, kept); // eslint-disable-line no-await-in-loop
				if (privateKey === undefined) {
					left.push(id);
				} else {
					opened.push({id, privateKey: proved(keyFile(id), id, privateKey).privateKey});
				}
			}

			if (opened.length === 0 && left.length > 0) {
				held = undefined;
				throw new Unauthenticated('The passphrase opens no key of the keychain.', {hint: 'Try again; nothing was changed.'});
			}

			const next = new Passphrase(text);
			for (const {id, privateKey} of opened) {
				await writeEncrypted(id, privateKey, next); // eslint-disable-line no-await-in-loop
			}

			held = Promise.resolve(next);
			return {changed: opened.map(({id}) => id), left};
		},
	};
}
