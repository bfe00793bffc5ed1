import {Buffer} from 'node:buffer';
import {contentDigest} from '../identity/index.ts';
import type {AnyOperation, Route} from './define.ts';
import {operatorsChanges} from './operators.ts';
import {decodeRequest, listRoute, mostOf, splitRoute} from './wire.ts';

/** A request as the history keeps it. `signed`: the text that the signature is over; `inputs`: what it asks for. */
export type KeptRequest = {operation: AnyOperation; inputs: ReadonlyArray<Record<string, any>>; signed: string; /** When it was signed, in milliseconds since 1970. */ created: number | undefined; /** Milliseconds between that and its change, at most. */ longest: number};

/** Over the wire it is good for a minute, and may wait for others. In this process the clock is another one than the database's, and may be wrong; a day is the least that retention keeps, so that no request of a dropped row serves again. */
const longest = {wire: 600_000, here: 86_400_000};

/** Why a request cannot be what was signed; the message ends the sentence "The request …". */
export class Unreadable extends Error {}

const isObject = (value: unknown): value is Record<string, any> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The lines of a signature base (RFC 9421 §2.5), by the name of their component. */
function componentsOf(base: string): Map<string, string> {
	return new Map(base.split('\n').flatMap(line => {
		const [, name, value] = /^"([^"]+)": (.*)$/s.exec(line) ?? [];
		return name === undefined ? [] : [[name, value!]];
	}));
}

/** The operation on whose route a request came, and what its path says. */
function routed(method: string, path: string): {operation: AnyOperation; route: Route; names: Record<string, string>} {
	for (const operation of operatorsChanges) {
		for (const route of new Set([operation.route, listRoute(operation)])) {
			const {method: own, path: template} = splitRoute(route);
			const names = own === method ? new RegExp(`^${template.replaceAll(/{(\w+)}/g, '(?<$1>[^/]+)')}$`).exec(path) : null;
			if (names) {
				return {operation, route, names: Object.fromEntries(Object.entries(names.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]))};
			}
		}
	}

	throw new Unreadable(`asks for ${method} ${path}, which is no operator's change`);
}

function queryOf(query: string): Record<string, string | string[]> {
	const parameters = new URLSearchParams(query.slice(1));
	return Object.fromEntries([...new Set(parameters.keys())].map(name => {
		const values = parameters.getAll(name);
		return [name, values.length === 1 ? values[0]! : values];
	}));
}

/** A request that came over the wire: its signature base, and the body whose digest is in there. */
function readWire(base: string, body: string | undefined): KeptRequest {
	const components = componentsOf(base);
	const digest = components.get('content-digest');
	if (body !== undefined && !(digest ?? '').split(/\s*,\s*/).includes(contentDigest(Buffer.from(body)))) {
		throw new Unreadable('has another body than the one that was signed');
	}

	const {operation, route, names} = routed(components.get('@method') ?? '', components.get('@path') ?? '');
	const decoded = decodeRequest(operation, route, {path: names, query: queryOf(components.get('@query') ?? '?'), body: body === undefined ? undefined : JSON.parse(body)}, {most: mostOf(operation)});
	const created = /;created=(\d+)/.exec(components.get('@signature-params') ?? '')?.[1];
	return {
		operation, signed: base, created: created === undefined ? undefined : Number(created) * 1000, longest: longest.wire, inputs: 'input' in decoded ? [decoded.input] : decoded.inputs,
	};
}

/** Reads a request as the history keeps it. @throws Unreadable */
export function readKept(text: string): KeptRequest {
	try {
		const kept = JSON.parse(text) as unknown;
		if (!isObject(kept)) {
			throw new Unreadable('is none');
		}

		if (typeof kept.base === 'string') {
			return readWire(kept.base, kept.body as string | undefined);
		}

		const operation = operatorsChanges.find(({name}) => name === kept.operation);
		const inputs = (Array.isArray(kept.inputs) ? kept.inputs : [kept.input]) as unknown[];
		if (operation === undefined || !inputs.every(input => isObject(input))) {
			throw new Unreadable('is for no operator\'s change');
		}

		const created = Date.parse(String(kept.created));
		return {operation, inputs, signed: text, created: Number.isNaN(created) ? undefined : created, longest: longest.here};
	} catch (error) {
		throw error instanceof Unreadable ? error : new Unreadable('cannot be read');
	}
}
