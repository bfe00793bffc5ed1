import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {test} from 'node:test';
import fc from 'fast-check';
import {ColoniesError} from '../source/core/errors.ts';
import {
	contentDigest, createIdentity, type HttpRequest, type Identity, prove, sha3, signatureAlgorithm, Signer, signHttp, verifyHttp,
} from '../source/identity/index.ts';

const identity = prove('6d2fb6f546bacfd98c68769e61e0b44a697a30596c018a50e28200aa59b01c0a');
const now = 1_790_000_000_000;
const nonce = 'an-example-nonce-000001';
const few = {numRuns: 60};

type Unsigned = Omit<HttpRequest, 'headers' | 'body'> & {body?: Uint8Array; idempotencyKey?: string};

const plain: Unsigned = {method: 'POST', authority: 'colonies.example:8443', target: '/colonies/4f/processes?a=1', body: Buffer.from('{"cores":1}'), idempotencyKey: 'order-7'};

/** A request as it arrives, with the headers that its signer added. */
function arrived(unsigned: Unsigned, by: Identity = identity): HttpRequest {
	const {idempotencyKey, ...rest} = unsigned;
	return {...rest, headers: {host: unsigned.authority, ...(idempotencyKey === undefined ? {} : {'idempotency-key': idempotencyKey}), ...signHttp(by, unsigned, {now, nonce})}};
}

const withHeaders = (request: HttpRequest, headers: HttpRequest['headers']): HttpRequest => ({...request, headers: {...request.headers, ...headers}});

const isSentence = (text: unknown): boolean => typeof text === 'string' && /^[^\n]+\.$/.test(text);

/** That a request is refused, with a sentence and a hint and nothing of the program's inside. */
function refused(request: HttpRequest, expected = /./, at = now): void {
	assert.throws(() => verifyHttp(request, {now: at}), (error: unknown) => {
		assert.ok(error instanceof ColoniesError, String(error));
		assert.equal(error.code, 'unauthenticated');
		assert.match(error.message, expected);
		assert.ok(isSentence(error.message) && isSentence(error.hint), `${error.message} | ${error.hint}`);
		return true;
	});
}

/** Signs a Signature-Input of one's own over a base of one's own. */
function signedAs(request: HttpRequest, input: string, lines: readonly string[], by: Identity = identity): HttpRequest {
	const signature = Buffer.from(by.sign([...lines, `"@signature-params": ${input}`].join('\n')), 'hex').toString('base64');
	return withHeaders(request, {'signature-input': `mine=${input}`, signature: `mine=:${signature}:`});
}

const bare: HttpRequest = {method: 'GET', authority: 'colonies.example', target: '/colonies', headers: {host: 'colonies.example'}};
const bareLines = ['"@method": GET', '"@authority": colonies.example', '"@path": /colonies', '"@query": ?'];
const bareComponents = '"@method" "@authority" "@path" "@query"';
const parameters = `;created=${now / 1000};nonce="${nonce}";keyid="${identity.id}";alg="${signatureAlgorithm}"`;

const bodies = fc.option(fc.string({unit: 'binary'}).map(text => new Uint8Array(Buffer.from(text.toWellFormed()))), {nil: undefined});
const queries = fc.option(fc.dictionary(fc.string({unit: 'grapheme'}), fc.string({unit: 'grapheme'})).map(pairs => new URLSearchParams(Object.entries(pairs).map(([key, value]): [string, string] => [key.toWellFormed(), value.toWellFormed()])).toString()), {nil: undefined});
const requests: fc.Arbitrary<Unsigned> = fc.record({
	method: fc.constantFrom('GET', 'POST', 'DELETE'),
	authority: fc.constantFrom('localhost:8080', 'Colonies.Example', '[::1]:8443', '127.0.0.1:443'),
	target: fc.tuple(fc.array(fc.string({unit: 'grapheme'})), queries).map(([names, query]) => `/${names.map(name => encodeURIComponent(name.toWellFormed())).join('/')}${query === undefined ? '' : `?${query}`}`),
	body: bodies,
	idempotencyKey: fc.option(fc.string({unit: fc.constantFrom(...'abcXYZ019-_ ".')}), {nil: undefined}),
});

