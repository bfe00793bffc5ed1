import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import type {JsonSchema} from '../source/operations/index.ts';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {conforms, document} from './support/openapi.ts';
import {Random} from './support/random.ts';
import {
	byRoot, serveBare, signed, type Answer, type Outgoing,
} from './support/server.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_124);
const requests = Number(process.env.FUZZ_REQUESTS ?? 4000);

type Parameter = {name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: JsonSchema};
type Described = {method: string; path: string; parameters: Parameter[]; body: JsonSchema | undefined; isForRoot: boolean};

/** Every operation of the document. */
const described: Described[] = Object.entries(document.paths as Record<string, Record<string, any>>).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]): Described => ({
	method: method.toUpperCase(), path, parameters: operation.parameters ?? [], body: operation.requestBody?.content['application/json'].schema,
	isForRoot: operation.security?.some((each: JsonSchema) => 'root' in each) && !operation.security.some((each: JsonSchema) => 'signature' in each),
})));

const oddTexts = ['', ' ', '\0', 'null', '-1', '1e309', 'NaN', '\u202E', '\uD800', '\u{1F600}'.repeat(50), 'a'.repeat(5000), '\'; drop table colonies; --', '%00', '../..', '{{7*7}}', '"', '\\', '\n', 'é', '0', 'true', '=', 'a=b', '[object Object]', '__proto__', 'constructor', '0.0', '9'.repeat(30)];
const oddNumbers = [0, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 63, -0, 1e-10];

/** What may come of somebody who writes clients in the dark. */
class Fuzzer {
	random = new Random(seed);

	/** @param ids those that there are, or were */
	constructor(readonly ids: string[], readonly signers: readonly Identity[]) {}

	/** Any JSON value at all. */
	anything(depth = 0): unknown {
		const {random} = this;
		switch (random.below(depth > 3 ? 6 : 8)) {
			case 0: {
				return null;
			}

			case 1: {
				return random.chance(0.5);
			}

			case 2: {
				return random.pick(oddNumbers);
			}

			case 3:
			case 4: {
				return random.pick(oddTexts);
			}

			case 5: {
				return this.id();
			}

			case 6: {
				return Array.from({length: random.below(4)}, () => this.anything(depth + 1));
			}

			default: {
				return Object.fromEntries(Array.from({length: random.below(4)}, () => [random.pick([...oddTexts, 'spec', 'colonyid', 'key', 'in']), this.anything(depth + 1)]));
			}
		}
	}

	id(): string {
		const {random} = this;
		const id = random.chance(0.9) ? random.pick(this.ids) : Array.from({length: 64}, () => random.below(16).toString(16)).join('');
		return random.chance(0.05) ? id.toUpperCase() : id;
	}

	/** A value that a schema allows. */
	valid(schema: JsonSchema): unknown {
		const {random} = this;
		const {type, pattern, minimum = 0, maximum = 100, items, oneOf} = schema as {type?: string; pattern?: string; minimum?: number; maximum?: number; items?: JsonSchema; oneOf?: JsonSchema[]};
		if (oneOf) {
			return this.valid(random.pick(oneOf));
		}

		if (schema.enum) {
			return random.pick(schema.enum as unknown[]);
		}

		switch (type) {
			case 'integer': {
				return random.pick([minimum, maximum, minimum + random.below(Math.min(maximum - minimum, 1000) + 1)]);
			}

			case 'number': {
				return minimum + random.next();
			}

			case 'boolean': {
				return random.chance(0.5);
			}

			case 'array': {
				return Array.from({length: 1 + random.below(3)}, () => this.value(items!));
			}

			case 'object': {
				return this.object(schema);
			}

			default: {
				return pattern?.includes('{64}') ? this.id() : (pattern?.includes('=') ? 'key=value' : random.pick(['name', 'type', 'x', 'väl']));
			}
		}
	}

	object({properties = {}, required = [], additionalProperties}: JsonSchema): unknown {
		const {random} = this;
		const object: Record<string, unknown> = {};
		for (const [name, schema] of Object.entries(properties as Record<string, JsonSchema>)) {
			if ((required as string[]).includes(name) ? !random.chance(0.03) : random.chance(0.4)) {
				object[name] = this.value(schema);
			}
		}

		if (typeof additionalProperties === 'object' || random.chance(0.05)) {
			object[random.pick(oddTexts)] = typeof additionalProperties === 'object' ? this.value(additionalProperties as JsonSchema) : this.anything();
		}

		return object;
	}

	/** Mostly what a schema allows. */
	value(schema: JsonSchema): unknown {
		return this.random.chance(0.06) ? this.anything() : this.valid(schema);
	}

