import {InvalidInput} from '../core/errors.ts';
import {type Filter, printFilter} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import {quoted} from '../core/text.ts';
import {
	type Field, type Fields, fromText,
} from './fields.ts';
import type {AnyOperation, Route} from './define.ts';
import {numbered} from './numbered.ts';
import {unknownField} from './unknown.ts';

type Input = Readonly<Record<string, unknown>>;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A request as it goes over the wire, before it is signed. `target`: path and query. */
export type WireRequest = {method: Method; target: string; body?: unknown};

/** Takes a route apart. */
export function splitRoute(route: Route): {method: Method; path: string; names: string[]} {
	const [method, path] = route.split(' ') as [Method, string];
	return {method, path, names: [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name!)};
}

const hasBody = (method: Method): boolean => method === 'POST' || method === 'PUT';

/** The fields that stand in the query, and those that stand in the body, of a route. */
export function fieldsOn(operation: AnyOperation, route: Route): {query: Fields; body: Fields} {
	const {method, names} = splitRoute(route);
	const rest = Object.entries(operation.input as Fields).filter(([name]) => !names.includes(name));
	const inQuery = (name: string) => !hasBody(method) || (operation.query ?? []).includes(name);
	return {
		query: Object.fromEntries(rest.filter(([name]) => inQuery(name))),
		body: Object.fromEntries(rest.filter(([name]) => !inQuery(name))),
	};
}

/** How many calls a list may have. */
export const mostOf = ({many}: AnyOperation): number => many?.most ?? limits.batch;

/** The route of a list of calls. */
export const listRoute = (operation: AnyOperation): Route => operation.many?.route ?? operation.route;

const valueAt = ({places = {}}: AnyOperation, input: Input, name: string): unknown => {
	const place = places[name];
	return place ? (input[place[0]] as Input | undefined)?.[place[1]] : input[name];
};

function fillPath(operation: AnyOperation, path: string, input: Input): string {
	return path.replaceAll(/{(\w+)}/g, (_, name: string) => {
		const value = valueAt(operation, input, name);
		if (typeof value !== 'string' || value === '') {
			throw new InvalidInput(`${name} is missing.`, {hint: 'It is part of the address of the request.'});
		}

		return encodeURIComponent(value);
	});
}

/** The text that a checked value came from, or another one that says the same. */
function asText(value: unknown, field: Field | undefined): string {
	if (field?.list !== undefined && Array.isArray(value)) {
		return printFilter(field.list, value as Filter);
	}

	return typeof value === 'object' && value !== null && 'key' in value && 'value' in value ? `${String(value.key)}=${String(value.value)}` : String(value);
}

