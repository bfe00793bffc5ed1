import assert from 'node:assert/strict';
import net from 'node:net';
import {after, suite, test} from 'node:test';
import * as v from 'valibot';
import {ColoniesError} from '../source/core/errors.ts';
import {connect} from '../source/index.ts';
import {
	type AnyOperation, type Field, type Fields, fieldsOn, listRoute, type OperationName, operations, parseInput, splitRoute,
} from '../source/operations/index.ts';
import {contents, openAny, openColony} from './support/colony.ts';
import {temporaryFolder} from './support/commands.ts';
import {failureOf} from './support/outcomes.ts';
import {type Answer, serveBare, signed} from './support/server.ts';

process.env.COLONIES_HOME = temporaryFolder();

type Input = Record<string, unknown>;

/** A wrong input made out of a right one. `path`: of the field at fault. */
type Wrong = {what: string; path: readonly string[]; input: Input; code?: 'too-large'; says: RegExp};

const database = await openAny();
const colony = await openColony(database);
const served = await serveBare(database);

/** A port where nobody answers: what a client throws there before it is sent, no server has seen. */
const nobody = await new Promise<number>(resolve => {
	const server = net.createServer().listen(0, '127.0.0.1', () => {
		const {port} = server.address() as net.AddressInfo;
		server.close(() => {
			resolve(port);
		});
	});
});
const client = await connect({host: '127.0.0.1', port: nobody, insecure: true, privateKey: colony.privateKeys[0]!});
after(async () => client.close());

const every = Object.entries(operations) as Array<[OperationName, AnyOperation]>;

/** A value that a field takes. */
function valueFor(field: Field): unknown {
	const {type, minimum, format, items, enum: choices} = field.json as {type?: string; minimum?: number; format?: string; items?: unknown; enum?: unknown[]};
	if (field.fields) {
		return Object.fromEntries(Object.entries(field.fields).map(([name, inner]) => [name, valueFor(inner)]));
	}

	const candidates = [choices?.[0], minimum, format === 'password' ? 'secret' : undefined, items ? [colony.id] : undefined, type === 'boolean' ? true : undefined, colony.id, '15m', '30d', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '2026-01-31T09:41:07Z', 'key=value', 'state:waiting', {key: 'value'}, '1.1', 'text', 'Mnwx'];
	const value = candidates.find(candidate => candidate !== undefined && v.is(field.schema, candidate));
	assert.notEqual(value, undefined, `This test knows no value for ${field.label}.`);
	return value;
}

const inputFor = ({input}: AnyOperation): Input => Object.fromEntries(Object.entries(input as Fields).map(([name, field]) => [name, valueFor(field)]));

/** A copy with another value at a path; names that mean something to JavaScript are names like others. */
function put(object: Input, [name, ...rest]: readonly string[], value: unknown): Input {
	const inner = rest.length === 0 ? value : put(object[name!] as Input, rest, value);
	return Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name!, inner]]);
}

function without(object: Input, [name, ...rest]: readonly string[]): Input {
	return rest.length === 0 ? Object.fromEntries(Object.entries(object).filter(([other]) => other !== name)) : put(object, [name!], without(object[name!] as Input, rest));
}

function deep(levels: number): unknown {
	let value: unknown = 1;
	for (let level = 0; level < levels; level++) {
		value = [value];
	}

	return value;
}

/** Every field, those of specs too, with its path. */
const fieldsOf = (fields: Fields, path: readonly string[] = []): Array<{path: readonly string[]; field: Field}> => Object.entries(fields).flatMap(([name, field]) => [{path: [...path, name], field}, ...(field.fields ? fieldsOf(field.fields, [...path, name]) : [])]);

const anObject = {a: {}};
const oddValues: readonly unknown[] = [null, true, 5.5, -1e300, [[]], anObject, 'no such thing \u0000'];

const tooDeep = /^The (?:input|body) has lists or objects in each other more than 16 levels deep\.$/;

/** Values that are too large for a field, by its own bounds. */
function tooLarge({json, kind}: Field): unknown[] {
	const {maxLength, maximum, maxItems, maxProperties} = json as Record<string, number | undefined>;
	return [
		...(maxLength === undefined ? (kind === 'text' || kind === 'choice' || kind === 'id' ? ['x'.repeat(5000)] : []) : ['x'.repeat(maxLength + 1)]),
		...(maximum === undefined ? [] : [maximum + 1, Number.MAX_VALUE]),
		...(maxItems === undefined ? [] : [Array.from({length: maxItems + 1}, (_, index) => index.toString(16).padStart(64, '0'))]),
		...(maxProperties === undefined ? [] : [Object.fromEntries(Array.from({length: maxProperties + 1}, (_, index) => [`key${index}`, '']))]),
	];
}

