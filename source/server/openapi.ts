import {type ErrorCode, errorCodes} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {
	type AnyOperation, type Field, fieldsOn, type JsonSchema, listRoute, mostOf, objectJson, type OperationName, type Route, splitRoute,
} from '../operations/index.ts';
import {answerOf, answers, reference} from './openapi-answers.ts';
import {problemType} from './problem.ts';
import {everyRoute} from './routes.ts';

const json = (schema: JsonSchema): JsonSchema => ({'application/json': {schema}});

const parameter = (where: 'path' | 'query', name: string, {json: schema, summary, optional}: Pick<Field, 'json' | 'summary' | 'optional'>): JsonSchema => ({
	name, in: where, required: where === 'path' || !optional, description: `${summary}.`, schema,
});

/** The field that a name in a path stands for. */
function fieldAt({input, places}: AnyOperation, name: string): Field {
	const [outer, inner] = places?.[name] ?? [name];
	const field = (input as Record<string, Field>)[outer]!;
	return inner === undefined ? field : field.fields![inner]!;
}

const idempotencyKey: JsonSchema = {
	name: 'Idempotency-Key', in: 'header', required: false, description: 'The same signer with the same key gets the same processes again, and nothing is done twice. Covered by the signature.', schema: {type: 'string', minLength: 1, maxLength: limits.idempotencyKey, pattern: '^[!-~]([ -~]*[!-~])?$'},
};

function parametersOf(operation: AnyOperation, route: Route): JsonSchema[] {
	const counted = operation.many?.by === 'count' && route === listRoute(operation);
	return [
		...splitRoute(route).names.map(name => parameter('path', name, fieldAt(operation, name))),
		...Object.entries(fieldsOn(operation, route).query).map(([name, field]) => parameter('query', name, field)),
		...(counted ? [parameter('query', 'count', {json: {type: 'integer', minimum: 1, maximum: limits.batch}, summary: 'How many at most; then the answer is a list', optional: true})] : []),
		...(operation.keyed ? [idempotencyKey] : []),
	];
}

/** A body of one call. What the path says of it need not be repeated. */
function bodyOf(operation: AnyOperation, route: Route): JsonSchema {
	const {body} = fieldsOn(operation, route);
	const schema = {...objectJson(body), additionalProperties: false};
	const properties = Object.fromEntries(Object.entries(body).map(([name, {fields, summary, json}]) => {
		const said = Object.values(operation.places ?? {}).filter(([field]) => field === name).map(([, inner]) => inner);
		return [name, {...(fields ? {...json, ...objectJson(fields, said)} : json), description: `${summary}.`}];
	}));
	return {...schema, properties};
}

function requestBody(operation: AnyOperation, route: Route): JsonSchema | undefined {
	const one = bodyOf(operation, route);
	const required = one.required as string[];
	const isListed = operation.many?.by === 'list' && route === listRoute(operation);
	const many = {type: 'array', items: one, minItems: 1, maxItems: mostOf(operation)};
	if (isListed) {
		return {required: true, content: json(route === operation.route ? {oneOf: [one, many]} : many)};
	}

	return Object.keys(one.properties as Record<string, unknown>).length === 0 ? undefined : {required: required.length > 0, content: json(one)};
}

/** What stands in the answer to a list: the results where all stand or fall together, else a result or a problem for each. */
function entryOf({many}: AnyOperation, one: JsonSchema): JsonSchema {
	if (many?.by === 'count' || many?.isAtomic) {
		return one;
	}

	return {
		oneOf: [
			{type: 'object', properties: {result: one}, required: ['result'], additionalProperties: false},
			{type: 'object', properties: {problem: reference('Problem')}, required: ['problem'], additionalProperties: false},
		],
	};
}

function answerTo(name: OperationName, operation: AnyOperation, route: Route): JsonSchema {
	const one = answerOf[name];
	if (one === undefined) {
		return {204: {description: 'It is done.'}};
	}

	const many = operation.many && route === listRoute(operation) ? {type: 'array', items: entryOf(operation, one)} : undefined;
	const schema = many === undefined ? one : (route === operation.route ? {oneOf: [one, many]} : many);
	const stream = name === 'event.list' ? {'text/event-stream': {schema: {type: 'string', description: 'With this in the header Accept: a message `ready`, then one `change` for each event, from now on or after the header Last-Event-ID.'}}} : {};
	return {
		200: {
			description: operation.summary,
			headers: {'colonies-notice': {description: 'Sentences that are not errors, each percent-encoded, separated by a comma and a space.', schema: {type: 'string'}}},
			content: {...json(schema), ...stream},
		},
	};
}