	text(name: string, schema: JsonSchema): string {
		// Nobody waits here.
		const value = name === 'wait' && this.random.chance(0.8) ? 0.001 : this.value(schema);
		const text = (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
		return name === 'wait' && Number(text) > 0.01 ? '0.01' : text;
	}

	request({method, path, parameters, body, isForRoot}: Described): Outgoing {
		const {random} = this;
		const filled = path.replaceAll(/{(\w+)}/g, (_, name: string) => encodeURIComponent(this.text(name, parameters.find(parameter => parameter.name === name)!.schema)));
		const query = parameters.filter(parameter => parameter.in === 'query' && (parameter.required || random.chance(0.3))).map(({name, schema}) => `${encodeURIComponent(name)}=${encodeURIComponent(this.text(name, schema))}`);
		if (random.chance(0.03)) {
			query.push(random.pick(['count=1', 'x=1', '&&&', '%', '=', 'count', '%ff=%fe', 'a[]=1', '__proto__=x']));
		}

		const wire = {
			method: random.chance(0.02) ? random.pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) : method,
			target: (random.chance(0.01) ? `${filled}${random.pick(['/', '/x', '%', '%00', '//', ';a', '?'])}` : filled) + (query.length > 0 ? `?${query.join('&')}` : ''),
			body: body && !random.chance(0.03) ? this.bytes(path, body) : undefined,
		};
		return this.mutated(isForRoot ? byRoot(rootPassword, wire) : signed(random.pick(this.signers), wire, random.chance(0.2) ? {idempotencyKey: random.pick(['a', 'b', 'c', 'd e', '!'])} : {}));
	}

	bytes(path: string, schema: JsonSchema): Uint8Array {
		const value = this.value(schema) as {newrootpassword?: unknown} | null;
		if (path === '/rootpassword' && typeof value?.newrootpassword === 'string' && value.newrootpassword !== '') {
			// A wrong password would have to wait, and a right one takes its time.
			value.newrootpassword = this.random.chance(0.1) ? rootPassword : '';
		}

		const bytes = Buffer.from(JSON.stringify(value));
		const {random} = this;
		if (path !== '/rootpassword' && random.chance(0.03)) {
			const broken = random.chance(0.5) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
			if (broken.length > 0) {
				broken[random.below(broken.length)] = random.below(256);
			}

			return new Uint8Array(broken);
		}

		return new Uint8Array(bytes);
	}

	/** Now and then something of it changes on the way. */
	mutated({headers, ...rest}: Outgoing): Outgoing {
		const {random} = this;
		if (!random.chance(0.05)) {
			return {headers, ...rest};
		}

		const name = random.pick([...Object.keys(headers), 'content-type', 'content-encoding', 'idempotency-key', 'signature-input', 'accept', 'expect', 'x-any']);
		const value = random.pick(['', 'x', ',', 'sig1', ':::', '"', 'é', 'a'.repeat(300), 'gzip', 'application/json', 'sig1=();created=1', String(headers[name]).slice(0, -3)]);
		return {headers: name === 'authorization' || name === 'host' ? headers : {...headers, [name]: value}, ...rest};
	}

	/** Learns what there is now. */
	learn({json}: Answer): void {
		const found = [json?.processid, json?.attributeid, json?.[0]?.processid].filter(id => typeof id === 'string');
		for (const id of found) {
			this.ids[this.random.below(200) + 10] = String(id);
		}
	}
}

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;
const heap = (): number => {
	collect();
	collect();
	return process.memoryUsage().heapUsed;
};

test(`a server answers ${requests} requests out of its description, right and wrong ones, and never fails`, {timeout: 200_000}, async t => {
	const database = await openAny();
	const colony = await openColony(database);
	const other = await openColony(database, colony.broker);
	const computers = [await colony.computer(), await colony.computer({state: 'pending'}), await other.computer()];
	const served = await serveBare(database);
	const ids = [colony.id, colony.id, colony.id, other.id, ...computers.map(({id}) => id), ...Array.from({length: 220}, () => colony.id)];
	const fuzzer = new Fuzzer(ids, [colony.owner, colony.owner, computers[0]!, computers[0]!, ...computers, other.owner, createIdentity().identity]);
	const kept = described.filter(({path, method}) => !(path === '/colonies/{colonyid}' && method === 'DELETE') && path !== '/metrics');
	const statuses = new Map<number, number>();
	const began = performance.now();
	let sent = 0;
	let warm = 0;
	const worker = async () => {
		while (sent < requests) {
			const number = sent++;
			fuzzer.random = new Random(Math.imul(seed, 65_537) + number);
			const place = fuzzer.random.pick(kept);
			const outgoing = fuzzer.request(place);
			let answer: Answer;
			try {
				answer = await served.send(outgoing);
			} catch (error) {
				// Node does not send what is no header.
				assert.equal((error as {code?: string}).code, 'ERR_INVALID_CHAR', `Request ${number}: ${String(error)} for ${JSON.stringify(outgoing)}`);
				continue;
			}

			statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
			assert.ok(answer.status < 500, `Request ${number} of seed ${seed}: ${answer.text} for ${JSON.stringify({...outgoing, body: outgoing.body && Buffer.from(outgoing.body).toString()})}`);
			if (answer.status < 300 && outgoing.method === place.method) {
				conforms(place.path, place.method, answer);
			}

			fuzzer.learn(answer);
			if (number === Math.floor(requests / 4)) {
				warm = heap();
			}
		}
	};

	await Promise.all(Array.from({length: 8}, worker));
	const seconds = (performance.now() - began) / 1000;
	const grown = (heap() - warm) / 1_048_576;
	t.diagnostic(`${seconds.toFixed(1)} s; ${[...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(', ')}; ${grown.toFixed(1)} MiB more after the last than after a quarter`);
	assert.ok(grown < 16, `${grown.toFixed(1)} MiB`);
	for (const status of [200, 400, 401, 403, 404, 405, 409, 415]) {
		assert.ok(statuses.has(status), `No answer had ${status}.`);
	}

	assert.ok(statuses.get(200)! > requests / 10);
});