function queryText(fields: Fields, input: Input, more: Input = {}): string {
	const given = [...Object.keys(fields).map(name => [name, input[name]] as const), ...Object.entries(more)].filter(([, value]) => value !== undefined);
	return given.length === 0 ? '' : `?${given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(asText(value, fields[name]))}`).join('&')}`;
}

/** Whatever a body holds of an input; nothing where it is empty. */
function bodyOf(fields: Fields, input: Input): Input | undefined {
	const given = Object.keys(fields).filter(name => input[name] !== undefined);
	return given.length === 0 ? undefined : Object.fromEntries(given.map(name => [name, input[name]]));
}

/** One call of an operation as a request. @throws InvalidInput when something of its address is missing */
export function encodeCall(operation: AnyOperation, input: Input): WireRequest {
	const {method, path} = splitRoute(operation.route);
	const fields = fieldsOn(operation, operation.route);
	const body = bodyOf(fields.body, input);
	return {method, target: fillPath(operation, path, input) + queryText(fields.query, input), ...(body === undefined ? {} : {body})};
}

/** Many calls of an operation as one request. They are about one colony; those that are counted are all alike. @throws InvalidInput */
export function encodeCalls(operation: AnyOperation, inputs: readonly Input[]): WireRequest {
	const [first] = inputs;
	if (first === undefined || operation.many === undefined) {
		throw new InvalidInput(first === undefined ? 'The list is empty.' : `There is no list of ${operation.name}.`);
	}

	if (operation.many.by === 'count') {
		const {method, path} = splitRoute(operation.route);
		const fields = fieldsOn(operation, operation.route);
		const body = bodyOf(fields.body, first);
		return {method, target: fillPath(operation, path, first) + queryText(fields.query, first, {count: inputs.length}), ...(body === undefined ? {} : {body})};
	}

	const route = listRoute(operation);
	const {method, path} = splitRoute(route);
	const fields = fieldsOn(operation, route);
	return {method, target: fillPath(operation, path, first), body: inputs.map(input => bodyOf(fields.body, input) ?? {})};
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What came with a request: names of the path and the query as text, and the body as JSON; undefined for none. */
export type Received = {path: Readonly<Record<string, string>>; query: Readonly<Record<string, string | string[] | undefined>>; body: unknown};

function fromQuery(name: string, field: Field, text: string | string[]): unknown {
	if (Array.isArray(text)) {
		throw new InvalidInput(`${name} is given twice.`, {hint: 'Give it once.'});
	}

	return fromText(field, text);
}

/** Puts what the address says into an input. What the body says of it may only repeat it. */
function withPath(operation: AnyOperation, path: Received['path'], given: Record<string, unknown>): Record<string, unknown> {
	const input = {...given};
	for (const [name, value] of Object.entries(path)) {
		const place = operation.places?.[name];
		if (!place) {
			input[name] = value;
			continue;
		}

		const [field, inner] = place;
		const outer = input[field];
		if (outer !== undefined && isObject(outer)) {
			const said = outer[inner];
			if (said !== undefined && (typeof said !== 'string' || said.toLowerCase() !== value.toLowerCase())) {
				throw new InvalidInput(`${field}.${inner} is ${quoted(said)}, but the request is for ${quoted(value)}.`, {hint: 'Send it to the address of that one, or leave it out.'});
			}

			input[field] = {...outer, [inner]: value};
		}
	}

	return input;
}

/** @throws InvalidInput for what is not known in a part of a request, or belongs in the other part */
function refuseUnknown(part: 'body' | 'query', fields: {body: Fields; query: Fields}, given: Input, also: readonly string[] = []): void {
	const name = Object.keys(given).find(name => !Object.hasOwn(fields[part], name) && !also.includes(name));
	if (name !== undefined) {
		const other = part === 'body' ? 'query' : 'body';
		throw unknownField(name, `the ${part}`, fields[part], Object.hasOwn(fields[other], name) ? `It belongs in the ${other}.` : undefined);
	}
}

function decodeBody(operation: AnyOperation, fields: ReturnType<typeof fieldsOn>, {path, query}: {path: Received['path']; query: Record<string, unknown>}, body: unknown): Record<string, unknown> {
	if (body !== undefined && !isObject(body)) {
		throw new InvalidInput('The body must be a JSON object.', {hint: 'See /openapi.json.'});
	}

	refuseUnknown('body', fields, body ?? {});
	return withPath(operation, path, {...body, ...query});
}

/** What a request asks of an operation: one call, or a list of calls. */
export type Decoded = {input: Record<string, unknown>} | {inputs: Array<Record<string, unknown>>};

/**
Reads a request that came on a route of an operation.
On the route of a list alone the body is an array; on a route of both, an array in the body is a list.
@throws InvalidInput
*/
export function decodeRequest(operation: AnyOperation, route: Route, {path, query, body}: Received, {most}: {most: number}): Decoded {
	const fields = fieldsOn(operation, route);
	const counted = operation.many?.by === 'count' && query.count !== undefined;
	refuseUnknown('query', fields, query, counted ? ['count'] : []);
	const inQuery = Object.fromEntries(Object.entries(query).filter(([name, value]) => value !== undefined && Object.hasOwn(fields.query, name)).map(([name, value]) => [name, fromQuery(name, fields.query[name]!, value!)]));
	if (counted) {
		const count = fromQuery('count', {kind: 'integer'} as Field, query.count!);
		if (typeof count !== 'number' || count < 1 || count > most) {
			throw new InvalidInput(`count must be a whole number from 1 to ${most}, not ${quoted(query.count)}.`);
		}

		const input = decodeBody(operation, fields, {path, query: inQuery}, body);
		return {inputs: Array.from({length: count}, () => input)};
	}

	const isListOnly = operation.many?.route === route;
	if (operation.many?.by === 'list' && (isListOnly || Array.isArray(body))) {
		if (!Array.isArray(body) || body.length === 0 || body.length > most) {
			throw new InvalidInput(`The body must be a list of 1 to ${most}${Array.isArray(body) ? `, not of ${body.length}` : ''}.`, {hint: 'Send a JSON array.'});
		}

		return {inputs: numbered<unknown, Record<string, unknown>>(body, each => decodeBody(operation, fields, {path, query: inQuery}, each))};
	}

	return {input: decodeBody(operation, fields, {path, query: inQuery}, body)};
}
