import assert from 'node:assert/strict';
import process from 'node:process';
import {after, test} from 'node:test';
import {brokerContext} from '../source/contexts/index.ts';
import {ColoniesError} from '../source/core/errors.ts';
import {
	type Client, type ConnectOptions, type Process, type Progress, type WorkOptions, connect, work,
} from '../source/index.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openKeychain} from '../source/keychain/index.ts';
import {listen} from '../source/server/index.ts';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {temporaryFolder} from './support/commands.ts';
import {failureOf, happening} from './support/outcomes.ts';
import {serve, testCertificate} from './support/server.ts';

// What a client finds of its user's own.
process.env.COLONIES_HOME = temporaryFolder();
delete process.env.DATABASE_URL;

const rejections: unknown[] = [];
process.on('unhandledRejection', reason => {
	rejections.push(reason);
});

const database = await openAny();
const served = await serve(database, {secure: true, local: true});
const colony = await openColony(database, served.context.broker);
const computer = await colony.computer();
const [ownerKey, computerKey] = colony.privateKeys as [string, string];
const {fingerprint} = await testCertificate();

const clients: Client[] = [];
after(async () => {
	await Promise.all(clients.map(async client => client.close()));
	assert.deepEqual(rejections, []);
});

async function open(options: ConnectOptions, port = served.port): Promise<Client> {
	const client = await connect({host: '127.0.0.1', port, fingerprint, colonyid: colony.id, ...options});
	clients.push(client);
	return client;
}

test('a client does what its caller may, by name and in short', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const worker = await open({privateKey: computerKey});
	assert.deepEqual([owner.id, worker.id], [colony.id, computer.id]);
	const one = await owner.submit({in: {n: '1'}});
	const many = await owner.submit([{in: {n: '2'}}, {in: {n: '3'}, targetcolonyid: colony.id}]);
	assert.equal(many.length, 2);
	const first = await worker.assign();
	const others = await worker.assign({count: 5, wait: 10});
	assert.deepEqual([...first, ...others].map(({processid}) => processid), [one, ...many].map(({processid}) => processid));
	assert.deepEqual(await worker.assign(), []);
	assert.deepEqual(await worker.assign({count: 3}), []);
	const {value} = await worker.addAttribute(one, {key: 'result', value: '42'});
	assert.equal(value, '42');
	assert.equal((await worker.successful(one)).status, 2);
	assert.equal((await worker.failed(many[0]!.processid, {colonyid: colony.id})).status, 3);
	const [closed, again] = await worker.runMany('process.successful', [{colonyid: colony.id, processid: many[1]!.processid}, {colonyid: colony.id, processid: one.processid}]);
	assert.ok('result' in closed! && again instanceof ColoniesError && again.code === 'conflict');
	assert.deepEqual((await owner.run('process.count', {colonyid: colony.id})).successful, 2);
	const {code} = await failureOf(worker.run('computer.approve', {colonyid: colony.id, computerid: computer.id}));
	assert.equal(code, 'not-allowed');
});

test('root may do what root does, and is no computer', {timeout: 60_000}, async () => {
	const root = await open({rootpassword: rootPassword});
	assert.equal(root.id, 'root');
	assert.equal((await root.run('colony.list', {})).rows.length, 1);
	assert.throws(() => root.work(() => undefined), {code: 'not-allowed'});
});

test('who calls, and which colony is meant, must be clear', {timeout: 60_000}, async () => {
	const place = {host: '127.0.0.1', port: served.port, fingerprint};
	assert.match((await failureOf(connect(place))).message, /not clear who calls/);
	assert.match((await failureOf(connect({...place, privateKey: ownerKey, id: colony.id}))).message, /privateKey and id exclude each other/);
	assert.equal((await failureOf(connect({...place, id: colony.id}))).code, 'unauthenticated');
	assert.equal((await failureOf(connect({...place, privateKey: 'x'}))).code, 'invalid-input');
	await openKeychain({folder: process.env.COLONIES_HOME!}).add(ownerKey);
	const owner = await open({id: colony.id, colonyid: undefined});
	assert.match((await failureOf(owner.submit({}))).message, /not said which colony/);
	assert.throws(() => owner.watch(() => undefined), {code: 'invalid-input'});
	assert.equal((await failureOf(open({privateKey: ownerKey, fingerprint: 'ab'.repeat(32)}).then(async client => client.run('colony.get', {colonyid: colony.id})))).code, 'unavailable');
});