test('whoever signed a request is found from it, whatever its query and body', () => {
	fc.assert(fc.property(requests, unsigned => {
		const signer = verifyHttp(arrived(unsigned), {now});
		assert.ok(Signer.isProved(signer));
		assert.deepEqual([signer.id, signer.nonce, signer.created], [identity.id, nonce, now / 1000]);
		assert.equal(signer.body, unsigned.body?.length ? Buffer.from(unsigned.body).toString('utf8') : undefined);
		assert.equal(identity.sign(signer.base), signer.signature);
	}), few);
});

test('the base has the lines of RFC 9421, and the headers are in its form', () => {
	const request = arrived(plain);
	const {base} = verifyHttp(request, {now});
	const digest = contentDigest(plain.body!);
	const input = `("@method" "@authority" "@path" "@query" "content-digest" "idempotency-key")${parameters}`;
	assert.equal(base, [
		'"@method": POST',
		'"@authority": colonies.example:8443',
		'"@path": /colonies/4f/processes',
		'"@query": ?a=1',
		`"content-digest": ${digest}`,
		'"idempotency-key": order-7',
		`"@signature-params": ${input}`,
	].join('\n'));
	assert.equal(request.headers['signature-input'], `sig1=${input}`);
	assert.equal(request.headers.signature, `sig1=:${Buffer.from(identity.sign(base), 'hex').toString('base64')}:`);
	assert.equal(request.headers['content-digest'], digest);
});