const escaped = (text: string): string => text.replaceAll('.', String.raw`\.`);

function wrongsOf(operation: AnyOperation, right: Input): Wrong[] {
	const objects = [[], ...fieldsOf(operation.input as Fields).filter(({field}) => field.fields).map(({path}) => path)];
	return [
		...fieldsOf(operation.input as Fields).flatMap(({path, field}): Wrong[] => {
			const misspelt = `${path.at(-1)!}x`;
			const value = path.length === 1 ? right[path[0]!] : (right[path[0]!] as Input)[path[1]!];
			const named = new RegExp(`^${escaped(path.join('.'))}\\b`);
			const isWrong = (candidate: unknown) => !v.is(field.schema, candidate);
			const odd = oddValues.filter(candidate => isWrong(candidate));
			assert.ok(odd.length >= 3, `${operation.name}: ${path.join('.')} takes too much.`);
			const saysOf = (candidate: unknown): RegExp => field.list !== undefined && typeof candidate === 'string' ? /filter/ : (field.fields && candidate === anObject ? /^Unknown field "a" in spec/ : named);
			return [
				{what: 'misspelt', path, input: put(without(right, path), [...path.slice(0, -1), misspelt], value), says: new RegExp(`^Unknown field "${misspelt}" in `)},
				...odd.map(candidate => ({what: `of a wrong kind (${JSON.stringify(candidate)})`, path, input: put(right, path, candidate), says: saysOf(candidate)})),
				...tooLarge(field).filter(candidate => isWrong(candidate)).map((candidate): Wrong => ({
					what: 'too large', path, input: put(right, path, candidate), says: saysOf(candidate), ...(Number(field.json.maxLength) > 1e6 ? {code: 'too-large'} : {}),
				})),
				{what: 'too deep', path, input: put(right, path, deep(17 - path.length)), says: tooDeep},
			];
		}),
		...objects.map(path => ({what: 'has something 100,000 levels deep', path, input: put(right, [...path, 'no-such'], deep(100_000)), says: tooDeep})),
		...objects.flatMap(path => ['__proto__', 'constructor', 'toString', 'no\u001Bsuch'].map(name => ({
			what: `has ${name}`, path, input: put(right, [...path, name], deep(2)), says: new RegExp(`^Unknown field "${name.replace('\u001B', '␛')}" in `),
		}))),
	];
}

/** One clear sentence, what to do next in another, and nothing that a terminal could obey. */
function isClear(message: string, hint: string | undefined, about: string): void {
	assert.match(message, /^[^\n]+\.$/, about);
	assert.match(hint ?? '', /^[^\n]+[.?]$/, `${about}: ${message} has no hint.`);
	assert.doesNotMatch(message + hint!, /[\0-\u001F\u007F-\u009F]|\[object|undefined|internal/, about);
	assert.ok(message.length < 300, `${about}: ${message}`);
}

/** The request of an input, made by hand: what a client of ours would not send. Unknown names stand where the others do. */
function requestFor(operation: AnyOperation, input: Input): {method: string; target: string; body?: unknown} {
	const {method, path, names} = splitRoute(operation.route);
	const {body, query} = fieldsOn(operation, operation.route);
	const rest = Object.entries(input).filter(([name]) => !names.includes(name));
	const hasBody = method === 'POST' || method === 'PUT';
	const inQuery = rest.filter(([name]) => !hasBody || Object.hasOwn(query, name) || (!Object.hasOwn(body, name) && Object.keys(body).length === 0));
	const asText = (value: unknown) => encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value));
	const inPath = (name: string): unknown => {
		const [outer, inner] = operation.places?.[name] ?? [name];
		return inner === undefined ? input[outer] : (input[outer] as Input | undefined)?.[inner];
	};

	return {
		method,
		target: path.replaceAll(/{(\w+)}/g, (_, name: string) => asText(inPath(name) ?? colony.id)) + (inQuery.length > 0 ? `?${inQuery.map(([name, value]) => `${encodeURIComponent(name)}=${asText(value)}`).join('&')}` : ''),
		...(hasBody ? {body: Object.fromEntries(rest.filter(entry => !inQuery.includes(entry)))} : {}),
	};
}

/** JSON of what is too deep for `JSON.stringify`. */
const jsonOf = (value: unknown): string => {
	try {
		return JSON.stringify(value);
	} catch {
		return JSON.stringify(value, (_, inner: unknown) => Array.isArray(inner) ? 'DEEP' : inner).replaceAll('"DEEP"', `${'['.repeat(100_000)}1${']'.repeat(100_000)}`);
	}
};

async function send(request: ReturnType<typeof requestFor>): Promise<Answer> {
	return served.send(signed(colony.owner, {...request, body: request.body === undefined ? undefined : new Uint8Array(Buffer.from(jsonOf(request.body)))}));
}

