import {isUtf8} from 'node:buffer';
import {Unauthenticated} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {digestFault} from './content-digest.ts';
import {sha3} from './hash.ts';
import {recover} from './recover.ts';
import {
	fieldValue, type HttpRequest, type Scheme, signatureBase, Unsignable,
} from './signature-base.ts';
import {
	checkClock, chooseSignature, coveredComponents, guide, readDictionary, readProof,
} from './signature-input.ts';
import {bytesOf, serializeInnerList} from './structured-fields.ts';

/** What one signed request has shown. */
type Proof = {
	id: Id;
	nonce: string;
	created: number;
	base: string;
	signature: string;
	body: string | undefined;
};

/** Known in this file alone, so that nobody else can make a signer. */
const proved = Symbol('proved by a signature');

/** Somebody who has proved an identity by the signature of one request. Made by `verifyHttp` and by nothing else. */
export class Signer {
	/** Whether a value was made by `verifyHttp` in this process. */
	static isProved(value: unknown): value is Signer {
		return typeof value === 'object' && value !== null && #isProved in value;
	}

	readonly id: Id;
	/** Chosen by the signer; it may change something once. */
	readonly nonce: string;
	/** Seconds since 1970, by the signer's clock. */
	readonly created: number;
	/** The signature base, which is what was signed (RFC 9421 §2.5). */
	readonly base: string;
	/** 130 hex digits. */
	readonly signature: string;
	/** The body as text; undefined where there was none. */
	readonly body: string | undefined;
	readonly #isProved: boolean;

	constructor(token: symbol, proof: Proof) {
		if (token !== proved) {
			throw new TypeError('A signer is made by verifyHttp alone.');
		}

		this.#isProved = true;
		this.id = proof.id;
		this.nonce = proof.nonce;
		this.created = proof.created;
		this.base = proof.base;
		this.signature = proof.signature;
		this.body = proof.body;
		Object.freeze(this);
	}

	/** What may stand in a log: not what was sent. */
	toJSON(): {id: Id; nonce: string; created: number} {
		return {id: this.id, nonce: this.nonce, created: this.created};
	}
}

/** The signature under a label as 130 hex digits. @throws Unauthenticated */
function readSignature(request: HttpRequest, name: string): string {
	const member = readDictionary(request.headers, 'signature').get(name);
	if (member === undefined) {
		throw new Unauthenticated(`The header signature has nothing under the label ${name} of signature-input.`, {hint: 'Both headers use the same label.'});
	}

	const bytes = bytesOf(member);
	if (bytes?.length !== 65) {
		throw new Unauthenticated(`The signature under the label ${name} is no byte sequence of 65 bytes.`, {hint: 'It is r (32), s (32) and v (1) in base64 between colons.'});
	}

	return Buffer.from(bytes).toString('hex');
}

/** The body as text, once its digest is checked. @throws Unauthenticated */
function readBody({headers, body}: HttpRequest, isCovered: boolean): string | undefined {
	const bytes = body ?? new Uint8Array();
	const fault = isCovered ? digestFault(readDictionary(headers, 'content-digest'), bytes) : undefined;
	if (fault !== undefined) {
		throw new Unauthenticated(fault, {hint: 'It is sha-256=:…: with the SHA-256 of the bytes that are sent, in base64.'});
	}

	if (!isUtf8(bytes)) {
		throw new Unauthenticated('The body is no text in UTF-8.', {hint: 'Send JSON in UTF-8, not compressed.'});
	}

	return bytes.length === 0 ? undefined : Buffer.from(bytes).toString('utf8');
}

/** The base that was signed, of those that it can have been. @throws Unauthenticated where it is none of them */
function signedBase({authority}: HttpRequest, bases: readonly string[], signature: string, keyid: Id): string {
	const base = bases.find(each => recover(each, signature) === keyid);
	if (base === undefined) {
		throw notSigned(authority, bases[0]!, signature);
	}

	return base;
}

function notSigned(authority: string, base: string, signature: string): Error {
	return recover(base, signature) === undefined
		? new Unauthenticated('The signature is none of secp256k1 with a low s and a v of 0 or 1.', {hint: 'It is r (32 bytes), s (32) and v (1); where s is above half the order, take n - s and turn v round.'})
		: new Unauthenticated('The signature is not by its keyid over this request.', {hint: `The server saw the authority ${quoted(authority)}. If the client addressed another, a proxy in between changed Host: pass it on (nginx: proxy_set_header Host $http_host). Otherwise compare the signature base: the one made here has ${base.length} characters and the SHA3-256 ${sha3(base)}. ${guide}`});
}

function verify(request: HttpRequest, {now, schemes = ['https']}: Verifying): Signer {
	const [name, input] = chooseSignature(readDictionary(request.headers, 'signature-input'));
	const {created, nonce, keyid} = readProof(input[1]);
	checkClock(input[1], created, now);
	const components = coveredComponents(input, request);
	const signature = readSignature(request, name);
	const bases = [...new Set(schemes.map(scheme => signatureBase({...request, scheme}, components, serializeInnerList(input))))];
	const body = readBody(request, components.includes('content-digest'));
	const base = signedBase(request, bases, signature, keyid);
	return new Signer(proved, {
		id: keyid, nonce, created, base, signature, body,
	});
}

/** `now`: milliseconds since 1970. `schemes`: those by which the client may have reached this server, https unless given; behind a proxy it is not known which. */
type Verifying = {now: number; schemes?: readonly Scheme[]};

/**
Who signed a request. It does not know which nonces were used before, nor by which names this server is called: the caller does.
@throws Unauthenticated for everything that is wrong, with what to do about it.
*/
export function verifyHttp(request: HttpRequest, verifying: Verifying): Signer {
	try {
		return verify(request, verifying);
	} catch (error) {
		throw error instanceof Unsignable ? new Unauthenticated(error.message, {hint: error.hint, cause: error}) : error;
	}
}
