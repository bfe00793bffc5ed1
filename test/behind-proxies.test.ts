import assert from 'node:assert/strict';
import type http from 'node:http';
import https from 'node:https';
import {after, suite, test} from 'node:test';
import type {Context} from '../source/operations/index.ts';
import {createIdentity} from '../source/identity/index.ts';
import {readNetworks} from '../source/operations/networks.ts';
import {NoAnswer, openRemote} from '../source/remote/index.ts';
import {openAny, openColony, root, rootPassword} from './support/colony.ts';
import {freePort} from './support/databases.ts';
import {failureOf, happening} from './support/outcomes.ts';
import {
	noProxy, type ProxyName, startHaproxy, startNginx,
} from './support/proxies.ts';
import {
	byRoot, Lines, type Outgoing, serve, signed, testCertificate, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const {cert: ca, fingerprint} = await testCertificate();
const here = (readNetworks('127.0.0.1') as Extract<ReturnType<typeof readNetworks>, {networks: unknown}>).networks;

type Logged = {route: string; address: string; proxy?: string; status: number; who?: string};

/** How the server is started behind each, how the example is changed for a test, and what is particular to it. */
const kinds = {
	nginx: {
		start: startNginx, secure: false,
		wrongHost: ['proxy_set_header Host $http_host;', 'proxy_set_header Host internal:8080;'],
		short: ['proxy_read_timeout 75s;', 'proxy_read_timeout 1s;'],
		away: 502,
	},
	haproxy: {
		start: startHaproxy, secure: true,
		wrongHost: ['default_backend colonies', 'http-request set-header host internal:8080\n\tdefault_backend colonies'],
		short: ['timeout server 75s', 'timeout server 1s'],
		away: 503,
	},
} as const satisfies Record<ProxyName, unknown>;

const contexts: Context[] = [];
after(async () => Promise.all(contexts.map(async context => context.close())));

/** What a client of ours has of a server behind a proxy. */
async function open(port: number, options: {longestWait?: number} = {}): Promise<Context> {
	const context = await openRemote({address: {host: '127.0.0.1', port, trust: {kind: 'fingerprint', sha256: fingerprint}, place: `the server at 127.0.0.1:${port}`}, kind: 'server', name: 'test', ...options});
	contexts.push(context);
	return context;
}

/** Sends a request from another address of this machine. */
const sendFrom = async (localAddress: string, port: number, {method, target, headers, body}: Outgoing): Promise<{status: number; text: string}> => new Promise((resolve, reject) => {
	const request = https.request({host: '127.0.0.1', port, localAddress, method, path: target, headers: {...headers, ...(body ? {'content-length': String(body.length)} : {})}, ca, servername: 'localhost', agent: false}, response => {
		let text = '';
		response.setEncoding('utf8').on('data', (chunk: string) => {
			text += chunk;
		});
		response.once('end', () => {
			resolve({status: response.statusCode!, text});
		});
	});
	request.once('error', reject);
	request.end(body);
});

/** Resolves when a stream has said so many times that it is there; rejects when it ends before. */
const commentsOf = async (request: http.ClientRequest, count: number): Promise<void> => new Promise((resolve, reject) => {
	let comments = 0;
	const hear = (text: string) => {
		comments += text.split('\n').filter(line => line === ':').length;
		if (comments >= count) {
			resolve();
		}
	};

	request.once('error', reject).once('response', response => {
		response.once('close', () => {
			reject(new Error(`The stream ended after ${comments} comments.`));
		}).setEncoding('utf8').on('data', hear);
	});
});

for (const [name, {start, secure, wrongHost, short, away}] of Object.entries(kinds) as Array<[ProxyName, typeof kinds[ProxyName]]>) {
	suite(`behind ${name}, with examples/deploy`, {skip: noProxy[name], timeout: 120_000}, () => {
		test('root registers a colony, and its people work in it', async () => {
			const log = new Lines();
			const served = await serve(database, {secure, log, trustproxy: here});
			const {port} = await start({to: served.port});
			const context = await open(port);
			const [owner, computer] = [createIdentity().identity, createIdentity().identity];
			const colonyid = owner.id;
			await context.run(root, 'colony.register', {colonyid, spec: {name: 'far'}});
			await context.run({identity: owner}, 'computer.register', {colonyid, computerid: computer.id, spec: {name: 'lab', cores: 1}});
			await context.run({identity: owner}, 'computer.approve', {colonyid, computerid: computer.id});

			const heard = happening<ReadonlySet<string>>();
			const stop = context.watch(topics => {
				heard.tell(topics);
			}, {caller: {identity: owner}, colonyid});
			await heard.next();
			const waiting = context.run({identity: computer}, 'process.assign', {colonyid, wait: 60});
			while (served.context.broker.waiting.size === 0) {
				await new Promise(setImmediate);
			}

			const value = 'å'.repeat(300_000);
			const {processid} = await context.run({identity: owner}, 'process.submit', {spec: {targetcolonyid: colonyid, in: {value}}});
			const assigned = await waiting;
			assert.equal(assigned.processid, processid);
			assert.equal(assigned.in?.[0]?.value, value);
			assert.ok((await heard.next()).has('processes'));
			stop();
			await context.run({identity: computer}, 'process.successful', {colonyid, processid});
			assert.equal((await context.where()).kind, 'server');
			const lines = log.lines as Logged[];
			assert.ok(lines.some(({who, route}) => who === 'root' && route === '/colonies'));
		});

		test('the server sees the address of the client, and not what it claims', async () => {
			const log = new Lines();
			const served = await serve(database, {secure, log, trustproxy: here});
			const {port} = await start({to: served.port});
			const forged = {'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http', forwarded: 'for=192.0.2.1;proto=http'};
			const [mine, theirs] = [byRoot(rootPassword, wire('colony.list', {})), byRoot(rootPassword, wire('colony.list', {}), forged)];
			for (const address of ['127.0.0.2', '127.0.0.3']) {
				assert.equal((await sendFrom(address, port, mine)).status, 200);
				assert.equal((await sendFrom(address, port, theirs)).status, 200);
			}

			const asked = (log.lines as Logged[]).filter(({route}) => route === '/colonies');
			assert.deepEqual(asked.map(({address, proxy}) => [address, proxy]), ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3'].map(address => [address, '127.0.0.1']));
		});

		test('a wrong Host is named, with what to set', async () => {
			const served = await serve(database, {secure, trustproxy: here});
			const {port} = await start({to: served.port, changes: [wrongHost]});
			const context = await open(port);
			const failure = await failureOf(context.run({identity: colony.owner}, 'colony.get', {colonyid: colony.id}));
			assert.equal(failure.code, 'unauthenticated');
			assert.match(failure.hint!, /^The server saw the authority "internal:8080"\..*proxy_set_header Host \$http_host/);
		});

		test('an answer of the proxy is told as its own', async () => {
			const served = await serve(database, {secure, trustproxy: here});
			const {port} = await start({to: served.port, changes: [short]});
			const context = await open(port);
			const computer = await colony.computer();
			const late = await failureOf(context.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait: 20}));
			assert.ok(late instanceof NoAnswer && late.isSent && !late.nothingDone);
			assert.equal(late.message, `The proxy in front of the server at 127.0.0.1:${port} answered 504 Gateway Timeout.`);
			assert.match(late.hint!, /proxy_read_timeout/);

			const nowhere = await start({to: await freePort()});
			const failure = await failureOf(open(nowhere.port));
			assert.match(failure.message, new RegExp(`^The proxy in front of the server at 127\\.0\\.0\\.1:${nowhere.port} answered ${away} `));
		});

		test('a long wait and a stream outlive the idle limit of the proxy', async () => {
			const log = new Lines();
			const served = await serve(database, {secure, log, trustproxy: here, beat: 200});
			const {port} = await start({to: served.port, changes: [short]});
			const computer = await colony.computer();
			const waiting = (await open(port, {longestWait: 0.4})).run({identity: computer}, 'process.assign', {colonyid: colony.id, wait: 60});
			const request = https.get({host: '127.0.0.1', port, path: `/colonies/${colony.id}/events`, headers: signed(colony.owner, {method: 'GET', target: `/colonies/${colony.id}/events`}, {headers: {accept: 'text/event-stream'}}).headers, ca, servername: 'localhost', agent: false});
			// Ten comments take two seconds, and the proxy cuts what is idle for one.
			await commentsOf(request, 10);
			request.destroy();
			const requests = () => (log.lines as Logged[]).filter(({route, status}) => route.endsWith('/assign') && status === 404).length;
			while (requests() < 4) {
				await new Promise(setImmediate);
			}

			const {processid} = await colony.submit({targetcomputerids: [computer.id]});
			assert.equal((await waiting).processid, processid);
		});

		test('a refusal of the server stays one: too large, not ready', async () => {
			const served = await serve(database, {secure, trustproxy: here});
			const {port} = await start({to: served.port});
			const large = signed(colony.owner, {method: 'POST', target: `/colonies/${colony.id}/processes`, body: {spec: {in: {value: 'x'.repeat(1_100_000)}}}});
			const {status, text} = await sendFrom('127.0.0.1', port, large);
			assert.deepEqual([status, (JSON.parse(text) as {code: string}).code], [413, 'too-large']);
			assert.equal((await sendFrom('127.0.0.1', port, {method: 'GET', target: '/readyz', headers: {}})).status, 200);
		});
	});
}
