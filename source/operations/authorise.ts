import {randomUUID} from 'node:crypto';
import {allows} from '../core/authority.ts';
import {
	type ColoniesError, NotAllowed, Unauthenticated,
} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {type Client, type Standing, standingOf} from '../database/index.ts';
import {Identity, Signer} from '../identity/index.ts';
import type {Who} from './define.ts';
import type {AnyOperation} from './registry.ts';

/**
Whoever wants something done: somebody who proved an identity, by a key or by the signature of a request, or gives the root password.
`mustBeKept`: it is refused where no root password is set yet, for it was typed only once.
*/
export type Caller = {identity: Identity} | {signer: Signer} | {root: string; mustBeKept?: boolean};

/** Whether the password that root gives for an operation may become the first one of an installation. */
export const mayBeFirst = ({keepsRoot}: AnyOperation, {mustBeKept}: {mustBeKept?: boolean}): boolean => keepsRoot === true && mustBeKept !== true;

/** The id that a caller has proved. @throws Unauthenticated */
export function provedId(caller: Exclude<Caller, {root: string}>): Id {
	const proved = 'identity' in caller ? Identity.isProved(caller.identity) && caller.identity : Signer.isProved(caller.signer) && caller.signer;
	if (!proved) {
		throw new Unauthenticated('The caller has not proved an identity.');
	}

	return proved.id;
}

type Request = {
	operation: AnyOperation;
	caller: Caller;
	/** Checked inputs of calls about one colony. */
	inputs: ReadonlyArray<Record<string, any>>;
	verifyRoot: (password: string, options: {mayBeFirst: boolean}) => Promise<{kept: boolean}>;
};

/**
Finds who a caller is, inside the transaction, and whether the operation is for them; the rows that say so are held where something is to be changed.
@returns `kept`: whether the root password was the first, and kept
@throws NotAllowed, Unauthenticated
*/
export async function authorise(client: Client, {operation, caller, inputs, verifyRoot}: Request): Promise<{who: Who; kept: boolean}> {
	if ('root' in caller) {
		if (!allows(operation.allow, 'root', false)) {
			throw new NotAllowed(operation.allow.refusal, {hint: 'Root looks after the installation; the work of a colony belongs to its owner.'});
		}

		const {kept} = await verifyRoot(caller.root, {mayBeFirst: mayBeFirst(operation, caller)});
		return {who: {actor: 'root', role: 'root'}, kept};
	}

	const id = provedId(caller);
	const colony = operation.colony?.(inputs[0] as never);
	const standing: Standing = colony === undefined ? {role: 'stranger'} : await standingOf(client, colony, id, {hold: operation.changes.length > 0});
	const actor = standing.computer?.computer_id ?? id;
	if (!inputs.every(input => allows(operation.allow, standing.role, operation.self?.(input as never, actor) ?? false))) {
		throw refusal(operation, standing.role, id, colony);
	}

	return {who: {actor, ...standing}, kept: false};
}

function refusal(operation: AnyOperation, role: Who['role'], id: Id, colony: Id | undefined): ColoniesError {
	if (colony === undefined || role === 'owner' || role === 'approved') {
		const hint = operation.allow.self.includes('approved') ? 'It must be signed by that computer itself: give its id with --computerid.' : 'Give the key of somebody who may.';
		return new NotAllowed(operation.allow.refusal, {hint: colony === undefined ? 'Give the root password.' : hint});
	}

	return role === 'stranger'
		? Object.assign(new NotAllowed(`${quoted(shortId(id))} is neither the owner nor a computer of the colony ${quoted(shortId(colony))}, if there is one.`, {hint: 'Check the colony id, and which key signs (--id).'}), {isAbsence: true})
		: new NotAllowed(`${operation.allow.refusal} This computer is ${role}.`, {hint: 'The colony owner lets it in with `colonies computer approve`.'});
}

/**
The request as its caller signed it and the history keeps it. In this process: operation, input (`inputs` of a list), time and a nonce, signed here. Over the wire: the signature base of RFC 9421 and the body that its digest covers.
Root signs nothing, and its password is never part of it. The input is the checked one, without secrets: a field that the operation does not know may hold one.
*/
export function keptRequest(caller: Caller, operation: AnyOperation, inputs: ReadonlyArray<Readonly<Record<string, unknown>>>): {request: string; signature?: string} {
	if ('signer' in caller) {
		const {base, body, signature} = caller.signer;
		return {request: JSON.stringify({base, body}), signature};
	}

	const given = inputs.map(input => Object.fromEntries(Object.entries(input).filter(([name, value]) => value !== undefined && operation.input[name]?.kind !== 'secret')));
	const request = JSON.stringify({
		operation: operation.name, ...(given.length === 1 ? {input: given[0]} : {inputs: given}), created: new Date().toISOString(), nonce: randomUUID(),
	});
	return {request, ...('identity' in caller ? {signature: caller.identity.sign(request)} : {})};
}
