import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import fc from 'fast-check';
import {errorCodes, ColoniesError} from '../source/core/errors.ts';
import {
	type HttpRequest, type Scheme, newPrivateKey, prove, publicKeyOf, sha3, signatureAge, signatureAlgorithm, signHttp, verifyHttp,
} from '../source/identity/index.ts';

/** A request as it stands in the page and as the independent client reads it. */
type Written = {method: string; scheme?: Scheme; authority: string; target: string; body?: string; idempotencykey?: string};
type Vector = Written & {name: string; nonce: string; base: string[]; sha3: string; signature: string; headers: Record<string, string>};
type Page = {
	privatekey: string;
	publickey: string;
	id: string;
	/** Seconds since 1970. */
	created: number;
	vectors: Vector[];
	refused: Array<Partial<Written> & {vector: number; why: string; now?: number; headers?: Record<string, string>}>;
};

const client = fileURLToPath(new URL('fixtures/independent_client.py', import.meta.url));
const text = fs.readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
const written = text.split('\n## Vectors\n')[1]!.split('```json\n')[1]!.split('\n```')[0]!;
const page = JSON.parse(written) as Page;
const now = page.created * 1000;
const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'THERE IS NO python3: the protocol was not tested against a client that is not ours.';

const schemesOf = ({scheme = 'https'}: {scheme?: Scheme}): Scheme[] => [scheme];
const bytesOf = (body: string | undefined): Uint8Array | undefined => body === undefined ? undefined : Buffer.from(body);
const keyHeader = ({idempotencykey}: Partial<Written>): Record<string, string> => idempotencykey === undefined ? {} : {'idempotency-key': idempotencykey};

/** A request as it arrives with the headers of its signer. */
const arrived = ({method, scheme, authority, target, body, ...rest}: Written, headers: Record<string, string>): HttpRequest => ({
	method, scheme, authority, target, body: bytesOf(body), headers: {...keyHeader(rest), ...headers},
});

const signed = (key: string, {body, idempotencykey, ...request}: Written, nonce?: string): Record<string, string> =>
	signHttp(prove(key), {...request, body: bytesOf(body), idempotencyKey: idempotencykey}, {now, nonce});

/** What the independent client answers to a command. */
function ask<Answer>(command: string, input: string): Answer {
	const {status, stdout, stderr} = spawnSync('python3', [client, command], {input, encoding: 'utf8', maxBuffer: 100_000_000});
	assert.equal(status, 0, stderr);
	return JSON.parse(stdout) as Answer;
}

/** Requests of many forms, each with a key and nonce; the same ones in every run. */
const requests = fc.sample(fc.record({
	key: fc.constant(undefined).map(() => newPrivateKey()),
	method: fc.constantFrom('GET', 'POST', 'DELETE'),
	scheme: fc.constantFrom<Scheme>('https', 'http'),
	authority: fc.constantFrom('localhost:8080', 'Colonies.Example', 'colonies.example:443', 'localhost:80', '127.0.0.1:8443', '[::1]:8080'),
	target: fc.tuple(fc.array(fc.string({unit: 'grapheme'})), fc.option(fc.array(fc.tuple(fc.string({unit: 'grapheme'}), fc.string({unit: 'grapheme'}))), {nil: undefined}))
		.map(([names, pairs]) => `/${names.map(name => encodeURIComponent(name)).join('/')}${pairs ? `?${new URLSearchParams(pairs).toString()}` : ''}`),
	body: fc.option(fc.string({unit: 'grapheme'}), {nil: undefined}),
	idempotencykey: fc.option(fc.string({unit: fc.constantFrom(...'abcXYZ019-_" \\')}), {nil: undefined}),
	nonce: fc.string({unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 16, maxLength: 64}),
}), {numRuns: 40, seed: 20_270_101});

test('the vectors of the page are what is signed here, to the byte', () => {
	assert.equal(publicKeyOf(page.privatekey), page.publickey);
	assert.equal(prove(page.privatekey).id, page.id);
	assert.ok(page.vectors.length >= 6);
	for (const {name, nonce, base, sha3: digest, signature, headers, ...request} of page.vectors) {
		assert.deepEqual(signed(page.privatekey, request, nonce), headers, name);
		const signer = verifyHttp(arrived(request, headers), {now, schemes: schemesOf(request)});
		assert.equal(signer.base, base.join('\n'), name);
		assert.deepEqual([signer.id, signer.signature, sha3(signer.base), signer.body], [page.id, signature, digest, request.body], name);
	}
});

