import {Unauthenticated} from '../core/errors.ts';
import {plural, quoted} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {isId} from './ids.ts';
import {fieldValue, type HttpRequest, requiredComponents} from './signature-base.ts';
import {
	type BareItem, type Dictionary, FieldFault, type InnerList, isInnerList, type Parameters, parseDictionary, serializeString, textOfItem,
} from './structured-fields.ts';

/** The name of domain.md's signatures as the parameter `alg`. */
export const signatureAlgorithm = 'secp256k1-sha3-256-recoverable';

/** Seconds that a signature may be older, or further ahead, than the clock of whoever verifies it. A nonce need not be remembered for longer. */
export const signatureAge = {past: 60, ahead: 5} as const;

/** Where a client's author reads on. */
export const guide = 'docs/protocol.md shows each step of signing a request with its results.';

/** Whether a text may be a nonce. */
export const isNonce = (text: string): boolean => /^[\w-]{16,64}$/.test(text);

/** The value of the parameters that a client signs with, in the order of the protocol's page. */
export function signatureInput(components: readonly string[], created: number, nonce: string, keyid: Id): string {
	return `(${components.map(name => serializeString(name)).join(' ')});created=${created};nonce=${serializeString(nonce)};keyid=${serializeString(keyid)};alg=${serializeString(signatureAlgorithm)}`;
}

/** A header that is a dictionary (RFC 8941). @throws Unauthenticated where it is missing or none. */
export function readDictionary(headers: HttpRequest['headers'], name: string): Dictionary {
	const text = fieldValue(headers, name);
	if (text === undefined) {
		throw new Unauthenticated(`The request has no header ${name}.`, {hint: guide});
	}

	try {
		return parseDictionary(text);
	} catch (error) {
		if (error instanceof FieldFault) {
			throw new Unauthenticated(`The header ${name} is malformed: ${error.message}.`, {hint: 'It is a dictionary of RFC 8941.', cause: error});
		}

		throw error;
	}
}

const textOf = (item: BareItem | undefined): string | undefined => typeof item === 'string' ? item : undefined;

/**
The one signature of ours among those of Signature-Input. Others may stand beside it, of proxies for example.
@throws Unauthenticated where there is none or more than one.
*/
export function chooseSignature(inputs: Dictionary): [label: string, input: InnerList] {
	const lists = [...inputs].flatMap(([name, member]) => isInnerList(member) ? [[name, member] as const] : []);
	const ours = lists.filter(([, [, parameters]]) => textOf(parameters.get('alg')) === signatureAlgorithm);
	const [first, ...others] = ours;
	if (others.length > 0) {
		throw new Unauthenticated(`The request has ${ours.length} signatures with alg="${signatureAlgorithm}".`, {hint: 'Send exactly one: a request is by one identity.'});
	}

	if (first) {
		return [first[0], first[1]];
	}

	if (lists.length === 0) {
		throw new Unauthenticated('The header signature-input has no signature: a label with the list of what is covered.', {hint: guide});
	}

	const found = lists.map(([, [, parameters]]) => textOf(parameters.get('alg'))).find(alg => alg !== undefined);
	throw new Unauthenticated(found === undefined ? 'The signature has no parameter alg.' : `The signature has the unknown alg ${quoted(found)}.`, {hint: `Sign with alg="${signatureAlgorithm}".`});
}

/** The names of what is covered. @throws Unauthenticated for names that stand twice, have parameters or are no strings, and where something is left out. */
export function coveredComponents([items]: InnerList, request: HttpRequest): string[] {
	const names = new Set<string>();
	for (const [item, parameters] of items) {
		const name = textOf(item);
		if (name === undefined || parameters.size > 0) {
			throw new Unauthenticated(`The component ${quoted(textOfItem(item))} is ${name === undefined ? 'no string' : 'covered with a parameter'}.`, {hint: 'Cover components by their plain names, like "@method".'});
		}

		if (names.has(name)) {
			throw new Unauthenticated(`The signature covers ${quoted(name)} twice.`, {hint: 'Each component stands once.'});
		}

		names.add(name);
	}

	const missing = requiredComponents(request).filter(name => !names.has(name));
	if (missing.length > 0) {
		throw new Unauthenticated(`The signature does not cover ${missing.map(name => `"${name}"`).join(', ')}.`, {hint: 'A signature covers "@method", "@authority", "@path" and "@query", "content-digest" where there is a body, and "idempotency-key" where there is that header.'});
	}

	return [...names];
}

/** A parameter in whole seconds. @throws Unauthenticated */
function secondsOf(name: string, item: BareItem): number {
	if (typeof item !== 'number' || !Number.isInteger(item)) {
		throw new Unauthenticated(`The parameter ${name} is no integer.`, {hint: 'It is a time in whole seconds since 1970.'});
	}

	return item;
}

/** Compares the times of a signature with a clock, in milliseconds since 1970. @throws Unauthenticated */
export function checkClock(parameters: Parameters, created: number, now: number): void {
	const ahead = created - (now / 1000);
	const hint = `Set the clock of the computer that signs, and sign each request anew: here it is ${new Date(now).toISOString()}.`;
	if (-ahead > signatureAge.past) {
		throw new Unauthenticated(`The request was signed ${plural(Math.round(-ahead), 'second')} ago by the clock of this server; at most ${signatureAge.past} are accepted.`, {hint});
	}

	if (ahead > signatureAge.ahead) {
		throw new Unauthenticated(`The request was signed ${plural(Math.round(ahead), 'second')} ahead of the clock of this server; at most ${signatureAge.ahead} are accepted.`, {hint});
	}

	const expires = parameters.get('expires');
	if (expires !== undefined && secondsOf('expires', expires) < now / 1000) {
		throw new Unauthenticated(`The signature expired ${plural(Math.round((now / 1000) - secondsOf('expires', expires)), 'second')} ago by its parameter expires.`, {hint});
	}
}

/** The parameters every signature has. @throws Unauthenticated where one is missing or malformed. */
export function readProof(parameters: Parameters): {created: number; nonce: string; keyid: Id} {
	const missing = ['created', 'nonce', 'keyid'].filter(name => !parameters.has(name));
	if (missing.length > 0) {
		throw new Unauthenticated(`The signature has no parameter ${missing.join(', ')}.`, {hint: 'Its parameters are created, nonce, keyid and alg.'});
	}

	const created = secondsOf('created', parameters.get('created')!);
	const [nonce, keyid] = [textOf(parameters.get('nonce')), textOf(parameters.get('keyid'))];
	if (nonce === undefined || !isNonce(nonce)) {
		throw new Unauthenticated('The parameter nonce is no string of 16 to 64 characters of A-Z a-z 0-9 _ and -.', {hint: 'Take a new random one for each request.'});
	}

	if (keyid === undefined || !isId(keyid)) {
		throw new Unauthenticated('The parameter keyid is no string of 64 lowercase hex digits.', {hint: 'It is the id of who signs.'});
	}

	return {created, nonce, keyid};
}
