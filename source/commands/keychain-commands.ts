import {Unauthenticated} from '../core/errors.ts';
import {passes} from '../core/filter-language/index.ts';
import {shortId, visible} from '../core/text.ts';
import {
	filterOf, flag, identity, optional, secret,
} from '../operations/fields.ts';
import {askSecret, askYes} from './ask.ts';
import {type CommandEntry, type Invocation, defineCommand} from './command.ts';
import {print, say, showDone} from './output.ts';
import {outputFlags, printResult} from './results.ts';

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
		const rows = keys.map(({id, label, damaged, note}) => ({
			id, kind: label?.kind ?? '', name: label?.name ?? '', colonyid: label?.colonyid ?? '', ...(damaged ? {damaged} : {}), ...(note === undefined ? {} : {note}),
		}));
		await printResult(world, rows, {output: flags.output});
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
	flags: {prvkey: optional(secret('Private key', 'The key itself; on standard input it stays out of the list of processes'))},
	async run(call) {
		const identity = await call.world.keychain.add(await readKey(call));
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

export const keychainCommands: readonly CommandEntry[] = [showPrivateKey, listKeys, addKey, removeKey];
