import assert from 'node:assert/strict';
import {setMaxListeners} from 'node:events';
import {test} from 'node:test';
import {toColoniesError, Unauthenticated} from '../source/core/errors.ts';
import {guessBurst, guesserOf, guessIntervalMs, RootGate} from '../source/server/root-gate.ts';
import {openAny, openColony, refused, root, rootPassword} from './support/colony.ts';
import {
	byRoot, problem, serve, signed, wire,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const served = await serve(database, {secure: true});

const nobody = new AbortController().signal;
setMaxListeners(0, nobody);

/** A clock that goes on only when everybody waits. */
class Clock {
	now = 1_000_000;
	readonly #timers: Array<{at: number; go: () => void}> = [];

	readonly wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
		this.#timers.push({at: this.now + milliseconds, go: resolve});
		signal.addEventListener('abort', () => {
			reject(new Error('aborted'));
		}, {once: true});
	});

	/** Goes on until the work is done, or so far. */
	async run(work: Promise<unknown>, until = Infinity): Promise<void> {
		let isDone = false;
		void work.catch(() => undefined).finally(() => {
			isDone = true;
		});
		for (;;) {
			for (let turn = 0; turn < 4; turn++) {
				await new Promise(setImmediate);
			}

			this.#timers.sort((one, other) => one.at - other.at);
			if (isDone || this.#timers.length === 0 || this.#timers[0]!.at > until) {
				return;
			}

			const {at, go} = this.#timers.shift()!;
			this.now = Math.max(this.now, at);
			go();
		}
	}
}

/** A gate before a password, with everything that was checked and when. */
function gate() {
	const clock = new Clock();
	const checked: Array<{password: string; at: number}> = [];
	let remembered: string | undefined;
	const made = new RootGate({
		remembers: async password => password === remembered,
		async verify(password) {
			checked.push({password, at: clock.now});
			await new Promise(setImmediate);
			if (password !== 'right') {
				throw new Unauthenticated('The root password is wrong.');
			}

			remembered = password;
		},
		now: () => clock.now,
		wait: clock.wait,
	});
	const guess = async (address: string, signal = nobody) => refused(made.check(address, 'wrong', signal), 'unauthenticated');
	return {gate: made, clock, checked, guess};
}

test('a right password is let in whoever guesses beside it, from the same address and from a thousand others', async () => {
	const {gate: made, clock, guess} = gate();
	await made.check('shared', 'right', nobody);
	const began = clock.now;
	const guesses = Array.from({length: 110}, async () => made.check('shared', 'wrong', nobody).catch(() => undefined));
	const others = Array.from({length: 1000}, async (_, index) => made.check(`a${index}`, 'wrong', nobody).catch(() => undefined));
	for (let count = 0; count < 20; count++) {
		await made.check('shared', 'right', nobody);
		await made.check('elsewhere', 'right', nobody);
	}

	assert.equal(clock.now, began, 'it waited for nobody');
	await clock.run(Promise.all([...guesses, ...others]));
	await clock.run(guess('shared'));
	await made.check('shared', 'right', nobody);
});

test('however many addresses guess, together they guess no more than the bound', async () => {
	const {gate: made, clock, checked} = gate();
	const hour = 3_600_000;
	const end = clock.now + hour;
	const began = clock.now;
	const guessers = Array.from({length: 200}, async (_, index) => {
		for (let count = 0; clock.now < end; count++) {
			await made.check(`a${index}`, `wrong ${index} ${count}`, nobody).catch(() => undefined);
		}
	});
	await clock.run(Promise.all(guessers), end);
	assert.ok(checked.length > 1000, `${checked.length} in an hour: the bound is met, not undercut`);
	for (const [index, {at}] of checked.entries()) {
		assert.ok(index + 1 <= guessBurst + ((at - began) / guessIntervalMs) + 1, `${index + 1} guesses after ${at - began} ms`);
	}
});

test('one address guesses one at a time, and waits longer after each wrong one; who hangs up gains nothing', async () => {
	const {gate: made, clock, checked, guess} = gate();
	await clock.run(Promise.all(Array.from({length: 8}, async () => guess('a'))));
	assert.deepEqual(checked.slice(1).map(({at}, index) => at - checked[index]!.at), [250, 500, 1000, 2000, 4000, 8000, 10_000]);

	const before = checked.length;
	const stop = new AbortController();
	const hung = made.check('a', 'wrong', stop.signal);
	stop.abort();
	await clock.run(hung);
	await refused(hung, 'unavailable');
	assert.equal(checked.length, before);
	await clock.run(guess('a'));
	assert.ok(checked.at(-1)!.at - checked.at(-2)!.at >= 10_000);
	clock.now += 600_000;
	await clock.run(guess('a'));
	await clock.run(guess('a'));
	assert.equal(checked.at(-1)!.at - checked.at(-2)!.at, 250, 'what was long ago is forgiven');
});

test('a password that is right but not known yet is checked at once where few guess, and takes nothing of what others may guess', async () => {
	const {gate: made, clock, checked, guess} = gate();
	await clock.run(Promise.all(Array.from({length: guessBurst - 1}, async (_, index) => guess(`a${index}`))));
	const began = clock.now;
	await made.check('b', 'right', nobody);
	assert.equal(clock.now, began);
	const last = guess('c');
	await clock.run(last);
	assert.equal(checked.at(-1)!.at, began, 'the twentieth guess still comes at once');
});

const codeOf = async (check: Promise<void>): Promise<string> => {
	try {
		await check;
		return 'right';
	} catch (error) {
		return toColoniesError(error).code;
	}
};

test('what is remembered and what waits is bounded', async () => {
	const {gate: made, clock} = gate();
	const tries = Array.from({length: 10_600}, async (_, index) => codeOf(made.check(`a${index}`, 'wrong', nobody)));
	const same = Array.from({length: 30}, async () => codeOf(made.check('b', 'wrong', nobody)));
	await clock.run(Promise.all([...tries, ...same]));
	const codes = await Promise.all(tries);
	assert.equal(codes.filter(code => code === 'unauthenticated').length, 500);
	assert.equal(codes.filter(code => code === 'unavailable').length, 10_100);
	assert.ok((await Promise.all(same)).every(code => code === 'unavailable'));
	assert.ok(made.size <= 10_000);
});

test('an address is an IPv4 address or an IPv6 network of 64 bits', () => {
	for (const [address, guesser] of [
		['127.0.0.1', '127.0.0.1'], ['::ffff:10.1.2.3', '10.1.2.3'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'], ['2001:DB8::1', '2001:db8:0:0'], ['::1', '0:0:0:0'], ['fe80::1%eth0', 'fe80:0:0:0'], ['2001:0db8:0001:0002::', '2001:db8:1:2'], [undefined, 'local'],
	] as const) {
		assert.equal(guesserOf(address), guesser);
	}
});

test('root gives its password over TLS; a wrong one is told from a right one, and delays nobody else', async () => {
	assert.equal((await served.call(rootPassword, 'colony.list', {})).status, 200);
	const wrong = await served.call('wrong', 'colony.list', {});
	problem(wrong, 401, 'unauthenticated', /wrong/);
	assert.match(wrong.headers['www-authenticate']!, /^Signature realm="colonies", Basic realm="colonies root", charset="UTF-8"$/);
	assert.equal((await served.call(rootPassword, 'colony.list', {})).status, 200);
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
		await fresh.query('delete from colonies.installation');
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