/** Who may do it: root gives its password, everybody else signs. */
const securityOf = ({allow}: AnyOperation): JsonSchema[] => [
	...(allow.allowed.some(role => role !== 'root') || allow.self.length > 0 ? [{signature: []}] : []),
	...(allow.allowed.includes('root') ? [{root: []}] : []),
];

function operationOn(name: OperationName, operation: AnyOperation, route: Route): JsonSchema {
	const body = requestBody(operation, route);
	return {
		operationId: route === operation.route ? name : `${name}.list`,
		tags: [name.split('.')[0]],
		summary: operation.summary,
		description: operation.allow.refusal,
		parameters: parametersOf(operation, route),
		...(body === undefined ? {} : {requestBody: body}),
		responses: {...answerTo(name, operation, route), default: {$ref: '#/components/responses/Problem'}},
		security: securityOf(operation),
	};
}

const problem: JsonSchema = {
	type: 'object',
	properties: {
		type: {type: 'string', enum: Object.keys(errorCodes).map(code => problemType(code as ErrorCode))},
		title: {type: 'string'},
		status: {type: 'integer'},
		detail: {type: 'string', description: 'What is wrong, for people.'},
		code: {type: 'string', enum: Object.keys(errorCodes), description: Object.entries(errorCodes).map(([code, {status, meaning}]) => `\`${code}\` (${status}): ${meaning}`).join('\n')},
		hint: {type: 'string', description: 'What to do next, for people.'},
		instance: {type: 'string', description: 'The request as the log of the server names it.'},
	},
	required: ['type', 'title', 'status', 'detail', 'code'],
};

/** What a server says about itself: without a signature, but for its metrics. */
function ownPaths(): JsonSchema {
	const get = (operationId: string, summary: string, content: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
		get: {operationId, tags: ['server'], summary, security: [], responses: {200: {description: summary, content}, default: {$ref: '#/components/responses/Problem'}}, ...more},
	});
	const status = json({type: 'object', properties: {status: {type: 'string'}, reason: {type: 'string'}, readonly: {type: 'string', enum: ['standby', 'read-only']}, version: {type: 'string'}, schema: {type: 'integer'}}, required: ['status']});
	return {
		'/healthz': get('server.health', 'Whether the process lives.', status),
		'/readyz': get('server.readiness', 'Whether requests can be served: those that read, or with `write=1` all of them.', status, {
			parameters: [{name: 'write', in: 'query', schema: {type: 'string', enum: ['1']}, description: 'Ask for a server whose database takes changes.'}],
			responses: {
				200: {description: 'They can. The status is `read-only` where those that change something are refused.', content: status}, 503: {description: 'They cannot.', content: status},
			},
		}),
		'/openapi.json': get('server.description', 'This description.', json({type: 'object'})),
		'/metrics': get('server.metrics', 'Measurements in the text format of Prometheus.', {'text/plain': {schema: {type: 'string'}}}, {security: [{root: []}, {token: []}]}),
	};
}

/** The interface of this server as OpenAPI 3.1, out of the registry. */
export function describeApi(version: string): JsonSchema {
	const paths: Record<string, Record<string, unknown>> = {};
	for (const {name, operation, route} of everyRoute) {
		const {method, path} = splitRoute(route);
		paths[path] = {...paths[path], [method.toLowerCase()]: operationOn(name, operation, route)};
	}

	return {
		openapi: '3.1.0',
		info: {title: 'Colonies', version, description: 'Distributed work, signed and kept in PostgreSQL. How requests are signed stands in docs/protocol.md.', license: {name: 'MIT', identifier: 'MIT'}},
		paths: {...paths, ...ownPaths()},
		components: {
			schemas: {...answers, Problem: problem},
			responses: {Problem: {description: 'Why it was refused (RFC 9457).', content: {'application/problem+json': {schema: reference('Problem')}}}},
			securitySchemes: {
				signature: {type: 'apiKey', in: 'header', name: 'Signature', description: 'HTTP Message Signatures (RFC 9421) with the headers Signature-Input and, for a body, Content-Digest.'},
				root: {type: 'http', scheme: 'basic', description: 'The user root with the root password, over TLS only.'},
				token: {type: 'http', scheme: 'bearer', description: 'A token of `token.create`, for /metrics alone.'},
			},
		},
	};
}
