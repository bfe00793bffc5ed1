import {InvalidInput, Unauthenticated} from '../core/errors.ts';
import {passes} from '../core/filter-language/index.ts';
import {plural, shortId, visible} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {
	currentPassphrase, newPassphrase, passphraseIn, type PassphraseVariables,
} from '../keychain/index.ts';
import {
	filterOf, flag, identity, optional, secret,
} from '../operations/fields.ts';
import {askSecret, askYes} from './ask.ts';
import {type CommandEntry, type Invocation, defineCommand} from './command.ts';
import {print, say, showDone} from './output.ts';
import {outputFlags, printResult} from './results.ts';
import {isAttended} from './secrets.ts';
import type {World} from './world.ts';

const id = identity('Key', 'Id of a key in the keychain, 64 hex digits');

const showPrivateKey = defineCommand({
	words: ['keychain', 'privatekey'],
	summary: 'Print a private key.',
	flags: {id},
	async run({world, flags}) {
		await print(world, `${await world.keychain.privateKey(flags.id)}\n`);
	},
});

const listKeys = defineCommand({
	words: ['keychain', 'ls'],
	summary: 'List the keys, without the private part.',
	flags: {filter: optional(filterOf('keys')), ...outputFlags},
	async run({world, flags}) {
		const keys = (await world.keychain.list()).filter(({id, label}) => passes('keys', flags.filter ?? [], {id, name: label?.name, of: label?.kind ?? 'other', colony: label?.colonyid}));
		const rows = keys.map(({id, label, encrypted, damaged, note}) => ({
			id, kind: label?.kind ?? '', name: label?.name ?? '', colonyid: label?.colonyid ?? '', ...(label?.computerid ? {computerid: label.computerid} : {}), ...(label?.replacedby ? {replacedby: label.replacedby} : {}), ...(encrypted ? {encrypted} : {}), ...(damaged ? {damaged} : {}), ...(note === undefined ? {} : {note}),
		}));
		await printResult(world, rows, {output: flags.output});
	},
});

const ofComputer = {
	colonyid: optional(identity('Colony', 'Id of the colony of a computer that the key is for, 64 hex digits')),
	computerid: optional(identity('Computer', 'Id of that computer, which signs with this key here from now on')),
};

type OfComputer = {colonyid: Id | undefined; computerid: Id | undefined};

/** @throws InvalidInput */
function checkComputer({colonyid, computerid}: OfComputer): void {
	if ((colonyid === undefined) !== (computerid === undefined)) {
		throw new InvalidInput('A computer belongs to a colony.', {hint: 'Give both --colonyid and --computerid, or neither.'});
	}
}

/** Notes for which computer a key is, if for any. */
async function noteComputer({keychain}: World, key: Id, {colonyid, computerid}: OfComputer): Promise<void> {
	if (colonyid !== undefined && computerid !== undefined) {
		const known = (await keychain.list()).find(({id, label}) => label?.colonyid === colonyid && (label.computerid ?? id) === computerid);
		await keychain.replace({colonyid, computerid, name: known?.label?.name ?? shortId(computerid)}, key);
	}
}

const newKey = defineCommand({
	words: ['keychain', 'new'],
	summary: 'Make a key and print its id, for `computer rekey --keyid`.',
	flags: ofComputer,
	async run({world, flags}) {
		checkComputer(flags);
		const {identity} = await world.keychain.create();
		await noteComputer(world, identity.id, flags);
		await showDone(`The key is kept; its id is ${identity.id}.`, async () => print(world, `${identity.id}\n`));
	},
});

/** A private key: from the flag, typed on a terminal, or the first line of standard input. */
async function readKey({world, input, flags}: Invocation<{prvkey: string | undefined}>): Promise<string> {
	if (flags.prvkey !== undefined && flags.prvkey !== '-') {
		return flags.prvkey;
	}

	return input.isTerminal && flags.prvkey === undefined ? askSecret(input, world, 'Private key') : input.line('--prvkey');
}

const addKey = defineCommand({
	words: ['keychain', 'add'],
	summary: 'Keep a private key: from standard input, or typed on a terminal. Its id is printed.',
	flags: {prvkey: optional(secret('Private key', 'The key itself; on standard input it stays out of the list of processes')), ...ofComputer},
	async run(call) {
		checkComputer(call.flags);
		const identity = await call.world.keychain.add(await readKey(call));
		await noteComputer(call.world, identity.id, call.flags);
		await showDone(`The key is kept; its id is ${identity.id}.`, async () => print(call.world, `${identity.id}\n`));
	},
});