test('digests are those of RFC 9530', () => {
	assert.equal(contentDigest(Buffer.from('{"hello": "world"}\n')), 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:');
	assert.equal(contentDigest(Buffer.from('{"hello": "world"}')), 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:');
});

test('authorities are compared in lowercase and without the port of https; queries without decoding', () => {
	const lines = (authority: string, target: string) => verifyHttp(arrived({method: 'GET', authority, target}), {now}).base.split('\n').slice(1, 4);
	assert.deepEqual(lines('COLONIES.example:443', '/a%2Fb'), ['"@authority": colonies.example', '"@path": /a%2Fb', '"@query": ?']);
	assert.deepEqual(lines('[2001:DB8::1]:', '/?'), ['"@authority": [2001:db8::1]', '"@path": /', '"@query": ?']);
	assert.deepEqual(lines('localhost:80', '/a?x=%c3%a9+b&y=?'), ['"@authority": localhost:80', '"@path": /a', '"@query": ?x=%c3%a9+b&y=?']);
});

test('over plain HTTP it is the port of http that is left out, and a proxy may have been reached over https', () => {
	for (const [authority, scheme, expected] of [
		['localhost:80', 'http', 'localhost'], ['localhost:443', 'http', 'localhost:443'], ['localhost:80', 'https', 'localhost:80'], ['localhost:443', 'https', 'localhost'], ['localhost:8080', 'http', 'localhost:8080'],
	] as const) {
		const unsigned = {method: 'GET', authority, target: '/colonies', scheme};
		const request = {method: 'GET', authority, target: '/colonies', headers: signHttp(identity, unsigned, {now, nonce})};
		const {base, id} = verifyHttp(request, {now, schemes: ['http', 'https']});
		assert.deepEqual([id, base.split('\n')[1]], [identity.id, `"@authority": ${expected}`]);
		assert.equal(verifyHttp(request, {now, schemes: [scheme]}).base, base);
	}

	const elsewhere = {method: 'GET', authority: 'localhost:81', target: '/colonies', headers: signHttp(identity, {method: 'GET', authority: 'localhost', target: '/colonies', scheme: 'http'}, {now, nonce})};
	assert.throws(() => verifyHttp(elsewhere, {now, schemes: ['http', 'https']}), /not by its keyid/);
});

test('a sha-512 beside the sha-256 has to fit as well, and what is too weak to say anything is not looked at', () => {
	const body = Buffer.from('{"cores":1}');
	const digest = (text: string) => `sha-512=:${createHash('sha512').update(text).digest('base64')}:`;
	const signedWith = (extra: string) => {
		const request = {...plain, idempotencyKey: undefined, body};
		const headers = {'content-digest': `${contentDigest(body)}, ${extra}`};
		const lines = ['"@method": POST', '"@authority": colonies.example:8443', '"@path": /colonies/4f/processes', '"@query": ?a=1', `"content-digest": ${headers['content-digest']}`];
		return signedAs({...request, headers: {host: plain.authority, ...headers}}, `("@method" "@authority" "@path" "@query" "content-digest")${parameters}`, lines);
	};

	assert.equal(verifyHttp(signedWith(digest('{"cores":1}')), {now}).id, identity.id);
	assert.equal(verifyHttp(signedWith('md5=:AAAA:'), {now}).id, identity.id);
	for (const wrong of [digest('{"cores":2}'), 'sha-512=:AAAA:', 'sha-512=5']) {
		assert.throws(() => verifyHttp(signedWith(wrong), {now}), /does not fit its content-digest by sha-512/);
	}
});

test('nothing that is covered can be altered', () => {
	const other = createIdentity().identity;
	fc.assert(fc.property(requests.filter(({body, idempotencyKey}) => Boolean(body?.length) && idempotencyKey !== undefined), fc.nat(), fc.integer({min: 1, max: 255}), (unsigned, at, by) => {
		const request = arrived(unsigned);
		const body = Uint8Array.from(request.body!);
		body[at % body.length]! += by;
		const input = String(request.headers['signature-input']);
		const altered: Record<string, HttpRequest> = {
			method: {...request, method: 'PUT'},
			authority: {...request, authority: 'elsewhere.example'},
			path: {...request, target: `/x${request.target}`},
			query: {...request, target: `${request.target}${request.target.includes('?') ? '&' : '?'}x=1`},
			body: {...request, body},
			noBody: {...request, body: undefined},
			digest: withHeaders(request, {'content-digest': contentDigest(body)}),
			bodyAndDigest: {...withHeaders(request, {'content-digest': contentDigest(body)}), body},
			noDigest: withHeaders(request, {'content-digest': undefined}),
			key: withHeaders(request, {'idempotency-key': `${unsigned.idempotencyKey}x`}),
			noKey: withHeaders(request, {'idempotency-key': undefined}),
			created: withHeaders(request, {'signature-input': input.replace(/created=(\d+)/, `created=${(now / 1000) - 1}`)}),
			nonce: withHeaders(request, {'signature-input': input.replace(nonce, `${nonce}x`)}),
			keyid: withHeaders(request, {'signature-input': input.replace(identity.id, other.id)}),
			order: withHeaders(request, {'signature-input': input.replace('"@method" "@authority"', '"@authority" "@method"')}),
			signature: withHeaders(request, {signature: String(arrived({...unsigned, method: 'PUT'}).headers.signature)}),
		};
		for (const each of Object.values(altered)) {
			refused(each);
		}
	}), few);
});

test('a signature is refused for what it leaves out, one component at a time', () => {
	const request = arrived(plain);
	for (const name of ['@method', '@authority', '@path', '@query', 'content-digest', 'idempotency-key']) {
		const input = String(request.headers['signature-input']).replace(`"${name}"`, '').slice('sig1='.length);
		refused(withHeaders(request, {'signature-input': `sig1=${input}`}), new RegExp(`does not cover "${name}"`));
	}

	for (const [name, expected] of [['created', /no parameter created/], ['nonce', /no parameter nonce/], ['keyid', /no parameter keyid/], ['alg', /no parameter alg/]] as const) {
		refused(withHeaders(request, {'signature-input': String(request.headers['signature-input']).replace(new RegExp(`;${name}=(?:"[^"]*"|\\d+)`), '')}), expected);
	}
});

test('a signature of another time is refused with the difference of the clocks', () => {
	const request = arrived(plain);
	for (const at of [now, now + 60_000, now - 5000]) {
		assert.equal(verifyHttp(request, {now: at}).id, identity.id);
	}

	refused(request, /signed 75 seconds ago by the clock of this server; at most 60 /, now + 75_000);
	refused(request, /signed 61 seconds ago/, now + 60_500);
	refused(request, /signed 3600 seconds ahead of the clock of this server; at most 5 /, now - 3_600_000);
	refused(signedAs(bare, `(${bareComponents})${parameters};expires=${(now / 1000) - 3}`, bareLines), /expired 3 seconds ago/);
	assert.throws(() => verifyHttp(request, {now: now + 75_000}), ({hint}: ColoniesError) => (hint!).includes('clock'));
});

test('each fault of a signature has a sentence of its own', () => {
	const request = arrived(plain);
	const input = String(request.headers['signature-input']);
	const signature = String(request.headers.signature);
	const bytes = Buffer.from(signature.slice('sig1=:'.length, -1), 'base64');
	const order = 0xFF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FF_FE_BA_AE_DC_E6_AF_48_A0_3B_BF_D2_5E_8C_D0_36_41_41n;
	const s = order - BigInt(`0x${bytes.toString('hex', 32, 64)}`);
	const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), Buffer.from([1 - bytes[64]!])]);
	const header = (value: Uint8Array): HttpRequest['headers'] => ({signature: `sig1=:${Buffer.from(value).toString('base64')}:`});
	const cases: ReadonlyArray<readonly [HttpRequest['headers'], RegExp]> = [
		[{'signature-input': undefined}, /no header signature-input/],
		[{signature: undefined}, /no header signature\./],
		[{'signature-input': ''}, /has no signature/],
		[{'signature-input': 'sig1'}, /has no signature/],
		[{'signature-input': 'sig1=("@method"'}, /header signature-input is malformed: expected a whitespace or \) after every item in an inner list at offset 15\./],
		[{'signature-input': `${input},`}, /malformed/],
		[{'signature-input': `Sig1${input.slice(4)}`}, /malformed: a key must begin with an asterisk or letter \(a-z\) at offset 0/],
		[{signature: 'sig1=:a:'}, /malformed/],
		[{signature: signature.replace('sig1', 'sig2')}, /nothing under the label sig1/],
		[{signature: 'sig1="text"'}, /no byte sequence of 65/],
		[header(bytes.subarray(0, 64)), /no byte sequence of 65/],
		[header(twin), /low s/],
		[header(Buffer.concat([bytes.subarray(0, 64), Buffer.from([2])])), /v of 0 or 1/],
		[{'signature-input': input.replace(signatureAlgorithm, 'hmac-sha256')}, /unknown alg "hmac-sha256"/],
		[{'signature-input': `${input}, other=${input.slice('sig1='.length)}`}, /has 2 signatures/],
		[{'signature-input': input.replace(identity.id, identity.id.toUpperCase())}, /keyid is no string of 64/],
		[{'signature-input': input.replace(nonce, 'short')}, /nonce is no string of 16 to 64/],
		[{'signature-input': input.replace(nonce, 'n'.repeat(65))}, /nonce is no string/],
		[{'signature-input': input.replace(/created=\d+/, '$&.0')}, /malformed: the decimal \d{10}\.0 must be written as an integer/],
		[{'signature-input': input.replace(/created=\d+/, '$&.5')}, /created is no integer/],
		[{'signature-input': input.replace(/created=\d+/, 'created="1"')}, /created is no integer/],
		[{'signature-input': input.replace(/;created=/, ';created=@')}, /malformed/],
		[{'signature-input': `${input};x=@1790000000`}, /malformed: dates are not allowed/],
		[{'signature-input': `${input};x=%"a%c3%a9"`}, /malformed: display strings are not allowed/],
		[{'signature-input': input.replace('"@method"', '"@method" "@method"')}, /covers "@method" twice/],
		[{'signature-input': input.replace('"@method"', '"@method";req')}, /with a parameter/],
		[{'signature-input': input.replace('"@method"', '"@method" token')}, /is no string/],
		[{'signature-input': input.replace('"@method"', '"@method" "@scheme"')}, /"@scheme" cannot be covered/],
		[{'signature-input': input.replace('"@method"', '"@method" "x-absent"')}, /"x-absent", but the request has no such header/],
		[{'signature-input': input.replace('"@method"', '"@method" "constructor"')}, /"constructor", but the request has no such header/],
		[{'content-digest': 'sha-512=:AAAA:'}, /no digest by sha-256/],
		[{'content-digest': 'sha-256=:AAAA:'}, /does not fit/],
		[{'content-digest': 'nonsense!'}, /content-digest is malformed/],
		[{'idempotency-key': 'a\r\n b'}, /idempotency-key holds something else/],
		[{'idempotency-key': 'schlüssel'}, /idempotency-key holds something else/],
	];
	for (const [headers, expected] of cases) {
		refused(withHeaders(request, headers), expected);
	}

	refused({...request, target: 'https://colonies.example/colonies'}, /is no path/);
	refused({...request, target: '/colonies#x'}, /is no path/);
	refused({...request, authority: 'user@host'}, /is no authority/);
	refused({...request, method: 'GET /'}, /is no method/);
	refused(arrived({...plain, body: Uint8Array.of(0xFF, 0xFE)}), /no text in UTF-8/);
});

