import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Unauthenticated} from '../source/core/errors.ts';
import {guesserOf, RootGate} from '../source/server/root-gate.ts';
import {openAny, openColony, refused, root, rootPassword} from './support/colony.ts';
import {
	byRoot, problem, serve, signed, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const served = await serve(database, {secure: true});

const nobody = new AbortController().signal;

/** A gate with a clock that goes as far as it is waited for. */
function gate({right = 'right'} = {}) {
	const clock = {now: 1_000_000, waits: [] as number[], running: 0, most: 0};
	const held: Array<() => void> = [];
	const made = new RootGate({
		async verify(password) {
			clock.running++;
			clock.most = Math.max(clock.most, clock.running);
			await new Promise(setImmediate);
			clock.running--;
			if (password !== right) {
				throw new Unauthenticated('The root password is wrong.');
			}

			return {kept: false};
		},
		now: () => clock.now,
		async wait(milliseconds) {
			clock.waits.push(milliseconds);
			clock.now += milliseconds;
		},
	});
	const fail = async (address: string) => refused(made.check(address, 'wrong', nobody), 'unauthenticated');
	return {gate: made, clock, held, fail};
}

test('each wrong password doubles the delay of its address, up to ten seconds; the right one ends it', async () => {
	const {gate: made, clock, fail} = gate();
	for (let count = 0; count < 9; count++) {
		await fail('a');
	}

	assert.deepEqual(clock.waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
	await made.check('a', 'right', nobody);
	clock.waits.length = 0;
	await made.check('a', 'right', nobody);
	await fail('a');
	assert.deepEqual(clock.waits, []);
});

test('failures are forgiven with time', async () => {
	const {clock, fail} = gate();
	for (let count = 0; count < 4; count++) {
		await fail('a');
	}

	clock.waits.length = 0;
	clock.now += 61_000;
	await fail('a');
	await fail('a');
	assert.deepEqual(clock.waits, [1000], 'two of four are forgiven, and one more made');
	clock.now += 600_000;
	clock.waits.length = 0;
	await fail('a');
	assert.deepEqual(clock.waits, []);
});

test('those who guess from many addresses wait for each other; who gave the right password does not wait for them', async () => {
	const {gate: made, clock, fail} = gate();
	await made.check('friend', 'right', nobody);
	for (let count = 0; count < 5; count++) {
		await fail(`stranger ${count}`);
	}

	assert.deepEqual(clock.waits, [250, 500, 1000, 2000]);
	clock.waits.length = 0;
	await made.check('friend', 'right', nobody);
	assert.deepEqual(clock.waits, []);
	await made.check('another', 'right', nobody);
	assert.deepEqual(clock.waits, [4000]);
});

test('tries of one address come one after the other, of many at most two at once', async () => {
	const one = gate();
	await Promise.all(Array.from({length: 5}, async () => one.fail('a')));
	assert.equal(one.clock.most, 1);
	assert.deepEqual(one.clock.waits, [250, 500, 1000, 2000]);
	const many = gate();
	await Promise.all(Array.from({length: 20}, async (_, index) => many.fail(`a${index}`)));
	assert.equal(many.clock.most, 2);
});

test('what is remembered and what waits is bounded', async () => {
	const {gate: made, fail} = gate();
	for (let count = 0; count < 10_100; count++) {
		await fail(`a${count}`);
	}

	assert.equal(made.size, 10_000);
	const tries = await Promise.allSettled(Array.from({length: 150}, async () => made.check('b', 'wrong', nobody)));
	assert.equal(tries.filter(({reason}: any) => reason.code === 'unavailable').length, 50);
});

test('nobody is waited for who hung up', async () => {
	let isAsked = false;
	const made = new RootGate({async verify() {
		isAsked = true;
		throw new Unauthenticated('wrong');
	}});
	await refused(made.check('a', 'wrong', nobody), 'unauthenticated');
	isAsked = false;
	const stop = new AbortController();
	const waiting = made.check('a', 'wrong', stop.signal);
	stop.abort();
	await refused(waiting, 'unavailable');
	assert.equal(isAsked, false);
});

test('an address is an IPv4 address or an IPv6 network of 64 bits', () => {
	for (const [address, guesser] of [
		['127.0.0.1', '127.0.0.1'], ['::ffff:10.1.2.3', '10.1.2.3'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'], ['2001:DB8::1', '2001:db8:0:0'], ['::1', '0:0:0:0'], ['fe80::1%eth0', 'fe80:0:0:0'], ['2001:0db8:0001:0002::', '2001:db8:1:2'], [undefined, 'local'],
	] as const) {
		assert.equal(guesserOf(address), guesser);
	}
});

test('root gives its password over TLS; a wrong one is told from a right one, and delays the next', async () => {
	assert.equal((await served.call(rootPassword, 'colony.list', {})).status, 200);
	const wrong = await served.call('wrong', 'colony.list', {});
	problem(wrong, 401, 'unauthenticated', /wrong/);
	assert.match(wrong.headers['www-authenticate']!, /^Signature realm="colonies", Basic realm="colonies root", charset="UTF-8"$/);
	const began = performance.now();
	assert.equal((await served.call(rootPassword, 'colony.list', {})).status, 200);
	assert.ok(performance.now() - began > 200);
	for (const authorization of ['Basic', 'Basic !!!', 'Bearer abc', `Basic ${Buffer.from('admin:x').toString('base64')}`, `Basic ${Buffer.from('root').toString('base64')}`, `Basic ${Buffer.from('root:').toString('base64')}`]) {
		const {method, target} = wire('colony.list', {});
		problem(await served.send({method, target, headers: {authorization}}), 401, 'unauthenticated');
	}
});

test('the work of a colony is not for root, whatever its password', async () => {
	problem(await served.call('wrong', 'process.list', {colonyid: colony.id}), 403, 'not-allowed');
	assert.equal((await served.call(rootPassword, 'colony.get', {colonyid: colony.id})).status, 200);
	assert.equal((await served.call(rootPassword, 'event.list', {colonyid: colony.id})).status, 200);
});

test('the first root password does not come over TCP', async () => {
	const fresh = await openAny();
	await openColony(fresh).then(async ({broker}) => {
		await broker.run(root, 'colony.list', {});
		await fresh.query('delete from installation');
	});
	const remote = await serve(fresh, {secure: true});
	problem(await remote.call('mine', 'colony.list', {}), 401, 'unauthenticated', /no root password yet/);
});

test('the root password may be changed, and has any characters', async () => {
	const password = 'ny: lösen \u{1F600}';
	assert.equal((await served.call(rootPassword, 'database.rootpassword', {newrootpassword: password})).status, 204);
	assert.equal((await served.call(password, 'colony.list', {})).status, 200);
	problem(await served.call(rootPassword, 'colony.list', {}), 401, 'unauthenticated');
	assert.equal((await served.call(password, 'database.rootpassword', {newrootpassword: rootPassword})).status, 204);
	assert.equal((await served.send(byRoot(rootPassword, wire('colony.list', {})))).status, 200);
});

test('the metrics are for root', async () => {
	await colony.submit();
	problem(await served.send({method: 'GET', target: '/metrics', headers: {}}), 401, 'unauthenticated');
	problem(await served.send(signed(colony.owner, {method: 'GET', target: '/metrics'})), 401, 'unauthenticated');
	const {status, text, headers} = await served.send(byRoot(rootPassword, {method: 'GET', target: '/metrics'}));
	assert.equal(status, 200);
	assert.match(headers['content-type']!, /^text\/plain; version=0.0.4/);
	assert.match(text, new RegExp(`^colonies_processes{colony="${colony.id}",state="waiting"} 1$`, 'm'));
	assert.match(text, /^colonies_http_requests_total{route="\/colonies",method="GET",status="200"} \d+$/m);
	assert.match(text, /^colonies_http_request_duration_seconds_bucket{le="0.1",route="\/colonies"/m);
	for (const name of ['database_up', 'database_connections', 'database_waiting', 'computers_waiting', 'watchers', 'deadline_lag_seconds', 'event_lag_seconds']) {
		assert.match(text, new RegExp(`^colonies_${name} `, 'm'));
	}

	assert.match(text, /^process_resident_memory_bytes \d+$/m);
});

test('a server says whether it lives and whether it can serve', async () => {
	const live = await served.send({method: 'GET', target: '/healthz', headers: {}});
	assert.equal(live.status, 200);
	assert.deepEqual(Object.keys(live.json), ['status', 'version']);
	// Nothing of the database, for anyone may ask.
	assert.deepEqual(Object.keys((await served.send({method: 'GET', target: '/readyz', headers: {}})).json), ['status', 'version', 'schema']);
	const fresh = await openAny();
	await openColony(fresh);
	const away = await serve(fresh);
	const untilReady = async (expected: string) => {
		for (let text = ''; !text.includes(expected);) {
			({text} = await away.send({method: 'GET', target: '/readyz', headers: {}}));
		}
	};

	await untilReady('"ok"');
	await fresh.query('insert into colonies.migrations (number, name) values (9999, $1)', ['of the future']);
	await untilReady('The schema of the database is not that of this version.');
	await fresh.query('delete from colonies.migrations where number = 9999');
	await untilReady('"ok"');
	await fresh.close();
	await untilReady('The database does not answer.');
	assert.equal((await away.send({method: 'GET', target: '/readyz', headers: {}})).status, 503);
	assert.equal((await away.send({method: 'GET', target: '/healthz', headers: {}})).status, 200);
	problem(await away.send(signed(colony.owner, wire('colony.get', {colonyid: colony.id}))), 503, 'unavailable');
});