suite('what is not understood is refused', {concurrency: false}, async () => {
	const before = await contents(database);

	for (const [name, operation] of every) {
		const right = inputFor(operation);

		test(`${name}, in this process and by the package's client before anything is sent`, async () => {
			assert.doesNotThrow(() => parseInput(operation.input as Fields, right));
			for (const {what, path, input, code = 'invalid-input', says} of wrongsOf(operation, right)) {
				const about = `${name}: ${path.join('.')} ${what}`;
				const here = await failureOf(colony.broker.run({identity: colony.owner}, name, input));
				assert.ok(here instanceof ColoniesError, about);
				assert.equal(here.code, code, `${about}: ${here.message}`);
				assert.match(here.message, says, about);
				isClear(here.message, here.hint, about);
				const there = await failureOf(client.run(name, input));
				assert.deepEqual([there.code, there.message, there.hint], [here.code, here.message, here.hint], about);
			}
		});

		test(`${name}, over HTTP`, async () => {
			const {names} = splitRoute(operation.route);
			const {query, body} = fieldsOn(operation, operation.route);
			for (const {what, path, input, code = 'invalid-input', says} of wrongsOf(operation, right)) {
				const isText = Object.hasOwn(query, path[0] ?? '') || names.includes(path.at(-1) ?? '') || Object.entries(operation.places ?? {}).some(([, place]) => place.join('.') === path.join('.'));
				// An address is text, which has no types and no depth; what is misspelt there is another address.
				if ((what.includes('100,000') && Object.keys(body).length === 0) || (isText && (names.includes(path.at(-1)!) || operation.places !== undefined || what !== 'misspelt'))) {
					continue;
				}

				const answer = await send(requestFor(operation, input));
				const about = `${name}: ${path.join('.')} ${what}: ${answer.text.slice(0, 300)}`;
				assert.deepEqual([answer.status, answer.json?.code], [code === 'too-large' ? 413 : 400, code], about);
				assert.match(answer.json.detail, code === 'too-large' ? /MiB/ : says, about);
				isClear(answer.json.detail, answer.json.hint, about);
			}
		});

		test(`${name}, in its address`, async () => {
			const {query} = fieldsOn(operation, operation.route);
			for (const [field, definition] of Object.entries(query)) {
				for (const text of ['no such thing', '', '9'.repeat(5000), '{"a":1}', '\u0000']) {
					const request = requestFor(operation, {...right, [field]: text});
					if (v.is(definition.schema, /^\d+$/.test(text) && definition.kind === 'integer' ? Infinity : text)) {
						continue;
					}

					const answer = await send(request);
					assert.deepEqual([answer.status, answer.json?.code], [400, 'invalid-input'], `${name}: ${field}=${text.slice(0, 20)}: ${answer.text.slice(0, 300)}`);
					isClear(answer.json.detail, answer.json.hint, `${name}: ${field}`);
				}
			}

			for (const part of splitRoute(operation.route).names.filter(part => part !== 'entry')) {
				const answer = await send(requestFor(operation, operation.places?.[part] ? put(right, operation.places[part], 'x') : {...right, [part]: v.is((operation.input as Fields)[part]!.schema, 'x') ? '\u0000' : 'x'}));
				assert.deepEqual([answer.status, answer.json?.code], [400, 'invalid-input'], answer.text);
				assert.match(answer.json.detail, new RegExp(`\\b${part}|\\b${operation.places?.[part]?.[1] ?? part}`));
			}
		});

		if (operation.many?.by === 'list') {
			test(`${name}, which of a list it is`, async () => {
				const wrong = put(right, ['no-such'], 1);
				const number = /^Of the 2, number 2: Unknown field "no-such" in (?:the input|the body)\.$/;
				const here = await failureOf(colony.broker.runMany({identity: colony.owner}, name, [right, wrong]));
				const there = await failureOf(client.runMany(name, [right, wrong] as never));
				assert.match(here.message, number);
				assert.deepEqual([there.code, there.message], [here.code, here.message]);
				const {method, path} = splitRoute(listRoute(operation));
				const {body} = fieldsOn(operation, listRoute(operation));
				const inBody = (input: Input) => Object.fromEntries(Object.entries(input).filter(([field]) => Object.hasOwn(body, field) || field === 'no-such'));
				const answer = await send({method, target: path.replace('{colonyid}', colony.id), body: [inBody(right), inBody(wrong)]});
				assert.equal(answer.status, 400, answer.text);
				assert.match(answer.json.detail, number);
			});
		}
	}

	test('and nothing is changed', async () => {
		assert.deepEqual(await contents(database), before);
	});
});