test('a signature over another base is told what the base is here', () => {
	const request = {...arrived({...bare}), target: '/other'};
	const base = [...bareLines.with(2, '"@path": /other'), `"@signature-params": (${bareComponents})${parameters}`].join('\n');
	assert.throws(() => verifyHttp(request, {now}), ({message, hint}: ColoniesError) => message.includes('not by its keyid') && hint!.includes(sha3(base)) && hint!.includes(String(base.length)));
});

test('the whole grammar of the headers is read, and put into its canonical form', () => {
	const more = `;created=${now / 1000};tag="a\\"b";x;y=?0;z=1.50;t=tok/en;b=:AQI=:`;
	const rest = `;keyid="${identity.id}";nonce="${nonce}";alg="${signatureAlgorithm}"`;
	const headers = {'x-list': ['  a', 'b\t '], 'x-empty': '', date: 'Tue'};
	const request = withHeaders(bare, headers);
	const lines = ['"x-list": a, b', '"@query": ?', '"x-empty": ', '"@path": /colonies', '"@request-target": /colonies', '"@authority": colonies.example', '"date": Tue', '"@method": GET'];
	const components = lines.map(line => line.slice(0, line.indexOf(':')));
	const signed = signedAs(request, `(${components.join(' ')})${more.replace('1.50', '1.5')}${rest}`, lines);
	assert.equal(verifyHttp(signed, {now}).id, identity.id);

	const spread = `proxy=("@method");created=1;alg="ed25519" ,\t mine=(  ${components.join('   ')} )${`${more}${rest}`.replaceAll(';', ';  ')}, flag`;
	assert.equal(verifyHttp(withHeaders(signed, {'signature-input': spread, signature: ['proxy=:AAAA:', String(signed.headers.signature).replaceAll('=:', ':').replace('mine:', 'mine=:')]}), {now}).id, identity.id);
});