test('what a client does not understand it refuses, with the nearest that it does', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const before = await owner.run('process.count', {colonyid: colony.id});
	const place = {host: '127.0.0.1', port: served.port, fingerprint, privateKey: ownerKey};
	// As JavaScript, where no compiler says so before.
	const loose = owner as unknown as Record<'submit' | 'run' | 'runMany' | 'assign' | 'addAttribute' | 'successful', (...given: unknown[]) => Promise<unknown>>;
	for (const [refused, message, hint] of [
		[loose.submit({maxretry: 3, tiemout: 5}), 'Unknown field "maxretry" in spec.', 'Did you mean maxretries?'],
		[loose.submit([{}, {tiemout: 5}]), 'Of the 2, number 2: Unknown field "tiemout" in spec.', 'Did you mean timeout?'],
		[loose.submit('text'), 'spec must be a JSON object, not "text".', 'Spec: What is to be done: a JSON object.'],
		[loose.submit({}, {idempotencykey: 'a'}), 'Unknown option "idempotencykey" of a call.', 'Did you mean idempotencyKey?'],
		[loose.submit({}, {idempotencyKey: 'ö'}), 'idempotencyKey must be 1 to 200 printable ASCII characters, not "ö".', 'A UUID is one.'],
		[loose.assign({wiat: 5}), 'Unknown option "wiat" of assign.', 'Did you mean wait?'],
		[loose.assign({count: 0}), 'count must be a whole number from 1 to 1000, not "0".', 'Ask again for more.'],
		[loose.addAttribute(colony.id, {key: 'a', vlaue: 'b'}), 'Unknown option "vlaue" of addAttribute.', 'Did you mean value?'],
		[loose.successful(colony.id, {colony: colony.id}), 'Unknown option "colony" of successful.', 'Did you mean colonyid?'],
		[loose.successful(undefined), 'processid is missing.', 'Process: Id of the process, 64 hex digits.'],
		[loose.run('process.sumbit', {}), 'There is no operation "process.sumbit".', 'Did you mean process.submit?'],
		[loose.runMany('constructor', [{}]), 'There is no operation "constructor".', undefined],
		[connect({...place, hots: '127.0.0.1'} as ConnectOptions), 'Unknown option "hots" of connect.', 'Did you mean host?'],
		[connect({...place, privatekey: ownerKey} as ConnectOptions), 'Unknown option "privatekey" of connect.', 'Did you mean privateKey?'],
	] as Array<[Promise<unknown>, string, string | undefined]>) {
		const error = await failureOf(refused);
		assert.deepEqual([error.code, error.message, hint === undefined ? undefined : error.hint], ['invalid-input', message, hint]);
	}

	assert.throws(() => owner.work(() => undefined, {concurency: 2} as WorkOptions), {code: 'invalid-input', message: 'Unknown option "concurency" of work.', hint: 'Did you mean concurrency?'});
	assert.deepEqual(await owner.run('process.count', {colonyid: colony.id}), before);
});

test('a client hears of changes until it stops', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const heard = happening();
	const stop = owner.watch(topics => {
		if (topics.has('processes')) {
			heard.tell();
		}
	});
	const {processid} = await owner.submit({});
	await heard.next();
	stop();
	await owner.run('process.remove', {colonyid: colony.id, processid});
});

/** Becomes what was reported of the end of processes, in its order. */
function ending() {
	const ended = happening<Progress>();
	return {
		next: ended.next,
		report(progress: Progress) {
			if (progress.state !== 'started') {
				ended.tell(progress);
			}
		},
	};
}

test('a computer works over HTTPS until it is closed', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const client = await open({privateKey: computerKey});
	const {next, report} = ending();
	const worker = work(client, async ({in: given, out}) => {
		await out('n', given.n!);
		return {square: Number(given.n) ** 2};
	}, {concurrency: 3, report});
	const submitted = await owner.submit(Array.from({length: 12}, (_, n) => ({in: {n: `${n}`}})));
	for (const _ of submitted) {
		assert.equal((await next()).state, 'successful');
	}

	const {out} = await owner.run('process.get', {colonyid: colony.id, processid: submitted[7]!.processid});
	assert.deepEqual(out!.map(({key, value}) => [key, value]), [['n', '7'], ['square', '49']]);
	await client.close();
	await worker.done;
	assert.ok(worker.stopping);
});

