import {ColoniesError, InvalidInput, Unauthenticated} from '../core/errors.ts';
import {shortId} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {type Identity, prove} from '../keychain/index.ts';
import type {Caller} from '../operations/broker.ts';
import {
	type Fields, identity, optional, secret,
} from '../operations/fields.ts';
import {type AnyOperation, isForRoot} from '../operations/registry.ts';
import {refuseBoth} from './command.ts';
import {rootCaller, rootPassword} from './secrets.ts';
import type {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

const keyFlags = {
	prvkey: optional(secret('Private key', 'Private key to sign with, instead of the one in the keychain; - reads it from standard input')),
	colonyprvkey: optional(secret('Private key', 'The same: the key of the colony\'s owner')),
	computerprvkey: optional(secret('Private key', 'The same: the key of a computer')),
};

const keyNames = Object.keys(keyFlags) as ReadonlyArray<keyof typeof keyFlags>;

const rootFlags = {rootpassword: optional(secret(rootPassword.label, 'The root password; else COLONIES_ROOT_PASSWORD, else it is asked for'))};

const mayRoot = ({allow}: AnyOperation): boolean => allow.allowed.includes('root');

/** The flags that say who signs an operation; `--computerid` only where it means nothing else. */
export function signingFlags(operation: AnyOperation): Fields {
	if (isForRoot(operation)) {
		return rootFlags;
	}

	return {
		id: optional(identity('Signer', 'Id of who signs, whose key is in the keychain; else --computerid where a computer acts, else the colony\'s owner')),
		...('computerid' in operation.input ? {} : {computerid: optional(identity('Computer', 'Id of the computer that signs'))}),
		...keyFlags,
		...(mayRoot(operation) ? rootFlags : {}),
	};
}

/** Whose signature is meant. `signs`: the computer that acts, when the flags name one; `colony`: the colony that it is about. */
export type Signing = {
	flags: {id?: Id; rootpassword?: string} & Partial<Record<keyof typeof keyFlags, string>>;
	signs: Id | undefined;
	colony: Id | undefined;
};

async function givenKey(name: keyof typeof keyFlags, text: string, input: StandardInput): Promise<Identity> {
	return prove(text === '-' ? await input.line(`--${name}`) : text);
}

/** Whose key a key flag must hold; undefined when any will do, as for a computer, whose key may prove another id than its own. */
function expectedBy(name: keyof typeof keyFlags, {flags, colony}: Signing): Id | undefined {
	return flags.id ?? (name === 'colonyprvkey' ? colony : undefined);
}

function checkFits(name: string, given: Identity, expected: Id | undefined, {signs, colony}: Signing): Identity {
	const isOwners = expected === undefined && signs !== undefined && signs !== colony && given.id === colony;
	if (isOwners) {
		throw new Unauthenticated(`The key given with --${name} does not fit: it is the colony owner's, not that of the computer ${shortId(signs)}.`, {hint: 'Give the key of the computer, or leave --computerid out.'});
	}

	if (expected !== undefined && given.id !== expected) {
		throw new Unauthenticated(`The key given with --${name} does not fit: it belongs to ${shortId(given.id)}, not to ${shortId(expected)}.`, {hint: 'Give the key of that id, or leave --id out.'});
	}

	return given;
}

/** The key of a colony's owner or computer, that of a computer wherever its owner has given it another one. */
async function fromKeychain({keychain}: World, id: Id, colony: Id | undefined): Promise<Identity> {
	try {
		return await keychain.identity(id === colony ? id : await keychain.keyOf(id, colony));
	} catch (error) {
		if (error instanceof ColoniesError && error.code === 'unauthenticated') {
			throw new Unauthenticated(error.message, {hint: 'Add it with `colonies keychain add < keyfile`, or sign as somebody else with --id.', cause: error});
		}

		throw error;
	}
}

/**
Who calls an operation: root with the password, or whoever signs: `--id`, else the computer that acts, else the colony's owner (domain.md, "Commands").
@throws Unauthenticated, InvalidInput, ColoniesError `cancelled`
*/
export async function callerOf(world: World, input: StandardInput, operation: AnyOperation, signing: Signing): Promise<Caller> {
	const {flags, colony} = signing;
	refuseBoth(flags, keyNames, 'One key signs.');
	const isNobodys = flags.id === undefined && signing.signs === undefined && colony === undefined && keyNames.every(name => flags[name] === undefined);
	if (isForRoot(operation) || flags.rootpassword !== undefined || (mayRoot(operation) && isNobodys)) {
		refuseBoth(flags, ['rootpassword', 'id', ...keyNames], 'Either root or somebody who signs.');
		return rootCaller(world, input, flags.rootpassword);
	}

	const name = keyNames.find(name => flags[name] !== undefined);
	if (name !== undefined) {
		const given = await givenKey(name, flags[name]!, input);
		return {identity: checkFits(name, given, expectedBy(name, signing), signing)};
	}

	const id = flags.id ?? signing.signs ?? colony;
	if (id === undefined) {
		throw new InvalidInput('It is not clear who signs.', {hint: 'Say so with --id.'});
	}

	return {identity: await fromKeychain(world, id, colony)};
}
