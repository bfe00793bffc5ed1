import type {Id} from '../core/types.ts';
import type {seals} from '../database/index.ts';
import {recover} from '../identity/index.ts';
import {type KeptRequest, readKept, Unreadable} from './kept-request.ts';
import {dropFault} from './verify-drop.ts';

type Row = seals.SignedRow;

const fieldOf: Readonly<Record<string, string>> = {colony: 'colonyid', computer: 'computerid', process: 'processid'};
const subjects: Readonly<Record<string, string>> = {'database.rootpassword': 'root', 'history.retention': 'history', 'colony.move': 'cells', 'process.retention': 'processes', 'token.create': 'tokens', 'token.revoke': 'tokens'};

const same = (one: unknown, other: string | null): boolean => typeof one === 'string' && one.toLowerCase() === other;

/** Whether what an input asks for is, or has for its consequence, what the row says. */
function asks({operation}: KeptRequest, input: Readonly<Record<string, unknown>>, row: Row): boolean {
	if (!same(input.colonyid, row.colonyid) && (row.colonyid !== null || input.colonyid !== undefined)) {
		return false;
	}

	if (operation.name === row.what) {
		const field = fieldOf[row.noun];
		return field === undefined ? row.subject === subjects[row.what] : same(input[field], row.subject);
	}

	if (!(operation.implies ?? []).includes(row.what)) {
		return false;
	}

	// Of closed processes that were removed together, the row says which by a hash.
	if (row.what === 'process.drop') {
		return row.subject === 'closed';
	}

	// What followed from it: a process that a computer ran, or an attribute of a process.
	const [noun] = operation.name.split('.') as [string];
	return noun === 'colony' || (noun === 'computer' ? same(input.computerid, row.computer) : same(input[fieldOf[noun]!], row.subject));
}

/** What is wrong with a row about a computer's key, beside the request for it: the holder of that key acts as the computer from then on. */
function keyFault({inputs}: KeptRequest, {what, keyid}: Row): string | undefined {
	return what === 'computer.rekey' && !inputs.some(input => same(input.keyid, keyid)) ? 'has a request for another key' : undefined;
}

/** Whether somebody of that kind may do it, by the operation's rule: root, or the owner, whose id is the colony's. */
function may({allow}: KeptRequest['operation'], {actor, colonyid}: Row): boolean {
	const roles = [...allow.allowed, ...allow.self];
	return actor === 'root' ? roles.includes('root') : (actor === colonyid ? roles.includes('owner') : roles.some(role => role === 'approved' || role === 'pending' || role === 'disapproved'));
}

/** What was read last: a list of changes has one request. */
let last: {request: string; kept: KeptRequest | string} | undefined;
let lastSigned: {signed: string; signature: string; signer: Id | undefined} | undefined;

/** A request, or what is wrong with it. */
function read(request: string): KeptRequest | string {
	if (last?.request !== request) {
		try {
			last = {request, kept: readKept(request)};
		} catch (error) {
			last = {request, kept: error instanceof Unreadable ? error.message : 'cannot be read'};
		}
	}

	return last.kept;
}

function signerOf({signed}: KeptRequest, signature: string): Id | undefined {
	if (lastSigned?.signed !== signed || lastSigned.signature !== signature) {
		lastSigned = {signed, signature, signer: recover(signed, signature)};
	}

	return lastSigned.signer;
}

/**
What is wrong with a change and the request that is kept with it; undefined when nothing is.
@returns the end of a sentence that begins with the row: "has …"
*/
export function requestFault(row: Row, isRepeated: boolean): string | undefined {
	if (row.request === null) {
		return 'has no request, though it is an operator\'s change';
	}

	const kept = read(row.request);
	if (typeof kept === 'string') {
		return `has a request that ${kept}`;
	}

	if (!kept.inputs.some(input => asks(kept, input, row))) {
		return `has a request for something else: ${kept.operation.name}`;
	}

	const fault = row.what === 'process.drop' ? dropFault(kept, row.drop) : keyFault(kept, row);
	if (fault !== undefined) {
		return fault;
	}

	if (!may(kept.operation, row)) {
		return `is by ${row.actor === 'root' ? 'root' : 'somebody'} who may not do that`;
	}

	if (row.actor === 'root') {
		return row.signature === null ? undefined : 'is root\'s, who signs nothing, and has a signature';
	}

	if (row.signature === null || signerOf(kept, row.signature) !== row.actor) {
		return row.signature === null ? 'has a request that nobody signed' : 'has a signature that is not its actor\'s';
	}

	if (isRepeated) {
		return 'has the signed request of another change';
	}

	return kept.created !== undefined && Math.abs(kept.created - Date.parse(row.at)) > kept.longest ? 'has a request that was signed at quite another time' : undefined;
}