test('a computer whose owner gave it another key works with that, told its id or not', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const {id: computerid} = await colony.computer({computertype: 'rekeyed'});
	const {identity: {id: keyid}, privateKey} = createIdentity();
	assert.equal((await owner.run('computer.rekey', {colonyid: colony.id, computerid, keyid})).keyid, keyid);
	for (const [options, id] of [[{privateKey}, keyid], [{privateKey, computerid}, computerid]] as const) {
		const client = await open(options);
		assert.equal(client.id, id);
		const {next, report} = ending();
		const worker = client.work(() => ({done: true}), {report});
		const [one, two] = await owner.submit([{computertype: 'rekeyed'}, {computertype: 'rekeyed'}]);
		assert.deepEqual([(await next()).state, (await next()).state], ['successful', 'successful']);
		for (const {processid} of [one!, two!]) {
			assert.equal((await owner.run('process.get', {colonyid: colony.id, processid})).assignedcomputerid, computerid);
		}

		await worker.stop();
	}

	await assert.rejects(connect({id: computerid, computerid}), {code: 'invalid-input', message: 'computerid goes with privateKey alone.'});
	const keychain = openKeychain({folder: process.env.COLONIES_HOME!});
	await keychain.add(privateKey);
	await keychain.replace({computerid, colonyid: colony.id, name: 'lab'}, keyid);
	const client = await open({id: computerid});
	assert.equal(client.id, computerid);
	await owner.submit({computertype: 'rekeyed'});
	const [taken] = await client.assign({wait: 10});
	assert.equal((await client.successful(taken!)).assignedcomputerid, computerid);
});

test('a computer that waits for work when it is stopped leaves nothing behind', {timeout: 60_000}, async () => {
	const owner = await open({privateKey: ownerKey});
	const client = await open({privateKey: computerKey});
	const ran = new Set<string>();
	const submitted: Process[] = [];
	for (let round = 0; round < 20; round++) {
		const worker = client.work(({process: {processid}}) => {
			ran.add(processid);
		}, {wait: 20});
		// It is stopped just as something comes for it.
		const [process] = await Promise.all([owner.submit({}), round % 2 === 0 ? worker.stop() : undefined]);
		submitted.push(process);
		await (round % 2 === 0 ? undefined : worker.stop());
	}

	const {running, waiting} = await owner.run('process.count', {colonyid: colony.id});
	assert.equal(running, 0);
	assert.equal(waiting + ran.size, submitted.length);
	await Promise.all(submitted.map(async ({processid}) => owner.run('process.remove', {colonyid: colony.id, processid})));
});

test('a computer survives a restart of its server', {timeout: 60_000}, async () => {
	const tls = await testCertificate();
	const context = brokerContext(database, {kind: 'database', name: 'test', local: false});
	const start = async (port: number) => listen({context, version: '0.0.0', host: '127.0.0.1', port, tls});
	let server = await start(0);
	const {port} = server;
	const client = await open({privateKey: computerKey}, port);
	const {next, report} = ending();
	const notices = happening<string>();
	const [held, release] = [happening(), happening()];
	const worker = client.work(async ({in: given}) => {
		if (given.held !== undefined) {
			held.tell();
			await release.next();
		}

		return {done: true};
	}, {report, notice: notices.tell, concurrency: 2, wait: 20});
	const first = await colony.submit({in: {held: ''}});
	await held.next();
	await server.close();
	assert.match(await notices.next(), /^This computer waits: /);
	// It is done while the server is away, and closed when that is back.
	release.tell();
	const second = await colony.submit();
	server = await start(port);
	assert.equal(await notices.next(), 'This computer goes on.');
	assert.deepEqual([(await next()).state, (await next()).state], ['successful', 'successful']);
	assert.deepEqual([await colony.state(first), await colony.state(second)], ['successful', 'successful']);
	await worker.stop();
	await client.close();
	await server.close();
	await context.broker.close();
});
