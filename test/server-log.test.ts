import assert from 'node:assert/strict';
import {test} from 'node:test';
import {brokerContext} from '../source/contexts/index.ts';
import {shortId} from '../source/core/text.ts';
import {listen} from '../source/server/index.ts';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {
	byRoot, Lines, problem, serve, Served, signed, testCertificate, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const log = new Lines();
const served = await serve(database, {secure: true, log});

/** The lines that were added, once there are so many. */
async function logged(count: number, work: () => Promise<unknown>): Promise<any[]> {
	const before = log.lines.length;
	await work();
	while (log.lines.length < before + count) {
		await new Promise(setImmediate);
	}

	return log.lines.slice(before);
}

test('a request is one line: what was asked by whom, and what came of it', async () => {
	const lines = await logged(4, async () => {
		await served.call(colony.owner, 'process.list', {colonyid: colony.id, text: 'looked for'});
		await served.call(rootPassword, 'colony.list', {});
		await served.send({method: 'GET', target: '/nothing/secret-path?secret-query=1', headers: {}});
		await served.send({method: 'GET', target: `/colonies/${colony.id}`, headers: {}});
	});
	assert.deepEqual(lines.map(({level, method, route, status, who, address}): unknown[] => [level, method, route, status, who, address]), [
		['info', 'GET', '/colonies/{colonyid}/processes', 200, shortId(colony.id), '127.0.0.1'],
		['info', 'GET', '/colonies', 200, 'root', '127.0.0.1'],
		['info', 'GET', 'none', 404, undefined, '127.0.0.1'],
		['info', 'GET', '/colonies/{colonyid}', 401, undefined, '127.0.0.1'],
	]);
	for (const line of lines) {
		assert.deepEqual(Object.keys(line).filter(name => !['level', 'time', 'id', 'method', 'route', 'status', 'ms', 'who', 'address', 'code', 'msg'].includes(name)), []);
		assert.equal(typeof line.ms, 'number');
		assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
	}

	assert.equal(new Set(lines.map(({id}) => String(id))).size, lines.length);
});

test('nothing secret stands in the log', async () => {
	const marks = {
		value: 'mark-of-a-value', key: 'mark-of-a-key', output: 'mark-of-output', broken: 'mark-of-broken-json', text: 'mark-of-a-query', header: 'mark-of-a-header', password: 'mark-of-a-password', guess: 'mark-of-a-guess', idempotency: 'mark-of-idempotency', notice: 'mark-of-a-notice', path: 'mark-of-a-path', type: 'mark-of-a-type',
	};
	const computer = await colony.computer({computertype: marks.type});
	const target = `/colonies/${colony.id}/processes`;
	const requests = [
		signed(colony.owner, wire('process.submit', {spec: {targetcolonyid: colony.id, in: {[marks.key]: marks.value}, [marks.notice]: marks.notice}}), {idempotencyKey: marks.idempotency, headers: {'x-secret': marks.header, cookie: marks.header}}),
		signed(computer, wire('process.assign', {colonyid: colony.id})),
		signed(colony.owner, {method: 'POST', target, body: new Uint8Array(Buffer.from(`{"spec": {"in": {"password": "${marks.broken}`))}),
		signed(colony.owner, {method: 'POST', target, body: {spec: {in: {key: marks.value}, cores: marks.output}}}),
		signed(colony.owner, wire('process.list', {colonyid: colony.id, text: marks.text, attribute: {key: marks.key, value: marks.value}})),
		signed(colony.owner, {method: 'GET', target: `${target}?${marks.text}=1`}),
		signed(colony.owner, {method: 'GET', target: `${target}/${marks.path}`}),
		{method: 'PROPFIND', target: `/${marks.path}`, headers: {}},
		byRoot(marks.guess, wire('colony.list', {})),
		byRoot(rootPassword, wire('database.rootpassword', {newrootpassword: marks.password})),
		byRoot(marks.password, {method: 'PUT', target: '/rootpassword', body: new Uint8Array(Buffer.from(`{"newrootpassword": "${marks.broken}"`))}),
		byRoot(marks.password, {method: 'PUT', target: '/rootpassword', body: {newrootpassword: marks.guess.repeat(100)}}),
		byRoot(marks.password, wire('database.rootpassword', {newrootpassword: rootPassword})),
		byRoot(rootPassword, {method: 'GET', target: '/metrics'}),
	];
	await logged(requests.length, async () => {
		for (const request of requests) {
			const {text} = await served.send(request).catch(() => ({text: ''}));
			for (const secret of [marks.password, marks.guess, marks.broken, rootPassword, ...colony.privateKeys]) {
				assert.ok(!text.includes(secret), `${request.method} ${request.target} answers with it: ${text}`);
			}
		}
	});
	const signatures = requests.map(({headers}) => 'signature' in headers ? headers.signature : undefined).filter(signature => signature !== undefined);
	for (const secret of [...Object.values(marks), rootPassword, Buffer.from(`root:${rootPassword}`).toString('base64'), colony.id, computer.id, ...colony.privateKeys, ...signatures]) {
		assert.ok(!log.text.includes(secret), `The log has ${secret}.`);
	}
});

test('a fault of the server is logged with its stack, and answered without', async () => {
	const lines = new Lines();
	const context = brokerContext(database, {kind: 'database', name: 'broken', local: false});
	const broken = {...context, async run() {
		throw new Error('boom', {cause: Object.assign(new TypeError('inner'), {detail: 'secret detail'})});
	}};
	const certificate = await testCertificate();
	const server = new Served(broken, await listen({context: broken, version: '0', host: '127.0.0.1', port: 0, tls: certificate, log: lines}), certificate);
	try {
		const answer = await server.call(colony.owner, 'colony.get', {colonyid: colony.id});
		problem(answer, 500, 'internal', /^Something went wrong inside the server.$/);
		assert.ok(!answer.text.includes('boom'));
		while (lines.lines.length === 0) {
			await new Promise(setImmediate);
		}

		const [line] = lines.lines;
		assert.equal(line.level, 'error');
		assert.equal(answer.json.instance, `urn:colonies:request:${line.id}`);
		assert.match(line.stack, /Error: boom\n {4}at [^]*caused by TypeError: inner\n {4}at /);
		assert.doesNotMatch(lines.text, /secret detail/);
	} finally {
		await server.close();
	}
});

test('without a log nothing is written', async t => {
	const silent = await serve(database);
	const write = t.mock.method(process.stdout, 'write');
	const writeError = t.mock.method(process.stderr, 'write');
	await silent.send(signed(colony.owner, wire('colony.get', {colonyid: colony.id})));
	problem(await silent.send({method: 'GET', target: '/nothing', headers: {}}), 404, 'not-found');
	assert.equal(write.mock.callCount() + writeError.mock.callCount(), 0);
});