test('what the page says is refused is', () => {
	for (const {vector, why, now: at = page.created, headers, ...changes} of page.refused) {
		const {headers: own, name, ...request} = page.vectors[vector]!;
		assert.ok(verifyHttp(arrived(request, own), {now, schemes: schemesOf(request)}), name);
		assert.throws(() => verifyHttp(arrived({...request, ...changes}, {...own, ...headers}), {now: at * 1000, schemes: schemesOf(request)}), (error: unknown) => error instanceof ColoniesError && error.code === 'unauthenticated', why);
	}
});

test('the steps of the page show the first vector', () => {
	const [vector] = page.vectors;
	const steps = text.split('\n## Signing a request\n')[1]!.split('\n## What is refused\n')[0]!;
	const {headers} = vector!;
	for (const shown of [
		vector!.base.join('\n'),
		vector!.body!,
		vector!.sha3,
		vector!.signature,
		headers['content-digest']!,
		`Content-Digest: ${headers['content-digest']}\nSignature-Input: ${headers['signature-input']}\nSignature: ${headers.signature}\n`,
		`\n${headers['signature-input']!.slice('sig1='.length)}\n`,
		`alg="${signatureAlgorithm}"`,
	]) {
		assert.ok(steps.includes(shown), shown);
	}
});

test('the numbers, codes and sentences of the page are those of the program', () => {
	assert.ok(text.includes(`more than ${signatureAge.past} seconds behind`) && text.includes(`more than ${signatureAge.ahead} seconds ahead`));
	assert.equal(errorCodes.unauthenticated.status, 401);
	const [vector] = page.vectors;
	assert.throws(() => verifyHttp(arrived(vector!, vector!.headers), {now: now + 75_000}), (error: unknown) => {
		assert.ok(error instanceof ColoniesError);
		const {status, message, code, hint} = error;
		assert.ok(text.includes(JSON.stringify({type: `urn:colonies:error:${code}`, title: errorCodes[code].meaning, status, detail: message, code, hint}, undefined, 2)));
		return true;
	});
});

test('a client written from the page alone, in another language, computes its vectors', {skip}, () => {
	assert.deepEqual(ask('vectors', written), {checked: page.vectors.length + page.refused.length, faults: []});
	const altered = {...page, vectors: page.vectors.map(vector => ({...vector, nonce: `${vector.nonce}x`})), refused: [{vector: 0, why: 'nothing'}]};
	assert.ok(ask<{faults: string[]}>('vectors', JSON.stringify(altered)).faults.length >= page.vectors.length, 'It tells when they differ.');
});

test('what that client signs is accepted here, and is what is signed here', {skip}, () => {
	const answers = ask<Array<Record<string, string>>>('sign', JSON.stringify(requests.map(request => ({...request, created: page.created}))));
	assert.equal(answers.length, requests.length);
	for (const [index, {key, nonce, ...request}] of requests.entries()) {
		assert.equal(verifyHttp(arrived(request, answers[index]!), {now, schemes: schemesOf(request)}).id, prove(key).id);
		assert.deepEqual(answers[index], signed(key, request, nonce));
	}
});

test('what is signed here is accepted by that client, and nothing that was altered', {skip}, () => {
	const sent = requests.map(({key, nonce, ...request}) => ({...request, headers: {...keyHeader(request), ...signed(key, request)}, now: page.created}));
	const answers = ask<Array<{id?: string; base?: string}>>('verify', JSON.stringify(sent));
	for (const [index, {key, nonce, ...request}] of requests.entries()) {
		const {id, base} = verifyHttp(arrived(request, sent[index]!.headers), {now, schemes: schemesOf(request)});
		assert.deepEqual(answers[index], {id, base});
		assert.equal(id, prove(key).id);
	}

	const altered = sent.map(request => ({...request, target: `${request.target}x`}));
	for (const answer of ask<Array<{refused?: string}>>('verify', JSON.stringify(altered))) {
		assert.ok(answer.refused);
	}
});