test('no parameter verifies as another than was signed', () => {
	const verifies = (signed: string, sent: string): boolean => {
		const rest = `(${bareComponents})${parameters}`;
		const request = signedAs(bare, `${rest}${signed}`, bareLines);
		try {
			return verifyHttp(withHeaders(request, {'signature-input': `mine=${rest}${sent}`}), {now}).id === identity.id;
		} catch (error) {
			assert.ok(error instanceof ColoniesError && error.code === 'unauthenticated', String(error));
			return false;
		}
	};

	// What means the same is put into one form; everything else differs, or is refused.
	for (const [canonical, ...sent] of [
		[';x=1', ';x=1', ';x=01', '; x=1', ';x=2;x=1'],
		[';x=1.5', ';x=1.5', ';x=1.50', ';x=01.500'],
		[';x="1"', ';x="1"'],
		[';x=:AQI=:', ';x=:AQI=:', ';x=:AQI:'],
		[';x', ';x', ';x=?1'],
		[';x=?0', ';x=?0'],
		[';x=a', ';x=a'],
		[String.raw`;x="\\\""`, String.raw`;x="\\\""`],
		[';x=2;y=1', ';x=1;y=1;x=2'],
	]) {
		for (const each of sent) {
			assert.ok(verifies(canonical!, each), `${each} for ${canonical}`);
		}
	}

	for (const signed of [';x=1.0', ';x=-1.000', ';x=@1', ';x=%"1"', ';x=1', ';x="1"', ';x=:MQ==:', ';x=a1', ';x=?1', '']) {
		for (const sent of [';x=1.0', ';x=1.00', ';x=-1.0', ';x=@1', ';x=@-1', ';x=%"1"', ';x=%"%31"']) {
			assert.ok(!verifies(signed, sent), `${sent} for ${signed}`);
		}
	}

	for (const [signed, sent] of [[';x=1', ';x="1"'], [';x=1', ';x=1.1'], [';x=a', ';x="a"'], [';x="AQI="', ';x=:AQI=:'], [';x=?1', ';x=1'], [';x;y', ';y;x'], [';__proto__=1', ''], [';constructor', ';x']]) {
		assert.ok(!verifies(signed!, sent!) && !verifies(sent!, signed!), `${sent} for ${signed}`);
	}

	// What only looks like a decimal is none, and names that every object has are names like others.
	for (const same of [';x="a=1.0 1.0"', String.raw`;x="\"=1.0"`, ';x=a1.0', ';a1.0=2', ';x=1.05', ';constructor=1;tostring;*x="a"']) {
		assert.ok(verifies(same, same), same);
	}
});

