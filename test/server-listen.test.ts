import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {test} from 'node:test';
import tls from 'node:tls';
import {fileURLToPath} from 'node:url';
import type {ColoniesError, ErrorCode} from '../source/core/errors.ts';
import {listen, type ListenOptions} from '../source/server/index.ts';
import {openAny, openColony, untilBlocked} from './support/colony.ts';
import {noPostgres} from './support/databases.ts';
import {
	newCertificate, problem, serve, signed, testCertificate, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);

/** Shakes hands and gives what was agreed on; rejects when it is not. */
const shake = async (port: number, options: tls.ConnectionOptions): Promise<{fingerprint: string; protocol: string | null; alpn: string | false | null}> => new Promise((resolve, reject) => {
	const socket = tls.connect({port, host: '127.0.0.1', servername: 'localhost', ...options}, () => {
		resolve({fingerprint: socket.getPeerX509Certificate()!.fingerprint256.replaceAll(':', '').toLowerCase(), protocol: socket.getProtocol(), alpn: socket.alpnProtocol});
		socket.end();
	});
	socket.once('error', reject);
});

test('TLS is 1.2 or newer, and HTTP is 1.1', async () => {
	const {port} = await serve(database, {secure: true});
	const {cert: ca, fingerprint} = await testCertificate();
	assert.deepEqual(await shake(port, {ca, ALPNProtocols: ['h2', 'http/1.1']}), {fingerprint, protocol: 'TLSv1.3', alpn: 'http/1.1'});
	assert.equal((await shake(port, {ca, maxVersion: 'TLSv1.2'})).protocol, 'TLSv1.2');
	await assert.rejects(shake(port, {ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0'}));
	await assert.rejects(shake(port, {ca, ALPNProtocols: ['h2']}));
	await assert.rejects(shake(port, {}), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
	assert.equal((await shake(port, {ca, servername: ''})).fingerprint, fingerprint, 'by its address');
	await assert.rejects(shake(port, {ca, servername: 'elsewhere.test'}), {code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
});

test('another certificate is taken without a pause, and one that does not fit is not', async () => {
	const served = await serve(database, {secure: true});
	const [first, second] = [await testCertificate(), await newCertificate()];
	const request = signed(colony.owner, wire('colony.get', {colonyid: colony.id}));
	assert.equal((await served.send(request)).status, 200);
	served.listening.reload(second);
	assert.equal((await served.send(request)).status, 200, 'on the connection that stands');
	assert.equal((await shake(served.port, {ca: second.cert})).fingerprint, second.fingerprint);
	await assert.rejects(shake(served.port, {ca: first.cert}));
	assert.equal((await shake(served.port, {ca: second.cert, ALPNProtocols: ['http/1.1']})).alpn, 'http/1.1');
	await assert.rejects(shake(served.port, {ca: second.cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0'}));
	for (const wrong of [{cert: first.cert, key: second.key}, {cert: 'text', key: second.key}, {cert: first.cert, key: ''}]) {
		assert.throws(() => {
			served.listening.reload(wrong);
		}, {code: 'invalid-input'});
	}

	assert.equal((await shake(served.port, {ca: second.cert})).fingerprint, second.fingerprint);
});

test('why a server cannot listen is said in one sentence', async () => {
	const {context, port} = await serve(database);
	const [one, two] = [await testCertificate(), await newCertificate()];
	const cases: Array<[Partial<ListenOptions>, ErrorCode, RegExp]> = [
		[{port}, 'unavailable', new RegExp(`^Port ${port} on 127.0.0.1 is taken by another program.$`)],
		[{host: '192.0.2.1', tls: one}, 'invalid-input', /no address "192.0.2.1"/],
		[{host: '0.0.0.0'}, 'invalid-input', /^Without a certificate the server listens on this machine alone, not on "0.0.0.0".$/],
		[{host: '::'}, 'invalid-input', /this machine alone/],
		[{host: 'example.com'}, 'invalid-input', /this machine alone/],
		[{tls: {cert: one.cert, key: two.key}}, 'invalid-input', /^The private key does not fit the certificate.$/],
		[{tls: {cert: 'nonsense', key: one.key}}, 'invalid-input', /^The certificate cannot be read.$/],
		[{tls: {cert: one.cert, key: 'nonsense'}}, 'invalid-input', /^The private key cannot be read.$/],
	];
	for (const [options, code, message] of cases) {
		await assert.rejects(listen({context, version: '0', host: '127.0.0.1', port: 0, ...options}), (error: ColoniesError) => {
			assert.equal(error.code, code, error.stack);
			assert.match(error.message, message);
			return true;
		});
	}
});

test('closing answers what is under way and ends all waiting; new requests go elsewhere', {skip: noPostgres}, async () => {
	const served = await serve(database);
	const computer = await colony.computer();
	const pending = await colony.computer({state: 'pending'});
	const waiting = served.send(signed(computer, wire('process.assign', {colonyid: colony.id, wait: 60})));
	let release: () => void = () => undefined;
	const locked = new Promise<void>(resolve => {
		release = resolve;
	});
	const held = new Promise<void>(resolve => {
		void database.transaction(async client => {
			await client.query('select from colonies.computers where computer_id = colonies.bytes_of($1) for update', [pending.id]);
			resolve();
			await locked;
		});
	});
	await held;
	const approval = served.send(signed(colony.owner, wire('computer.approve', {colonyid: colony.id, computerid: pending.id})));
	await untilBlocked(database, approval);
	while (served.context.broker.waiting.size === 0) {
		await new Promise(setImmediate);
	}

	const closed = served.listening.close();
	problem(await waiting, 404, 'nothing-to-assign');
	await assert.rejects(served.send({method: 'GET', target: '/openapi.json', headers: {}}, {agent: false}), {code: 'ECONNREFUSED'});
	release();
	const {status, headers} = await approval;
	assert.equal(status, 200);
	assert.equal(headers.connection, 'close');
	await closed;
});

test('what does not come to its end is cut off after a while', {skip: noPostgres}, async () => {
	const served = await serve(database, {patience: 200});
	const pending = await colony.computer({state: 'pending'});
	let release: () => void = () => undefined;
	const locked = new Promise<void>(resolve => {
		release = resolve;
	});
	await new Promise<void>(resolve => {
		void database.transaction(async client => {
			await client.query('select from colonies.computers where computer_id = colonies.bytes_of($1) for update', [pending.id]);
			resolve();
			await locked;
		});
	});
	const approval = served.send(signed(colony.owner, wire('computer.approve', {colonyid: colony.id, computerid: pending.id})), {agent: false});
	const stuck = assert.rejects(approval, {code: 'ECONNRESET'});
	await untilBlocked(database, approval);
	await served.listening.close();
	await stuck;
	release();
});

test('ten thousand idle connections hurt nobody', {timeout: 120_000}, async t => {
	const served = await serve(database);
	const wanted = 10_000;
	const script = fileURLToPath(new URL('support/idle-connections.ts', import.meta.url));
	const child = spawn(process.execPath, ['--import', 'tsx', script, String(served.port), String(wanted)], {stdio: ['pipe', 'pipe', 'inherit']});
	t.after(() => child.kill('SIGKILL'));
	const before = process.memoryUsage().rss;
	const opened = await new Promise<number>(resolve => {
		createInterface({input: child.stdout}).once('line', line => {
			resolve(Number(line));
		});
	});
	if (opened < wanted) {
		console.error(`\n!!! Only ${opened} of ${wanted} connections could be opened (ulimit -n). The test is WEAKER here.\n`);
	}

	const times: number[] = [];
	for (let count = 0; count < 50; count++) {
		const began = performance.now();
		assert.equal((await served.send(signed(colony.owner, wire('colony.get', {colonyid: colony.id})))).status, 200);
		times.push(performance.now() - began);
	}

	const each = (process.memoryUsage().rss - before) / opened;
	const median = times.sort((a, b) => a - b)[25]!;
	t.diagnostic(`${opened} connections, ${(each / 1024).toFixed(1)} KiB each; a request takes ${median.toFixed(1)} ms at the median`);
	assert.ok(opened > 1000);
	assert.ok(each < 40_000, `${each} bytes each`);
	assert.ok(median < 100);
	const began = performance.now();
	await served.listening.close();
	assert.ok(performance.now() - began < 5000);
});