const removeKey = defineCommand({
	words: ['keychain', 'remove'],
	summary: 'Forget a private key.',
	flags: {id, yes: optional(flag('Yes', 'Do it without asking'))},
	async run({world, input, flags}) {
		const keys = await world.keychain.list();
		const entry = keys.find(({id}) => id === flags.id);
		if (entry === undefined) {
			throw new Unauthenticated(`The keychain holds no key for ${shortId(flags.id)}.`, {hint: 'See the ids of your keys: colonies keychain ls'});
		}

		if (flags.yes !== true) {
			const label = entry.label === undefined ? '' : `, of the ${entry.label.kind} ${visible(entry.label.name)}`;
			await askYes(input, world, `Forget the private key of ${flags.id}${label}. Without a copy elsewhere, nobody can sign as it again.`);
		}

		await world.keychain.remove(flags.id);
		await say(world, `Forgot the key of ${shortId(flags.id)}.`);
	},
});

/** Characters that a passphrase should have. */
const goodLength = 12;

/** A passphrase that is new: from the environment, or typed twice. @throws Unauthenticated, InvalidInput */
async function readNewPassphrase({world, input}: Invocation<object>, variables: PassphraseVariables): Promise<string> {
	const given = passphraseIn(world.env, variables);
	if (given === undefined && !isAttended(input, world)) {
		throw new Unauthenticated('The new passphrase is missing.', {hint: `Set ${variables.text}, or ${variables.descriptor} to an open file descriptor; on a terminal it is asked for.`});
	}

	const passphrase = given ?? await askSecret(input, world, 'New passphrase');
	if (passphrase === '') {
		throw new InvalidInput('A passphrase must not be empty; nothing was changed.');
	}

	if (given === undefined && await askSecret(input, world, 'New passphrase again') !== passphrase) {
		throw new InvalidInput('The two differ; nothing was changed.', {hint: 'Type the same twice.'});
	}

	if (passphrase.length < goodLength) {
		await say(world, `A passphrase of fewer than ${goodLength} characters can be guessed by anyone who has the files.`);
	}

	return passphrase;
}

const encryptKeys = defineCommand({
	words: ['keychain', 'encrypt'],
	summary: 'Put the keys under a passphrase. Nothing recovers one that is lost.',
	flags: {},
	async run(call) {
		const {world} = call;
		// Where some are encrypted already, the others go under the same passphrase.
		const passphrase = await readNewPassphrase(call, currentPassphrase);
		const ids = await world.keychain.encrypt(passphrase);
		await say(world, ids.length === 0 ? 'There is no key that is not encrypted.' : `Encrypted ${plural(ids.length, 'key')}. New keys are encrypted too.`);
	},
});

const decryptKeys = defineCommand({
	words: ['keychain', 'decrypt'],
	summary: 'Keep the keys without a passphrase again.',
	flags: {},
	async run({world}) {
		const ids = await world.keychain.decrypt();
		await say(world, ids.length === 0 ? 'No key is encrypted.' : `Decrypted ${plural(ids.length, 'key')}.`);
	},
});

const changePassphrase = defineCommand({
	words: ['keychain', 'passwd'],
	summary: 'Change the passphrase of the keys.',
	flags: {},
	async run(call) {
		const {world} = call;
		if (!await world.keychain.isEncrypted()) {
			throw new InvalidInput('No key is encrypted.', {hint: 'Encrypt them: colonies keychain encrypt'});
		}

		await world.keychain.unlock();
		const {changed, left} = await world.keychain.changePassphrase(await readNewPassphrase(call, newPassphrase));
		await say(world, `Changed the passphrase of ${plural(changed.length, 'key')}.`);
		if (left.length > 0) {
			await say(world, `${plural(left.length, 'key')} with another passphrase left as ${left.length === 1 ? 'it is' : 'they are'}: ${left.map(id => shortId(id)).join(', ')}.`);
		}
	},
});

export const keychainCommands: readonly CommandEntry[] = [showPrivateKey, listKeys, newKey, addKey, removeKey, encryptKeys, decryptKeys, changePassphrase];