test('what is garbled is refused, whatever it is', () => {
	const names = ['signature-input', 'signature', 'content-digest', 'idempotency-key'] as const;
	const request = arrived(plain);
	const pieces = fc.constantFrom('sig1', '=', '(', ')', '"@method"', '"@query"', '"', '\\', ';', ',', ' ', ':', '?1', 'created', '-', '9'.repeat(15), '1.5', ':AAAA:', 'alg', `"${signatureAlgorithm}"`, '\n', '\0', 'é');
	const garbled = fc.oneof(fc.string({unit: 'binary'}), fc.array(pieces).map(parts => parts.join('')), fc.array(fc.string()));
	fc.assert(fc.property(fc.constantFrom(...names), garbled, (name, value) => {
		fc.pre(Array.isArray(value) || value.trim() !== request.headers[name]);
		refused(withHeaders(request, {[name]: value}));
	}), {numRuns: 500});
	fc.assert(fc.property(fc.constantFrom(...names), fc.nat(), garbled, fc.nat(3), (name, at, value, cut) => {
		const text = String(request.headers[name]);
		const place = at % text.length;
		const altered = `${text.slice(0, place)}${String(value)}${text.slice(place + cut)}`;
		try {
			verifyHttp(withHeaders(request, {[name]: altered}), {now});
		} catch (error) {
			assert.ok(error instanceof ColoniesError && error.code === 'unauthenticated', String(error));
		}
	}), {numRuns: 500});
});

test('headers of a megabyte are read in linear time', () => {
	const request = arrived(plain);
	const long = (piece: string): string => piece.repeat(Math.ceil(1_000_000 / piece.length));
	const input = String(request.headers['signature-input']);
	for (const headers of [
		{'signature-input': `sig1=(${long(' ')}x`},
		{'signature-input': `sig1=(${long('"a" ')})`},
		{'signature-input': `sig1="${long(String.raw`\"`)}`},
		{'signature-input': `sig1="${long('a')}`},
		{'signature-input': input.replace('"@method"', Array.from({length: 60_000}, (_, index) => `"x${index}"`).join(' ') + ' "@method"')},
		{'signature-input': `${long('a=1,')}${input}${long(';a')}`},
		{signature: `sig1=:${long('A')}`},
		{signature: `sig1=:${long('=')}:`},
		{signature: `${long('a, ')}sig1=1`},
		{'idempotency-key': `x${long(' ')}x`},
		{'content-digest': long('a=();b;c, ')},
		{'signature-input': `${input};x="${long(' =1.0')}`},
		{'signature-input': `${input};x="${long(' =1')}"`},
	]) {
		const start = performance.now();
		refused(withHeaders(request, headers));
		// Quadratic would be minutes.
		assert.ok(performance.now() - start < 3000, Object.keys(headers)[0]);
	}
});

test('nobody but verifyHttp makes a signer', () => {
	const signer = verifyHttp(arrived(plain), {now});
	for (const forged of [undefined, null, identity, {...signer}, structuredClone(signer), Object.create(signer), Object.create(Signer.prototype)]) {
		assert.ok(!Signer.isProved(forged));
	}

	const Constructor = Signer as unknown as new (...values: unknown[]) => Signer;
	for (const token of [undefined, true, Symbol('proved by a signature'), signer]) {
		assert.throws(() => new Constructor(token, {...signer}), TypeError);
	}

	assert.throws(() => {
		(signer as {id: string}).id = 'another';
	}, TypeError);
	assert.equal(JSON.stringify({signer}), JSON.stringify({signer: {id: identity.id, nonce, created: now / 1000}}));
});

test('nonces are new for each request, and what cannot be signed is refused', () => {
	const nonces = Array.from({length: 50}, () => /nonce="([\w-]{22})"/.exec(signHttp(identity, plain)['signature-input']!)![1]);
	assert.equal(new Set(nonces).size, 50);
	const refuses = (request: Partial<Unsigned>, options?: {nonce?: string}): void => {
		assert.throws(() => signHttp(identity, {...plain, ...request}, options), (error: unknown) => error instanceof ColoniesError && error.code === 'invalid-input' && isSentence(error.message) && isSentence(error.hint));
	};

	refuses({target: 'colonies'});
	refuses({target: '/a b'});
	refuses({target: '/é'});
	refuses({authority: ''});
	refuses({method: ''});
	refuses({idempotencyKey: 'a\nb'});
	refuses({}, {nonce: 'short'});
	assert.deepEqual(Object.keys(signHttp(identity, {...plain, body: new Uint8Array()})).sort(), ['signature', 'signature-input']);
});
